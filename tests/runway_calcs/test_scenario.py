"""Scenarios: the same draws on both sides, so that an effect is the action's own."""

from datetime import timedelta

import numpy as np
import pytest
from hypothesis import strategies as st

from runway_calcs.forecast.actions import Action, AddItem, Collect, DelayBill, PayBill
from runway_calcs.forecast.current import Forecasting
from runway_calcs.forecast.figures import forecast_of
from runway_calcs.forecast.scenario import UnknownDocument, end_difference_cents, scenario
from tests.runway_calcs.builders import FRIDAY, position
from tests.runway_calcs.forecasts import forecasting, item, prepared, with_days
from tests.runway_calcs.properties import EXAMPLES, holds


def base(*, cash_cents: int = 1_000, floor_cents: int = 0, seed: int = 1, bills: int = 3) -> Forecasting:
    """Bills and invoices on days that differ from draw to draw."""
    items = [
        *(item(10 + 9 * n, -400 - n, label=f"V{n}", txn_id=f"{n}") for n in range(bills)),
        *(item(12 + 11 * n, 500 + n, label=f"C{n}", txn_id=f"{n}") for n in range(3)),
    ]
    found = prepared(items, cash=position(cash_cents), floor_cents=floor_cents)
    made = forecasting(found)
    assert made.simulation is not None
    rng = np.random.default_rng(seed)
    days = np.maximum(made.simulation.item_days + rng.integers(-9, 40, made.simulation.item_days.shape), 1)
    drawn = with_days(made.simulation, days)
    return Forecasting(
        books=made.books, prepared=found, simulation=drawn, forecast=forecast_of(drawn, prepared=found, seed=1)
    )


def pay(bill: int, on: int, cents: int | None = None) -> PayBill:
    return PayBill(bill_id=f"{bill}", on=FRIDAY + timedelta(days=on), amount_cents=cents)


def collect(invoice: int, on: int, cents: int | None = None) -> Collect:
    return Collect(invoice_id=f"{invoice}", on=FRIDAY + timedelta(days=on), amount_cents=cents)


def delay(bill: int, until: int) -> DelayBill:
    return DelayBill(bill_id=f"{bill}", until=FRIDAY + timedelta(days=until))


def add(on: int, cents: int) -> AddItem:
    return AddItem(day=FRIDAY + timedelta(days=on), amount_cents=cents, label="what if")


def test_a_payment_on_day_one_worked_by_hand() -> None:
    """Cash 1,000, floor 700; a bill of 400 on day 20 and a receipt of 500 on day 10: nothing below the floor."""
    found = prepared(
        [item(20, -400, label="V", txn_id="1"), item(10, 500, label="C", txn_id="2")],
        cash=position(1_000),
        floor_cents=700,
    )
    effect = scenario(forecasting(found), actions=[pay(1, 1)]).effect
    # Paid on day 1 the balance is 600 until day 10: the runway ends on day 1 instead of beyond day 91.
    assert (effect.days, effect.is_open_ended, effect.low_cents) == (1 - 92, True, 600 - 1_000)
    assert (effect.end_cents, effect.below_floor_ppm) == (0, 1_000_000)


def test_a_part_payment_moves_its_part_only() -> None:
    found = prepared([item(50, -400, label="V", txn_id="1")], cash=position(1_000))
    made = scenario(forecasting(found), actions=[pay(1, 5, 150)])
    days = {(one.expected_on - FRIDAY).days: one.amount_cents for one in made.forecast.items}
    assert days == {5: -150, 50: -250}
    assert made.effect.end_cents == 0


@pytest.mark.parametrize(
    ("action", "words"),
    [
        pytest.param(pay(77, 5), "not among the open documents", id="an unknown bill"),
        pytest.param(pay(1, 5, 99_999), "no part of the", id="more than is open"),
        pytest.param(pay(1, 0), "is not after the as-of day", id="a day that has passed"),
    ],
)
def test_an_action_that_cannot_be_says_why(action: Action, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        scenario(base(), actions=[action])


def test_one_document_is_moved_once() -> None:
    with pytest.raises(UnknownDocument, match="another action already"):
        scenario(base(), actions=[pay(1, 5), delay(1, 60)])


DAYS = st.integers(1, 91)
SHAPES = {"cash_cents": st.integers(0, 3_000), "floor_cents": st.integers(0, 1_500), "seed": st.integers(0, 99)}


@EXAMPLES
def test_no_action_is_exactly_nothing(examples: int) -> None:
    def check(cash_cents: int, floor_cents: int, seed: int) -> None:
        start = base(cash_cents=cash_cents, floor_cents=floor_cents, seed=seed)
        made = scenario(start, actions=[])
        assert made.forecast == start.forecast
        effect = made.effect
        assert (effect.days, effect.cautious_days, effect.low_cents, effect.end_cents) == (0, 0, 0, 0)
        assert effect.below_floor_ppm == 0

    holds(check, examples=examples, **SHAPES)


@EXAMPLES
def test_paying_never_lengthens_and_collecting_and_delaying_never_shorten(examples: int) -> None:
    def check(cash_cents: int, floor_cents: int, seed: int, on: int, part: int) -> None:
        start = base(cash_cents=cash_cents, floor_cents=floor_cents, seed=seed)
        for action in (pay(1, on), pay(2, on, part), add(on, -part)):
            worse = scenario(start, actions=[action]).effect
            assert (worse.days <= 0, worse.cautious_days <= 0) == (True, True)
            assert (worse.low_cents <= 0, worse.below_floor_ppm >= 0) == (True, True)
        for action in (collect(1, on), collect(2, on, part), delay(1, on), add(on, part)):
            better = scenario(start, actions=[action]).effect
            assert (better.days >= 0, better.cautious_days >= 0) == (True, True)
            assert (better.low_cents >= 0, better.below_floor_ppm <= 0) == (True, True)

    holds(check, examples=examples, **SHAPES, on=DAYS, part=st.integers(1, 400))


@EXAMPLES
def test_end_balances_add_up_over_actions_and_their_order_does_not_matter(examples: int) -> None:
    def check(*, cash_cents: int, floor_cents: int, seed: int, on: int, until: int, cents: int) -> None:
        start = base(cash_cents=cash_cents, floor_cents=floor_cents, seed=seed)
        assert start.simulation is not None
        actions: list[Action] = [pay(0, on), delay(1, until), collect(2, on, 200), add(until, cents)]
        together = scenario(start, actions=actions)
        apart = [scenario(start, actions=[action]) for action in actions]
        whole = together.simulation.balances()[:, -1] - start.simulation.balances()[:, -1]
        parts = [one.simulation.balances()[:, -1] - start.simulation.balances()[:, -1] for one in apart]
        assert (whole == np.sum(parts, axis=0)).all()
        backward = scenario(start, actions=actions[::-1])
        assert backward.effect == together.effect
        assert end_difference_cents(start.simulation, backward.simulation) == together.effect.end_cents

    holds(check, examples=examples, **SHAPES, on=DAYS, until=DAYS, cents=st.integers(-900, 900).filter(bool))
