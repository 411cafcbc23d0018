"""Calculator results and digests for tests, each with sensible values that a test overrides.

A company of the imagination: Brightside Studio, a marketing agency, on Friday 20 Nov 2026. The forecast is the engine's
own, of items whose days are certain, so that every digest built here is one that the pipeline could build.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pandas as pd

from experiences.digest.build import build_digest
from experiences.digest.document import DigestDocument
from runway_calcs.books.ageing import BUCKETS, Ageing
from runway_calcs.books.as_of import AsOf
from runway_calcs.books.burn import Burn, BurnState
from runway_calcs.books.cash import CashPosition, CashState, ExcludedAccount, ExclusionReason, IncludedAccount
from runway_calcs.books.open_items import COLUMNS
from runway_calcs.flow_kinds import FlowKind
from runway_calcs.forecast.change import CauseOfChange, ChangeCause, ChangeState, ForecastChange
from runway_calcs.forecast.dated_items import DatedItem
from runway_calcs.forecast.expected_payments import ExpectedPayment
from runway_calcs.forecast.figures import Band, CashForecast
from runway_calcs.forecast.score import Compared, ForecastScore, Miss, MissCause, ScoreState, WeekHit
from tests.experiences.priority_builders import make_priorities
from tests.runway_calcs.forecasts import forecasting, item, prepared

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
        "forecast": make_forecast(
            position=position, bills=bills, invoices=invoices, flows=flows, floor_cents=floor_cents, at=at
        ),
        "change": make_change(),
        "score": make_score(),
        "receivables_ageing": make_ageing([(invoice.in_days, invoice.cents) for invoice in invoices]),
        "payables_ageing": make_ageing([(bill.in_days or 0, bill.cents) for bill in bills]),
        "payments": [
            *(make_invoice_payment(invoice, number=number) for number, invoice in enumerate(invoices)),
            *(make_bill_payment(bill, number=number) for number, bill in enumerate(bills)),
        ],
        "open_receivables": make_open_invoices(invoices),
        "open_payables": make_open_items(bills),
        "priorities": make_priorities(),
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


def make_forecast(
    *,
    position: CashPosition,
    bills: Sequence[TrialBill] = BILLS,
    invoices: Sequence[TrialInvoice] = INVOICES,
    flows: Sequence[TrialFlow] = (),
    floor_cents: int | None = None,
    at: AsOf | None = None,
) -> CashForecast:
    """The real forecast of trial items, each on its day in every draw; the default floor is the first payroll."""
    items = [
        *(_bill_item(bill, number=number) for number, bill in enumerate(bills)),
        *(_invoice_item(invoice, number=number) for number, invoice in enumerate(invoices)),
        *(item(flow.in_days, flow.cents, flow.kind, label=flow.label) for flow in flows),
    ]
    payrolls = sorted((one for one in items if one.kind is FlowKind.PAYROLL), key=lambda one: one.expected_on)
    if floor_cents is not None:
        floor, reason = floor_cents, "set for this tenant"
    elif payrolls:
        floor, reason = -payrolls[0].amount_cents, f"the next payroll, expected {payrolls[0].expected_on}"
    else:
        floor, reason = 0, "zero: no recurring payroll is recognised and none is set"
    found = prepared(items, cash=position, floor_cents=floor, floor_reason=reason)
    return replace(forecasting(found).forecast, basis=at.basis if at else "current")


def make_change(*, days: int = 3, low: int = 120_000) -> ForecastChange:
    """A change in three causes since the Friday before."""
    rest = CauseOfChange(cause=ChangeCause.ESTIMATED, days=0, low_cents=low - 150_000 + 40_000, closing_cents=0)
    return ForecastChange(
        as_of=FRIDAY,
        last_as_of=FRIDAY - timedelta(weeks=1),
        state=ChangeState.COMPARED,
        reason="",
        shared_until=FRIDAY + timedelta(weeks=12),
        last_until=None,
        until=None,
        days=days,
        is_open_ended=False,
        last_low_cents=0,
        low_cents=low,
        last_closing_cents=0,
        closing_cents=0,
        causes=(
            CauseOfChange(cause=ChangeCause.PAID, days=days, low_cents=150_000, closing_cents=0),
            CauseOfChange(cause=ChangeCause.ENTERED, days=0, low_cents=-40_000, closing_cents=0),
            rest,
        ),
    )


NO_CHANGE = ForecastChange(
    as_of=FRIDAY,
    last_as_of=None,
    state=ChangeState.NO_LAST_FORECAST,
    reason="there are no books of an earlier week",
    shared_until=None,
    last_until=None,
    until=None,
    days=None,
    is_open_ended=False,
    last_low_cents=None,
    low_cents=None,
    last_closing_cents=None,
    closing_cents=None,
    causes=(),
)


def make_score(*, name: str = "Northwind Outfitters", actual: int = 8_014_007) -> ForecastScore:
    """A week that came out inside the band, with two differences by name."""
    band = Band(p10_cents=7_000_000, p50_cents=7_900_000, p90_cents=8_400_000)
    flow = Band(p10_cents=500_000, p50_cents=900_000, p90_cents=1_300_000)
    misses = (
        Miss(
            kind=FlowKind.INVOICE,
            label=name,
            doc_number="1042",
            txn_type="Invoice",
            txn_id="i0",
            expected_cents=600_000,
            actual_cents=0,
            cause=MissCause.TIMING,
        ),
        Miss(
            kind=FlowKind.NEW_BILLS,
            label="",
            doc_number="",
            txn_type="",
            txn_id="",
            expected_cents=-300_000,
            actual_cents=-185_993,
            cause=MissCause.PERMANENT,
        ),
    )
    return ForecastScore(
        as_of=FRIDAY,
        last_as_of=FRIDAY - timedelta(weeks=1),
        state=ScoreState.SCORED,
        reason="",
        receipts=Compared(expected_cents=900_000, band=flow, actual_cents=300_000),
        disbursements=Compared(expected_cents=800_000, band=flow, actual_cents=685_993),
        closing=Compared(expected_cents=8_500_000, band=band, actual_cents=actual),
        timing_cents=-600_000,
        permanent_cents=actual - 8_500_000 + 600_000,
        corrected_cents=0,
        misses=misses,
        hits=tuple(WeekHit(week_ending=FRIDAY - timedelta(weeks=n), is_inside=n != 4) for n in range(10)),
    )


NO_SCORE = ForecastScore(
    as_of=FRIDAY,
    last_as_of=None,
    state=ScoreState.NO_LAST_FORECAST,
    reason="there are no books of an earlier week",
    receipts=None,
    disbursements=None,
    closing=None,
    timing_cents=0,
    permanent_cents=0,
    corrected_cents=0,
    misses=(),
    hits=(),
)


def make_invoice_payment(invoice: TrialInvoice, *, number: int) -> ExpectedPayment:
    """The expected payment of a trial invoice."""
    return ExpectedPayment(
        side="receivables",
        txn_type="Invoice",
        txn_id=f"i{number}",
        doc_number=invoice.number,
        party_id=invoice.customer,
        party_name=invoice.customer,
        due_date=_day(invoice.in_days),
        open_cents=invoice.cents,
        counted_cents=invoice.cents if invoice.received_cents is None else invoice.received_cents,
        overdue_days=-invoice.in_days,
        expected_on=_day(invoice.expected_in),
        p10_on=_day(invoice.expected_in),
        p90_on=_day(invoice.expected_in),
        within_week_ppm=0,
        usual_days_late=invoice.usual,
        confidence_ppm=0,
        reason="",
    )


def make_bill_payment(bill: TrialBill, *, number: int) -> ExpectedPayment:
    """The expected payment of a trial bill: on its due date, overdue ones on the next day."""
    day = _day(_pays_in(bill))
    return ExpectedPayment(
        side="payables",
        txn_type="Bill",
        txn_id=f"b{number}",
        doc_number=bill.number,
        party_id=bill.vendor,
        party_name=bill.vendor,
        due_date=None if bill.in_days is None else _day(bill.in_days),
        open_cents=bill.cents,
        counted_cents=bill.cents if bill.paid_cents is None else bill.paid_cents,
        overdue_days=30 if bill.in_days is None else -bill.in_days,
        expected_on=day,
        p10_on=day,
        p90_on=day,
        within_week_ppm=0,
        usual_days_late=None,
        confidence_ppm=0,
        reason="",
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
    return _open_frame(
        [
            ("Bill", f"b{number}", bill.vendor, bill.number, bill.in_days, bill.cents)
            for number, bill in enumerate(bills)
        ]
    )


def make_open_invoices(invoices: Sequence[TrialInvoice]) -> pd.DataFrame:
    """The receivables side of ``open_items`` for trial invoices."""
    return _open_frame(
        [
            ("Invoice", f"i{number}", invoice.customer, invoice.number, invoice.in_days, invoice.cents)
            for number, invoice in enumerate(invoices)
        ]
    )


def _open_frame(documents: Sequence[tuple[str, str, str, str, int | None, int]]) -> pd.DataFrame:
    """Open items of (type, id, party, number, days until due, cents)."""
    rows = [
        (
            txn_type,
            qbo_id,
            party,
            party,
            number,
            pd.Timestamp(FRIDAY - timedelta(days=30)),
            pd.NaT if in_days is None else pd.Timestamp(_day(in_days)),
            cents,
            cents,
            30 if in_days is None else -in_days,
            "",
        )
        for txn_type, qbo_id, party, number, in_days, cents in documents
    ]
    frame = pd.DataFrame(rows, columns=list(COLUMNS))
    return frame.astype({"due_date": "datetime64[us]", "open_cents": "int64", "overdue_days": "int64"})


def _pays_in(bill: TrialBill) -> int:
    return max(1, 1 if bill.in_days is None else bill.in_days)


def _bill_item(bill: TrialBill, *, number: int) -> DatedItem:
    paid = bill.cents if bill.paid_cents is None else bill.paid_cents
    return item(_pays_in(bill), -paid, label=bill.vendor, txn_id=f"b{number}")


def _invoice_item(invoice: TrialInvoice, *, number: int) -> DatedItem:
    received = invoice.cents if invoice.received_cents is None else invoice.received_cents
    return item(invoice.expected_in, received, label=invoice.customer, txn_id=f"i{number}")


def _day(in_days: int) -> date:
    return FRIDAY + timedelta(days=in_days)
