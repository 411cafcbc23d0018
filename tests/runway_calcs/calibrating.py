"""Payment dates and forecasts of generated companies beside what happened: the raw material of calibration.

Belongs here: asking the models on past Fridays and pairing what they said with the truth. Does not: the measures
(`tests/calibration.py`), what is good enough (`test_calibration.py`).
"""

from dataclasses import dataclass, field
from datetime import date

from runway_calcs.books.corrections import Ledger
from runway_calcs.books.open_items import Side
from runway_calcs.books.payment_history import open_documents, payment_history
from runway_calcs.forecast.figures import CashForecast
from runway_calcs.forecast.historical import historical_forecast
from runway_calcs.forecast.prepared import ForecastInputs
from runway_calcs.forecast.simulation import week_seed
from runway_calcs.payment_timing import fit
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
_MILLION = 1_000_000


def payment_dates(books: GeneratedBooks, *, side: Side, friday: date) -> Coverage:
    """The 80 % intervals of one side's open documents on a Friday."""
    at = books.at(friday)
    open_ = open_documents(books.documents, books.applications, side=side, at=at)
    if open_.empty:
        return Coverage()
    model = fit(payment_history(books.documents, books.applications, side=side, at=at), as_of=friday)
    return coverage(
        model.predict(open_, levels=(LOW, HIGH)),
        books.paid_on.xs(KINDS[side]),
        as_of=friday,
        true_until=books.true_until,
    )


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


def forecast_on(books: GeneratedBooks, friday: date, *, draws: int, floor_percent: int | None = None) -> CashForecast:
    """What the engine says on a past Friday, with a floor of so many percent of that day's cash (None: the default).

    Most generated companies stay above their next payroll for 13 weeks: with the default floor nearly every probability
    is 0, and 0 comes true. A floor near the cash asks for what lies between.
    """
    at = books.at(friday)
    cash = books.position(friday).cash_cents
    assert cash is not None, "generated companies have cash"
    floor = None if floor_percent is None else cash * floor_percent // 100
    return historical_forecast(
        ledger_of(books),
        at=at,
        home_currency=books.home_currency,
        inputs=ForecastInputs(),
        cash_policy=CashPolicy(),
        policy=ForecastPolicy(draws=draws, floor_cents=floor),
        recurring_policy=RecurringPolicy(),
        seed=week_seed(f"{books.spec.industry}-{books.spec.seed}", as_of=friday),
    ).forecast


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
