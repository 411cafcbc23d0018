"""Digests of every shape a document allows, for property tests: hostile names, huge amounts, full lists."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st

from experiences.digest.comparison import MAX_MISSES, Cause, Change, Estimate, LastForecast, MissLine, Outcome
from experiences.digest.document import (
    MAX_NOTES,
    Ageing,
    BillLine,
    Bills,
    Burn,
    Cash,
    CashAccount,
    DataNote,
    DigestDocument,
    FlowLine,
    InvoiceLine,
    LeftOutAccount,
    MoneyIn,
    MoneyOut,
    NoteKind,
    Runway,
    Week,
)
from experiences.digest.listing import FEW_ROWS, MAX_ROWS, Listing
from experiences.digest.payment_workflow import PaymentWorkflow, Tally
from experiences.digest.priorities import (
    Collection,
    ContactLine,
    DataToFix,
    DefectLine,
    DiscountLine,
    Plan,
    PlannedLine,
    WaitingLine,
)
from runway_calcs.books.burn import BurnState
from runway_calcs.books.cash import CashState, ExclusionReason
from runway_calcs.collection.priority import PriorityState
from runway_calcs.flow_kinds import FlowKind
from runway_calcs.forecast.change import ChangeCause, ChangeState
from runway_calcs.forecast.figures import RunwayState
from runway_calcs.forecast.score import MissCause, ScoreState
from runway_calcs.hygiene.defects import EffectState
from runway_calcs.pay_plan.plan import PlanState

# A document has hundreds of drawn values, so drawing takes most of the time and few examples go a long way.
slow_inputs = settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)
many_slow_inputs = settings(slow_inputs, max_examples=500)
AS_OF = date(2026, 11, 20)
cents = st.integers(min_value=-(10**13), max_value=10**13)
owed_cents = st.integers(min_value=0, max_value=10**13)
names = st.text(max_size=200) | st.sampled_from(["&" * 200, "'\"<>" * 50, "\N{BRAIN}" * 90, "x\r\nBcc: a@b.example"])
ppm = st.integers(0, 1_000_000)
near_dates = st.dates(min_value=date(2024, 1, 1), max_value=date(2029, 12, 31))
currencies = st.sampled_from(["USD", "CHF", "EUR"])

invoice_lines = st.builds(
    InvoiceLine,
    customer=names,
    doc_number=names,
    due_date=st.none() | near_dates,
    expected_on=st.none() | near_dates,
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
def listings(draw: st.DrawFn, rows: st.SearchStrategy[Any], *, most: int = MAX_ROWS) -> Listing[Any]:
    """A list of up to the allowed rows, with more behind it or not."""
    shown = tuple(draw(st.lists(rows, max_size=most)))
    if not shown:
        return Listing(rows=(), count=0, total_cents=0)
    return Listing(rows=shown, count=len(shown) + draw(st.integers(0, 10**6)), total_cents=draw(cents))


@st.composite
def collections(draw: st.DrawFn) -> Collection:
    """A collection list of any state."""
    state = draw(st.sampled_from(PriorityState))
    lines = st.builds(
        ContactLine,
        customer=names,
        value_cents=cents,
        overdue_cents=owed_cents,
        doc_number=names,
        days_late=st.integers(-400, 4000),
        usual_days_late=st.none() | st.integers(-400, 4000),
        paid_invoices=st.integers(0, 10**6),
    )
    nobody: Listing[ContactLine] = Listing(rows=(), count=0, total_cents=0)
    return Collection(
        state=state,
        low_on=draw(near_dates) if state is PriorityState.OK else None,
        contacts=draw(listings(lines, most=FEW_ROWS)) if state is PriorityState.OK else nobody,
        assumption=draw(names),
    )


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    """A plan of any state."""
    is_short = draw(st.booleans())
    planned = st.builds(PlannedLine, vendor=names, doc_number=names, paid_on=near_dates, cash_cents=owed_cents)
    waiting = st.builds(
        WaitingLine,
        vendor=names,
        doc_number=names,
        amount_cents=owed_cents,
        until=st.none() | near_dates,
        cost_cents=owed_cents,
    )
    discount = st.builds(
        DiscountLine,
        vendor=names,
        doc_number=names,
        saves_cents=owed_cents,
        last_on=near_dates,
        yield_basis_points=st.none() | st.integers(0, 10**6),
    )
    return Plan(
        state=draw(st.sampled_from(PlanState)),
        words=draw(names),
        payments=draw(listings(planned, most=FEW_ROWS)),
        balance_after_cents=draw(cents),
        low_cents=draw(cents),
        low_on=draw(near_dates),
        waiting=draw(listings(waiting, most=FEW_ROWS)),
        waiting_cost_cents=draw(owed_cents),
        discounts=draw(listings(discount, most=FEW_ROWS)),
        short_cents=draw(owed_cents) if is_short else None,
        short_on=draw(near_dates) if is_short else None,
    )


@st.composite
def defect_lines(draw: st.DrawFn) -> DefectLine:
    """A defect whose effect is known or not."""
    effect = draw(st.sampled_from(EffectState))
    known = effect in (EffectState.VALUE, EffectState.ZERO)
    return DefectLine(
        label=draw(names),
        what=draw(names),
        is_blocking=draw(st.booleans()),
        effect=effect,
        runway_days=draw(st.integers(-91, 91)) if known else None,
        is_bound=draw(st.booleans()),
        low_cents=draw(cents) if known else None,
        age_days=draw(st.none() | st.integers(0, 4000)),
    )


@st.composite
def data_to_fix(draw: st.DrawFn) -> DataToFix:
    """Some defects, or none."""
    return DataToFix(
        score=draw(st.none() | st.integers(0, 100)),
        defects=draw(listings(defect_lines(), most=FEW_ROWS)),
        blocking_count=draw(st.integers(0, 100)),
        set_aside=draw(st.integers(0, 100)),
    )


@st.composite
def weeks(draw: st.DrawFn, *, opening: int, receipts: int, disbursements: int) -> tuple[Week, ...]:
    """13 weeks that roll, the first one with the given sums."""
    rolled = []
    for number in range(13):
        if number:
            receipts, disbursements = draw(owed_cents), draw(owed_cents)
        first_day = AS_OF + timedelta(days=1 + 7 * number)
        low, high = sorted((draw(cents), draw(cents)))
        rolled.append(
            Week(
                first_day=first_day,
                last_day=first_day + timedelta(days=6),
                opening_cents=opening,
                receipts_cents=receipts,
                disbursements_cents=disbursements,
                released_cents=0,
                closing_cents=opening + receipts - disbursements,
                p10_cents=low,
                p90_cents=high,
                below_floor_ppm=draw(ppm),
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
        cautious_until=draw(near_dates) if burning else None,
        cautious_days=draw(st.integers(1, 10**6)) if burning else None,
        horizon_end=AS_OF + timedelta(days=91),
        floor_cents=draw(cents) if projected else None,
        floor_reason=draw(names),
        reserved_cents=0,
        low_cents=draw(cents) if projected else None,
        low_p10_cents=draw(cents) if projected else None,
        low_p90_cents=draw(cents) if projected else None,
        low_on=draw(near_dates) if projected else None,
        below_floor_ppm=draw(ppm) if projected else None,
        history_note=draw(names),
        basis_text=draw(names),
    )


@st.composite
def estimates(draw: st.DrawFn, *, expected: int) -> Estimate:
    """A figure of the forecast with some band."""
    low, high = sorted((draw(cents), draw(cents)))
    return Estimate(expected_cents=expected, p10_cents=low, p90_cents=high)


@st.composite
def changes(draw: st.DrawFn) -> Change:
    """A change in its causes, or none."""
    state = draw(st.sampled_from(ChangeState))
    if state is not ChangeState.COMPARED:
        return Change(
            state=state, reason=draw(names), last_as_of=None, days=0, is_open_ended=False, low_cents=0, causes=()
        )
    causes = tuple(Cause(cause=cause, days=draw(st.integers(-91, 91)), low_cents=draw(cents)) for cause in ChangeCause)
    return Change(
        state=state,
        reason="",
        last_as_of=AS_OF - timedelta(weeks=1),
        days=sum(one.days for one in causes),
        is_open_ended=draw(st.booleans()),
        low_cents=sum(one.low_cents for one in causes),
        causes=causes,
    )


@st.composite
def last_forecasts(draw: st.DrawFn) -> LastForecast:
    """A scored forecast, or none."""
    state = draw(st.sampled_from(ScoreState))
    is_scored = state is ScoreState.SCORED
    receipts, paid, closing = (
        Outcome(forecast=draw(estimates(expected=draw(cents))), actual_cents=draw(cents)) if is_scored else None
        for _ in range(3)
    )
    timing, permanent = draw(cents), draw(cents)
    missed = closing.actual_cents - closing.forecast.expected_cents if closing else 0
    inside = draw(st.integers(0, 10))
    lines = st.builds(
        MissLine, label=names, kind=st.sampled_from(FlowKind), cents=cents, cause=st.sampled_from(MissCause)
    )
    return LastForecast(
        state=state,
        reason=draw(names),
        last_as_of=AS_OF - timedelta(weeks=1) if is_scored else None,
        receipts=receipts,
        disbursements=paid,
        closing=closing,
        timing_cents=timing if is_scored else 0,
        permanent_cents=permanent if is_scored else 0,
        corrected_cents=missed - timing - permanent if is_scored else 0,
        misses=tuple(draw(st.lists(lines, max_size=MAX_MISSES))) if is_scored else (),
        inside_count=inside,
        scored_count=inside + draw(st.integers(0, 10)),
    )


@st.composite
def cash_blocks(draw: st.DrawFn, *, state: CashState) -> Cash:
    """A cash block of the given state."""
    accounts = draw(listings(st.builds(CashAccount, name=names, balance_cents=cents)))
    excluded = tuple(draw(st.lists(left_out, max_size=FEW_ROWS)))
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
        in_cents=draw(st.none() | owed_cents) if known else None,
        out_cents=draw(st.none() | owed_cents) if known else None,
    )


tallies = st.builds(Tally, count=st.integers(1, 10**6), cents=cents) | st.just(Tally(count=0, cents=0))
_overrides = st.tuples(st.integers(0, 1_000), st.integers(0, 1_000)).map(sorted)
workflows = st.builds(
    lambda overrides, **others: PaymentWorkflow(unconfirmed=overrides[0], overridden=overrides[1], **others),
    overrides=_overrides,
    set_aside=tallies,
    later=tallies,
    unsettled=tallies,
    proposed=tallies,
    free_cents=cents,
)


@st.composite
def documents(draw: st.DrawFn) -> DigestDocument:
    """Any digest that keeps the rules of a document."""
    state = draw(st.sampled_from(RunwayState))
    projected = state not in (RunwayState.NO_DATA, RunwayState.NOT_COMPUTABLE)
    cash = draw(cash_blocks(state=CashState.OK if projected else draw(st.sampled_from(CashState))))
    until = AS_OF + timedelta(days=7)
    receipts, total_paid = draw(owed_cents), draw(owed_cents)
    money_in = MoneyIn(
        until=until,
        estimate=draw(estimates(expected=receipts)) if projected else None,
        expected=draw(listings(invoice_lines)),
        other=draw(listings(flow_lines, most=FEW_ROWS)),
        overdue=draw(listings(invoice_lines)),
        collection=draw(collections()),
    )
    likely = Bills(count=draw(st.integers(0, 10**6)), cents=draw(owed_cents))
    other = draw(listings(flow_lines, most=FEW_ROWS))
    total = likely.cents + other.total_cents
    return DigestDocument(
        schema_version=4,
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
        weeks=(
            draw(weeks(opening=cash.cash_cents or 0, receipts=receipts, disbursements=total_paid)) if projected else ()
        ),
        change=draw(changes()),
        last_forecast=draw(last_forecasts()),
        receivables=draw(st.none() | ageings),
        payables=draw(st.none() | ageings),
        money_in=money_in,
        money_out=MoneyOut(
            until=until,
            estimate=draw(estimates(expected=total_paid)) if projected else None,
            overdue=draw(listings(bill_lines)),
            due=draw(listings(bill_lines)),
            likely=likely,
            other=other,
            likely_cents=total,
            cash_after_cents=None if cash.cash_cents is None else cash.cash_cents - total,
            plan=draw(plans()) if projected else None,
        ),
        burn=draw(burns()),
        data_to_fix=draw(data_to_fix()),
        notes=draw(notes),
        workflow=draw(st.none() | workflows),
    )
