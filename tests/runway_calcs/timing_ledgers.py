"""Documents and whole ledgers for the tests of payment timing.

Belongs here: builders of the frames that `fit` takes, and simulated ledgers of several kinds of payers. Does not: tests.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from runway_calcs.payment_timing import fit
from tests.runway_calcs.timing_measures import Said

_DTYPES = {
    "document_id": "str",
    "counterparty_id": "str",
    "terms": "str",
    "entered_date": "datetime64[us]",
    "document_date": "datetime64[us]",
    "due_date": "datetime64[us]",
    "amount_cents": "int64",
    "paid_date": "datetime64[us]",
}


def documents(*rows: dict[str, Any], number: int = 1) -> pd.DataFrame:
    """Documents of counterparty "a", 30 days from their date to the due date, numbered from `number`.

    A row may say `due`, `dated`, `entered`, `paid` (ISO text), `of`, `terms`, `cents` and `id`.
    """
    filled = []
    for place, row in enumerate(rows):
        due = pd.Timestamp(row["due"]) if row.get("due") else pd.NaT
        month = pd.Timedelta(days=30)
        dated = pd.Timestamp(row.get("dated", due - month if row.get("due") else "2026-11-02"))
        filled.append(
            {
                "document_id": row.get("id", f"{number + place:05}"),
                "counterparty_id": row.get("of", "a"),
                "terms": row.get("terms", "Net 30"),
                "entered_date": pd.Timestamp(row.get("entered", dated)),
                "document_date": dated,
                "due_date": due,
                "amount_cents": row.get("cents", 100_00),
                "paid_date": pd.Timestamp(row["paid"]) if row.get("paid") else pd.NaT,
            }
        )
    return pd.DataFrame({name: pd.Series([row[name] for row in filled], dtype=kind) for name, kind in _DTYPES.items()})


START = np.datetime64("2024-01-01")
FRIDAYS = pd.date_range("2025-05-02", "2025-11-28", freq="42D")
"""Days at which a simulated ledger of two years is looked at."""


@dataclass(frozen=True, slots=True)
class Market:
    """Documents with their counterparty and terms, before anybody pays."""

    rng: np.random.Generator
    who: Any
    dated: Any
    terms: Any

    @classmethod
    def of(
        cls, seed: int, *, number: int = 1200, payers: int = 40, terms: Sequence[int] = (30,), days: int = 730
    ) -> "Market":
        """Random documents; each payer has one of the terms."""
        rng = np.random.default_rng(seed)
        who = rng.choice(payers, number, p=rng.dirichlet(np.full(payers, 0.8)))
        dated = START + np.sort(rng.integers(730 - days, 730, number)).astype("timedelta64[D]")
        each = np.array(terms)[rng.integers(0, len(terms), payers)]
        return cls(rng, who, _business_day(dated), each[who])

    def each(self, values: Any) -> Any:
        """A value of each payer, for each document."""
        return np.asarray(values)[self.who]

    def late(self, days: Any) -> Any:
        """The day so many days after the due date, not before the document's own."""
        return np.maximum(self.dated + _days(self.terms + days), self.dated)

    def frame(self, paid: Any, *, has_due: bool = True, entered: Any = None) -> pd.DataFrame:
        """The ledger with the days on which it was paid."""
        due = (self.dated + _days(self.terms)).astype("datetime64[us]")
        return pd.DataFrame(
            {
                "document_id": [f"{number:06}" for number in range(len(self.who))],
                "counterparty_id": [f"c{one:04}" for one in self.who],
                "terms": pd.Series([f"Net {one}" for one in self.terms], dtype="str"),
                "entered_date": (self.dated if entered is None else entered).astype("datetime64[us]"),
                "document_date": self.dated.astype("datetime64[us]"),
                "due_date": due if has_due else np.full(len(due), np.datetime64("NaT"), dtype="datetime64[us]"),
                "amount_cents": np.exp(self.rng.normal(11, 1, len(self.who))).astype("int64"),
                "paid_date": paid.astype("datetime64[us]"),
            }
        )


def _days(numbers: Any) -> Any:
    return np.round(numbers).astype("int64").astype("timedelta64[D]")


def _weekday(days: Any) -> Any:
    return (days.astype("datetime64[D]").astype("int64") + 3) % 7


def _business_day(days: Any) -> Any:
    return days + np.select([_weekday(days) == 5, _weekday(days) == 6], [2, 1], 0)


def _next(days: Any, weekday: Any) -> Any:
    return days + (weekday - _weekday(days)) % 7


def clock_payers(seed: int) -> pd.DataFrame:
    """So many days after the document's date to the day or two, whatever the terms say."""
    market = Market.of(seed)
    rng, number = market.rng, len(market.who)
    mixed = replace(market, terms=np.array([15, 30, 45])[rng.integers(0, 3, number)])
    takes = rng.choice([20, 30, 45, 60], 40) + rng.normal(0, 3, 40)
    return mixed.frame(
        _business_day(market.dated + _days(np.maximum(market.each(takes) + rng.normal(0, 1.5, number), 0)))
    )


def weekly_pay_runs(seed: int) -> pd.DataFrame:
    """Each payer on a weekday of its own."""
    market = Market.of(seed, terms=(15, 30))
    rng, number = market.rng, len(market.who)
    ready = market.late(market.each(rng.normal(6, 7, 40)) + rng.normal(0, 3, number))
    return market.frame(_next(ready, market.each(rng.integers(1, 5, 40))))


def company_pay_runs(seed: int) -> pd.DataFrame:
    """Bills that one company pays on Fridays; they are keyed in days after their date."""
    market = Market.of(seed, payers=80, terms=(10, 30))
    rng, number = market.rng, len(market.who)
    entered = _business_day(market.dated + _days(rng.exponential(5, number)))
    ready = np.maximum(entered + 1, market.late(market.each(rng.normal(2, 4, 80)) + rng.normal(0, 2, number)))
    return market.frame(_next(ready, np.full(number, 4)), entered=entered)


def month_end_payers(seed: int) -> pd.DataFrame:
    """On the last of the month, half of them on the 15th too."""
    market = Market.of(seed)
    rng, number = market.rng, len(market.who)
    ready = market.late(market.each(rng.normal(5, 6, 40)) + rng.normal(0, 4, number))
    month = ready.astype("datetime64[M]")
    middle, end = month.astype("datetime64[D]") + 14, (month + 1).astype("datetime64[D]") - 1
    twice = market.each(rng.random(40) < 0.5)
    return market.frame(_business_day(np.where(twice & (ready <= middle), middle, end)))


def one_time_counterparties(seed: int) -> pd.DataFrame:
    """77 % of the counterparties occur once."""
    rng = np.random.default_rng(seed)
    who = np.concatenate([np.arange(539), rng.integers(539, 700, 661)])
    dated = _business_day(START + rng.integers(0, 730, len(who)).astype("timedelta64[D]"))
    market = Market(rng, who, dated, np.full(len(who), 30))
    usual = np.where(rng.random(700) < 0.7, rng.normal(3, 7, 700), rng.gamma(2, 15, 700))
    return market.frame(_business_day(market.late(market.each(usual) + rng.normal(0, 5, len(who)))))


def no_due_dates(seed: int) -> pd.DataFrame:
    """No document says when it is due."""
    market = Market.of(seed)
    rng, number = market.rng, len(market.who)
    takes = market.each(rng.gamma(4, 9, 40)) + rng.normal(0, 6, number)
    return market.frame(_business_day(market.dated + _days(np.maximum(takes, 0))), has_due=False)


def one_year(seed: int) -> pd.DataFrame:
    """Books of a single year."""
    market = Market.of(seed, number=500, payers=30, terms=(14, 30), days=365)
    rng, number = market.rng, len(market.who)
    return market.frame(_business_day(market.late(market.each(rng.normal(8, 10, 30)) + rng.normal(0, 5, number))))


def early_payers(seed: int) -> pd.DataFrame:
    """Soon after the document arrives, long before it is due."""
    market = Market.of(seed, terms=(45, 60))
    rng, number = market.rng, len(market.who)
    takes = market.each(rng.uniform(3, 20, 40)) * rng.gamma(8, 1 / 8, number)
    return market.frame(_business_day(market.dated + _days(takes)))


def discount_takers(seed: int) -> pd.DataFrame:
    """A fifth to four fifths of what a payer owes at 30 days within the ten days of a discount, the rest at its own lateness.

    Who has other terms is offered no discount.
    """
    market = Market.of(seed, terms=(15, 30, 30, 30))
    rng, number = market.rng, len(market.who)
    takes = (rng.random(number) < market.each(rng.uniform(0.2, 0.8, 40))) & (market.terms == 30)
    early = market.each(rng.uniform(8, 10, 40)) + rng.normal(0, 1, number)
    late = market.each(rng.normal(6, 6, 40)) + rng.normal(0, 4, number)
    return market.frame(_business_day(np.where(takes, market.dated + _days(early), market.late(late))))


def slow_tails(seed: int) -> pd.DataFrame:
    """A tenth to a half of the documents take weeks longer."""
    market = Market.of(seed)
    rng, number = market.rng, len(market.who)
    troubled = rng.random(number) < market.each(rng.uniform(0.1, 0.5, 40))
    days = market.each(rng.uniform(4, 14, 40)) + rng.normal(0, 5, number)
    return market.frame(_business_day(market.late(days + np.where(troubled, rng.exponential(35, number), 0))))


def mixed_terms(seed: int) -> pd.DataFrame:
    """Lateness goes with the terms: the shorter they are, the later."""
    market = Market.of(seed, payers=50, terms=(0, 15, 30, 60))
    rng, number = market.rng, len(market.who)
    by_terms = np.select([market.terms == 0, market.terms == 15, market.terms == 30], [6, 8, 2], -8)
    return market.frame(
        _business_day(market.late(by_terms + market.each(rng.normal(0, 5, 50)) + rng.normal(0, 4, number)))
    )


def stopped_paying(seed: int) -> pd.DataFrame:
    """Three in ten stop for good on some day."""
    market = Market.of(seed)
    rng, number = market.rng, len(market.who)
    stops = START + np.where(rng.random(40) < 0.3, rng.integers(300, 700, 40), 9999).astype("timedelta64[D]")
    paid = _business_day(market.late(market.each(rng.normal(8, 6, 40)) + rng.normal(0, 4, number)))
    return market.frame(np.where(paid < market.each(stops), paid, np.datetime64("NaT")))


def seasonal(seed: int) -> pd.DataFrame:
    """Everybody pays later around the turn of the year."""
    market = Market.of(seed)
    rng, number = market.rng, len(market.who)
    day = (market.dated + _days(market.terms) - START).astype("int64")
    season = 8 * np.cos(2 * np.pi * (day - 355) / 365)
    return market.frame(
        _business_day(market.late(season + market.each(rng.normal(5, 7, 40)) + rng.normal(0, 5, number)))
    )


def any_day(seed: int) -> pd.DataFrame:
    """Weekends too; payers differ in spread."""
    market = Market.of(seed, payers=60)
    rng, number = market.rng, len(market.who)
    noise = market.each(rng.uniform(4, 10, 60)) * rng.normal(0, 1, number)
    return market.frame(market.late(market.each(rng.normal(-3, 10, 60)) + noise))


def replay(ledger: pd.DataFrame, *, fridays: pd.DatetimeIndex = FRIDAYS) -> Said:
    """What is said of every open document on these days from what had been entered and paid by then, and what happened."""
    said = []
    for friday in fridays:
        known = ledger[ledger["entered_date"] <= friday]
        still_open = known[~(known["paid_date"] <= friday)]
        said.append(Said.of(fit(known, as_of=friday.date()).predict(still_open), still_open, friday=friday))
    return Said.joined(said)
