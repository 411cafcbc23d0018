"""What a week knows of the payment ledger, in the forms that the calculators take.

Belongs here: reading the ledger as it stood then, and turning holds and reserves into earmarks, decisions and balances.
Does not: the ledger (`payments/`), arithmetic (`runway_calcs`).

Data flows one way: the ledger's history at the week's instant -> these values -> the calculators. A week before any decision gets
empty values, and what is decided after the week's books were taken in never reaches it.
"""

from collections.abc import Mapping
from datetime import date

from assets.desk import Desk
from payments.cash.known_holds import KnownHold, KnownLedger, KnownReserve, known_ledger
from payments.store.ledger import Ledger
from runway_calcs.books.as_of import AsOf
from runway_calcs.flow_kinds import FlowKind
from runway_calcs.forecast.earmarks import Delay, Hold, PurposeReserve
from runway_calcs.pay_plan.apart import DecidedPart
from runway_calcs.reserves.targets import ReserveBalance, ReserveKind, ReserveTarget, TargetRule

_PURPOSES: Mapping[str, frozenset[FlowKind]] = {
    "payroll": frozenset({FlowKind.PAYROLL}),
    "tax": frozenset({FlowKind.TAX}),
}
"""The other kinds have no payments of their own kind in a forecast; any kind is given free against bills of its vendors."""


def known_payments(desk: Desk, *, at: AsOf | None = None) -> KnownLedger:
    """The payment ledger as the week knew it, or as an earlier point of view did."""
    known_until = (at or desk.at).known_until

    def read() -> KnownLedger:
        ledger = Ledger(desk.installation.database, clock=desk.installation.clock)
        with ledger.look(desk.week.tenant.tenant_id) as look:
            return known_ledger(look, known_until=known_until)

    return desk.once(f"known_payments {known_until.isoformat()}", read)


def decided_holds(known: KnownLedger, *, at: AsOf) -> tuple[KnownHold, ...]:
    """The holds whose payment the books of a point of view do not have yet."""
    return tuple(one for one in known.holds if one.recorded_at is None or one.recorded_at >= at.known_until)


def delays(known: KnownLedger) -> tuple[Delay, ...]:
    """Bills that were put off, as a forecast takes them."""
    return tuple(Delay(bill_id=bill_id, until=until) for bill_id, until in known.delayed)


def earmarks(known: KnownLedger, *, at: AsOf) -> tuple[tuple[Hold, ...], tuple[PurposeReserve, ...]]:
    """Holds and reserves as a forecast takes them."""
    cash = {one.account_id for one in known.accounts if one.is_cash}
    holds = tuple(
        Hold(
            hold_id=one.hold_id,
            bill_id=one.bill_id,
            on=one.pay_on,
            amount_cents=one.settles_cents,
            label=f"bill {one.bill_id}",
            credits=one.credits,
            drawn_from=one.reserve_id or "",
            drawn_cents=one.drawn_cents if one.state != "soft" and one.account_id in cash else 0,
        )
        for one in decided_holds(known, at=at)
    )
    reserves = tuple(
        PurposeReserve(
            reserve_id=one.reserve_id,
            held_cents=one.held_cents,
            purposes=_PURPOSES.get(one.kind, frozenset()),
            label=one.name,
            vendor_ids=frozenset(one.vendor_ids),
        )
        for one in known.reserves
        if one.is_cash
    )
    return holds, reserves


def decided_parts(known: KnownLedger, *, at: AsOf) -> dict[str, DecidedPart]:
    """What is decided of each bill."""
    found: dict[str, DecidedPart] = {}
    for one in decided_holds(known, at=at):
        before = found.get(one.bill_id)
        found[one.bill_id] = DecidedPart(
            cents=one.settles_cents + (before.cents if before else 0),
            on=max(one.pay_on, before.on) if before else one.pay_on,
        )
    return found


def used_credits(known: KnownLedger, *, at: AsOf) -> dict[str, int]:
    """What decided payments use of each vendor credit."""
    found: dict[str, int] = {}
    for one in decided_holds(known, at=at):
        for credit_id, cents in one.credits:
            found[credit_id] = found.get(credit_id, 0) + cents
    return found


def delayed_until(known: KnownLedger) -> dict[str, date]:
    """The day until which each bill was put off."""
    return dict(known.delayed)


def reserve_balances(known: KnownLedger) -> dict[str, ReserveBalance]:
    """What is in each reserve: what payments have drawn stays in it until the books have them."""
    return {
        one.reserve_id: ReserveBalance(
            current_cents=one.held_cents + one.committed_cents, held_cents=one.committed_cents
        )
        for one in known.reserves
    }


def ledger_target(one: KnownReserve) -> ReserveTarget | None:
    """The target that the ledger's reserve was given; None without one."""
    if one.target_cents is None:
        return None
    return ReserveTarget(
        reserve_id=one.reserve_id,
        kind=ReserveKind(one.kind),
        name=one.name,
        rule=TargetRule.AMOUNT,
        value=one.target_cents,
        due_on=one.target_on,
    )
