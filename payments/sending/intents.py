"""Intents: one payment to be made, with the exact bytes to send and keys that anybody could derive again.

Belongs here: keys, document numbers, bodies, the rows of a batch's intents. Does not: sealing (`batches.py`), sending.

The key holds no time, no row id, no attempt and nothing random: a ledger restored from a backup derives the same key, and
QuickBooks recognises what it has seen. The amount is not in it; the body's hash is stored and has to match on each send.
"""

import base64
import hashlib
import uuid
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import Any

import simplejson

from payments.controls.policies import Policy
from payments.errors import Refused
from payments.store.batch_tables import INTENT
from payments.store.names import new_id
from payments.store.repository import Look, Row
from resources.tables import CONNECTION

#: The namespace of our request ids; it never changes, or every payment would look new.
_NAMESPACE = uuid.UUID("5b8a1e0c-6f0d-5d0e-9c57-2f6f1f7a6c11")
#: QuickBooks keeps 21 characters of a document number.
_DOC_DIGITS = 18


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """A decision on its way into a batch, with its bill and its hold."""

    decision: Row
    bill: Row
    hold: Row


def request_id(*, environment: str, realm_id: str, leg: str, bill_ids: Iterable[str], ordinal: int) -> str:
    """The key of a payment: QuickBooks' `requestid`, 36 characters."""
    return str(uuid.uuid5(_NAMESPACE, _key(environment, realm_id, leg, bill_ids, ordinal)))


def doc_number(*, environment: str, realm_id: str, leg: str, bill_ids: Iterable[str], ordinal: int) -> str:
    """The document number by which a payment is found again: 21 characters, QuickBooks' most."""
    digest = hashlib.sha256(_key(environment, realm_id, leg, bill_ids, ordinal).encode()).digest()
    return "RW-" + base64.b32encode(digest).decode()[:_DOC_DIGITS]


def bill_set(bill_ids: Iterable[str]) -> str:
    """The bills of one payment as part of its key."""
    return "+".join(sorted(bill_ids))


def _key(environment: str, realm_id: str, leg: str, bill_ids: Iterable[str], ordinal: int) -> str:
    return f"v1|{environment}|{realm_id}|{leg}|{bill_set(bill_ids)}|{ordinal}"


def book_body(items: Sequence[Item], *, number: str, key: str, account_id: str, on: date) -> bytes:
    """The BillPayment to record: one line a bill, its credits as further lines, exact decimals."""
    first = items[0].bill
    lines = [
        _line(item.decision["amount_cents"] + _credited(item.decision), item.bill["bill_id"], kind="Bill")
        for item in items
    ]
    used = [credit for item in items for credit in item.decision["credits"]]
    lines += [_line(credit["amount_cents"], credit["credit_id"], kind="VendorCredit") for credit in used]
    body: dict[str, Any] = {
        "VendorRef": {"value": first["vendor_id"]},
        # ACH, wires and cash are recorded as cheques; left out, PrintStatus would put it into the printing queue.
        "PayType": "Check",
        "CheckPayment": {"BankAccountRef": {"value": account_id}, "PrintStatus": "NotSet"},
        "TotalAmt": _decimal(sum(item.decision["amount_cents"] for item in items)),
        "TxnDate": on.isoformat(),
        "DocNumber": number,
        "PrivateNote": f"Runway {key}",
        "Line": lines,
    }
    if first["ap_account_id"]:
        body["APAccountRef"] = {"value": first["ap_account_id"]}
    return _bytes(body)


def rail_body(items: Sequence[Item], *, number: str, account_id: str, payee_version: int, on: date) -> bytes:
    """The instruction to move money: to which version of the vendor's bank details, never the details themselves."""
    return _bytes(
        {
            "amount_cents": sum(item.decision["amount_cents"] for item in items),
            "bills": [item.bill["doc_number"] or item.bill["bill_id"] for item in items],
            "from_account_id": account_id,
            "on": on.isoformat(),
            "payee_version": payee_version,
            "reference": number,
            "vendor_id": items[0].bill["vendor_id"],
        }
    )


def paid_together(items: Sequence[Item], *, policy: Policy) -> list[list[Item]]:
    """One payment a bill, or one a vendor and payables account: all bills of one payment share both."""
    groups: dict[tuple[str, ...], list[Item]] = defaultdict(list)
    for item in sorted(items, key=lambda one: one.bill["bill_id"]):
        shared = (item.bill["vendor_id"], item.bill["ap_account_id"], item.bill["currency"])
        groups[shared if policy.group_by_vendor else (item.bill["bill_id"],)].append(item)
    return list(groups.values())


def intents_of(
    look: Look, items: Sequence[Item], *, batch: Row, policy: Policy, payee_versions: Mapping[str, int]
) -> tuple[list[Row], list[Row]]:
    """The intents of a batch and their bills, ready to be inserted: book, and before it rail where a rail moves money."""
    company = _company(look)
    groups = paid_together(items, policy=policy)
    sets = [bill_set(item.bill["bill_id"] for item in group) for group in groups]
    earlier = Counter((row["leg"], row["bill_set"]) for row in look.many(INTENT, leg=("rail", "book"), bill_set=sets))
    intents, lines = [], []
    for group in groups:
        for leg in ("book",) if batch["rail"] == "record_only" else ("rail", "book"):
            intent = _intent(
                look, group, leg=leg, batch=batch, company=company, earlier=earlier, versions=payee_versions
            )
            intents.append(intent)
            lines += [_intent_bill(intent, item) for item in group]
    return intents, lines


def _intent(
    look: Look,
    group: Sequence[Item],
    *,
    leg: str,
    batch: Row,
    company: Mapping[str, str],
    earlier: Mapping[tuple[str, str], int],
    versions: Mapping[str, int],
) -> Row:
    bills = [item.bill["bill_id"] for item in group]
    ordinal = earlier[leg, bill_set(bills)] + 1
    key = request_id(**company, leg=leg, bill_ids=bills, ordinal=ordinal)
    number = doc_number(**company, leg=leg, bill_ids=bills, ordinal=ordinal)
    vendor, account = group[0].bill["vendor_id"], batch["account_id"]
    if leg == "book":
        body = book_body(group, number=number, key=key, account_id=account, on=look.today)
    else:
        body = rail_body(group, number=number, account_id=account, payee_version=versions[vendor], on=look.today)
    return {
        "intent_id": new_id(),
        "batch_id": batch["batch_id"],
        "leg": leg,
        "rail": batch["rail"],
        "vendor_id": vendor,
        "account_id": account,
        "bill_set": bill_set(bills),
        "ordinal": ordinal,
        "request_id": key,
        "doc_number": number,
        "amount_cents": sum(item.decision["amount_cents"] for item in group),
        "body": body,
        "body_sha256": hashlib.sha256(body).hexdigest(),
        "state": "ready" if leg == "rail" or batch["rail"] == "record_only" else "waiting",
        "attempts": 0,
    }


def _intent_bill(intent: Row, item: Item) -> Row:
    return {
        "intent_id": intent["intent_id"],
        "bill_id": item.bill["bill_id"],
        "cycle": item.bill["cycle"],
        "leg": intent["leg"],
        "decision_id": item.decision["decision_id"],
        "hold_id": item.hold["hold_id"],
        "amount_cents": item.decision["amount_cents"],
        "live": 1,
    }


def _company(look: Look) -> dict[str, str]:
    row = look.one(CONNECTION)
    if row is None:
        raise Refused(
            what=f"{look.tenant!r} is not connected to a company.",
            next_step=f"Run `runway connect {look.tenant}` first.",
        )
    return {"environment": row["environment"], "realm_id": row["realm_id"]}


def _credited(decision: Row) -> int:
    return sum(credit["amount_cents"] for credit in decision["credits"])


def _line(cents: int, txn_id: str, *, kind: str) -> dict[str, Any]:
    return {"Amount": _decimal(cents), "LinkedTxn": [{"TxnId": txn_id, "TxnType": kind}]}


def _decimal(cents: int) -> Decimal:
    return Decimal(cents).scaleb(-2)


def _bytes(value: Any) -> bytes:
    text: str = simplejson.dumps(value, use_decimal=True, sort_keys=True, separators=(",", ":"))
    return text.encode()
