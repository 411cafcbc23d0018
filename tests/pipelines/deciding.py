"""What the people of a firm do with a company on a Friday, drawn by a seed: decide on bills, put cash by, rule on its tray.

Nothing here decides anything: each deed is a service of the product, with bills and cash as the books published them.
"""

from collections.abc import Callable
from datetime import timedelta
from random import Random
from typing import Any

from experiences.tray.document import TrayDocument
from payments.bills.approvals import approve
from payments.cash.free_cash import free_cash
from payments.cash.reserves import allocate, open_reserve
from payments.controls.policies import set_policy
from payments.sending.batches import finalize
from resources.published_balances import OpenBill
from tests.assets.office import Office
from tests.conftest import FRIDAY

Deed = Callable[[OpenBill], object]

_DAY = 24 * 3600


def decide(office: Office, *, dice: Random) -> None:
    """Do with the cheapest bills whatever a person can do with one, as long as half of an account's cash allows."""
    changes = {"schedule_holds": dice.choice(["now", "at_due"]), "soft_hold_seconds": dice.choice([3, 30]) * _DAY}
    set_policy(office.ledger, office.tenant, by="oli", changes=changes)
    with office.ledger.look(office.tenant) as look:
        room = max(0, free_cash(look, office.account_id).free_cents // 2)
    room -= _put_by(office, cents=room // 10)
    paying = _ways_to_pay(office)
    deeds = [*paying, *_other_ways(office)]
    dice.shuffle(deeds)
    bills = sorted(office.books.bills, key=lambda one: (one.open_cents, one.bill_id))
    for bill, deed in zip(bills, deeds, strict=False):
        if deed not in paying:
            deed(bill)
        elif bill.open_cents <= room:
            office.stage(bill.bill_id)
            deed(bill)
            room -= bill.open_cents


def rule(office: Office, tray: TrayDocument) -> None:
    """Say of the entry that stands last in a tray that it is no issue."""
    if not tray.items:
        return
    *_, last = tray.items
    tenant, said = office.installation.registry.tenant(office.tenant), {"author": "ann", "reason": "it is meant so"}
    defect = (last.kind.value, last.object_type, last.object_id)
    office.installation.entries.rule(tenant, defect=defect, until=None, **said)


def _put_by(office: Office, *, cents: int) -> int:
    """A tax reserve; what is in it."""
    if not cents:
        return 0
    where = (office.ledger, office.tenant)
    wanted: dict[str, Any] = {"account_id": office.account_id, "vendor_ids": [], "target_cents": 2 * cents}
    reserve = open_reserve(*where, by="oli", kind="tax", name="Sales tax", **wanted)
    kept: dict[str, Any] = {"reserve_id": reserve, "amount_cents": cents, "reason": "quarter"}
    return allocate(*where, by="oli", request_key=office.key(), **kept)


def _ways_to_pay(office: Office) -> list[Deed]:
    """Each of a staged bill."""

    def seal(bill: OpenBill) -> None:
        decided = office.pay_now(bill.bill_id)
        ids = [decided.decision_id]
        finalize(office.ledger, office.tenant, by="oli", decision_ids=ids, request_key=office.key())

    return [
        lambda bill: office.pay_now(bill.bill_id),
        seal,
        lambda bill: office.schedule(bill.bill_id, on=FRIDAY + timedelta(days=4), amount_cents=bill.open_cents),
        lambda bill: office.schedule(
            bill.bill_id, on=FRIDAY + timedelta(days=17), amount_cents=-(-bill.open_cents // 2)
        ),
    ]


def _other_ways(office: Office) -> list[Deed]:
    def put_off(bill: OpenBill) -> None:
        office.stage(bill.bill_id)
        office.delay(bill.bill_id, until=FRIDAY + timedelta(days=5))

    return [
        lambda bill: approve(office.ledger, office.tenant, by="amy", bill_id=bill.bill_id, request_key=office.key()),
        lambda bill: office.stage(bill.bill_id),
        lambda bill: office.stage(bill.bill_id),
        put_off,
        lambda _: None,
    ]
