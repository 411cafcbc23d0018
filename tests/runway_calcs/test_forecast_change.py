"""What changed since the last forecast, and what became of it: worked by hand, and sums that hold for any books."""

from dataclasses import replace
from datetime import date, datetime, timedelta
from itertools import pairwise
from random import Random

import pandas as pd
import pytest
from hypothesis import strategies as st

from runway_calcs.books.ageing import ageing
from runway_calcs.books.as_of import AsOf
from runway_calcs.books.cash import CashPosition
from runway_calcs.books.movements import Kind
from runway_calcs.flow_kinds import FlowKind, Layer
from runway_calcs.forecast.actions import Collect, PayBill
from runway_calcs.forecast.change import ChangeCause, ChangeState, forecast_change
from runway_calcs.forecast.current import Forecasting
from runway_calcs.forecast.dated_items import DatedItem
from runway_calcs.forecast.earmarks import Hold, PurposeReserve
from runway_calcs.forecast.historical import historical_forecast
from runway_calcs.forecast.prepared import ForecastInputs
from runway_calcs.forecast.scenario import scenario
from runway_calcs.forecast.score import MAX_HITS, MissCause, ScoreState, WeekHit, forecast_score
from runway_calcs.policy import CashPolicy, ForecastPolicy, RecurringPolicy
from tests.runway_calcs import ledger, living_ledger
from tests.runway_calcs.builders import FRIDAY, movements, position
from tests.runway_calcs.forecasts import forecasting, item, prepared
from tests.runway_calcs.friday import DRAWS, ledger_of
from tests.runway_calcs.properties import CHAIN_EXAMPLES, IDENTITY_EXAMPLES, holds

LAST = FRIDAY - timedelta(weeks=1)
TRIED_DOCUMENTS = 5
"""So many open bills and invoices of a Friday are paid or collected on some day, in whole or in part; small books have fewer."""


def last(*items: tuple[int, int, str], cash_cents: int = 1_000) -> Forecasting:
    """The forecast of the week before: bills and invoices as (days after it, cents, id)."""
    rows = [item(days, cents, label=f"P{txn}", txn_id=txn, as_of=LAST) for days, cents, txn in items]
    return forecasting(prepared(rows, cash=position(cash_cents, as_of=LAST), floor_cents=0))


def now(*items: tuple[int, int, str], cash_cents: int = 1_000) -> Forecasting:
    """The forecast of today."""
    rows = [item(days, cents, label=f"P{txn}", txn_id=txn) for days, cents, txn in items]
    return forecasting(prepared(rows, cash=position(cash_cents), floor_cents=0))


def test_a_receipt_that_came_late_a_new_bill_and_nothing_else_worked_by_hand() -> None:
    # Last Friday: 1,000 in cash, 500 expected on day 5, a bill of 1,200 on day 30. Today: nothing came in yet, the invoice is
    # expected on day 9, the bill on day 23, and a new bill of 200 on day 40.
    before = last((5, 500, "1"), (30, -1_200, "2"))
    after = now((9, 500, "1"), (23, -1_200, "2"), (40, -200, "3"))
    found = forecast_change(before, after)
    assert (found.state, found.shared_until) == (ChangeState.COMPARED, FRIDAY + timedelta(days=84))
    # On the shared days the low point was 1,500 - 1,200; it is 300 - 200 now.
    assert (found.last_low_cents, found.low_cents) == (300, 100)
    assert (found.last_closing_cents, found.closing_cents) == (300, 100)
    moved = {one.cause: (one.low_cents, one.closing_cents) for one in found.causes}
    assert moved == {
        ChangeCause.PAID: (0, 0),
        ChangeCause.ENTERED: (-200, -200),
        ChangeCause.ESTIMATED: (0, 0),
    }
    assert (found.days, found.is_open_ended) == (0, False)


def test_a_runway_that_comes_into_sight_is_a_bound() -> None:
    found = forecast_change(last((30, -900, "2")), now((23, -900, "2"), (50, -200, "3")))
    # Beyond the 84 shared days before, on day 50 now.
    assert (found.days, found.is_open_ended, found.last_until) == (50 - 85, True, None)
    assert found.until == FRIDAY + timedelta(days=50)


def test_cash_below_the_floor_today_is_a_runway_of_no_days_whatever_comes_tomorrow() -> None:
    # Last Friday 14 days, 7 of them left; today 500 too little, and 5,000 expected tomorrow.
    before, below = last((14, -1_001, "1")), now((1, 5_000, "2"), cash_cents=-500)
    assert (before.forecast.days, below.forecast.days) == (14, 0)
    found = forecast_change(before, below)
    assert (found.last_until, found.until) == (FRIDAY + timedelta(days=7), FRIDAY)
    assert (found.days, found.is_open_ended) == (-7, False)
    assert [one.days for one in found.causes] == [-7, 0, 0]
    # Below then and below now is no change.
    assert forecast_change(last((1, 5_000, "2"), cash_cents=-500), below).days == 0


def test_without_a_last_forecast_there_is_no_change_and_no_number() -> None:
    nothing = forecasting(prepared([], cash=replace(position(), cash_cents=None, reason="why not")))
    for found, state in (
        (forecast_change(None, now()), ChangeState.NO_LAST_FORECAST),
        (forecast_change(last(), nothing), ChangeState.NOT_COMPUTABLE),
    ):
        assert (found.state, found.days, found.low_cents, found.causes) == (state, None, None, ())
    assert forecast_score(None, now(), earlier=()).state is ScoreState.NO_LAST_FORECAST
    assert forecast_score(last(), nothing, earlier=()).state is ScoreState.NOT_COMPUTABLE


def test_a_last_forecast_is_an_earlier_one() -> None:
    with pytest.raises(ValueError, match="cannot be compared"):
        forecast_change(now(), now())


def test_a_receipt_that_did_not_come_is_a_matter_of_timing_while_the_invoice_is_open() -> None:
    found = forecast_score(last((5, 500, "1")), now((3, 500, "1")), earlier=())
    assert found.closing is not None
    assert (found.closing.expected_cents, found.closing.actual_cents, found.closing.is_inside) == (1_500, 1_000, False)
    (miss,) = found.misses
    assert (miss.txn_id, miss.miss_cents, miss.cause) == ("1", -500, MissCause.TIMING)
    assert (found.timing_cents, found.permanent_cents, found.corrected_cents) == (-500, 0, 0)


def test_a_receipt_whose_invoice_is_gone_without_cash_is_permanent() -> None:
    found = forecast_score(last((5, 500, "1")), now(), earlier=())
    assert [miss.cause for miss in found.misses] == [MissCause.PERMANENT]


def test_cash_that_changed_without_an_entry_is_a_correction() -> None:
    found = forecast_score(last(), now(cash_cents=940), earlier=())
    assert (found.timing_cents, found.permanent_cents, found.corrected_cents) == (0, 0, -60)


@pytest.mark.parametrize(
    ("paid_cents", "misses"),
    [
        # 600 were put by for a payroll of 600: what is paid is given free, and the balance does not move.
        (600, []),
        (450, [("Reserve wages", -150, MissCause.TIMING), ("", 150, MissCause.PERMANENT)]),
        (0, [("Reserve wages", -600, MissCause.TIMING), ("", 600, MissCause.PERMANENT)]),
    ],
)
def test_what_a_reserve_gives_free_is_compared_with_the_payment_it_is_for(
    paid_cents: int, misses: list[tuple[str, int, MissCause]]
) -> None:
    kept = PurposeReserve(reserve_id="w", held_cents=600, purposes=frozenset({FlowKind.PAYROLL}), label="wages")
    payroll = [item(3, -600, FlowKind.PAYROLL, as_of=LAST)]
    before = forecasting(prepared(payroll, cash=position(1_000, as_of=LAST), floor_cents=0, reserves=[kept]))
    paid = movements(
        {"date": pd.Timestamp(LAST + timedelta(days=3)), "amount_cents": -paid_cents, "kind": Kind.PAYROLL}
    )
    today = now(cash_cents=1_000 - paid_cents)
    pieces = paid.assign(day=paid["date"], cents=paid["amount_cents"], document="")
    after = replace(
        today, books=replace(today.books, movements=paid, pieces=pieces if paid_cents else today.books.pieces)
    )
    found = forecast_score(before, after, earlier=())
    assert found.closing is not None
    assert found.closing.expected_cents == before.forecast.weeks[0].closing_cents == 400
    assert (found.closing.actual_cents, found.closing.is_inside) == (400, True)
    assert sorted((one.label, one.miss_cents, one.cause) for one in found.misses) == sorted(misses)
    assert found.corrected_cents == 0


def _with_movements(today: Forecasting, *rows: tuple[int, int, str]) -> Forecasting:
    """Books that know payments of these series, as (days after the last forecast, cents, id)."""
    paid = movements(
        *(
            {
                "date": pd.Timestamp(LAST + timedelta(days=days)),
                "amount_cents": cents,
                "kind": Kind.PAYROLL,
                "txn_id": txn,
            }
            for days, cents, txn in rows
        )
    )
    pieces = paid.assign(day=paid["date"], cents=paid["amount_cents"], document="")
    return replace(today, books=replace(today.books, movements=paid, pieces=pieces))


def _wages(days: int, *, as_of: date) -> DatedItem:
    return item(days, -600, FlowKind.PAYROLL, layer=Layer.RECURRING, label="payroll", as_of=as_of)


def test_a_payroll_keyed_in_on_friday_after_the_books_were_read_is_judged_a_week_later() -> None:
    # Of this Friday, entered at 09:15 and expected: it is in neither side of what the books of 05:00 are held against.
    due = prepared([_wages(7, as_of=LAST)], cash=position(1_000, as_of=LAST), floor_cents=0)
    found = forecast_score(forecasting(due), now(), earlier=())
    assert found.disbursements is not None
    assert found.closing is not None
    assert (found.disbursements.expected_cents, found.disbursements.actual_cents) == (0, 0)
    assert (found.closing.expected_cents, found.closing.actual_cents) == (1_000, 1_000)
    assert (found.disbursements.is_inside, found.closing.is_inside) == (True, True)
    assert (found.misses, found.timing_cents, found.permanent_cents, found.corrected_cents) == ((), 0, 0, 0)
    assert found.until == FRIDAY - timedelta(days=1)
    # A week later the forecast expected it on the next day, and the books know that it was paid on the day itself.
    late = prepared([_wages(1, as_of=LAST)], cash=position(1_000, as_of=LAST), floor_cents=0)
    found = forecast_score(forecasting(late), _with_movements(now(cash_cents=400), (0, -600, "1")), earlier=())
    assert found.disbursements is not None
    assert found.closing is not None
    assert (found.disbursements.expected_cents, found.disbursements.actual_cents) == (600, 600)
    assert (found.closing.expected_cents, found.closing.actual_cents) == (400, 400)
    assert (found.misses, found.corrected_cents) == ((), 0)


def test_what_the_books_hold_of_the_as_of_day_already_is_not_judged_either() -> None:
    # Keyed in ahead and dated Friday, while the last forecast had it on day 5: still a matter of two days.
    due = prepared([_wages(5, as_of=LAST)], cash=position(1_000, as_of=LAST), floor_cents=0)
    found = forecast_score(forecasting(due), _with_movements(now(cash_cents=400), (7, -600, "1")), earlier=())
    assert found.disbursements is not None
    assert found.closing is not None
    assert (found.disbursements.expected_cents, found.disbursements.actual_cents) == (600, 0)
    assert (found.closing.expected_cents, found.closing.actual_cents) == (400, 1_000)
    assert [(one.miss_cents, one.cause) for one in found.misses] == [(600, MissCause.TIMING)]
    assert found.corrected_cents == 0


def test_what_the_last_forecast_knew_and_is_dated_on_the_as_of_day_now_is_a_correction() -> None:
    # Paid by the books of last Friday; dated anew, the money had not gone yet on the last day that is judged.
    before = _with_movements(last(cash_cents=400), (0, -600, "1"))
    found = forecast_score(before, _with_movements(now(cash_cents=400), (7, -600, "1")), earlier=())
    assert found.closing is not None
    assert (found.closing.expected_cents, found.closing.actual_cents) == (400, 1_000)
    assert (found.misses, found.corrected_cents) == ((), 600)


@pytest.mark.parametrize(
    ("expected", "misses"),
    [
        pytest.param(
            [(3, -3_000, "")], [], id="a bill that was keyed in and paid within the week is the series' payment"
        ),
        pytest.param([(3, -3_000, "9")], [], id="a bill that was open is itself"),
        pytest.param([(3, -3_000, "9"), (30, -3_000, "")], [], id="and not the series' next payment as well"),
        pytest.param([], [("", -3_000)], id="what nobody expected"),
    ],
)
def test_a_recurring_bill_counts_for_its_series_unless_it_was_open(
    expected: list[tuple[int, int, str]], misses: list[tuple[str, int]]
) -> None:
    due = [
        item(days, cents, label="P9", txn_id=txn, as_of=LAST)
        if txn
        else item(days, cents, FlowKind.RECURRING, layer=Layer.RECURRING, label="Vendor:7", as_of=LAST)
        for days, cents, txn in expected
    ]
    before = forecasting(prepared(due, cash=position(5_000, as_of=LAST), floor_cents=0))
    paid = movements({"date": pd.Timestamp(LAST + timedelta(days=4)), "amount_cents": -3_000, "party_id": "7"})
    pieces = paid.assign(day=paid["date"], cents=paid["amount_cents"], document="Bill:9")
    today = now(cash_cents=2_000)
    after = replace(today, books=replace(today.books, movements=paid, pieces=pieces))
    found = forecast_score(before, after, earlier=())
    assert [(one.label, one.miss_cents) for one in found.misses] == misses
    assert found.corrected_cents == 0


def test_where_purchases_count_paying_the_card_is_no_difference() -> None:
    # 1,000 in the bank and 200 owed last Friday; 200 were paid, and 50 bought with the card.
    def cash(cents: int, owed: int, *, as_of: date) -> CashPosition:
        return replace(position(cents, as_of=as_of, cards={"41": owed}), card_basis="purchase")

    card = item(3, -200, FlowKind.CARD, label="Card", as_of=LAST)
    before = forecasting(prepared([card], cash=cash(1_000, 200, as_of=LAST), floor_cents=0))
    today = forecasting(prepared([], cash=cash(800, 50, as_of=FRIDAY), floor_cents=0))
    bought = movements({"date": pd.Timestamp(LAST + timedelta(days=2)), "amount_cents": -50})
    pieces = bought.assign(day=bought["date"], cents=bought["amount_cents"], document="")
    found = forecast_score(
        before, replace(today, books=replace(today.books, movements=bought, pieces=pieces)), earlier=()
    )
    assert found.closing is not None
    assert (found.closing.expected_cents, found.closing.actual_cents) == (800, 750)
    assert [(one.label, one.miss_cents) for one in found.misses] == [("", -50)]
    assert found.corrected_cents == 0


def test_a_day_without_a_whole_day_before_it_is_no_week_to_score() -> None:
    with pytest.raises(ValueError, match="no whole day"):
        forecast_score(now(), now(), earlier=())


def test_the_hit_rate_runs_over_the_last_weeks() -> None:
    earlier = [WeekHit(week_ending=FRIDAY - timedelta(weeks=back), is_inside=back != 3) for back in range(1, 15)]
    found = forecast_score(last(), now(), earlier=earlier)
    assert len(found.hits) == MAX_HITS
    assert found.hits[0] == WeekHit(week_ending=FRIDAY, is_inside=True)
    assert found.inside_count == MAX_HITS - 1


def _forecast(
    frames: ledger.Frames,
    *,
    known_until: datetime,
    holds_: tuple[Hold, ...] = (),
    reserves: tuple[PurposeReserve, ...] = (),
) -> Forecasting:
    sync = ledger.START.replace(month=12, day=15)
    at = AsOf.at(as_of=known_until.date(), known_until=known_until, first_known_at=sync, newest_known_at=sync)
    return historical_forecast(
        ledger_of(frames),
        at=at,
        home_currency="USD",
        inputs=ForecastInputs(holds=holds_, reserves=reserves),
        cash_policy=CashPolicy(),
        policy=ForecastPolicy(draws=DRAWS),
        recurring_policy=RecurringPolicy(),
        seed=3,
    )


def _assert_identities(found: Forecasting, *, dice: Random) -> None:
    """Buckets sum to the open balances, weeks roll, kinds sum; no action is nothing; paying and collecting have a sign."""
    for items in (found.books.payables, found.books.receivables):
        aged = ageing(items, as_of=found.forecast.as_of)
        assert sum(aged.bucket_cents) == int(items["open_cents"].sum())
    weeks = found.forecast.weeks
    assert weeks[0].opening_cents == found.forecast.cash_cents
    for week, following in pairwise(weeks):
        assert week.closing_cents == following.opening_cents
    for week in weeks:
        assert week.opening_cents + week.receipts_cents - week.disbursements_cents == week.closing_cents
        assert sum(total.amount_cents for total in week.receipts) == week.receipts_cents
        assert sum(total.amount_cents for total in week.disbursements) == week.disbursements_cents
    assert scenario(found, actions=[]).forecast == found.forecast
    open_documents = [one for one in found.prepared.items if one.kind in (FlowKind.BILL, FlowKind.INVOICE)]
    for one in dice.sample(open_documents, min(len(open_documents), TRIED_DOCUMENTS)):
        on = found.forecast.as_of + timedelta(days=dice.randint(1, 91))
        cents = dice.choice((None, dice.randint(1, max(1, abs(one.amount_cents)))))
        if one.kind is FlowKind.BILL:
            effect = scenario(found, actions=[PayBill(bill_id=one.txn_id, on=on, amount_cents=cents)]).effect
            assert max(effect.days, effect.cautious_days, effect.low_cents) <= 0 <= effect.below_floor_ppm
        else:
            effect = scenario(found, actions=[Collect(invoice_id=one.txn_id, on=on, amount_cents=cents)]).effect
            assert min(effect.days, effect.cautious_days, effect.low_cents) >= 0 >= effect.below_floor_ppm


def _assert_friday(frames: ledger.Frames, *, instant: datetime, dice: Random) -> frozenset[FlowKind]:
    """Holds every identity against the Friday a week after an instant; the kinds of flows its forecast had."""
    before = _forecast(frames, known_until=instant)
    after = _forecast(frames, known_until=instant + timedelta(weeks=1))
    change, score = forecast_change(before, after), forecast_score(before, after, earlier=())
    if before.simulation is None or after.simulation is None:
        # Before the first account there is no cash figure, and so no number anywhere.
        assert (change.causes, score.misses, score.closing) == ((), (), None)
        return frozenset()
    _assert_identities(after, dice=dice)
    again = _forecast(_shuffled(frames, seed=dice.randrange(1_000)), known_until=instant + timedelta(weeks=1))
    assert repr(again.forecast) == repr(after.forecast)
    assert change.days == sum(one.days for one in change.causes)
    assert change.low_cents is not None
    assert change.last_low_cents is not None
    assert change.low_cents - change.last_low_cents == sum(one.low_cents for one in change.causes)
    assert change.closing_cents is not None
    assert change.last_closing_cents is not None
    assert change.closing_cents - change.last_closing_cents == sum(one.closing_cents for one in change.causes)
    assert score.closing is not None
    # The books were read once, after all edits and deletions, so every difference is some entry's.
    assert score.corrected_cents == 0
    named = sum(miss.miss_cents for miss in score.misses)
    assert named == score.timing_cents + score.permanent_cents
    assert named + score.corrected_cents == score.closing.actual_cents - score.closing.expected_cents
    return frozenset(one.kind for one in after.prepared.items)


def _shuffled(frames: ledger.Frames, *, seed: int) -> ledger.Frames:
    """The same rows in another order."""
    return ledger.Frames(
        accounts=frames.accounts.sample(frac=1, random_state=seed),
        documents=frames.documents.sample(frac=1, random_state=seed),
        applications=frames.applications.sample(frac=1, random_state=seed),
        postings=frames.postings.sample(frac=1, random_state=seed),
    )


@IDENTITY_EXAMPLES
@pytest.mark.timeout(1800)
def test_every_identity_of_a_friday_holds(examples: int) -> None:
    """On small drawn books of payables; a quarter of the examples are living ledgers, below."""

    def check(books: ledger.Books, instant: datetime, seed: int) -> None:
        frames = ledger.frames(books, syncs=[ledger.START.replace(month=12, day=15)])
        _assert_friday(frames, instant=instant, dice=Random(seed))  # noqa: S311 - reproducible, no secret

    drawn = examples - examples // 4
    holds(check, examples=drawn, books=ledger.books(), instant=ledger.instants(), seed=st.integers(0, 10**6))


@IDENTITY_EXAMPLES
@pytest.mark.timeout(1800)
def test_every_identity_of_a_friday_holds_for_a_ledger_that_lives_for_months(examples: int) -> None:
    """Both sides, with credits and parts."""
    living = examples // 4
    print(f"living ledgers: seeds 0-{living - 1}")  # noqa: T201 - the long suite prints its seeds
    both = 0
    for seed in range(living):
        dice = Random(seed)  # noqa: S311 - reproducible, no secret
        end = living_ledger.START + timedelta(weeks=living_ledger.WEEKS)
        frames = living_ledger.frames(living_ledger.living_books(seed, connected_at=end))
        instant = living_ledger.START + timedelta(weeks=dice.uniform(10, living_ledger.WEEKS - 2))
        kinds = _assert_friday(frames, instant=instant, dice=dice)
        both += kinds >= {FlowKind.BILL, FlowKind.INVOICE}
    assert both * 2 >= living, "at least half of them have open bills and open invoices"


@CHAIN_EXAMPLES
def test_deciding_to_pay_a_bill_on_the_day_that_was_expected_changes_nothing(examples: int) -> None:
    """In the draws in which the bill was expected on that day: a decision changes the day and nothing else.

    So it is where the bill's vendor has a reserve: the decision draws on it, as the payment ledger does.
    """

    def check(books: ledger.Books, instant: datetime, days: int, kept_cents: int) -> None:
        frames = ledger.frames(books, syncs=[ledger.START.replace(month=12, day=15)])
        bare = _forecast(frames, known_until=instant)
        vendors = frozenset(one.party_id for one in bare.prepared.items if one.kind is FlowKind.BILL)
        kept = PurposeReserve(
            reserve_id="r",
            held_cents=kept_cents,
            purposes=frozenset(),
            label="",
            vendor_ids=frozenset(sorted(vendors)[:1]),
        )
        base = _forecast(frames, known_until=instant, reserves=(kept,)) if kept_cents else bare
        bills = [one for one in base.prepared.items if one.kind is FlowKind.BILL]
        if not bills or base.simulation is None:
            return
        bill = min(bills, key=lambda one: one.party_id)
        on = base.forecast.as_of + timedelta(days=days)
        drawn = min(kept_cents, -bill.amount_cents)
        hold = Hold(
            hold_id="h",
            bill_id=bill.txn_id,
            on=on,
            amount_cents=-bill.amount_cents,
            label="",
            drawn_from="r",
            drawn_cents=drawn,
        )
        left = replace(kept, held_cents=kept_cents - drawn)
        decided = _forecast(frames, known_until=instant, holds_=(hold,), reserves=(left,))
        assert decided.simulation is not None
        row = base.prepared.items.index(bill)
        days_drawn, cents = base.simulation.item_days.copy(), base.simulation.item_cents.copy()
        days_drawn[row], cents[row] = days, bill.amount_cents
        expected = replace(base.simulation, item_days=days_drawn, item_cents=cents)
        assert (expected.balances() == decided.simulation.balances()).all()
        assert decided.prepared.reserved_cents == kept_cents
        assert sum(one.txn_id == bill.txn_id for one in decided.prepared.items if one.txn_type == "Bill") == 1

    holds(
        check,
        examples=examples,
        books=ledger.books(),
        instant=ledger.instants(),
        days=st.integers(1, 91),
        kept_cents=st.integers(0, 3_000_00),
    )
