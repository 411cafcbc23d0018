"""A fleet of tenants pays: each tenant's batch of 20 goes through the product and a local QuickBooks, in virtual time.

Belongs here: the model of time - ticks of the sensor, runs at once, what a start and a call take. Does not: what
a run does (the product's own `drive`), the figures of one machine (`bench_payments.py`).

    tick of the sensor -> a run is asked for -> a lane is free -> its start -> each call to QuickBooks -> the lane is free again

Only time is a model. Batches, looks, sends and records are real, over HTTP, and what is settled is read from the ledger.
"""

import time
from collections import Counter, defaultdict, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import delete, event, func, select

from migrations.chain import upgrade
from payments.sending.drive import drive
from payments.sending.runs import DueBatch, due_batches
from payments.store.batch_tables import BATCH
from payments.store.ledger import Ledger
from resources.clock import FixedClock
from resources.installation import Installation
from resources.published_balances import CashSnapshot
from resources.qbo.bill_payments import PaymentClient
from resources.registry import TenantRegistry
from resources.row_security import see_everybody, see_tenant
from resources.settings import Settings
from resources.tables import CONNECTION
from resources.tenants import TenantId, tenant_id
from tests.conftest import FRIDAY_MORNING
from tests.consent import connect
from tests.payments.desk import Desk
from tests.payments.office import POLICY, Company, open_bill
from tests.sandbox import Sandbox

PAYMENTS = 20
#: As `dagster.yaml` and the sensor `payment_batches` have them.
RUNS_AT_ONCE, TICK, MOST_REQUESTS = 2, timedelta(seconds=20), 100
#: Assumed: from the request to the first step of a run, and one call to QuickBooks.
START, CALL = timedelta(seconds=10), timedelta(seconds=0.3)
#: QuickBooks' limits for a company.
MOST_A_MINUTE, MOST_A_SECOND = 500, 10


class SlowClient(PaymentClient):
    """The real client; each call takes its time of the virtual clock and is noted."""

    def __init__(self, *, url: str, clock: FixedClock) -> None:
        super().__init__(url=url)
        self._clock = clock
        #: When calls began, by company.
        self.begun: dict[str, list[datetime]] = defaultdict(list)

    def _send(self, request: Any, **named: Any) -> Any:
        self.begun[request.url.path.split("/")[3]].append(self._clock.now())
        self._clock.sleep(CALL.total_seconds())
        return super()._send(request, **named)

    def most_within(self, span: timedelta) -> int:
        """The most calls that one company got within any such span."""
        most = 0
        for instants in self.begun.values():
            recent: deque[datetime] = deque()
            for instant in sorted(instants):
                recent.append(instant)
                while recent[0] <= instant - span:
                    recent.popleft()
                most = max(most, len(recent))
        return most


@dataclass(kw_only=True)
class _Lanes:
    """Runs side by side in virtual time, one after the other in real time: batches of different tenants never meet."""

    free_at: list[datetime]
    waiting: deque[tuple[DueBatch, datetime]] = field(default_factory=deque)
    asked: set[tuple[str, int]] = field(default_factory=set)

    def ask(self, due: Sequence[DueBatch], *, at: datetime) -> None:
        """Queue what is new, as run keys do."""
        for one in due:
            if (one.batch_id, one.generation) not in self.asked:
                self.asked.add((one.batch_id, one.generation))
                self.waiting.append((one, at))


def enter_fleet(sandbox: Sandbox, *, tenants: int) -> list[Company]:
    """A company each."""
    return [Company(sandbox, realm_id=f"91307780000{number:05}") for number in range(tenants)]


def pay_fleet(companies: Sequence[Company], *, folder: Path, database_url: str) -> dict[str, Any]:
    """Prepare a sealed batch for each company, pay all, and say how long it took."""
    clock = FixedClock(FRIDAY_MORNING)
    settings = Settings(
        data_dir=folder, qbo_local_url=companies[0].sandbox.url, qbo_retry_seconds=0.0, database_url=database_url
    )
    opened = Installation(settings, clock=clock)
    client = SlowClient(url=settings.qbo_local_url, clock=clock)
    opened.__dict__["payment_client"] = client
    try:
        if opened.database.url.get_backend_name() == "sqlite":
            # Preparing is not what is measured; durability is, and has figures of its own.
            event.listen(opened.database.writer, "connect", lambda raw, _: raw.execute("PRAGMA synchronous=OFF"))
        upgrade(opened.database)
        for number, company in enumerate(companies):
            _prepare(opened, company, tenant_id(f"fleet-{number:04}"), is_first=number == 0)
        return _pay(opened, client, clock, batches=len(companies))
    finally:
        opened.close()


def _prepare(opened: Installation, company: Company, tenant: TenantId, *, is_first: bool) -> None:
    """Twenty bills entered, approved, decided and finalized."""
    clock = opened.clock
    assert isinstance(clock, FixedClock), "time is the model's"
    clock.move_to(FRIDAY_MORNING)
    if is_first:
        TenantRegistry(opened.database, clock=clock).add_firm("north-books", name="North Books")
    TenantRegistry(opened.database, clock=clock).add_tenant(
        tenant, firm_id="north-books", name=tenant, zone="America/New_York"
    )
    desk = Desk(opened.database, clock, tenant=tenant, register=False)
    desk.people(add=is_first)
    with opened.database.write() as connection:
        see_tenant(connection, tenant)
        connection.execute(delete(CONNECTION).where(CONNECTION.c.tenant_id == tenant))
    connect(opened, tenant, company.realm_id)
    token = opened.connections.load(tenant).tokens.access_token.reveal()
    company.headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
    desk.policy(separation_above_cents=10_000_000)
    entered = [company.bill("50.00") for _ in range(PAYMENTS)]
    cash = CashSnapshot(account_id=company.bank, name="Checking", balance_cents=10_000_000, dated_later_cents=0)
    desk.sync(*(open_bill(one) for one in entered), accounts=[cash])
    decided = []
    for bill in entered:
        desk.approve(bill["Id"])
        desk.stage(bill["Id"], account_id=company.bank)
        decided.append(desk.pay_now(bill["Id"], account_id=company.bank))
    desk.finalize(*decided)


def _pay(opened: Installation, client: SlowClient, clock: FixedClock, *, batches: int) -> dict[str, Any]:
    begun_at, cpu, wall = clock.now(), time.process_time(), time.perf_counter()
    lanes = _Lanes(free_at=[begun_at] * RUNS_AT_ONCE)
    states: Counter[str] = Counter()
    ticks, reads, tick = [], 0, begun_at
    while len(lanes.asked) < batches or lanes.waiting:
        tick += TICK
        started = time.perf_counter()
        due = due_batches(opened.database, now=tick, most=MOST_REQUESTS)
        ticks.append(time.perf_counter() - started)
        lanes.ask(due, at=tick)
        while lanes.waiting and min(lanes.free_at) < tick + TICK:
            batch, asked_at = lanes.waiting.popleft()
            lane = lanes.free_at.index(min(lanes.free_at))
            clock.move_to(max(lanes.free_at[lane], asked_at) + START)
            driven = drive(
                Ledger(opened.database, clock=clock),
                tenant_id(batch.tenant_id),
                batch_id=batch.batch_id,
                holder="fleet",
                open_books=opened.bill_payments,
                policy=POLICY,
            )
            lanes.free_at[lane] = clock.now()
            states.update(driven.states)
            reads += driven.metered_reads
    return {
        "hours": round((max(lanes.free_at) - begun_at) / timedelta(hours=1), 3),
        "settled": _settled(opened),
        "payments": dict(states),
        "metered_reads_per_payment": round(reads / (batches * PAYMENTS), 3),
        "most_calls_a_minute": client.most_within(timedelta(minutes=1)),
        "most_calls_a_second": client.most_within(timedelta(seconds=1)),
        "tick_ms": round(1000 * sorted(ticks)[len(ticks) // 2], 2),
        "wall_seconds": round(time.perf_counter() - wall, 1),
        "cpu_seconds": round(time.process_time() - cpu, 1),
    }


def _settled(opened: Installation) -> int:
    with opened.database.read() as connection:
        see_everybody(connection)
        return int(
            connection.execute(select(func.count()).select_from(BATCH).where(BATCH.c.state == "settled")).scalar_one()
        )
