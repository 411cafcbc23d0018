"""The calculators: payment timing and forecast of one tenant, and all calculators of 100 tenants on two cores.

A tenant is made of three small generated companies side by side: at least 2,500 paid and 250 open documents. The times of one
tenant are processor seconds of one core, the median of five; the 100 tenants are wall seconds over two processes. The
back-test is apart (`bench_timing`), the pay plan at its default time limit is included. The last line is one JSON object.
"""

import json
import os
import pickle
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, fields, replace
from datetime import timedelta
from itertools import combinations, islice
from multiprocessing import get_context
from pathlib import Path
from typing import Any, TypeVar

import pandas as pd

from assets.priorities import cash_path, invoice_draws
from experiences.console.document import MOST_BILLS
from runway_calcs.bills.payables_of_books import PayableDecisions, payables_of_books
from runway_calcs.bills.priority import bill_priorities
from runway_calcs.bills.vendor_facts import vendor_facts
from runway_calcs.bills.vendor_tiers import suggested_tier
from runway_calcs.books.ageing import ageing
from runway_calcs.books.as_of import AsOf
from runway_calcs.books.books_at import BooksAt, books_at
from runway_calcs.books.burn import Burn, burn
from runway_calcs.books.corrections import Ledger
from runway_calcs.books.ledger_measures import ledger_measures
from runway_calcs.collection.priority import collection_priority
from runway_calcs.forecast.change import forecast_change
from runway_calcs.forecast.correction_effects import Recomputation, figures_of
from runway_calcs.forecast.current import Forecasting, current_forecast
from runway_calcs.forecast.expected_payments import expected_payments
from runway_calcs.forecast.figures import cash_forecast
from runway_calcs.forecast.historical import historical_forecast
from runway_calcs.forecast.prepared import ForecastInputs, Prepared, prepare
from runway_calcs.forecast.score import forecast_score
from runway_calcs.forecast.what_if_draws import what_if_draws
from runway_calcs.hygiene.assessment import hygiene
from runway_calcs.hygiene.defects import known_books
from runway_calcs.pay_plan.plan import pay_plan
from runway_calcs.payment_timing import fit
from runway_calcs.policy import (
    BurnPolicy,
    CashPolicy,
    CollectionLiftPolicy,
    ForecastPolicy,
    HygienePolicy,
    MeasurePolicy,
    PaymentDayPolicy,
    PlanPolicy,
    RecurringPolicy,
    ReservePolicy,
    TierPolicy,
    WaitingPolicy,
)
from runway_calcs.reserves.outlook import cash_outlook
from runway_calcs.reserves.targets import ReserveKind, ReserveTarget, TargetRule, funding_plan
from tests.generated_books import FRIDAY, GeneratedBooks, companies, generating

TENANTS = int(os.environ.get("BENCH_TENANTS", "100"))
PROCESSES = 2
POOL, SIDE_BY_SIDE = 10, 3
PAID, OPEN = 2_500, 300
REPEATS = 5
BARS = {"fit_predict_seconds": 0.8, "forecast_seconds": 0.5, "all_seconds": 300.0}
Found = TypeVar("Found")
_IDS = ("qbo_id", "party_id", "account_id", "target_id", "term_id", "counter_account_ids")


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """One tenant's books as the calculators read them."""

    ledger: Ledger
    bill_lines: pd.DataFrame


def main() -> int:
    """Measure, report; 1 if a figure is beyond its bar."""
    with tempfile.TemporaryDirectory() as folder, generating(Path(folder)) as generator:
        pool = [generator.books(spec) for spec in companies(POOL, seed=64, sizes={"small": 1})]
        tenants = [side_by_side(chosen) for chosen in islice(combinations(pool, SIDE_BY_SIDE), TENANTS)]
        # Read one after the other: the instant at which the last of them was known.
        at = max((books.at(FRIDAY) for books in pool), key=lambda one: one.known_until)
        figures: dict[str, Any] = {"benchmark": "calcs", **one_tenant(tenants[0].ledger, at=at)}
        figures |= many_tenants(tenants, at=at, folder=Path(folder))
    figures["ratio_to_bar"] = {name: round(figures[name] / bar, 2) for name, bar in BARS.items()}
    print(json.dumps(figures))
    return int(any(figures[name] > bar for name, bar in BARS.items()))


def side_by_side(chosen: Sequence[GeneratedBooks]) -> Tenant:
    """The books of several companies as those of one, each with ids of its own."""

    def frame(noun: str) -> pd.DataFrame:
        return pd.concat([_own(getattr(books, noun), number) for number, books in enumerate(chosen)], ignore_index=True)

    return Tenant(
        ledger=Ledger(**{one.name: frame(one.name) for one in fields(Ledger)}), bill_lines=frame("bill_lines")
    )


def _own(frame: pd.DataFrame, number: int) -> pd.DataFrame:
    return frame.assign(
        **{name: frame[name].str.replace(r"(\d+)", rf"\g<1>.{number}", regex=True) for name in _IDS if name in frame}
    )


def one_tenant(ledger: Ledger, *, at: AsOf) -> dict[str, Any]:
    """Processor seconds of the parts of one tenant's forecast."""
    books = _books(ledger, at=at)
    sides = [books.customers, books.vendors]
    exact = [_exactly(side.history, side.open_documents) for side in sides]

    def timing() -> None:
        for history, open_ in exact:
            fit(history, as_of=at.as_of).predict(open_)

    prepared = _prepared(books)
    return {
        "paid_documents": sum(int(side.history["paid_date"].notna().sum()) for side in sides),
        "open_documents": sum(len(side.open_documents) for side in sides),
        "fit_predict_paid_and_open_a_ledger": [[PAID // 2, OPEN // 2]] * 2,
        "fit_predict_seconds": _seconds(timing),
        "books_seconds": _seconds(lambda: _books(ledger, at=at)),
        "prepare_seconds": _seconds(lambda: _prepared(books)),
        "forecast_draws": prepared.policy.draws,
        "forecast_seconds": _seconds(lambda: cash_forecast(_not_yet_asked(prepared), seed=1)),
    }


def _not_yet_asked(prepared: Prepared) -> Prepared:
    """The same, without what its payment timing was asked for before."""
    return replace(prepared, timing={dating: replace(timing) for dating, timing in prepared.timing.items()})


def _exactly(history: pd.DataFrame, open_: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Half of the paid and open documents in one ledger: rows are taken again, or left out, until there are so many."""
    return (
        pd.concat([_repeated(history[history["paid_date"].notna()], PAID // 2), _repeated(open_, OPEN // 2)]),
        _repeated(open_, OPEN // 2),
    )


def _repeated(rows: pd.DataFrame, count: int) -> pd.DataFrame:
    turns = -(-count // len(rows))
    copies = [rows.assign(document_id=rows["document_id"] + f"-{turn}") for turn in range(turns)]
    return pd.concat(copies, ignore_index=True).iloc[:count]


def many_tenants(tenants: Sequence[Tenant], *, at: AsOf, folder: Path) -> dict[str, Any]:
    """Wall seconds of all calculators of all tenants in two processes that have loaded their libraries."""
    paths = []
    for number, tenant in enumerate(tenants):
        paths.append(folder / f"{number}.pickle")
        paths[-1].write_bytes(pickle.dumps(tenant))
    with ProcessPoolExecutor(PROCESSES, mp_context=get_context("spawn")) as pool:
        list(pool.map(_warm, range(PROCESSES)))
        started = time.perf_counter()
        measured = list(pool.map(_calculated, paths, [at] * len(paths)))
        wall = time.perf_counter() - started
    parts = {name: round(sum(one[name] for one in measured), 1) for name in measured[0]}
    return {
        "tenants": len(tenants),
        "processes": PROCESSES,
        "all_seconds": round(wall, 1),
        "all_processor_seconds_by_part": parts,
        "processor_seconds_a_tenant": round(sum(parts.values()) / len(tenants), 2),
    }


def _warm(number: int) -> int:
    return number


def _calculated(path: Path, at: AsOf) -> Mapping[str, float]:
    tenant: Tenant = pickle.loads(path.read_bytes())  # noqa: S301 - written by this program
    return all_calculators(tenant, at=at)


def all_calculators(tenant: Tenant, *, at: AsOf) -> Mapping[str, float]:
    """Processor seconds of each calculator of one tenant's week."""
    watch, ledger = _Watch(), tenant.ledger
    books = watch.time("books", lambda: _books(ledger, at=at))
    watch.time("ageing", lambda: [ageing(side, as_of=at.as_of) for side in (books.payables, books.receivables)])
    cash = books.position.cash_cents
    burned = watch.time("burn", lambda: burn(books.movements, as_of=at.as_of, cash_cents=cash, policy=BurnPolicy()))
    watch.time("measures", lambda: _measures(ledger, books))
    now = watch.time("forecast", lambda: _forecast(books))
    watch.time("expected payments", lambda: expected_payments(now))
    last = watch.time("last week's forecast", lambda: _last_week(ledger, at=at))
    watch.time("change", lambda: forecast_change(last, now))
    watch.time("score", lambda: forecast_score(last, now, earlier=()))
    watch.time("reserves", lambda: _reserves(now, burned=burned))
    watch.time("collection", lambda: _collection(books, now))
    watch.time("vendor tiers", lambda: _vendor_tiers(tenant, at=at))
    watch.time("priority and plan", lambda: _payables(ledger, books, now))
    watch.time("hygiene", lambda: _hygiene(ledger, now))
    return watch.seconds


def _measures(ledger: Ledger, books: BooksAt) -> None:
    ledger_measures(
        ledger.documents,
        ledger.applications,
        receivables=books.receivables,
        payables=books.payables,
        at=books.at,
        cash_cents=books.position.cash_cents,
        card_owed_cents=books.position.card_owed_cents,
        expected_receipts_cents=None,
        taxes_due_cents=None,
        policy=MeasurePolicy(),
    )


def _last_week(ledger: Ledger, *, at: AsOf) -> Forecasting:
    earlier = AsOf.at(
        as_of=at.as_of - timedelta(weeks=1),
        known_until=at.known_until - timedelta(weeks=1),
        first_known_at=at.first_known_at,
        newest_known_at=at.first_known_at,
    )
    return historical_forecast(
        ledger,
        at=earlier,
        home_currency="USD",
        inputs=ForecastInputs(),
        cash_policy=CashPolicy(),
        policy=ForecastPolicy(),
        recurring_policy=RecurringPolicy(),
        seed=2,
    )


def _collection(books: BooksAt, now: Forecasting) -> None:
    collection_priority(
        books.receivables,
        books.customers.history,
        invoice_draws(now, books.receivables),
        as_of=books.at.as_of,
        low_on=now.forecast.low.on if now.forecast.low else None,
        contacted_on={},
        policy=CollectionLiftPolicy(),
    )


def _reserves(now: Forecasting, *, burned: Burn) -> None:
    target = ReserveTarget(
        reserve_id="months",
        kind=ReserveKind.EMERGENCY,
        name="Two months",
        rule=TargetRule.MONTHS_OF_BURN,
        value=200,
        due_on=None,
    )
    outlook = cash_outlook(now, gross_burn_cents_per_day=burned.gross_per_day_cents)
    assert outlook is not None, "generated companies have cash"
    funding_plan([target], balances={}, paid_within_path=frozenset(), outlook=outlook, policy=ReservePolicy())


def _vendor_tiers(tenant: Tenant, *, at: AsOf) -> None:
    ledger = tenant.ledger
    facts = vendor_facts(
        tenant.bill_lines,
        ledger.documents,
        ledger.applications,
        accounts=ledger.accounts,
        parties=ledger.parties,
        terms=ledger.terms,
        at=at,
    )
    for one in facts:
        suggested_tier(one, policy=TierPolicy())


def _payables(ledger: Ledger, books: BooksAt, now: Forecasting) -> None:
    owed = payables_of_books(books.payables, ledger.documents, ledger.terms, at=books.at, decisions=PayableDecisions())
    shared: dict[str, Any] = {"as_of": books.at.as_of, "waiting": WaitingPolicy(), "days": PaymentDayPolicy()}
    simulation, floor = now.simulation, now.forecast.floor_cents
    assert simulation is not None, "generated companies have cash"
    assert floor is not None, "generated companies have cash"
    priorities = bill_priorities(owed.bills, spendable_cents=simulation.opening_cents - floor, **shared)
    path = cash_path(now)
    assert path is not None, "generated companies have cash"
    pay_plan(owed.bills, cash=path, vendor_credits=owed.vendor_credits, policy=PlanPolicy(), **shared)
    shown = frozenset(one.bill_id for one in priorities[:MOST_BILLS])
    what_if_draws(simulation, as_of=books.at.as_of, bill_ids=shown)


def _hygiene(ledger: Ledger, now: Forecasting) -> None:
    hygiene(
        known_books(ledger, at=now.books.at),
        position=now.books.position,
        base=figures_of(now),
        recompute=Recomputation(
            ledger=ledger,
            base=now,
            home_currency="USD",
            inputs=ForecastInputs(),
            cash_policy=CashPolicy(),
            recurring_policy=RecurringPolicy(),
        ),
        horizon_days=ForecastPolicy().horizon_days,
        policy=HygienePolicy(),
        cash_policy=CashPolicy(),
    )


def _books(ledger: Ledger, *, at: AsOf) -> BooksAt:
    return books_at(ledger, home_currency="USD", at=at, policy=CashPolicy())


def _prepared(books: BooksAt) -> Prepared:
    return prepare(books, inputs=ForecastInputs(), policy=ForecastPolicy(), recurring_policy=RecurringPolicy())


def _forecast(books: BooksAt) -> Forecasting:
    return current_forecast(
        books, inputs=ForecastInputs(), policy=ForecastPolicy(), recurring_policy=RecurringPolicy(), seed=1
    )


def _seconds(work: Callable[[], object]) -> float:
    """Median processor seconds; the first run, which loads what is needed, does not count."""
    work()
    taken = []
    for _ in range(REPEATS):
        started = time.process_time()
        work()
        taken.append(time.process_time() - started)
    return round(statistics.median(taken), 3)


class _Watch:
    """Processor seconds by name."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    def time(self, name: str, work: Callable[[], Found]) -> Found:
        started = time.process_time()
        found = work()
        self.seconds[name] = time.process_time() - started
        return found


if __name__ == "__main__":
    sys.exit(main())
