"""Payments on this machine: a decision, a batch of 200, decisions of four clients, a sensor tick, a batch of 20 sent.

SQLite in a temporary folder with full durability; `--database` names a Postgres database (migrated, empty) for the decisions of
four clients. Sending goes to the local QuickBooks over HTTP and counts metered reads. The last line is one JSON object.
"""

import argparse
import json
import statistics
import sys
import tempfile
import time
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import insert

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))  # the desk and the office of the tests

from migrations.chain import upgrade
from payments.batch_tables import BATCH
from payments.runs import due_batches
from resources.clock import FixedClock
from resources.database import Database
from resources.registry import TenantRegistry
from resources.tenants import TenantId, tenant_id
from tests.conftest import FRIDAY_MORNING
from tests.payments.desk import CHECKING, Desk, make_bill
from tests.payments.office import Company, Office, furnish, open_installation
from tests.processes import at_once
from tests.resources.builders import ACME
from tests.sandbox import start_sandbox

BARS = {
    "decide_ms_median": 20.0,
    "finalize_200_ms": 500.0,
    "sensor_tick_ms": 100.0,
    "metered_reads_per_payment": 4.0,
}
DECISIONS_A_SECOND = 150.0
_CLIENTS, _EACH, _BATCH, _WAITING = 4, 50, 200, 10_000


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--database", default="", help="URL of an empty, migrated Postgres database")
    asked = arguments.parse_args()
    figures: dict[str, Any] = {}
    with tempfile.TemporaryDirectory() as folder:
        figures |= ledger(Path(folder))
        url = f"sqlite:///{Path(folder) / 'clients.sqlite'}"
        figures["decisions_a_second_sqlite"] = clients(url)
        if asked.database:
            figures["decisions_a_second_postgres"] = clients(asked.database)
        figures |= sending(Path(folder))
    bars = {name: figures[name] <= bar for name, bar in BARS.items()}
    bars |= {
        name: value >= DECISIONS_A_SECOND for name, value in figures.items() if name.startswith("decisions_a_second")
    }
    print(json.dumps(figures | {"within_bars": bars}))


def ledger(folder: Path) -> dict[str, Any]:
    database = Database(f"sqlite:///{folder / 'ledger.sqlite'}")
    upgrade(database)
    desk = _desk(database, ACME, bills=_BATCH)
    seconds, decided = [], []
    for number in range(_BATCH):
        started = time.perf_counter()
        decided.append(desk.pay_now(f"b{number}"))
        seconds.append(time.perf_counter() - started)
    started = time.perf_counter()
    desk.finalize(*decided)
    finalized = time.perf_counter() - started
    row = {"tenant_id": ACME, "origin": "people", "state": "open", "account_id": CHECKING, "pay_on": date(2026, 11, 20)}
    row |= {"rail": "record_only", "created_at": desk.clock.now(), "generation": 0}
    with database.write() as connection:
        connection.execute(insert(BATCH), [row | {"batch_id": f"w{number:05}"} for number in range(_WAITING)])
    ticks = []
    for _ in range(20):
        started = time.perf_counter()
        found = due_batches(database, now=desk.clock.now() + timedelta(hours=1), most=100)
        ticks.append(time.perf_counter() - started)
        assert len(found) == 1, "the finalized batch is due, the open ones are not"
    database.close()
    return {
        "decide_ms_median": _ms(statistics.median(seconds)),
        "decide_ms_p95": _ms(statistics.quantiles(seconds, n=20)[-1]),
        "finalize_200_ms": _ms(finalized),
        "sensor_tick_ms": _ms(statistics.median(ticks)),
    }


def clients(url: str) -> float:
    """Decisions a second of four processes at once, each for its own tenant."""
    database = Database(url)
    if url.startswith("sqlite"):
        upgrade(database)
    for number in range(_CLIENTS):
        _desk(database, _tenant(number), bills=_EACH, first=number == 0)
    database.close()
    spans = at_once(_CLIENTS, decide_all, url)
    return round(_CLIENTS * _EACH / (max(end for _, end in spans) - min(begin for begin, _ in spans)), 1)


def decide_all(number: int, url: str) -> tuple[float, float]:
    database = Database(url)
    desk = Desk(database, FixedClock(FRIDAY_MORNING + timedelta(minutes=5)), tenant=_tenant(number), register=False)
    begun = time.time()
    for bill in range(_EACH):
        desk.pay_now(f"b{bill}", request_key=f"bench-{bill}")
    ended = time.time()
    database.close()
    return begun, ended


def sending(folder: Path) -> dict[str, Any]:
    """A batch of 20 recorded in the local QuickBooks."""
    state = folder / "sandbox"
    state.mkdir()
    with start_sandbox(state) as sandbox:
        company = Company(sandbox, realm_id="9130777000000099")
        furnish(folder / "office", company)
        opened = open_installation(folder / "office", sandbox.url)
        office = Office(opened, company, register=False)
        batch = office.batch(*office.enter(*["50.00"] * 20))
        started = time.perf_counter()
        driven = office.drive(batch)
        seconds = time.perf_counter() - started
        opened.close()
    assert driven.states == {"paid": 20}, driven
    return {"send_20_seconds": round(seconds, 2), "metered_reads_per_payment": driven.metered_reads / 20}


def _desk(database: Database, tenant: TenantId, *, bills: int, first: bool = True) -> Desk:
    clock = FixedClock(FRIDAY_MORNING)
    desk = Desk(database, clock, tenant=tenant, register=first)
    if not first:
        _register(desk)
    desk.policy(separation_above_cents=10_000_000)
    names = [f"b{number}" for number in range(bills)]
    desk.sync(*(make_bill(name, open_cents=1_000) for name in names), cash=100_000_000)
    desk.ready(*names)
    return desk


def _register(desk: Desk) -> None:
    TenantRegistry(desk.database, clock=desk.clock).add_tenant(
        desk.tenant, firm_id="north-books", name=desk.tenant, zone="America/New_York"
    )
    desk.people(add=False)


def _tenant(number: int) -> TenantId:
    return ACME if number == 0 else tenant_id(f"client-{number}")


def _ms(seconds: float) -> float:
    return round(seconds * 1000, 2)


if __name__ == "__main__":
    main()
