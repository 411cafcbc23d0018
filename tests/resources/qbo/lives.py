"""Lives of a company while somebody syncs it: drawn by hypothesis, lived through over HTTP.

Belongs here: what a life consists of, how it is lived, what is known after it. Does not: what must hold (`test_equivalence.py`).
"""

import itertools
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import simplejson
from hypothesis import strategies as st

from migrations.chain import upgrade
from qbo_sandbox.living import deeds
from resources.clock import FixedClock
from resources.installation import Installation
from resources.qbo.errors import QboError
from resources.qbo.history import versions
from resources.qbo.kinds import ENTITIES
from resources.qbo.patience import Patience, RetryPolicy
from resources.qbo.smart_sync import SmartSync
from resources.qbo.sync_policy import SyncPolicy
from resources.qbo.sync_report import SyncReport
from resources.settings import Settings
from resources.tenants import TenantId, tenant_id
from tests.conftest import FRIDAY_MORNING
from tests.firm import connect
from tests.sandbox import Sandbox

INDUSTRIES = ("marketing_agency", "construction", "consulting", "e_commerce", "professional_services")
#: Faults that pass; how long one lasts and who waits for it is for other tests.
FAULTS = (
    "http_500", "http_503", "html_body", "drop_before", "http_500_after", "http_503_after", "drop_after",
    "truncated_json", "double_delivery", "throttle_storm", "unauthorized",
)  # fmt: skip
#: What people do, the rare things as often as the everyday ones.
_DEEDS = deeds()
_NUMBERS = itertools.count(1)

#: By kind and id: the digest of the newest text, of what is not deleted.
State = Mapping[str, Mapping[str, str]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """Some time in a company's life: what is done, what is touched, how long it lasts, what fails, whether a sync is tried."""

    deeds: tuple[str, ...]
    seed: int
    #: Kind and number of an object whose LastUpdatedTime moves so many days, into the future as well.
    touch: tuple[str, int, int] | None
    hours: float
    faults: tuple[tuple[str, int], ...]
    is_synced: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Life:
    """A company, how its QuickBooks answers, how it is read, and what happens."""

    industry: str
    seed: int
    settings: Mapping[str, Any]
    page_rows: int
    rounds: tuple[Round, ...]


def lives(*, least: int, most: int) -> st.SearchStrategy[Life]:
    """Lives of so many rounds."""
    return st.builds(
        Life,
        industry=st.sampled_from(INDUSTRIES),
        seed=st.integers(1, 10_000),
        settings=_settings(),
        page_rows=st.sampled_from((1000, 100, 30)),
        rounds=st.lists(_rounds(), min_size=least, max_size=most).map(tuple),
    )


def _rounds() -> st.SearchStrategy[Round]:
    return st.builds(
        Round,
        deeds=st.lists(st.sampled_from(_DEEDS), max_size=14).map(tuple),
        seed=st.integers(0, 10**6),
        touch=st.none()
        | st.tuples(st.sampled_from(("Account", "Bill", "Vendor")), st.integers(0, 99), st.integers(0, 40)),
        # A minute lies inside the overlap, two days make singletons due, more than thirty are past QuickBooks' memory.
        hours=st.sampled_from((0, 0.02, 1, 1, 1, 49, 24 * 31)),
        faults=st.lists(st.tuples(st.sampled_from(FAULTS), st.integers(0, 999)), max_size=2).map(tuple),
        is_synced=st.sampled_from((True, True, True, False)),
    )


def _settings() -> st.SearchStrategy[dict[str, Any]]:
    """Answers to what is not known of QuickBooks; those that matter for reading."""
    return st.fixed_dictionaries(
        {
            "cdc_cap": st.sampled_from(("response", "entity")),
            "cdc_cap_objects": st.sampled_from((1000, 25)),
            "cdc_look_back": st.sampled_from(("refuse", "accept")),
            "default_order": st.sampled_from(("newest_changed", "id")),
            "page_total_count": st.sampled_from(("recorded", "always", "never")),
            "query_time_zone": st.sampled_from(("pacific", "company")),
            "merge_touches_transactions": st.booleans(),
            "throttle_body": st.sampled_from(("xml", "json")),
            "throttle_retry_after": st.booleans(),
        }
    )


@contextmanager
def open_reader(folder: Path, sandbox: Sandbox) -> Iterator[Installation]:
    """An installation that can read companies of this sandbox, with a clock of its own."""
    opened = Installation(Settings(data_dir=folder, qbo_local_url=sandbox.url), clock=FixedClock(FRIDAY_MORNING))
    upgrade(opened.database)
    opened.registry.add_firm("birch-cpa", name="Birch CPA")
    try:
        yield opened
    finally:
        opened.close()


@dataclass(slots=True, kw_only=True)
class Reader:
    """One tenant of an installation that reads the company of a life."""

    installation: Installation
    sandbox: Sandbox
    tenant: TenantId
    life: Life
    smart_sync: SmartSync = field(init=False)

    def __post_init__(self) -> None:
        parts = self.installation
        self.smart_sync = SmartSync(
            client=parts.qbo_client,
            tokens=parts.token_keeper,
            lake=parts.lake,
            commits=parts.commits,
            clock=parts.clock,
            patience=Patience(clock=parts.clock, policy=RetryPolicy(transient_seconds=3.0), turnstile=parts.turnstile),
            policy=SyncPolicy(most_changes=self.life.settings["cdc_cap_objects"]),
            page_rows=self.life.page_rows,
        )

    def sync(self) -> SyncReport | None:
        """Sync once, at the company's own time; None if it gave up, after which nothing may have changed."""
        clock = self.installation.clock
        assert isinstance(clock, FixedClock)
        clock.move_to(max(now(self.sandbox), clock.now()))
        try:
            return self.smart_sync.sync(self.tenant)
        except QboError:
            return None

    def state(self, *, until: datetime | None = None) -> State:
        """What was known at an instant, by default now."""
        return state_at(self.kept(), until=until)

    def kept(self) -> dict[str, list[tuple[datetime, str, bool, str]]]:
        """Every kept version by kind: when it was learned, of which object, whether that is gone, the digest of its text."""
        newest = self.installation.commits.newest_sync(self.tenant)
        histories = {} if newest is None else self.installation.commits.histories(self.tenant, up_to=newest)
        with self.installation.lake.open(self.tenant) as lake:
            return {
                kind.entity: [
                    (row["known_at"], row["qbo_id"], row["is_deleted"], row["digest"])
                    for row in lake.rows(segments, sql=_DIGESTS).to_pylist()
                ]
                for kind in ENTITIES
                if (segments := histories.get(kind.table))
            }

    def objects(self) -> dict[str, dict[str, Any]]:
        """The newest version of each object that is there, as QuickBooks wrote it but for copied names."""
        newest = self.installation.commits.newest_sync(self.tenant)
        assert newest is not None
        histories = self.installation.commits.histories(self.tenant, up_to=newest)
        with self.installation.lake.open(self.tenant) as lake:
            return {
                kind.entity: {
                    row["qbo_id"]: without_copied_names(simplejson.loads(row["payload"], use_decimal=True))
                    for row in lake.rows(histories[kind.table], sql=_LIVING).to_pylist()
                }
                for kind in ENTITIES
            }

    def figures(self) -> list[Any]:
        """Every living object as the calculators get it."""
        newest = self.installation.commits.newest_sync(self.tenant)
        assert newest is not None
        histories = self.installation.commits.histories(self.tenant, up_to=newest)
        found = {}
        with self.installation.lake.open(self.tenant) as lake:
            for kind in ENTITIES:
                for known_at, one in versions(lake, histories[kind.table], entity=kind.entity, until=newest.data_as_of):
                    found[kind.entity, one.id] = (known_at, one)
        return [version for version in found.values() if not version[1].is_deleted]


_DIGESTS = "SELECT known_at, qbo_id, is_deleted, sha256(payload) AS digest FROM segments ORDER BY known_at, qbo_id"
_LIVING = """
    SELECT qbo_id, payload FROM (
        SELECT * FROM segments QUALIFY row_number() OVER (PARTITION BY qbo_id ORDER BY known_at DESC) = 1
    ) WHERE NOT is_deleted
"""


def state_at(kept: Mapping[str, list[tuple[datetime, str, bool, str]]], *, until: datetime | None) -> State:
    """The newest version of each object among those learned by an instant, deleted ones left out."""
    found: dict[str, dict[str, str]] = {}
    for entity, listed in kept.items():
        newest = {row[1]: row for row in listed if until is None or row[0] <= until}
        found[entity] = {qbo_id: row[3] for qbo_id, row in newest.items() if not row[2]}
    return found


def begin(life: Life, *, sandbox: Sandbox) -> str:
    """A company of its own for a life; its realm."""
    realm_id = sandbox.add_company(
        realm_id=str(9_130_358_000_000_000 + next(_NUMBERS)),
        name="Juniper Works",
        industry=life.industry,
        size="micro",
        seed=life.seed,
        as_of="2026-11-20",
        zone="America/New_York",
    )
    sandbox.control.post(f"/__sandbox__/realms/{realm_id}/settings", json=dict(life.settings)).raise_for_status()
    return realm_id


def reader(life: Life, *, sandbox: Sandbox, installation: Installation, realm_id: str) -> Reader:
    """A tenant of its own for a life's company."""
    tenant = tenant_id(f"juniper-{realm_id}")
    clock = installation.clock
    assert isinstance(clock, FixedClock)
    clock.move_to(max(now(sandbox), clock.now()))
    installation.registry.add_tenant(tenant, firm_id="birch-cpa", name="Juniper Works", zone="America/New_York")
    connect(installation, tenant, realm_id)
    return Reader(installation=installation, sandbox=sandbox, tenant=tenant, life=life)


def live(one: Round, *, sandbox: Sandbox, realm_id: str) -> None:
    """What a round does to the company and to the line."""
    realm = f"/__sandbox__/realms/{realm_id}"
    if one.deeds:
        step = {"days": 1, "seed": one.seed, "deeds": one.deeds, "move_clock": False}
        sandbox.control.post(f"{realm}/step", json=step).raise_for_status()
    if one.touch is not None:
        entity, number, days = one.touch
        ids = sorted(objects_of(sandbox, realm_id)[entity])
        at = (now(sandbox) + timedelta(days=days)).isoformat()
        body = {"entity": entity, "id": ids[number % len(ids)], "at": at}
        sandbox.control.post(f"{realm}/touch", json=body).raise_for_status()
    if one.hours:
        sandbox.control.post("/__sandbox__/clock", json={"advance_seconds": one.hours * 3600}).raise_for_status()
    for kind, seed in one.faults:
        sandbox.break_with(realm_id, kind=kind, probability=0.5, seed=seed, times=3)


def now(sandbox: Sandbox) -> datetime:
    """QuickBooks' time."""
    return datetime.fromisoformat(sandbox.control.get("/__sandbox__/clock").json()["now"])


def objects_of(sandbox: Sandbox, realm_id: str) -> dict[str, dict[str, Any]]:
    """What is there, straight from the books, copied names left out."""
    answer = sandbox.control.get(f"/__sandbox__/realms/{realm_id}/objects")
    answer.raise_for_status()
    found = simplejson.loads(answer.text, use_decimal=True)
    return {
        kind.entity: {qbo_id: without_copied_names(body) for qbo_id, body in found[kind.entity].items()}
        for kind in ENTITIES
    }


def without_copied_names(value: Any) -> Any:
    """The value without the names in references: QuickBooks copies them into documents when it pleases."""
    if isinstance(value, list):
        return [without_copied_names(one) for one in value]
    if not isinstance(value, dict):
        return value
    return {
        name: without_copied_names(part) for name, part in value.items() if not (name == "name" and "value" in value)
    }
