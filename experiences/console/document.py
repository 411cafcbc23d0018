"""What the payment console starts from, as data: open bills with priority and plan, the cash, draws for a what-if.

Belongs here: its shape, its rules, its JSON form. Does not: what of the payment ledger is shown (``ledger_facts.py``), and what has
been decided since, which the ledger knows at any moment.
"""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

from experiences.console.ledger_facts import ConsoleLedger
from experiences.digest.comparison import require
from experiences.stored_json import StoredJson
from runway_calcs.bills.priority import BillPriority
from runway_calcs.forecast.what_if_draws import WhatIfDraws
from runway_calcs.pay_plan.apart import UnplannedBill
from runway_calcs.pay_plan.plan import PlanState
from runway_calcs.pay_plan.reasons import PlannedBill

MOST_BILLS = 200
"""Bounds the document; the rest is counted and summed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsoleBill:
    """One open bill: what waiting with it costs, and what the plan does with it."""

    bill_id: str
    vendor: str
    doc_number: str
    open_cents: int
    due_on: date | None
    """None: it has no due date."""
    priority: BillPriority
    planned: PlannedBill | None
    """None: there is no plan."""

    def __post_init__(self) -> None:
        require(self.bill_id == self.priority.bill_id, "a priority is of its bill")
        require(self.planned is None or self.bill_id == self.planned.bill_id, "a plan is of its bill")


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsolePlan:
    """The proposal as a whole."""

    state: PlanState
    words: str
    """How good the plan is proven to be; of a shortfall in no reader's formats."""
    is_repeatable: bool
    low_cents: int
    low_on: date
    balance_cents: tuple[int, ...]
    """Cautious balance at the end of each day after the as-of day, after the planned payments."""
    short_cents: int | None = None
    """What is missing on the worst day; None: the plan is feasible, or an earlier version did not keep it."""
    short_on: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ConsoleDocument:
    """Everything that one tenant's console starts from."""

    schema_version: Literal[1]
    tenant_id: str
    tenant_name: str
    firm_name: str
    currency: str
    zone: str
    as_of: date
    data_as_of: datetime
    cash_cents: int | None
    """None: no figure; then there are no bills with a priority and no draws either."""
    reserved_cents: int
    floor_cents: int | None
    floor_reason: str
    bills: tuple[ConsoleBill, ...]
    """The most costly to leave first."""
    count: int
    total_cents: int
    plan: ConsolePlan | None
    draws: WhatIfDraws | None
    unplanned: tuple[UnplannedBill, ...] = ()
    """Open bills, or parts, that are neither ranked nor planned, with the reason. Names as a page may show them."""
    ledger: ConsoleLedger | None = None
    """None: the payment ledger had taken in no books of this company yet."""

    def __post_init__(self) -> None:
        require(len(self.bills) <= MOST_BILLS, "a console keeps its first bills")
        require(self.count >= len(self.bills), "a console counts at least the bills it keeps")
        has_floor = self.floor_cents is not None
        require((self.draws is not None) == has_floor, "there are draws exactly when there is a forecast")
        require(has_floor or not self.bills, "a priority needs a forecast")
        drawn = {one.bill_id for one in self.draws.bills} if self.draws is not None else set()
        require(drawn <= {one.bill_id for one in self.bills}, "draws are of the bills that are kept")


_STORED = StoredJson(
    ConsoleDocument, what="console document", remedy="Materialize digest/console for that tenant and week again."
)
to_json = _STORED.to_json
from_json = _STORED.from_json
