"""What actions change: the forecast with and without them, on the same draws.

Belongs here: putting actions into the draws, and their effect in days, cents and probability.
Does not: what actions there are (``actions.py``), choosing them (``pay_plan/plan.py``), writing anything to the books.

Both sides share every draw, so an effect is the action's own and no noise: no action is exactly zero. An action moves
one document or adds one item; end balances add up over a set of actions (each on its own document), days do not.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

import numpy as np

from runway_calcs.flow_kinds import FlowKind, Layer
from runway_calcs.forecast.actions import Action, AddItem, Collect, DelayBill, PayBill
from runway_calcs.forecast.current import Forecasting
from runway_calcs.forecast.dated_items import DatedItem, Dating
from runway_calcs.forecast.figures import CashForecast, forecast_of
from runway_calcs.forecast.simulation import Cents, Days, Simulation, with_items


class UnknownDocument(ValueError):
    """An action on a document that the forecast does not hold as open, or on one that another action moves already."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScenarioEffect:
    """What a set of actions changes; positive is better for the cash except in the probability."""

    as_of: date
    days: int
    """Change of the P50 runway; beyond the horizon counts as the day after its end."""
    is_open_ended: bool
    """One side lies beyond the horizon, so the change is at least (or at most) this."""
    cautious_days: int
    """The same for the cautious (P10) runway."""
    low_cents: int
    """Change of the P50 low-water mark."""
    end_cents: int
    """Change of the expected balance at the end of the horizon: adds up over actions."""
    below_floor_ppm: int
    """Change of the probability of falling below the floor within the horizon, in millionths."""


@dataclass(frozen=True, kw_only=True)
class Scenario:
    """The forecast with the actions, and their effect."""

    simulation: Simulation
    forecast: CashForecast
    effect: ScenarioEffect


def scenario(base: Forecasting, *, actions: Sequence[Action]) -> Scenario:
    """The forecast of the base with a set of actions, whatever their order.

    Raises:
        UnknownDocument: see there.
        ValueError: the base has no cash figure, or an action's amount or day cannot be.
    """
    if base.simulation is None:
        raise ValueError(f"without a cash figure there is no scenario: {base.forecast.reason}")
    changed = apply_actions(base.simulation, actions=actions, as_of=base.prepared.at.as_of)
    figures = forecast_of(changed, prepared=base.prepared, seed=base.forecast.seed)
    return Scenario(
        simulation=changed,
        forecast=figures,
        effect=effect_between(base.forecast, figures, before=base.simulation, after=changed),
    )


def apply_actions(simulation: Simulation, *, actions: Sequence[Action], as_of: date) -> Simulation:
    """The same draws with the actions in them."""
    moved = _Draws(simulation, as_of=as_of)
    for action in actions:
        moved.add(action)
    return with_items(simulation, items=moved.items, days=np.array(moved.days), cents=np.array(moved.cents))


def effect_between(
    base: CashForecast, changed: CashForecast, *, before: Simulation, after: Simulation
) -> ScenarioEffect:
    """The difference of two forecasts on the same draws."""
    beyond = before.horizon_days + 1

    def days(found: int | None) -> int:
        return beyond if found is None else found

    assert base.low is not None, "a forecast with draws has a low point"
    assert changed.low is not None, "a forecast with draws has a low point"
    assert base.below_floor_ppm is not None, "a forecast with draws has probabilities"
    assert changed.below_floor_ppm is not None, "a forecast with draws has probabilities"
    return ScenarioEffect(
        as_of=base.as_of,
        days=days(changed.days) - days(base.days),
        is_open_ended=(base.days is None) != (changed.days is None),
        cautious_days=days(changed.cautious_days) - days(base.cautious_days),
        low_cents=changed.low.band.p50_cents - base.low.band.p50_cents,
        end_cents=end_difference_cents(before, after),
        below_floor_ppm=changed.below_floor_ppm - base.below_floor_ppm,
    )


def end_difference_cents(before: Simulation, after: Simulation) -> int:
    """Mean over the draws of the difference in the last balance, rounded half up on the exact sum."""
    total = int(after.balances()[:, -1].sum() - before.balances()[:, -1].sum())
    return (2 * total + before.draws) // (2 * before.draws)


class _Draws:
    """Items with their draws, growing row by row."""

    def __init__(self, simulation: Simulation, *, as_of: date) -> None:
        self.items = list(simulation.items)
        self.days: list[Days] = list(simulation.item_days)
        self.cents: list[Cents] = list(simulation.item_cents)
        self._as_of = as_of
        self._draws = simulation.draws
        self._rows = {item.item_id: row for row, item in enumerate(self.items)}
        self._used: set[str] = set()

    def add(self, action: Action) -> None:
        """Put one action into the draws."""
        match action:
            case PayBill():
                self._bring(f"Bill:{action.bill_id}", on=action.on, part_cents=action.amount_cents)
            case Collect():
                self._bring(f"Invoice:{action.invoice_id}", on=action.on, part_cents=action.amount_cents)
            case DelayBill():
                row = self._row(f"Bill:{action.bill_id}")
                self.days[row] = np.maximum(self.days[row], self._day(action.until))
            case AddItem():
                self._append(action)

    def _row(self, item_id: str) -> int:
        row = self._rows.get(item_id)
        if row is None:
            raise UnknownDocument(f"{item_id} is not among the open documents of the forecast")
        if item_id in self._used:
            raise UnknownDocument(f"{item_id} is moved by another action already")
        self._used.add(item_id)
        return row

    def _day(self, day: date) -> int:
        number = (day - self._as_of).days
        if number < 1:
            raise ValueError(f"{day} is not after the as-of day {self._as_of}")
        return number

    def _bring(self, item_id: str, *, on: date, part_cents: int | None) -> None:
        """A document, or a part of it, on a day or earlier, in cash in every draw."""
        row = self._row(item_id)
        item, latest = self.items[row], self._day(on)
        whole = abs(item.amount_cents)
        part = whole if part_cents is None else part_cents
        if not 0 < part <= whole:
            raise ValueError(f"{item_id}: {part} cents is no part of the {whole} open")
        sign = 1 if item.amount_cents > 0 else -1
        if part < whole:
            rest = replace(item, item_id=f"{item_id}:rest", amount_cents=item.amount_cents - sign * part)
            self.items.append(rest)
            self.days.append(self.days[row])
            # What reaches the cash another way (a card) in a draw does so in its parts too.
            self.cents.append(np.where(self.cents[row] == 0, 0, rest.amount_cents))
        self.items[row] = replace(item, amount_cents=sign * part)
        self.days[row] = np.minimum(self.days[row], latest)
        self.cents[row] = np.full(self._draws, sign * part, dtype="int64")

    def _append(self, action: AddItem) -> None:
        day = self._day(action.day)
        self.items.append(
            DatedItem(
                item_id=f"action:{len(self.items)}",
                layer=Layer.DOCUMENTS,
                kind=FlowKind.KNOWN_RECEIPT if action.amount_cents > 0 else FlowKind.KNOWN_PAYMENT,
                amount_cents=action.amount_cents,
                expected_on=self._as_of + timedelta(days=day),
                dating=Dating.CERTAIN,
                label=action.label,
                party_id="",
                txn_type="",
                txn_id="",
                doc_number="",
                stream="",
                reason="part of the scenario",
            )
        )
        self.days.append(np.full(self._draws, day, dtype="int64"))
        self.cents.append(np.full(self._draws, action.amount_cents, dtype="int64"))
