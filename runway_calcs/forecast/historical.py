"""The forecast of a past Friday: what it said from what was known then.

Belongs here: a ledger of versions and a past point of view to the forecast of that day.
Does not: comparing it (``change.py``, ``score.py``).
"""

from runway_calcs.books.as_of import AsOf
from runway_calcs.books.books_at import books_at
from runway_calcs.books.corrections import Ledger
from runway_calcs.forecast.current import Forecasting, current_forecast
from runway_calcs.forecast.prepared import ForecastInputs
from runway_calcs.policy import CashPolicy, ForecastPolicy, RecurringPolicy


def historical_forecast(
    ledger: Ledger,
    *,
    at: AsOf,
    home_currency: str,
    inputs: ForecastInputs,
    cash_policy: CashPolicy,
    policy: ForecastPolicy,
    recurring_policy: RecurringPolicy,
    seed: int,
) -> Forecasting:
    """The forecast as it was on the point of view's day; entries of people count if they were recorded by then.

    Holds and reserves are given as they stood: the books hold no history of them.
    """
    books = books_at(ledger, home_currency=home_currency, at=at, policy=cash_policy)
    return current_forecast(books, inputs=inputs, policy=policy, recurring_policy=recurring_policy, seed=seed)
