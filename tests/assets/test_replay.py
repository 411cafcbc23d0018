"""A connected company lives on for weeks; calculated again, every week is what it was when it was new, to the byte."""

import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete, select

from assets.books import POSITIONS, make_ledger
from assets.calculators import CALCULATORS
from assets.desk import newest_desk
from assets.experiences import DIGESTS
from assets.priorities import PRIORITIES
from migrations.chain import upgrade
from resources.clock import FixedClock
from resources.installation import Installation, RunWeek
from resources.settings import Settings
from resources.tables import PUBLISHED_DOCUMENT, RESULT, SEGMENT
from resources.tenants import TenantId
from tests.firm import Firm, dagster_instance
from tests.sandbox import Sandbox, start_sandbox

_CONNECTED = date(2026, 8, 28)
_OPERATIONS_A_DAY = 7
_PAST_WEEKS = 2
"""So many weeks before the connection are calculated as well: their edits and deletions come after it."""

State = dict[str, str]


@pytest.fixture
def own_sandbox(tmp_path: Path) -> Iterator[Sandbox]:
    """A sandbox whose clock this test moves."""
    state = tmp_path / "sandbox"
    state.mkdir()
    with start_sandbox(state) as running:
        yield running


@pytest.fixture
def firm(tmp_path: Path, own_sandbox: Sandbox) -> Iterator[Firm]:
    """A firm whose clock stands where the sandbox's does."""
    morning = datetime.combine(_CONNECTED, datetime.min.time(), tzinfo=UTC) + timedelta(hours=12)
    own_sandbox.control.post("/__sandbox__/clock", json={"frozen": True, "now": morning.isoformat()}).raise_for_status()
    settings = Settings(data_dir=tmp_path / "data", qbo_local_url=own_sandbox.url, qbo_retry_seconds=0.0)
    installation = Installation(settings, clock=FixedClock(morning))
    upgrade(installation.database)
    try:
        with dagster_instance(tmp_path / "dagster") as instance:
            yield Firm(installation, instance, own_sandbox)
    finally:
        installation.close()


def _let_a_week_pass(firm: Firm, realm_id: str, *, seed: int) -> None:
    lived = firm.sandbox.control.post(
        f"/__sandbox__/realms/{realm_id}/step",
        json={"days": 7, "seed": seed, "operations": _OPERATIONS_A_DAY},
    )
    lived.raise_for_status()
    clock = firm.installation.clock
    assert isinstance(clock, FixedClock)
    clock.move_to(datetime.fromisoformat(lived.json()["now"]))


def _told(firm: Firm, tenant: TenantId, week: date) -> State:
    """What is stored of a week: the content hash of every table, the published document, the written files."""
    own = (RESULT.c.tenant_id == tenant, RESULT.c.as_of == week)
    tables = select(RESULT.c.table_name, SEGMENT.c.sha256).join(
        SEGMENT, (SEGMENT.c.tenant_id == RESULT.c.tenant_id) & (SEGMENT.c.segment_id == RESULT.c.segment_id)
    )
    document = PUBLISHED_DOCUMENT.c
    published = select(document.kind, document.title, document.body, document.html, document.text)
    with firm.installation.database.read() as connection:
        told = {row.table_name: row.sha256 for row in connection.execute(tables.where(*own))}
        for row in connection.execute(published.where(document.tenant_id == tenant, document.key == week.isoformat())):
            told |= {f"{row.kind} {name}": getattr(row, name) for name in ("title", "body", "html", "text")}
    written = firm.installation.settings.digests_root / tenant
    return told | {path.name: path.read_text() for path in sorted(written.glob(f"{week.isoformat()}.*"))}


def _forget_all(firm: Firm, tenant: TenantId) -> None:
    """Take away every result and document, so that nothing of them can be left standing."""
    with firm.installation.database.write() as connection:
        connection.execute(delete(RESULT).where(RESULT.c.tenant_id == tenant))
        connection.execute(delete(PUBLISHED_DOCUMENT).where(PUBLISHED_DOCUMENT.c.tenant_id == tenant))
    shutil.rmtree(firm.installation.settings.digests_root / tenant)


def _replay(firm: Firm, *, weeks: int, seed: int, sync: Callable[[], None], calculate: Callable[[date], None]) -> None:
    company = firm.company("acme", industry="construction", seed=seed, as_of=_CONNECTED.isoformat())
    told: dict[date, State] = {}
    sync()
    for week in [_CONNECTED - timedelta(weeks=back) for back in range(_PAST_WEEKS, -1, -1)]:
        calculate(week)
        told[week] = _told(firm, company.tenant, week)
    for number in range(1, weeks):
        _let_a_week_pass(firm, company.realm_id, seed=seed * 100 + number)
        sync()
        week = _CONNECTED + timedelta(weeks=number)
        calculate(week)
        told[week] = _told(firm, company.tenant, week)
    assert all(len(state) > len(POSITIONS) + len(CALCULATORS) + len(PRIORITIES) for state in told.values())
    assert len({state["books/documents"] for state in list(told.values())[_PAST_WEEKS:]}) == weeks
    _forget_all(firm, company.tenant)
    for week, then in told.items():
        calculate(week)
        now = _told(firm, company.tenant, week)
        assert now.keys() == then.keys(), week
        assert [name for name in then if now[name] != then[name]] == [], week


def test_every_week_calculated_again_is_what_it_was_then(firm: Firm) -> None:
    """The assets' own work on a real desk; the long test has Dagster call it."""
    tenant = TenantId("acme")

    def calculate(friday: date) -> None:
        week = RunWeek(week_ending=friday, started_at=firm.installation.clock.now())
        with newest_desk(tenant, installation=firm.installation, week=week) as desk:
            make_ledger(desk)
            for table in (*POSITIONS, *CALCULATORS, *PRIORITIES, *DIGESTS):
                table.work(desk)

    _replay(firm, weeks=3, seed=3, sync=lambda: _sync(firm, tenant), calculate=calculate)


def _sync(firm: Firm, tenant: TenantId) -> None:
    firm.installation.smart_sync.sync(tenant)


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", [11])
def test_twelve_weeks_run_again_by_the_jobs_are_what_they_were_then(firm: Firm, seed: int) -> None:
    print(f"seed {seed}")  # noqa: T201 - a long run prints its seeds
    _replay(
        firm,
        weeks=12,
        seed=seed,
        sync=lambda: firm.succeed("tenant_sync", "acme"),
        calculate=lambda week: firm.succeed("friday", "acme", week_ending=week),
    )
