"""Payments on this machine, on SQLite and on Postgres: a decision, a batch of 200, four clients, a sensor's tick, a fleet.

Both engines are durable: SQLite with synchronous=FULL, a private Postgres with fsync. The fleet pays through the local QuickBooks
over HTTP, and metered reads are counted; its hours are virtual (`payment_fleet.py`). CPU seconds stand beside those of the clock,
the machine's load beside both: a figure of a busy machine says little. The last line is one JSON object; a broken bar ends with
exit code 1.

    make bench-payments                                       # 100 tenants, their hours scaled to 1,000
    python -m benchmarks.bench_payments --tenants 1000        # the whole fleet
"""

import argparse
import json
import os
import resource
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
from sqlalchemy import insert, update

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # the desk and the office of the tests

from benchmarks.payment_fleet import MOST_A_MINUTE, MOST_A_SECOND, MOST_REQUESTS, enter_fleet, pay_fleet
from migrations.chain import upgrade
from payments.store.batch_tables import BATCH
from payments.store.cash_tables import CASH_ACCOUNT
from pipelines.paying import payment_batches
from resources.clock import FixedClock
from resources.database import Database
from resources.installation import Installation
from resources.registry import TenantRegistry
from resources.row_security import see_tenant
from resources.settings import Settings
from resources.tenants import TenantId, tenant_id
from tests.conftest import FRIDAY_MORNING
from tests.payments.desk import CHECKING, Desk, make_bill
from tests.payments.office import Company
from tests.payments.rows import ROWS, SEALED
from tests.postgres import MISSING, OWNER, postgres_programs, start_postgres
from tests.processes import at_once
from tests.resources.builders import ACME
from tests.sandbox import start_sandbox

#: Of each engine: the most a figure may be, and the least.
AT_MOST = {
    "decide_ms": 20.0,
    "finalize_200_ms": 500.0,
    "tick_ms": 100.0,
    "fleet_hours_of_1000": 6.0,
    "fleet_reads_per_payment": 4.0,
    "fleet_calls_a_minute": MOST_A_MINUTE,
    "fleet_calls_a_second": MOST_A_SECOND,
}
AT_LEAST = {"decisions_a_second": 150.0}
_FLEET = 1_000
#: Decisions of a client and of a batch; due batches beside which the sensor ticks, and of how many tenants they are.
_CLIENTS, _EACH, _BATCH, _DUE, _DUE_TENANTS, _TICKS = 4, 100, 200, 10_000, 100, 20
#: What `decisions_a_second` counts.
_COUNTED = (
    "whole decisions of approved and staged bills: checked, money set aside, written, audited and committed durably"
)


def main() -> int:
    """Measure; 1 if a bar is broken."""
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    arguments.add_argument("--tenants", type=int, default=100, help="how many tenants of the fleet are paid for")
    arguments.add_argument("--engine", choices=("sqlite", "postgres"), help="only this one")
    asked = arguments.parse_args()
    figures: dict[str, Any] = {"load_before": _load(), "fleet_tenants": asked.tenants, "decisions_counted": _COUNTED}
    with tempfile.TemporaryDirectory() as folder, _companies(Path(folder), count=asked.tenants) as companies:
        for engine, urls in _engines(Path(folder), only=asked.engine):
            found = (
                ledger(urls[0], Path(folder) / f"{engine}-ledger")
                | clients(urls[1])
                | fleet(companies, Path(folder) / engine, urls[2])
            )
            figures |= {f"{name}_{engine}": value for name, value in found.items()}
            for name, value in found.items():
                print(f"{engine:9}{name:32}{value}")
    figures["load_after"] = _load()
    bars = {name: value <= AT_MOST[bar] for name, value, bar in _barred(figures, AT_MOST)}
    bars |= {name: value >= AT_LEAST[bar] for name, value, bar in _barred(figures, AT_LEAST)}
    print(json.dumps(figures | {"within_bars": bars}))
    return 0 if all(bars.values()) else 1


def _barred(figures: dict[str, Any], bars: dict[str, float]) -> list[tuple[str, float, str]]:
    return [(name, value, bar) for name, value in figures.items() if (bar := name.rpartition("_")[0]) in bars]


@contextmanager
def _companies(folder: Path, *, count: int) -> Iterator[list[Company]]:
    state = folder / "quickbooks"
    state.mkdir()
    with start_sandbox(state) as sandbox:
        yield enter_fleet(sandbox, tenants=count)


def _engines(folder: Path, *, only: str | None) -> Iterator[tuple[str, Sequence[str]]]:
    """Each engine with the URLs of three empty databases."""
    if only != "postgres":
        yield "sqlite", [f"sqlite:///{folder / 'bench' / f'{name}.sqlite'}" for name in ("ledger", "clients", "fleet")]
    if only != "sqlite":
        programs = postgres_programs()
        if programs is None:
            print(f"no figures of Postgres: this {MISSING}")
            return
        with start_postgres(programs, is_durable=True) as server:
            yield "postgres", [server.url(server.create(), user=OWNER) for _ in range(3)]


def ledger(url: str, folder: Path) -> dict[str, Any]:
    """One client: decisions, a batch of all of them, ticks of the sensor beside 10,000 batches that are due."""
    database = Database(url)
    upgrade(database)
    desk = _desk(database, ACME, bills=_BATCH)
    with _Stopwatch() as deciding:
        seconds, decided = [], []
        for number in range(_BATCH):
            started = time.perf_counter()
            decided.append(desk.pay_now(f"b{number}"))
            seconds.append(time.perf_counter() - started)
    with _Stopwatch() as finalizing:
        desk.finalize(*decided)
    for number in range(_DUE_TENANTS):
        _add_due_batches(database, tenant_id(f"due-{number:03}"), desk.clock, count=_DUE // _DUE_TENANTS)
    database.close()
    ticks = _ticks(url, folder, FixedClock(desk.clock.now() + timedelta(hours=1)))
    return {
        "decide_ms": _ms(statistics.median(seconds)),
        "decide_p95_ms": _ms(statistics.quantiles(seconds, n=20)[-1]),
        "decide_cpu_ms": _ms(deciding.cpu / _BATCH),
        "finalize_200_ms": _ms(finalizing.wall),
        "finalize_200_cpu_ms": _ms(finalizing.cpu),
        "tick_ms": _ms(statistics.median(ticks)),
    }


def _add_due_batches(database: Database, tenant: TenantId, clock: FixedClock, *, count: int) -> None:
    """Another tenant with sealed batches without payments: the sensor reads their rows alone."""
    TenantRegistry(database, clock=clock).add_tenant(
        tenant, firm_id="north-books", name=tenant, zone="America/New_York"
    )
    row = {
        "tenant_id": tenant,
        "origin": "people",
        "state": "open",
        "account_id": CHECKING,
        "pay_on": date(2026, 11, 20),
    }
    row |= {"rail": "record_only", "created_at": clock.now(), "generation": 0}
    with database.write() as connection:
        see_tenant(connection, tenant)
        is_sqlite = connection.dialect.name == "sqlite"
        guard = "TRIGGER batch_is_sealed_as_it_is"  # they hold no payments
        connection.exec_driver_sql(
            guard.replace("TRIGGER", "DROP TRIGGER IF EXISTS") if is_sqlite else f"ALTER TABLE batch DISABLE {guard}"
        )
        account = ROWS[CASH_ACCOUNT] | {"tenant_id": tenant, "account_id": CHECKING}
        connection.execute(insert(CASH_ACCOUNT).values(account))
        connection.execute(insert(BATCH), [row | {"batch_id": f"{tenant}-{number:05}"} for number in range(count)])
        sealed = update(BATCH).where(BATCH.c.tenant_id == tenant)
        connection.execute(sealed.values(SEALED | {"finalized_at": clock.now()}))


def _ticks(url: str, folder: Path, clock: FixedClock) -> list[float]:
    """Seconds of each evaluation of the product's own sensor."""
    installation = Installation(Settings(data_dir=folder, database_url=url), clock=clock)
    ticks = []
    try:
        with dg.DagsterInstance.ephemeral() as instance:
            for _ in range(_TICKS):
                context = dg.build_sensor_context(instance=instance, resources={"installation": installation})
                started = time.perf_counter()
                found = payment_batches(context)
                ticks.append(time.perf_counter() - started)
                assert isinstance(found, dg.SensorResult), "batches are due"
                assert len(found.run_requests or ()) == MOST_REQUESTS, "as many as a tick asks for"
    finally:
        installation.close()
    return ticks


def clients(url: str) -> dict[str, Any]:
    """Decisions of four processes at once, each for its own tenant."""
    database = Database(url)
    upgrade(database)
    for number in range(_CLIENTS):
        _desk(database, _tenant(number), bills=_EACH, first=number == 0)
    database.close()
    told = at_once(_CLIENTS, decide_all, url)
    span = max(one["ended"] for one in told) - min(one["begun"] for one in told)
    waits = sorted(wait for one in told for wait in one["seconds"])
    return {
        "decisions_a_second": round(len(waits) / span, 1),
        "decisions_p50_ms": _ms(statistics.median(waits)),
        "decisions_p99_ms": _ms(statistics.quantiles(waits, n=100)[-1]),
        "decisions_client_cpu_ms": _ms(sum(one["cpu"] for one in told) / len(waits)),
    }


def decide_all(number: int, url: str) -> dict[str, Any]:
    """What one client of `clients` does, and how long each decision took it."""
    database = Database(url)
    desk = Desk(database, FixedClock(FRIDAY_MORNING + timedelta(minutes=5)), tenant=_tenant(number), register=False)
    begun, seconds = time.time(), []
    with _Stopwatch() as deciding:
        for bill in range(_EACH):
            started = time.perf_counter()
            desk.pay_now(f"b{bill}", request_key=f"bench-{bill}")
            seconds.append(time.perf_counter() - started)
    ended = time.time()
    database.close()
    return {"begun": begun, "ended": ended, "seconds": seconds, "cpu": deciding.cpu}


def fleet(companies: Sequence[Company], folder: Path, url: str) -> dict[str, Any]:
    """A batch of 20 for each company, in virtual time."""
    paid = pay_fleet(companies, folder=folder, database_url=url)
    assert paid["settled"] == len(companies), f"every batch settles: {paid}"
    return {
        "fleet_hours_of_1000": round(paid["hours"] * _FLEET / len(companies), 2),
        "fleet_payments": paid["payments"],
        "fleet_reads_per_payment": paid["metered_reads_per_payment"],
        "fleet_calls_a_minute": paid["most_calls_a_minute"],
        "fleet_calls_a_second": paid["most_calls_a_second"],
        "fleet_tick_ms": paid["tick_ms"],
        "fleet_wall_seconds": paid["wall_seconds"],
        "fleet_cpu_seconds": paid["cpu_seconds"],
    }


class _Stopwatch:
    """Seconds by the clock and of this process's CPU."""

    wall = cpu = 0.0

    def __enter__(self) -> "_Stopwatch":
        self._wall, self._cpu = time.perf_counter(), self._used()
        return self

    def __exit__(self, *_: object) -> None:
        self.wall, self.cpu = time.perf_counter() - self._wall, self._used() - self._cpu

    @staticmethod
    def _used() -> float:
        used = resource.getrusage(resource.RUSAGE_SELF)
        return used.ru_utime + used.ru_stime


def _desk(database: Database, tenant: TenantId, *, bills: int, first: bool = True) -> Desk:
    clock = FixedClock(FRIDAY_MORNING)
    desk = Desk(database, clock, tenant=tenant, register=first)
    if not first:
        TenantRegistry(database, clock=clock).add_tenant(
            tenant, firm_id="north-books", name=tenant, zone="America/New_York"
        )
        desk.people(add=False)
    desk.policy(separation_above_cents=10_000_000)
    names = [f"b{number}" for number in range(bills)]
    desk.sync(*(make_bill(name, open_cents=1_000) for name in names), cash=100_000_000)
    desk.ready(*names)
    return desk


def _tenant(number: int) -> TenantId:
    return ACME if number == 0 else tenant_id(f"client-{number}")


def _load() -> float:
    return round(os.getloadavg()[0], 1)


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 2)


if __name__ == "__main__":
    sys.exit(main())
