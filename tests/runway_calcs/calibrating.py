"""Payment dates and forecasts of generated companies beside what happened: the raw material of calibration.

Belongs here: asking the models on past Fridays and pairing what they said with the truth. Does not: the measures
(`tests/calibration.py`), what is good enough (`test_calibration.py`).
"""

from dataclasses import dataclass, field, replace
from datetime import date

import pandas as pd

from runway_calcs.books.corrections import Ledger
from runway_calcs.books.open_items import Side
from runway_calcs.forecast.current import Forecasting
from runway_calcs.forecast.dated_items import Dating
from runway_calcs.forecast.figures import CashForecast, forecast_of
from runway_calcs.forecast.historical import historical_forecast
from runway_calcs.forecast.prepared import ForecastInputs
from runway_calcs.forecast.simulation import week_seed
from runway_calcs.policy import CashPolicy, ForecastPolicy, RecurringPolicy
from tests.calibration import (
    HIGH,
    LOW,
    Coverage,
    EarlyBreaches,
    below_by_week,
    coverage,
    early_breaches,
    first_below,
)
from tests.generated_books import GeneratedBooks

KINDS: dict[Side, str] = {"receivables": "Invoice", "payables": "Bill"}
_DATINGS: dict[Side, Dating] = {"receivables": Dating.CUSTOMER, "payables": Dating.VENDOR}
_MILLION = 1_000_000
_LEARNED_WEEKS = 13


def ledger_of(books: GeneratedBooks) -> Ledger:
    """The frames as the engine takes them."""
    return Ledger(
        documents=books.documents,
        applications=books.applications,
        postings=books.postings,
        accounts=books.accounts,
        parties=books.parties,
        terms=books.terms,
    )


def forecasting_on(books: GeneratedBooks, friday: date, *, draws: int) -> Forecasting:
    """What the engine makes of a past Friday, with the default floor."""
    return historical_forecast(
        ledger_of(books),
        at=books.at(friday),
        home_currency=books.home_currency,
        inputs=ForecastInputs(),
        cash_policy=CashPolicy(),
        policy=ForecastPolicy(draws=draws),
        recurring_policy=RecurringPolicy(),
        seed=week_seed(f"{books.spec.industry}-{books.spec.seed}", as_of=friday),
    )


def payment_dates(base: Forecasting, books: GeneratedBooks, *, side: Side) -> Coverage:
    """The 80 % intervals of one side's open documents, by the payment timing that the forecast uses."""
    timing = base.prepared.timing[_DATINGS[side]]
    if timing.open_documents.empty:
        return Coverage()
    return coverage(
        timing.model.predict(timing.open_documents, levels=(LOW, HIGH)),
        books.paid_on.xs(KINDS[side]),
        as_of=base.forecast.as_of,
        true_until=books.true_until,
    )


def with_floor(base: Forecasting, *, weeks_of_payments: int | None) -> CashForecast:
    """The forecast with a floor that lies so many weeks of past payments below the day's cash; None: the default floor.

    Most generated companies stay above their next payroll for 13 weeks: with the default floor nearly every probability is
    0, and 0 comes true. A floor that is reached by spending asks for what lies between, and nobody's future chose it.
    """
    if weeks_of_payments is None:
        return base.forecast
    cash = base.forecast.cash_cents
    assert cash is not None, "generated companies have cash"
    assert base.simulation is not None
    moved, today = base.books.movements, pd.Timestamp(base.forecast.as_of)
    recent = moved[(moved["date"] <= today) & (moved["date"] > today - pd.Timedelta(weeks=_LEARNED_WEEKS))]
    paid = -int(recent["amount_cents"].clip(upper=0).sum())
    floor = cash - weeks_of_payments * paid // _LEARNED_WEEKS
    return forecast_of(base.simulation, prepared=replace(base.prepared, floor_cents=floor), seed=base.forecast.seed)


@dataclass(slots=True)
class Outcomes:
    """What forecasts said about falling below the floor, and what happened."""

    said: list[float] = field(default_factory=list)
    """P(below the floor) of each week of each forecast."""
    happened: list[bool] = field(default_factory=list)
    cautious: list[int | None] = field(default_factory=list)
    """Days to the P10 date of each forecast that did not begin below its floor."""
    first: list[int | None] = field(default_factory=list)

    def add(self, forecast: CashForecast, books: GeneratedBooks) -> None:
        """Pair one forecast with the company's true cash."""
        assert forecast.floor_cents is not None
        cash = books.future_cash(forecast.as_of)
        self.said += [week.below_floor_ppm / _MILLION for week in forecast.weeks]
        self.happened += list(below_by_week(cash, floor_cents=forecast.floor_cents))
        if forecast.cautious_days != 0:
            self.cautious.append(forecast.cautious_days)
            self.first.append(first_below(cash, floor_cents=forecast.floor_cents))

    @property
    def breaches(self) -> EarlyBreaches:
        """How often the floor was broken before the cautious date."""
        return early_breaches(self.cautious, self.first)
