"""A company that lives on under a firm's eyes: weeks pass, books are read, weeks are calculated, and what each told is kept."""

import shutil
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
from sqlalchemy import delete, select

from assets.desk import Desk, desk_for
from experiences.digest.document import DigestDocument
from experiences.digest.document import from_json as digest_from_json
from experiences.test_drive.document import DriveDocument
from experiences.test_drive.document import from_json as drive_from_json
from migrations.chain import upgrade
from pipelines.build import build_defs
from pipelines.jobs import drive_config
from resources.clock import FixedClock
from resources.documents import Document
from resources.installation import Installation, RunWeek
from resources.settings import Settings
from resources.tables import PUBLISHED_DOCUMENT, RESULT, SEGMENT
from resources.tenants import TenantId
from tests.firm import Firm, dagster_instance
from tests.sandbox import Sandbox, start_sandbox

TENANT = TenantId("acme")
ZONE = "America/Phoenix"
"""It has no daylight-saving time: 05:00 on a Friday, where a week before the connection is cut, is noon in UTC all year."""
WEEK = timedelta(weeks=1)
CONNECTED = date(2026, 8, 28)
#: Everything that is entered and nothing that changes or takes away what was entered before.
ENTRIES = (
    "bill", "back-dated bill", "vendor credit", "bill payment", "applied credit", "invoice", "credit memo", "sales receipt",
    "payment", "deposit", "purchase", "transfer", "bill payment", "invoice", "payment", "purchase",
)  # fmt: skip
#: What can only be known of versions: an edit, a void, a deletion, a merge.
CHANGES = ("edited bill", "edited invoice", "void", "delete", "renamed vendor", "merge", "inactivation")

State = dict[str, str]


class Seen:
    """The company as one installation sees it, connected when that was."""

    def __init__(self, firm: Firm) -> None:
        self.firm = firm
        self.installation = firm.installation

    def sync(self) -> None:
        """Read the books."""
        self.installation.smart_sync.sync(TENANT)

    def calculate(self, friday: date) -> None:
        """The assets' own work on a real desk."""
        self.firm.calculate(TENANT, friday=friday)

    @contextmanager
    def desk(self, friday: date) -> Iterator[Desk]:
        """The desk of a week that was calculated."""
        week = RunWeek(week_ending=friday, started_at=self.installation.clock.now())
        with desk_for(TENANT, installation=self.installation, week=week) as desk:
            yield desk

    def told(self, friday: date) -> State:
        """What is stored of a week: the content hash of every table, the published documents, the written files."""
        own = (RESULT.c.tenant_id == TENANT, RESULT.c.as_of == friday)
        tables = select(RESULT.c.table_name, SEGMENT.c.sha256).join(
            SEGMENT, (SEGMENT.c.tenant_id == RESULT.c.tenant_id) & (SEGMENT.c.segment_id == RESULT.c.segment_id)
        )
        document = PUBLISHED_DOCUMENT.c
        published = select(document.kind, document.title, document.body, document.html, document.text)
        mine = (document.tenant_id == TENANT, document.key == friday.isoformat(), document.kind != "test_drive")
        with self.installation.database.read() as connection:
            told = {row.table_name: row.sha256 for row in connection.execute(tables.where(*own))}
            for row in connection.execute(published.where(*mine)):
                told |= {f"{row.kind} {name}": getattr(row, name) for name in ("title", "body", "html", "text")}
        written = self.installation.settings.digests_root / TENANT
        return told | {path.name: path.read_text() for path in sorted(written.glob(f"{friday.isoformat()}.*"))}

    def forget(self) -> None:
        """Take away every result and document, so that nothing of them can be left standing."""
        with self.installation.database.write() as connection:
            connection.execute(delete(RESULT).where(RESULT.c.tenant_id == TENANT))
            connection.execute(delete(PUBLISHED_DOCUMENT).where(PUBLISHED_DOCUMENT.c.tenant_id == TENANT))
        shutil.rmtree(self.installation.settings.digests_root / TENANT)
        shutil.rmtree(self.installation.settings.pages_root)

    def drive(self, friday: date, *, weeks: int) -> dg.ExecuteInProcessResult:
        """Run the job `test_drive` as `runway test-drive` does."""
        quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
        job = build_defs(resource_overrides=self.firm.resources(friday)).resolve_job_def("test_drive")
        return job.execute_in_process(
            instance=self.firm.instance,
            partition_key=TENANT,
            run_config={**quiet, **drive_config(weeks)},
            raise_on_error=False,
        )

    def document(self, kind: str, friday: date) -> Document:
        """A published document."""
        found = self.installation.documents.read(TENANT, kind=kind, key=friday.isoformat())
        assert found is not None, (kind, friday)
        return found

    def digest(self, friday: date) -> DigestDocument:
        """The published digest of a week."""
        return digest_from_json(self.document("friday_digest", friday).body)

    def driven(self, friday: date) -> DriveDocument:
        """The published test drive that looks back from a Friday."""
        return drive_from_json(self.document("test_drive", friday).body)


class SteppedCompany:
    """A generated company, the installation that is connected to it from the start, and later ones."""

    def __init__(self, folder: Path, sandbox: Sandbox, *, seed: int, stack: ExitStack) -> None:
        self._folder, self._sandbox, self._seed, self._stack = folder, sandbox, seed, stack
        morning = datetime.combine(CONNECTED, time(12), tzinfo=UTC)
        sandbox.control.post("/__sandbox__/clock", json={"frozen": True, "now": morning.isoformat()}).raise_for_status()
        self.clock = FixedClock(morning)
        self._weeks = 0
        self._instance = stack.enter_context(dagster_instance(folder / "dagster"))
        self.realm_id = ""
        self.live = self._seen("live")
        self.realm_id = self.live.firm.company(
            TENANT, industry="construction", seed=seed, as_of=CONNECTED.isoformat(), zone=ZONE
        ).realm_id

    @property
    def today(self) -> date:
        """The Friday that has come."""
        return CONNECTED + self._weeks * WEEK

    def connected_today(self) -> Seen:
        """The same company seen by an installation that is connected only now, and has read the books."""
        seen = self._seen(f"since-{self.today}")
        seen.installation.registry.add_tenant(TENANT, firm_id="oak", name=TENANT, zone=ZONE)
        seen.firm.connect(TENANT, self.realm_id)
        seen.sync()
        return seen

    def let_a_week_pass(self, *, deeds: Sequence[str] = (), operations: int = 7) -> dict[str, int]:
        """Seven days of these deeds, or of drawn ones, so many a day; what was done, by name."""
        self._weeks += 1
        lived = self._sandbox.control.post(
            f"/__sandbox__/realms/{self.realm_id}/step",
            json={
                "days": 7,
                "seed": self._seed * 100 + self._weeks,
                "operations": operations,
                "deeds": list(deeds),
            },
        )
        lived.raise_for_status()
        found: dict[str, Any] = lived.json()
        self.clock.move_to(datetime.fromisoformat(found["now"]))
        done: dict[str, int] = found["done"]
        return done

    def cash_of_the_week(self) -> dict[date, int]:
        """The cash at the end of each of the seven days that are over, by the sandbox's own journal as it is now."""
        days, now = [self.today - timedelta(days=back) for back in range(7, 0, -1)], self.clock.now()
        return {
            day: self._sandbox.truth(self.realm_id, basis="known", day=day, instant=now)["cash_cents"] for day in days
        }

    def _seen(self, name: str) -> Seen:
        settings = Settings(data_dir=self._folder / name, qbo_local_url=self._sandbox.url, qbo_retry_seconds=0.0)
        installation = Installation(settings, clock=self.clock)
        self._stack.callback(installation.close)
        upgrade(installation.database)
        return Seen(Firm(installation, self._instance, self._sandbox))


@contextmanager
def stepped_company(folder: Path, *, seed: int) -> Iterator[SteppedCompany]:
    """A company on a sandbox of its own, whose clock it moves."""
    state = folder / "sandbox"
    state.mkdir()
    with ExitStack() as stack:
        sandbox = stack.enter_context(start_sandbox(state))
        yield SteppedCompany(folder, sandbox, seed=seed, stack=stack)
