"""The invariants of the ledger, computed from the tables alone: what must hold after every act, whoever wrote.

Belongs here: I1 to I15 as checks that share no code with the verbs. Does not: preventing (constraints, triggers, services).

I1 to I4 need the payments that QuickBooks has; without them they are not judged. I11 is held by the fence and the triggers alone:
a refused write leaves nothing to look at; here only the attempts of a payment are compared with each other and with its batch.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import chain
from typing import Any

from sqlalchemy import ColumnElement, Select, Table
from sqlalchemy.sql.expression import TableClause

from payments.store.audit import verify
from payments.store.batch_tables import ATTEMPT, BATCH, BATCH_ITEM, INTENT, INTENT_BILL
from payments.store.bill_tables import APPROVAL, BILL_WORKFLOW, BREAK_GLASS, DECISION, PAYMENT_POLICY
from payments.store.canonical import entity_name, sha256_of
from payments.store.cash_tables import CASH_ACCOUNT, HOLD, RESERVE, RESERVE_MOVEMENT, SHORTFALL
from payments.store.override_log import wrong_overrides
from payments.store.repository import Look, Row
from payments.store.states import BILL_COMMITTED
from payments.store.tables import AUDIT, REPLAYED


@dataclass(frozen=True, slots=True, kw_only=True)
class RemotePayment:
    """A payment that QuickBooks has and that carries our marker."""

    remote_id: str
    doc_number: str
    amount_cents: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """An invariant that does not hold."""

    invariant: str
    subject: str
    detail: str


Found = Iterator[tuple[str, str]]
_BANK_ENTERED = "bank balance entered"
#: What is asked for where no rule of the policy fits.
_ONE_OF_ANYBODY: Mapping[str, Any] = {"in_sequence": False, "roles": (), "approvals": 1}


def broken_invariants(look: Look, *, remote: Sequence[RemotePayment] | None = None) -> list[Broken]:
    """What does not hold for the tenant; empty if all is well."""
    checks: Mapping[str, Callable[[Look], Found]] = {
        "I5 reserve": _reserve,
        "I6 hold and decision": _hold_and_decision,
        "I7 resolve once": _resolved_once,
        "I8 one live payment": _one_live_payment,
        "I9 unknown keeps": _unknown_keeps,
        "I10 sealed": _sealed,
        "I11 fence": _fence,
        "I12 authority": lambda look: chain(_authority(look), _enough_approvals(look)),
        "I13 content": _content,
        "I14 history": _history,
        "I15 tenants": _tenants,
    }
    once = _ReadOnce(look)
    found = [
        Broken(invariant=name, subject=one, detail=text) for name, check in checks.items() for one, text in check(once)
    ]
    if remote is not None:
        found += [Broken(invariant=name, subject=one, detail=text) for name, one, text in _against_books(once, remote)]
    return found


class _ReadOnce(Look):
    """The tables as of one moment, each read once however many checks look at it."""

    def __init__(self, look: Look) -> None:
        self._look = look
        self.tenant = look.tenant
        self._read: dict[str, list[Row]] = {}

    def many(
        self,
        table: Table | TableClause,
        *conditions: ColumnElement[bool],
        order_by: Sequence[ColumnElement[Any]] = (),
        limit: int | None = None,
        **keys: Any,
    ) -> list[Row]:
        """All rows of a table from memory; a question with conditions is asked."""
        if conditions or order_by or limit or keys:
            return self._look.many(table, *conditions, order_by=order_by, limit=limit, **keys)
        if table.name not in self._read:
            self._read[table.name] = self._look.many(table)
        return self._read[table.name]

    def _rows(self, statement: Select[Any], keys: Mapping[str, Any]) -> list[Row]:
        return self._look.asked(statement, **keys)


def _against_books(look: Look, remote: Sequence[RemotePayment]) -> Iterator[tuple[str, str, str]]:
    intents = [row for row in look.many(INTENT) if row["leg"] == "book"]
    records = defaultdict(list)
    for one in remote:
        records[one.doc_number].append(one)
    known = {row["doc_number"]: row for row in intents}
    for row in intents:
        mine = records[row["doc_number"]]
        if len(mine) > 1:
            yield "I1 at most once", row["intent_id"], f"{len(mine)} records of {row['doc_number']}"
        if row["state"] == "paid" and [one.remote_id for one in mine] != [row["remote_id"]]:
            yield "I3 paid is true", row["intent_id"], f"paid as {row['remote_id']}, the books have {len(mine)}"
        if row["state"] in {"ready", "waiting"} and row["attempts"] == 0 and mine:
            yield "I4 ready is clean", row["intent_id"], f"never sent, and the books have {mine[0].remote_id}"
    for one in remote:
        owner = known.get(one.doc_number)
        if owner is None or owner["amount_cents"] != one.amount_cents:
            yield "I2 no orphan", one.remote_id, f"{one.doc_number} of {one.amount_cents} is no payment of ours"


def _reserve(look: Look) -> Found:
    """Computed from the rows and not from the view, which the triggers believe."""
    movements = look.many(RESERVE_MOVEMENT)
    in_reserve: Counter[str] = Counter()
    for movement in movements:
        in_reserve[movement["reserve_id"]] += movement["signed_cents"]
    glasses = {row["break_glass_id"]: row["missing_cents"] for row in look.many(BREAK_GLASS)}
    short = {row["account_id"] for row in look.many(SHORTFALL) if row["resolved_at"] is None}
    holds, reserves = look.many(HOLD), look.many(RESERVE)
    yield from _basis(look)
    yield from wrong_overrides(look)
    for reserve in reserves:
        if in_reserve[reserve["reserve_id"]] < 0:
            yield reserve["reserve_id"], f"overdrawn by {-in_reserve[reserve['reserve_id']]}"
    for account in look.many(CASH_ACCOUNT):
        mine = [one for one in reserves if one["account_id"] == account["account_id"]]
        reserved = sum(in_reserve[one["reserve_id"]] for one in mine)
        payroll = sum(in_reserve[one["reserve_id"]] for one in mine if one["kind"] == "payroll")
        floor = account["floor_cents"]
        if account["floor_kind"] == "next_payroll":
            floor = max(floor - payroll, 0)
        standing = [
            one for one in holds if one["account_id"] == account["account_id"] and one["state"] in {"pending", "posted"}
        ]
        overridden = sum(glasses[one["break_glass_id"]] for one in standing if one["break_glass_id"])
        set_aside = floor + reserved + sum(one["amount_cents"] for one in standing)
        if set_aside - overridden > account["basis_cents"] and account["account_id"] not in short:
            yield account["account_id"], f"{set_aside} set aside of {account['basis_cents']}, and no shortfall says so"


def _basis(look: Look) -> Found:
    """Free cash starts from no more than the books and the bank say."""
    of_bank = _left_at_the_bank(look)
    for account in look.many(CASH_ACCOUNT):
        there = account["book_cents"] + min(account["dated_later_cents"], 0)
        if account["bank_as_of"] is not None:
            there = min(there, of_bank.get(account["account_id"], there))
        if account["basis_cents"] > there:
            yield account["account_id"], f"starts from {account['basis_cents']}, and {there} is there"


def _left_at_the_bank(look: Look) -> dict[str, int]:
    """From the log: by account what was last entered of the bank, less the payments that the books have shown since."""
    accounts = {entity_name(CASH_ACCOUNT.name, row["account_id"]): row["account_id"] for row in look.many(CASH_ACCOUNT)}
    holds = {entity_name(HOLD.name, row["hold_id"]): row for row in look.many(HOLD)}
    written: dict[str, int | None] = {}
    left: dict[str, int] = {}
    for act in look.many(AUDIT):
        for name, after in ((name, after or {}) for name, after in act["after"].items()):
            if name in accounts:
                stands = written[name] = after.get("bank_cents", written.get(name))
                if act["kind"] == _BANK_ENTERED and stands is not None:
                    left[accounts[name]] = stands
            elif name in holds and after.get("state") == "reflected" and holds[name]["account_id"] in left:
                left[holds[name]["account_id"]] -= holds[name]["amount_cents"]
    return left


def _hold_and_decision(look: Look) -> Found:
    newest = _newest_decisions(look)
    holds = defaultdict(list)
    for hold in look.many(HOLD):
        if hold["decision_id"] is not None and hold["state"] != "void":
            holds[hold["decision_id"]].append(hold)
    for bill in look.many(BILL_WORKFLOW):
        decision = newest.get((bill["bill_id"], bill["cycle"]))
        mine = holds.pop(decision["decision_id"], []) if decision else []
        is_live = bill["state"] in BILL_COMMITTED | {"paid"}
        if bill["state"] == "needs_review" and decision and decision["ruling"] != "delay" and not mine:
            continue  # a person ended the payment and has not decided again yet
        if is_live and (decision is None or decision["ruling"] == "delay" or len(mine) != 1):
            yield bill["bill_id"], f"{bill['state']} with {len(mine)} holds"
        elif is_live and decision and mine[0]["amount_cents"] != decision["amount_cents"]:
            yield bill["bill_id"], f"decided {decision['amount_cents']}, held {mine[0]['amount_cents']}"
        elif not is_live and mine:
            yield bill["bill_id"], f"{bill['state']} and still held"
    for decision_id in holds:
        yield decision_id, "held, and not the standing decision of its bill"


def _resolved_once(look: Look) -> Found:
    """From the log: how often a hold left pending."""
    decisions = {row["decision_id"]: row["amount_cents"] for row in look.many(DECISION)}
    for hold in look.many(HOLD):
        if hold["decision_id"] and hold["amount_cents"] > decisions[hold["decision_id"]]:
            yield hold["hold_id"], "more than was decided"
    changes = ((name, before) for row in look.many(AUDIT) for name, before in row["before"].items())
    left = Counter(name for name, before in changes if name.startswith("hold/") and before.get("state") == "pending")
    yield from ((name, f"left pending {count} times") for name, count in left.items() if count > 1)


def _one_live_payment(look: Look) -> Found:
    lines = look.many(INTENT_BILL)
    live = Counter((row["bill_id"], row["leg"]) for row in lines if row["live"])
    yield from ((bill, f"{count} live payments of the leg {leg}") for (bill, leg), count in live.items() if count > 1)
    intents = {row["intent_id"]: row for row in look.many(INTENT)}
    instructed = {
        row["decision_id"]
        for row in lines
        if row["leg"] == "rail" and intents[row["intent_id"]]["instructed_at"] is not None
    }
    for row in lines:
        intent = intents[row["intent_id"]]
        if row["live"] and intent["state"] in {"void", "refused"}:
            yield row["bill_id"], f"live, and its payment is {intent['state']}"
        follows = (
            intent["leg"] == "book" and intent["rail"] != "record_only" and intent["state"] not in {"waiting", "void"}
        )
        if follows and row["decision_id"] not in instructed:
            yield row["bill_id"], "in the books before its money was instructed"


def _unknown_keeps(look: Look) -> Found:
    holds = {row["hold_id"]: row for row in look.many(HOLD)}
    unclear = {
        row["intent_id"]: row for row in look.many(INTENT) if row["state"] in {"sent", "unknown", "needs_review"}
    }
    for line in look.many(INTENT_BILL):
        if line["live"] and line["intent_id"] in unclear and holds[line["hold_id"]]["state"] != "pending":
            state = unclear[line["intent_id"]]["state"]
            yield line["hold_id"], f"{holds[line['hold_id']]['state']} while its payment is {state}"


def _sealed(look: Look) -> Found:
    items, intents = defaultdict(list), defaultdict(list)
    for item in look.many(BATCH_ITEM):
        items[item["batch_id"]].append(item)
    for intent in look.many(INTENT):
        intents[intent["batch_id"]].append(intent)
    for batch in look.many(BATCH):
        mine, sent = items[batch["batch_id"]], intents[batch["batch_id"]]
        if batch["state"] == "open":
            if sent:
                yield batch["batch_id"], "open, and has payments"
            continue
        sealed = sha256_of(sorted([one["request_id"], one["amount_cents"], one["vendor_id"]] for one in sent))
        booked = sum(one["amount_cents"] for one in sent if one["leg"] == "book")
        found = (len(mine), sum(one["amount_cents"] for one in mine), sealed, booked)
        if found != (batch["item_count"], batch["total_cents"], batch["seal"], batch["total_cents"]):
            yield batch["batch_id"], "not what was sealed"


def _fence(look: Look) -> Found:
    batches = {row["batch_id"]: row for row in look.many(BATCH)}
    intents = {row["intent_id"]: row for row in look.many(INTENT)}
    sends: Counter[str] = Counter()
    latest: dict[str, int] = {}
    for attempt in sorted(look.many(ATTEMPT), key=lambda row: row["number"]):
        sends[attempt["intent_id"]] += 1
        before = latest.get(attempt["intent_id"], 0)
        latest[attempt["intent_id"]] = attempt["generation"]
        if attempt["generation"] < before:
            yield attempt["intent_id"], f"sent by generation {attempt['generation']} after {before}"
        batch = batches[intents[attempt["intent_id"]]["batch_id"]]
        if attempt["generation"] > batch["generation"]:
            yield attempt["intent_id"], f"sent by generation {attempt['generation']} of {batch['generation']}"
    for intent_id, count in sends.items():
        if count != intents[intent_id]["attempts"]:
            yield intent_id, f"{count} attempts of {intents[intent_id]['attempts']} counted"


def _authority(look: Look) -> Found:
    policies = look.many(PAYMENT_POLICY)
    limits = {row["version"]: row["separation_above_cents"] for row in policies} | {0: 0}
    given = {row["approval_id"]: row for row in look.many(APPROVAL)}
    overrides = {row["break_glass_id"]: {about for about, _ in row["overrides"]} for row in look.many(BREAK_GLASS)}
    batches = {row["batch_id"]: row for row in look.many(BATCH) if row["state"] != "open"}
    sealed_in = {row["decision_id"]: batches.get(row["batch_id"]) for row in look.many(BATCH_ITEM)}
    paid = _paid_in_one(look)
    for decision in look.many(DECISION):
        if decision["ruling"] == "delay":
            continue
        set_aside = overrides.get(decision["break_glass_id"], set())
        approvers = {given[one]["approved_by"] for one in decision["approvals"]}
        if not approvers and "approvals" not in set_aside:
            yield decision["decision_id"], "decided without an approval"
        if any(given[one]["fingerprint"] != decision["fingerprint"] for one in decision["approvals"]):
            yield decision["decision_id"], "approved with other content"
        amount, is_one = decision["amount_cents"], decision["decided_by"] in approvers
        if is_one and "people" not in set_aside and amount > limits[decision["policy_version"]]:
            yield decision["decision_id"], "decided by its approver above the limit"
        batch, payment = sealed_in.get(decision["decision_id"]), paid.get(decision["decision_id"], amount)
        # An override is of a bill that is paid on its own.
        if batch is None or payment <= limits[batch["policy_version"]] or ("people" in set_aside and payment == amount):
            continue
        if is_one:
            yield decision["decision_id"], "decided by its approver and paid above the limit"
        if batch["finalized_by"] in approvers | {decision["decided_by"]} or batch["origin"] == "due":
            yield decision["decision_id"], "finalized without a third person above the limit"


def _paid_in_one(look: Look) -> dict[str, int]:
    """By decision what its payment in the books is, with the bills that are paid together with it; home cents."""
    amounts = {row["intent_id"]: row["amount_cents"] for row in look.many(INTENT) if row["leg"] == "book"}
    lines = look.many(INTENT_BILL)
    return {row["decision_id"]: amounts[row["intent_id"]] for row in lines if row["intent_id"] in amounts}


def _enough_approvals(look: Look) -> Found:
    """As many as the policy asked for at the decision and as the one in force asked for at the seal."""
    rules = {row["version"]: row["rules"] for row in look.many(PAYMENT_POLICY)}
    vendors = {(row["bill_id"], row["cycle"]): row["vendor_id"] for row in look.many(BILL_WORKFLOW)}
    given = {row["approval_id"]: row for row in look.many(APPROVAL)}
    overridden = {
        row["break_glass_id"]
        for row in look.many(BREAK_GLASS)
        if any(about == "approvals" for about, _ in row["overrides"])
    }
    batches = {row["batch_id"]: row for row in look.many(BATCH) if row["state"] != "open"}
    sealed_in = {row["decision_id"]: batches.get(row["batch_id"]) for row in look.many(BATCH_ITEM)}
    for decision in look.many(DECISION):
        if decision["ruling"] == "delay" or decision["break_glass_id"] in overridden:
            continue
        moments = [("decided", decision["policy_version"], [given[one] for one in decision["approvals"]])]
        if (batch := sealed_in.get(decision["decision_id"])) is not None:
            standing = _approvals_at(batch["finalized_at"], decision, given)
            moments.append(("finalized", batch["policy_version"], standing))
        vendor = vendors[decision["bill_id"], decision["cycle"]]
        for done, version, approvals in moments:
            if not all(_is_met(rule, approvals) for rule in _asked(rules.get(version, ()), decision, vendor)):
                yield decision["decision_id"], f"{done} without the approvals that policy {version} asks for"


def _approvals_at(moment: datetime, decision: Row, given: Mapping[str, Row]) -> list[Row]:
    """The approvals of what was decided that stood at a moment, as they were given."""
    return [
        row
        for _, row in sorted(given.items())
        if all(row[name] == decision[name] for name in ("bill_id", "cycle", "fingerprint"))
        and row["approved_at"] <= moment
        and (row["voided_at"] is None or row["voided_at"] >= moment)
    ]


def _asked(rules: Sequence[Mapping[str, Any]], decision: Row, vendor_id: str) -> list[Mapping[str, Any]]:
    """The rules that a payment has to meet; of watched vendors the tables do not tell who was one then."""
    fitting = [
        rule
        for rule in rules
        if not rule["only_watched_vendors"]
        and rule["above_cents"] < decision["amount_cents"]
        and (rule["up_to_cents"] is None or decision["amount_cents"] <= rule["up_to_cents"])
        and (not rule["vendor_ids"] or vendor_id in rule["vendor_ids"])
    ]
    return fitting or [_ONE_OF_ANYBODY]


def _is_met(rule: Mapping[str, Any], approvals: Sequence[Row]) -> bool:
    if not rule["in_sequence"]:
        of_roles = [one for one in approvals if not rule["roles"] or set(rule["roles"]).intersection(one["roles"])]
        return len(of_roles) >= int(rule["approvals"])
    wanted = list(rule["roles"])
    for approval in approvals:
        if wanted and wanted[0] in approval["roles"]:
            wanted.pop(0)
    return not wanted


def _content(look: Look) -> Found:
    newest = _newest_decisions(look)
    for bill in look.many(BILL_WORKFLOW):
        decision = newest.get((bill["bill_id"], bill["cycle"]))
        if bill["state"] in BILL_COMMITTED and decision and decision["fingerprint"] != bill["fingerprint"]:
            yield bill["bill_id"], "decided for other content"


def _history(look: Look) -> Found:
    verified = verify(look)
    yield from (("the chain", text) for text in verified.broken)
    yield from (("the tables", text) for text in verified.different)


def _tenants(look: Look) -> Found:
    """Every statement binds the tenant; that a row's parents are the tenant's too is a matter of the foreign keys."""
    for table in REPLAYED:
        if any(row["tenant_id"] != look.tenant for row in look.many(table)):
            yield table.name, "rows of another tenant"


def _newest_decisions(look: Look) -> dict[tuple[str, int], Row]:
    rows = sorted(look.many(DECISION), key=lambda row: row["number"])
    return {(row["bill_id"], row["cycle"]): row for row in rows}
