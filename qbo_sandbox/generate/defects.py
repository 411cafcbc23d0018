"""The defects seeded into a generated company's books, and the list of them.

Belongs here: which bills and vendors are spoiled and how, and the record of it for tests.
Does not: defects of the transport (the sandbox's faults).
Uncategorised purchases are drawn with the purchases (``purchases.py``) and only listed here.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from qbo_sandbox.generate.chart import RENT
from qbo_sandbox.generate.draws import between
from qbo_sandbox.generate.office import DAY, after_business_days
from qbo_sandbox.generate.parties import Parties
from qbo_sandbox.generate.payables import Bill
from qbo_sandbox.generate.plan import Plan

_UNDATED_SHARE = 0.02
_COPIED_SHARE = 0.012
_UNDATED_PAID_AFTER_DAYS = 18
_COPIED_WITHIN_DAYS = 28
_COPY_UNPAID_CHANCE = 0.6
_COPY_KEEPS_NUMBER_CHANCE = 0.7


class DefectKind(StrEnum):
    """The kinds of seeded defects."""

    BILL_WITHOUT_DUE_DATE = "bill without due date"
    DUPLICATE_VENDOR = "duplicate vendor"
    DUPLICATE_BILL = "duplicate bill"
    UNCATEGORIZED_PURCHASE = "uncategorized purchase"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedDefect:
    """A defect by the entry keys of the objects involved; of a duplicate, the original comes first."""

    kind: DefectKind
    entity: str
    keys: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Defect:
    """A defect by the ids of the objects involved; of a duplicate, the original comes first."""

    kind: DefectKind
    entity: str
    ids: tuple[str, ...]

    def to_json(self) -> dict[str, str | list[str]]:
        """The defect as the truth interface tells it."""
        return {"kind": self.kind.value, "entity": self.entity, "ids": list(self.ids)}


@dataclass(frozen=True, slots=True, kw_only=True)
class SpoiledBills:
    """The company's bills with their defects in them."""

    bills: Sequence[Bill]
    defects: Sequence[PlannedDefect]


def spoil_bills(plan: Plan, bills: Sequence[Bill]) -> SpoiledBills:
    """Take due date and terms from a few bills, and key a few others in twice."""
    rng = plan.rng("defects")
    # Keyed in early enough for a copy to follow before the history ends; rent is never spoiled.
    before = plan.cutoff - DAY * _COPIED_WITHIN_DAYS
    candidates = [
        position
        for position, bill in enumerate(bills)
        if plan.start <= bill.on and bill.at < before and bill.vendor.account != RENT
    ]
    chosen = [candidates[int(index)] for index in rng.permutation(len(candidates))]
    undated = max(1, round(len(chosen) * _UNDATED_SHARE))
    copied = max(1, round(len(chosen) * _COPIED_SHARE))
    spoiled = list(bills)
    defects: list[PlannedDefect] = []
    for position in chosen[:undated]:
        spoiled[position] = _without_due_date(bills[position])
        defects.append(_bill_defect(DefectKind.BILL_WITHOUT_DUE_DATE, bills[position].key))
    for position in chosen[undated : undated + copied]:
        copy = _copy(plan, rng, bills[position])
        spoiled.append(copy)
        defects.append(_bill_defect(DefectKind.DUPLICATE_BILL, bills[position].key, copy.key))
    return SpoiledBills(bills=spoiled, defects=defects)


def _bill_defect(kind: DefectKind, *keys: str) -> PlannedDefect:
    return PlannedDefect(kind=kind, entity="Bill", keys=keys)


def _without_due_date(bill: Bill) -> Bill:
    pay_from = bill.on + DAY * _UNDATED_PAID_AFTER_DAYS
    return replace(bill, due=None, discount_until=None, pay_from=pay_from)


def _copy(plan: Plan, rng: np.random.Generator, bill: Bill) -> Bill:
    """The same paper keyed in again: same vendor and amount, and the same number or a date a few days off."""
    keyed_on = after_business_days(plan.office.day(bill.at), between(rng, 2, 18))
    keeps_number = float(rng.random()) < _COPY_KEEPS_NUMBER_CHANCE
    on = bill.on if keeps_number else bill.on + DAY * between(rng, 1, 2)
    return replace(
        bill,
        key=f"{bill.key}:copy",
        on=on,
        at=plan.office.working_moment(rng, keyed_on),
        doc_number=bill.doc_number if keeps_number else "",
        discount_until=None,
        pay_from=None if float(rng.random()) < _COPY_UNPAID_CHANCE else bill.pay_from,
    )


def vendor_defects(parties: Parties) -> Iterator[PlannedDefect]:
    """The vendors keyed in twice."""
    for duplicate in parties.duplicates:
        keys = (duplicate.original.key, duplicate.twin.key)
        yield PlannedDefect(kind=DefectKind.DUPLICATE_VENDOR, entity="Vendor", keys=keys)


def entered_defects(planned: Sequence[PlannedDefect], ids: Mapping[str, str]) -> tuple[Defect, ...]:
    """The defects that made it into the books."""
    return tuple(
        Defect(kind=defect.kind, entity=defect.entity, ids=tuple(ids[key] for key in defect.keys))
        for defect in planned
        if all(key in ids for key in defect.keys)
    )
