"""Calculator results and digests for tests, each with sensible values that a test overrides.

A company of the imagination: Brightside Studio, a marketing agency, on Friday 20 Nov 2026. Flows are projected by the
real calculator, so that every digest built here is one that the pipeline could build.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pandas as pd

from experiences.digest.build import build_digest
from experiences.digest.document import DigestDocument
from runway_calcs.ageing import BUCKETS, Ageing
from runway_calcs.as_of import AsOf
from runway_calcs.burn import Burn, BurnState
from runway_calcs.cash import CashPosition, CashState, ExcludedAccount, ExclusionReason, IncludedAccount
from runway_calcs.collection import ExpectedCollection, HabitSource
from runway_calcs.dated_flows import DatedFlows, FlowKind, ProjectedFlow
from runway_calcs.open_items import COLUMNS
from runway_calcs.policy import ProjectionPolicy
from runway_calcs.projection import CashRunway, cash_runway

FRIDAY = date(2026, 11, 20)
SYNCED = datetime(2026, 11, 20, 10, 0, tzinfo=UTC)
CONNECTED = datetime(2026, 9, 1, 15, 30, tzinfo=UTC)
ZONE = "America/New_York"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialBill:
    """An open bill; ``in_days`` until it is due, negative when overdue, None without a due date."""

    vendor: str
    number: str
    in_days: int | None
    cents: int
    paid_cents: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialInvoice:
    """An open invoice, due in so many days, expected in so many."""

    customer: str
    number: str
    in_days: int
    expected_in: int
    cents: int
    usual: int | None = 0
    received_cents: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TrialFlow:
    """A payment or receipt without a document."""

    label: str
    kind: FlowKind
    in_days: int
    cents: int


BILLS = (
    TrialBill(vendor="Harbor Print Works", number="HP-2231", in_days=-12, cents=184_000),
    TrialBill(vendor="Lindqvist Media Buying", number="88120", in_days=3, cents=925_050),
    TrialBill(vendor="Copperfield Insurance", number="", in_days=6, cents=61_200, paid_cents=41_200),
    TrialBill(vendor="Harbor Print Works", number="HP-2260", in_days=19, cents=210_000),
    TrialBill(vendor="Ostrava Hosting", number="O-7", in_days=40, cents=38_900),
)
INVOICES = (
    TrialInvoice(customer="Northwind Outfitters", number="1042", in_days=-21, expected_in=4, cents=1_240_000, usual=9),
    TrialInvoice(customer="Elm Street Dental", number="1057", in_days=-5, expected_in=6, cents=385_000, usual=12),
    TrialInvoice(customer="Castellan Homes", number="1061", in_days=2, expected_in=2, cents=960_000, usual=0),
    TrialInvoice(customer="Riverbend Brewing", number="1066", in_days=12, expected_in=20, cents=1_475_000, usual=None),
    TrialInvoice(customer="Castellan Homes", number="1070", in_days=31, expected_in=31, cents=2_120_000, usual=0),
)
PAYROLL = tuple(
    TrialFlow(label="Payroll", kind=FlowKind.PAYROLL, in_days=7 + 14 * number, cents=-1_286_400) for number in range(7)
)
RENT = tuple(
    TrialFlow(label="Tidewater Properties", kind=FlowKind.RECURRING, in_days=11 + 30 * number, cents=-420_000)
    for number in range(3)
)
CARD = (TrialFlow(label="Company card", kind=FlowKind.CARD, in_days=5, cents=-318_745),)
ACCOUNTS = (("Operating checking", 6_214_007), ("Savings", 1_800_000))
LEFT_OUT = (
    ("Client media trust", 2_500_000, "USD", ExclusionReason.TRUST),
    ("Undeposited Funds", 120_000, "USD", ExclusionReason.UNDEPOSITED),
    ("Euro account", 310_055, "EUR", ExclusionReason.FOREIGN_CURRENCY),
)


def make_digest(
    *,
    accounts: Sequence[tuple[str, int]] = ACCOUNTS,
    left_out: Sequence[tuple[str, int, str, ExclusionReason]] = LEFT_OUT,
    bills: Sequence[TrialBill] = BILLS,
    invoices: Sequence[TrialInvoice] = INVOICES,
    flows: Sequence[TrialFlow] = (*PAYROLL, *RENT, *CARD),
    floor_cents: int | None = None,
    unreadable: Mapping[str, int] | None = None,
    synced: datetime = SYNCED,
    known_until: datetime | None = None,
    connected: datetime = CONNECTED,
    burn: Burn | None = None,
    cash: CashPosition | None = None,
    **overrides: Any,
) -> DigestDocument:
    """A digest from trial facts; other arguments go to ``build_digest`` as they are."""
    at = AsOf.at(as_of=FRIDAY, known_until=known_until or synced, first_known_at=connected, newest_known_at=synced)
    position = cash or make_cash(accounts=accounts, left_out=left_out, at=at)
    arguments: dict[str, Any] = {
        "tenant_name": "Brightside Studio LLC",
        "firm_name": "Hartwell & Finch CPAs",
        "currency": "USD",
        "zone": ZONE,
        "week_ending": FRIDAY,
        "at": at,
        "data_as_of": synced,
        "cash": position,
        "burn": burn or make_burn(cash_cents=position.cash_cents),
        "runway": make_runway(position=position, bills=bills, invoices=invoices, flows=flows, floor_cents=floor_cents),
        "receivables_ageing": make_ageing([(invoice.in_days, invoice.cents) for invoice in invoices]),
        "payables_ageing": make_ageing([(bill.in_days or 0, bill.cents) for bill in bills]),
        "collections": [make_collection(invoice, number=number) for number, invoice in enumerate(invoices)],
        "open_receivables": make_open_items([]),
        "open_payables": make_open_items(bills),
        "unreadable": unreadable or {},
        "stale_after_days": 2,
    }
    return build_digest(**{**arguments, **overrides})


def make_cash(
    *,
    at: AsOf | None = None,
    accounts: Sequence[tuple[str, int]] = ACCOUNTS,
    left_out: Sequence[tuple[str, int, str, ExclusionReason]] = LEFT_OUT,
    state: CashState = CashState.OK,
    reason: str = "",
    card_owed_cents: int = 318_745,
    dated_later_cents: int = 0,
) -> CashPosition:
    """A cash position over named accounts."""
    return CashPosition(
        as_of=FRIDAY,
        basis=at.basis if at else "current",
        state=state,
        reason=reason,
        cash_cents=sum(cents for _, cents in accounts) if state is CashState.OK else None,
        accounts=tuple(
            IncludedAccount(account_id=str(number), name=name, balance_cents=cents, dated_later_cents=0)
            for number, (name, cents) in enumerate(accounts)
        ),
        excluded=tuple(
            ExcludedAccount(account_id=f"x{number}", name=name, balance_cents=cents, currency=currency, reason=why)
            for number, (name, cents, currency, why) in enumerate(left_out)
        ),
        cards=(),
        dated_later_cents=dated_later_cents,
        trust_cents=0,
        undeposited_cents=0,
        card_owed_cents=card_owed_cents,
    )


def make_burn(
    *,
    state: BurnState = BurnState.BURNING,
    reason: str = "",
    gross: int | None = 171_322,
    net: int | None = 40_318,
    cash_cents: int | None = 8_014_007,
) -> Burn:
    """A burn per day in cents."""
    return Burn(
        as_of=FRIDAY,
        state=state,
        reason=reason,
        gross_rolling_cents=gross and gross * 28,
        net_rolling_cents=net and net * 28,
        gross_per_day_cents=gross,
        net_per_day_cents=net,
        buffer_days=max(0, cash_cents) // gross if gross and cash_cents is not None else None,
        net_runway_days=None,
        weeks=(),
        one_offs=(),
    )


def make_runway(
    *,
    position: CashPosition,
    bills: Sequence[TrialBill] = BILLS,
    invoices: Sequence[TrialInvoice] = INVOICES,
    flows: Sequence[TrialFlow] = (),
    floor_cents: int | None = None,
) -> CashRunway:
    """The real projection over trial flows."""
    projected = [
        *(_bill_flow(bill, number=number) for number, bill in enumerate(bills)),
        *(_invoice_flow(invoice, number=number) for number, invoice in enumerate(invoices)),
        *(_flow(flow) for flow in flows),
    ]
    payrolls = sorted((flow for flow in projected if flow.kind is FlowKind.PAYROLL), key=lambda flow: flow.day)
    return cash_runway(
        position=position,
        flows=DatedFlows(
            flows=tuple(sorted(projected, key=lambda flow: (flow.day, flow.kind, flow.label, flow.txn_id))),
            next_payroll_on=payrolls[0].day if payrolls else None,
            next_payroll_cents=-payrolls[0].amount_cents if payrolls else 0,
            unused_vendor_credit_cents=0,
            unused_customer_credit_cents=0,
        ),
        policy=ProjectionPolicy(floor_cents=floor_cents),
    )


def make_collection(invoice: TrialInvoice, *, number: int) -> ExpectedCollection:
    """The expected collection of a trial invoice."""
    return ExpectedCollection(
        invoice_id=f"i{number}",
        doc_number=invoice.number,
        party_id=invoice.customer,
        party_name=invoice.customer,
        due_date=_day(invoice.in_days),
        open_cents=invoice.cents,
        overdue_days=-invoice.in_days,
        expected_on=_day(invoice.expected_in),
        usual_days_late=invoice.usual or 0,
        paid_invoices=0 if invoice.usual is None else 7,
        source=HabitSource.NONE if invoice.usual is None else HabitSource.CUSTOMER,
        is_later_than_usual=False,
        reason="",
        rule="",
    )


def make_ageing(items: Sequence[tuple[int, int]]) -> Ageing:
    """Ageing of (days until due, cents)."""
    buckets = [0] * len(BUCKETS)
    for in_days, cents in items:
        overdue = -in_days
        buckets[0 if overdue <= 0 else min(4, 1 + (overdue - 1) // 30)] += cents
    return Ageing(
        as_of=FRIDAY, bucket_cents=tuple(buckets), total_cents=sum(buckets), item_count=len(items), parties=()
    )


def make_open_items(bills: Sequence[TrialBill]) -> pd.DataFrame:
    """The payables side of ``open_items`` for trial bills."""
    rows = [
        (
            "Bill",
            f"b{number}",
            bill.vendor,
            bill.vendor,
            bill.number,
            pd.Timestamp(FRIDAY - timedelta(days=30)),
            pd.NaT if bill.in_days is None else pd.Timestamp(_day(bill.in_days)),
            bill.cents,
            bill.cents,
            30 if bill.in_days is None else -bill.in_days,
            "",
        )
        for number, bill in enumerate(bills)
    ]
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    return frame.astype({"due_date": "datetime64[us]", "open_cents": "int64", "overdue_days": "int64"})


def _bill_flow(bill: TrialBill, *, number: int) -> ProjectedFlow:
    paid = bill.cents if bill.paid_cents is None else bill.paid_cents
    day = max(1, 1 if bill.in_days is None else bill.in_days)
    return _projected(day=day, cents=-paid, kind=FlowKind.BILL, label=bill.vendor, txn_type="Bill", txn_id=f"b{number}")


def _invoice_flow(invoice: TrialInvoice, *, number: int) -> ProjectedFlow:
    received = invoice.cents if invoice.received_cents is None else invoice.received_cents
    return _projected(
        day=invoice.expected_in,
        cents=received,
        kind=FlowKind.INVOICE,
        label=invoice.customer,
        txn_type="Invoice",
        txn_id=f"i{number}",
    )


def _flow(flow: TrialFlow) -> ProjectedFlow:
    return _projected(day=flow.in_days, cents=flow.cents, kind=flow.kind, label=flow.label, txn_type="", txn_id="")


def _projected(*, day: int, cents: int, kind: FlowKind, label: str, txn_type: str, txn_id: str) -> ProjectedFlow:
    return ProjectedFlow(
        day=_day(day),
        amount_cents=cents,
        kind=kind,
        label=label,
        txn_type=txn_type,
        txn_id=txn_id,
        doc_number="",
        reason="",
    )


def _day(in_days: int) -> date:
    return FRIDAY + timedelta(days=in_days)
