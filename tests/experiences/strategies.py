"""Digests of every shape a document allows, for property tests: hostile names, huge amounts, full lists."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from experiences.digest.document import (
    MAX_NOTES,
    MAX_ROWS,
    Ageing,
    BillLine,
    Burn,
    Cash,
    CashAccount,
    DataNote,
    DigestDocument,
    FlowLine,
    InvoiceLine,
    LeftOutAccount,
    Listing,
    MoneyIn,
    MoneyOut,
    NoteKind,
    Runway,
    Week,
)
from runway_calcs.burn import BurnState
from runway_calcs.cash import CashState, ExclusionReason
from runway_calcs.dated_flows import FlowKind
from runway_calcs.projection import RunwayState

# A document has hundreds of drawn values, so drawing takes most of the time and few examples go a long way.
slow_inputs = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
many_slow_inputs = settings(slow_inputs, max_examples=500)
AS_OF = date(2026, 11, 20)
cents = st.integers(min_value=-(10**13), max_value=10**13)
owed_cents = st.integers(min_value=0, max_value=10**13)
names = st.text(max_size=200) | st.sampled_from(["&" * 200, "'\"<>" * 50, "\N{BRAIN}" * 90, "x\r\nBcc: a@b.example"])
near_dates = st.dates(min_value=date(2024, 1, 1), max_value=date(2029, 12, 31))
currencies = st.sampled_from(["USD", "CHF", "EUR"])

invoice_lines = st.builds(
    InvoiceLine,
    customer=names,
    doc_number=names,
    due_date=near_dates,
    expected_on=near_dates,
    amount_cents=owed_cents,
    open_cents=owed_cents,
    overdue_days=st.integers(0, 4000),
    usual_days_late=st.none() | st.integers(-400, 4000),
)
bill_lines = st.builds(
    BillLine,
    vendor=names,
    doc_number=names,
    due_date=st.none() | near_dates,
    amount_cents=owed_cents,
    open_cents=owed_cents,
    overdue_days=st.integers(0, 4000),
)
flow_lines = st.builds(FlowLine, label=names, kind=st.sampled_from(FlowKind), day=near_dates, amount_cents=owed_cents)
ageings = st.lists(cents, min_size=5, max_size=5).map(
    lambda buckets: Ageing(bucket_cents=tuple(buckets), total_cents=sum(buckets))
)
notes = st.lists(
    st.builds(
        DataNote,
        kind=st.sampled_from(NoteKind),
        entity=names,
        count=st.integers(0, 10**6),
        amount_cents=cents,
    ),
    max_size=MAX_NOTES,
).map(tuple)
left_out = st.builds(
    LeftOutAccount,
    name=names,
    balance_cents=cents,
    currency=currencies,
    reason=st.sampled_from(ExclusionReason),
)


@st.composite
def listings(draw: st.DrawFn, rows: st.SearchStrategy[Any]) -> Listing[Any]:
    """A list of up to the allowed rows, with more behind it or not."""
    shown = tuple(draw(st.lists(rows, max_size=MAX_ROWS)))
    if not shown:
        return Listing(rows=(), count=0, total_cents=0)
    return Listing(rows=shown, count=len(shown) + draw(st.integers(0, 10**6)), total_cents=draw(cents))


@st.composite
def weeks(draw: st.DrawFn, *, opening: int, receipts: int, disbursements: int) -> tuple[Week, ...]:
    """13 weeks that roll, the first one with the given sums."""
    rolled = []
    for number in range(13):
        if number:
            receipts, disbursements = draw(owed_cents), draw(owed_cents)
        first_day = AS_OF + timedelta(days=1 + 7 * number)
        rolled.append(
            Week(
                first_day=first_day,
                last_day=first_day + timedelta(days=6),
                opening_cents=opening,
                receipts_cents=receipts,
                disbursements_cents=disbursements,
                closing_cents=opening + receipts - disbursements,
            )
        )
        opening = rolled[-1].closing_cents
    return tuple(rolled)


@st.composite
def runways(draw: st.DrawFn, *, state: RunwayState) -> Runway:
    """A headline of the given state."""
    projected = state not in (RunwayState.NO_DATA, RunwayState.NOT_COMPUTABLE)
    burning = state is RunwayState.BURNING
    return Runway(
        state=state,
        reason=draw(names),
        covered_until=draw(near_dates) if burning else None,
        days=draw(st.integers(1, 10**6)) if burning else None,
        horizon_end=AS_OF + timedelta(days=91),
        floor_cents=draw(cents) if projected else None,
        floor_reason=draw(names),
        low_cents=draw(cents) if projected else None,
        low_on=draw(near_dates) if projected else None,
        basis_text=draw(names),
    )


@st.composite
def cash_blocks(draw: st.DrawFn, *, state: CashState) -> Cash:
    """A cash block of the given state."""
    accounts = draw(listings(st.builds(CashAccount, name=names, balance_cents=cents)))
    excluded = tuple(draw(st.lists(left_out, max_size=MAX_ROWS)))
    return Cash(
        state=state,
        reason=draw(names),
        cash_cents=accounts.total_cents if state is CashState.OK else None,
        accounts=accounts,
        left_out=excluded,
        left_out_count=len(excluded) + draw(st.integers(0, 100)),
        card_owed_cents=draw(cents),
    )


@st.composite
def burns(draw: st.DrawFn) -> Burn:
    """A burn of any state."""
    state = draw(st.sampled_from(BurnState))
    known = state in (BurnState.BURNING, BurnState.NOT_BURNING)
    return Burn(
        state=state,
        reason=draw(names),
        gross_per_day_cents=draw(owed_cents) if known else None,
        net_per_day_cents=draw(cents) if known else None,
        buffer_days=draw(st.none() | st.integers(0, 10**7)) if known else None,
        one_off_count=draw(st.integers(0, 100)),
        one_off_cents=draw(owed_cents),
    )


@st.composite
def documents(draw: st.DrawFn) -> DigestDocument:
    """Any digest that keeps the rules of a document."""
    state = draw(st.sampled_from(RunwayState))
    projected = state not in (RunwayState.NO_DATA, RunwayState.NOT_COMPUTABLE)
    cash = draw(cash_blocks(state=CashState.OK if projected else draw(st.sampled_from(CashState))))
    until = AS_OF + timedelta(days=7)
    money_in = MoneyIn(
        until=until,
        expected=draw(listings(invoice_lines)),
        other=draw(listings(flow_lines)),
        overdue=draw(listings(invoice_lines)),
    )
    overdue, due, other = draw(listings(bill_lines)), draw(listings(bill_lines)), draw(listings(flow_lines))
    total = overdue.total_cents + due.total_cents + other.total_cents
    receipts = money_in.expected.total_cents + money_in.other.total_cents
    return DigestDocument(
        schema_version=1,
        tenant_name=draw(names),
        firm_name=draw(names),
        currency=draw(currencies),
        zone="America/Los_Angeles",
        week_ending=AS_OF,
        as_of=AS_OF,
        data_as_of=datetime(2026, 11, 20, 13, 0, tzinfo=UTC),
        books_age_days=draw(st.integers(0, 4000)),
        stale_after_days=draw(st.integers(0, 4000)),
        basis=draw(st.sampled_from(["current", "historical", "reconstructed"])),
        connected_on=draw(near_dates),
        runway=draw(runways(state=state)),
        cash=cash,
        weeks=draw(weeks(opening=cash.cash_cents or 0, receipts=receipts, disbursements=total)) if projected else (),
        receivables=draw(st.none() | ageings),
        payables=draw(st.none() | ageings),
        money_in=money_in,
        money_out=MoneyOut(
            until=until,
            overdue=overdue,
            due=due,
            other=other,
            total_cents=total,
            cash_after_cents=None if cash.cash_cents is None else cash.cash_cents - total,
        ),
        burn=draw(burns()),
        notes=draw(notes),
    )
