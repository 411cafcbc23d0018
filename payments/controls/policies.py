"""The approval policy of a tenant: who must approve what, limits, separation of duties, ages.

Belongs here: the policy as a value, its versions, what it demands of a payment. Does not: people's roles (`people.py`), cash.

Versions are only added; a decision names the version it was made under. Without one the strictest holds: one approval of
everything, and approver, decider and finalizer three people for every amount.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import date, datetime, timedelta
from typing import Any

from payments.controls.people import require
from payments.controls.policy_values import refuse_wrong_values
from payments.errors import BadRequest, OverLimit
from payments.money import shown
from payments.store.bill_tables import APPROVAL, BILL_WORKFLOW, DECISION, PAYMENT_POLICY, VENDOR_WATCH
from payments.store.cash_tables import HOLD
from payments.store.ledger import Ledger
from payments.store.repository import Look, Row
from resources.tenants import TenantId


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalRule:
    """Approvals that a payment needs when it is of this kind; every rule that fits has to be met."""

    #: Which payments: above one amount up to another, of these vendors (none: all), of new or changed vendors only.
    above_cents: int = 0
    up_to_cents: int | None = None
    vendor_ids: tuple[str, ...] = ()
    only_watched_vendors: bool = False
    #: Which approvals: so many people, each with one of these roles (none: any role that may approve).
    approvals: int = 1
    roles: tuple[str, ...] = ()
    #: The first approval by somebody with the first role, the second by the second, and so on.
    in_sequence: bool = False

    def fits(self, *, amount_cents: int, vendor_id: str, is_watched: bool) -> bool:
        """Whether a payment is of this rule's kind."""
        return (
            self.above_cents < amount_cents
            and (self.up_to_cents is None or amount_cents <= self.up_to_cents)
            and (not self.vendor_ids or vendor_id in self.vendor_ids)
            and (is_watched or not self.only_watched_vendors)
        )

    def missing(self, approvals: Sequence[Row]) -> str | None:
        """What these approvals, in the order they were given, lack; None if nothing."""
        if self.in_sequence:
            at = 0
            for approval in approvals:
                if at < len(self.roles) and self.roles[at] in approval["roles"]:
                    at += 1
            return (
                None
                if at == len(self.roles)
                else f"the next approval has to be by a person with the role {self.roles[at]}"
            )
        counted = [one for one in approvals if not self.roles or set(self.roles) & set(one["roles"])]
        lacking = self.approvals - len(counted)
        by = f" by people with one of the roles {', '.join(self.roles)}" if self.roles else ""
        return None if lacking <= 0 else f"{lacking} more approval{'s' if lacking > 1 else ''}{by}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """One version of a tenant's policy; amounts in home cents, None is no limit."""

    version: int = 0
    separation_above_cents: int = 0
    per_payment_cents: int | None = None
    per_batch_cents: int | None = None
    per_vendor_day_cents: int | None = None
    per_tenant_day_cents: int | None = None
    rules: tuple[ApprovalRule, ...] = (ApprovalRule(),)
    #: A balance older than this decides nothing.
    snapshot_max_age_seconds: int = 24 * 3600
    #: The same for payments that come due without a person.
    due_snapshot_max_age_seconds: int = 3600
    soft_hold_seconds: int = 72 * 3600
    #: A vendor that is new, or whose name or bank details changed in these days, needs a second person.
    payee_watch_days: int = 30
    #: When a scheduled payment takes its money: at the decision, or some days before it is due.
    schedule_holds: str = "now"
    promote_days_before: int = 2
    rail: str = "record_only"
    group_by_vendor: bool = False

    def separates(self, amount_cents: int) -> bool:
        """Whether approver, decider and finalizer have to be three people."""
        return amount_cents > self.separation_above_cents

    def takes_cash_on(self, pay_on: date, *, today: date) -> date | None:
        """The later day on which a payment that is decided today takes its money; None if at once."""
        promote_on = pay_on - timedelta(days=self.promote_days_before)
        return promote_on if self.schedule_holds == "at_due" and promote_on > today else None


def in_force(look: Look) -> Policy:
    """The tenant's policy now."""
    newest = look.newest(PAYMENT_POLICY, by="version")
    return Policy() if newest is None else _from_row(newest)


def set_policy(ledger: Ledger, tenant: TenantId, *, by: str, changes: Mapping[str, Any]) -> Policy:
    """Put a new version in force: the present one with changes. `BadRequest` names what cannot be.

    Values are as JSON has them; a rule is an `ApprovalRule` or an object of its fields.
    """
    with ledger.act(tenant, actor=by, kind="policy set") as act:
        require(act, by, "set_policy")
        present = in_force(act)
        known = {field.name for field in fields(Policy)} - {"version"}
        if unknown := sorted(set(changes) - known):
            raise BadRequest(
                what=f"The policy has no {', '.join(unknown)}.", next_step=f"It has {', '.join(sorted(known))}."
            )
        values = {**asdict(present), **changes, "version": present.version + 1}
        if isinstance(values["rules"], list | tuple):
            values["rules"] = [asdict(one) if isinstance(one, ApprovalRule) else one for one in values["rules"]]
        refuse_wrong_values(values)
        policy = _policy(values)
        act.entity = f"policy {policy.version}"
        row = asdict(policy) | {"group_by_vendor": int(policy.group_by_vendor), "set_by": by, "set_at": act.now}
        act.insert(PAYMENT_POLICY, row | {"rules": [asdict(rule) for rule in policy.rules]})
    return policy


def is_watched(look: Look, vendor_id: str, *, policy: Policy) -> bool:
    """Whether the vendor appeared or changed within the days that the policy watches."""
    row = look.one(VENDOR_WATCH, vendor_id=vendor_id)
    since = look.now - timedelta(days=policy.payee_watch_days)
    return row is not None and any(when is not None and when > since for when in (row["new_since"], row["changed_at"]))


def live_approvals(look: Look, bill: Row) -> list[Row]:
    """The approvals of a bill's present content, in the order they were given."""
    of_content = {"bill_id": bill["bill_id"], "cycle": bill["cycle"], "fingerprint": bill["fingerprint"]}
    return look.many(APPROVAL, **of_content, voided_at=None)


def approvals_of_all(look: Look, bills: Sequence[Row]) -> list[list[Row]]:
    """For each bill what `live_approvals` says of it, asked at once."""
    given: dict[tuple[str, int, str], list[Row]] = defaultdict(list)
    for row in look.many(APPROVAL, bill_id=[bill["bill_id"] for bill in bills], voided_at=None):
        given[row["bill_id"], row["cycle"], row["fingerprint"]].append(row)
    return [given[bill["bill_id"], bill["cycle"], bill["fingerprint"]] for bill in bills]


def missing_approvals(look: Look, bill: Row, *, amount_cents: int, policy: Policy) -> list[str]:
    """What the policy still asks for before this amount of the bill may be decided; empty if nothing."""
    watched = is_watched(look, bill["vendor_id"], policy=policy)
    approvals = live_approvals(look, bill)
    return lacking(approvals, vendor_id=bill["vendor_id"], amount_cents=amount_cents, watched=watched, policy=policy)


def lacking(approvals: Sequence[Row], *, vendor_id: str, amount_cents: int, watched: bool, policy: Policy) -> list[str]:
    """What these approvals lack under the policy; every rule that fits the payment counts, or one approval if none does."""
    fitting = [
        rule for rule in policy.rules if rule.fits(amount_cents=amount_cents, vendor_id=vendor_id, is_watched=watched)
    ]
    return [text for text in (rule.missing(approvals) for rule in fitting or [ApprovalRule()]) if text is not None]


def exceeded_limits(
    look: Look,
    bill: Row,
    *,
    amount_cents: int,
    pay_on: date,
    policy: Policy,
    instead_of: Collection[str] = (),
    beside: Sequence[Row] = (),
) -> list[str]:
    """The limits that this payment would exceed, each in words; empty if none.

    A what-if counts for the day as if decisions were taken back (`instead_of`, ids) and payments made (`beside`; vendor, amount).
    """
    found = []
    if policy.per_payment_cents is not None and amount_cents > policy.per_payment_cents:
        found.append(f"one payment is at most {shown(policy.per_payment_cents)}, this is {shown(amount_cents)}")
    if policy.per_vendor_day_cents is None and policy.per_tenant_day_cents is None:
        return found
    of_day = [row for row in _decided_for(look, pay_on) if row["decision_id"] not in instead_of] + [*beside]
    vendor = sum(row["amount_cents"] for row in of_day if row["vendor_id"] == bill["vendor_id"])
    everyone = sum(row["amount_cents"] for row in of_day)
    for limit, used, whose in (
        (policy.per_vendor_day_cents, vendor, "to one vendor"),
        (policy.per_tenant_day_cents, everyone, "in all"),
    ):
        if limit is not None and used + amount_cents > limit:
            found.append(
                f"on one day at most {shown(limit)} goes out {whose}; {shown(used)} is decided for {pay_on}, "
                f"this is {shown(amount_cents)}"
            )
    return found


def refuse_batch_over_limit(*, total_cents: int, policy: Policy) -> None:
    """`OverLimit` if a batch is larger than the policy allows."""
    if policy.per_batch_cents is not None and total_cents > policy.per_batch_cents:
        over = total_cents - policy.per_batch_cents
        raise OverLimit(
            what=f"A batch is at most {shown(policy.per_batch_cents)}; this one is {shown(total_cents)}, {shown(over)} too much.",
            next_step="Finalize fewer payments at once, or have the limit changed.",
            over_cents=over,
        )


def refuse_payment_over_limit(*, amounts: Mapping[str, int], vendor: str, policy: Policy) -> None:
    """`OverLimit` if one payment of these bills, by their ids, is larger than the policy allows."""
    total = sum(amounts.values())
    if policy.per_payment_cents is None or total <= policy.per_payment_cents:
        return
    over = total - policy.per_payment_cents
    bills = ", ".join(f"bill {bill} with {shown(cents)}" for bill, cents in sorted(amounts.items()))
    raise OverLimit(
        what=f"One payment is at most {shown(policy.per_payment_cents)}; {vendor} would get {shown(total)} in one "
        f"({bills}), {shown(over)} too much.",
        next_step="Finalize fewer of its bills at once, decide on less, or have the limit changed.",
        over_cents=over,
    )


def _decided_for(look: Look, day: date) -> list[Row]:
    """Payments that stand for a day: decision and vendor."""
    decisions = {row["decision_id"]: row for row in look.many(DECISION, DECISION.c.pay_on == day)}
    holds = look.many(HOLD, HOLD.c.decision_id.in_(decisions), HOLD.c.state != "void")
    bills = look.many(BILL_WORKFLOW, BILL_WORKFLOW.c.bill_id.in_({row["bill_id"] for row in holds}))
    vendors = {(row["bill_id"], row["cycle"]): row["vendor_id"] for row in bills}
    return [decisions[row["decision_id"]] | {"vendor_id": vendors[row["bill_id"], row["cycle"]]} for row in holds]


def _from_row(row: Row) -> Policy:
    values = {field.name: row[field.name] for field in fields(Policy)}
    return _policy(values | {"group_by_vendor": bool(row["group_by_vendor"])})


def _policy(values: Mapping[str, Any]) -> Policy:
    return Policy(**{**values, "rules": tuple(_rule(one) for one in values["rules"])})


def _rule(values: Mapping[str, Any]) -> ApprovalRule:
    lists = {name: _listed(values.get(name)) for name in ("vendor_ids", "roles")}
    return ApprovalRule(**{**values, **lists})


def _listed(names: Any) -> tuple[str, ...]:
    """Names of a rule; before its values were checked, one name was stored without its list."""
    if isinstance(names, list | tuple):
        return tuple(names)
    return () if names is None else (str(names),)


def age_seconds(instant: datetime, *, now: datetime) -> float:
    """How long ago something was read."""
    return (now - instant).total_seconds()
