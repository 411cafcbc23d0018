"""A sync killed at any of its named points: nothing of it shows by halves, the next one ends in the truth, the connection lives."""

import ast
import shutil
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from migrations.chain import upgrade
from resources.failpoints import SYNC_POINTS, arm, disarm, reached
from resources.installation import Installation
from resources.mail.sender import MAIL_POINTS
from resources.published_balances import PublishedBalances
from resources.qbo.errors import ConnectionLost
from resources.qbo.kinds import ENTITIES
from tests.processes import exit_code
from tests.resources.qbo.dying_sync import (
    START,
    TENANT,
    Death,
    broken_segments,
    die_on_the_way,
    files,
    open_installation,
    sync_and_publish,
    syncs,
    true_publication,
)
from tests.resources.qbo.kept_versions import Living, Versions, doubled, kept, living
from tests.sandbox import Sandbox

#: Passages of each point in a first load and in an increment that a kill is tried at; more there may be, fewer not.
_FIRST_LOAD = {
    "lease.take.in": 1,
    "lease.taken": 1,
    "token.lease.taken": 2,
    "token.before_save": 2,
    "token.save.in": 2,
    "token.after_save": 2,
    "token.before_first_use": 2,
    "token.confirm.in": 1,
    "turnstile.in": 3,
    "turnstile.after": 3,
    "call.answered": 3,
    "window.anchored": 1,
    "segment.opened": 3,
    "segment.written": 3,
    "segment.renamed": 3,
    "lease.renew.in": 3,
    "read.kind_written": 3,
    "read.changes": 1,
    "sync.before_commit": 1,
    "commit.row_in": 1,
    "commit.in": 1,
    "commit.after": 1,
    "publish.in": 1,
    "publish.after": 1,
}
_INCREMENT = {
    "lease.take.in": 1,
    "lease.taken": 1,
    "token.lease.taken": 1,
    "token.before_save": 1,
    "token.save.in": 1,
    "token.after_save": 1,
    "token.before_first_use": 1,
    "token.confirm.in": 1,
    "turnstile.in": 1,
    "turnstile.after": 1,
    "call.answered": 1,
    "window.anchored": 1,
    "segment.opened": 3,
    "segment.written": 3,
    "segment.renamed": 3,
    "read.changes": 1,
    "sync.before_commit": 1,
    "commit.row_in": 1,
    "commit.in": 1,
    "commit.after": 1,
    "publish.in": 1,
    "publish.after": 1,
    "sweep.one": 3,
}
_VISIBLE_FROM = ("commit.after", "publish.in", "publish.after", "sweep.one")
_PUBLISHED_FROM = ("publish.after", "sweep.one")
_ROUNDS = 20
_AT_MOST = 6  # orphans that are left for the sweep of an increment to find
_OLD_VALUES_WORK = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class _Scenario:
    """A tenant before its sync, and the state that the sync has to end in."""

    sandbox: Sandbox
    realm_id: str
    folder: Path
    kept: Versions
    published: PublishedBalances | None
    truth: Living
    hits: dict[str, int]

    def settings(self, **changed: Any) -> None:
        self.sandbox.control.post("/__sandbox__/settings", json=changed).raise_for_status()


@pytest.fixture(scope="module")
def scenarios(sandbox: Sandbox, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, _Scenario]]:
    """One company, and its tenant before the first load and before an increment; tokens that die on the way and rotate."""
    folder = tmp_path_factory.mktemp("kill points")
    app = sandbox.control.get("/__sandbox__/settings").json()
    realm_id = sandbox.add_company(
        realm_id="9130359000000077",
        name="Linden Press",
        industry="consulting",
        size="micro",
        seed=77,
        as_of="2026-11-20",
        zone="America/New_York",
    )
    first, second, fresh = folder / "first load", folder / "increment", folder / "fresh"
    for one in (first, second, fresh):
        with open_installation(one, sandbox.url) as installation:
            upgrade(installation.database)
            installation.registry.add_firm("birch-cpa", name="Birch CPA")
            installation.registry.add_tenant(TENANT, firm_id="birch-cpa", name="Linden Press", zone="America/New_York")
    with open_installation(second, sandbox.url) as installation:
        _connect(installation, realm_id)
        sync_and_publish(installation)
    sandbox.control.post(
        f"/__sandbox__/realms/{realm_id}/step", json={"days": 1, "seed": 5, "operations": 25, "move_clock": False}
    ).raise_for_status()
    with open_installation(fresh, sandbox.url) as installation:
        _connect(installation, realm_id)
        sync_and_publish(installation)
        truth = living(kept(installation, TENANT))
    _leave_orphans(second)
    rotating = {
        "refresh_rotation_seconds": 0,
        "access_token_seconds": 400,
        "replaced_refresh_seconds": _OLD_VALUES_WORK,
    }
    sandbox.control.post("/__sandbox__/settings", json=rotating).raise_for_status()
    yield {
        name: _scenario(sandbox, realm_id, folder=before, truth=truth, hits=hits)
        for name, before, hits in (("first load", first, _FIRST_LOAD), ("increment", second, _INCREMENT))
    }
    sandbox.control.post("/__sandbox__/settings", json=app).raise_for_status()


def _scenario(sandbox: Sandbox, realm_id: str, *, folder: Path, truth: Living, hits: dict[str, int]) -> _Scenario:
    with open_installation(folder, sandbox.url) as installation:
        return _Scenario(
            sandbox=sandbox,
            realm_id=realm_id,
            folder=folder,
            kept=kept(installation, TENANT),
            published=installation.published_balances.read(TENANT),
            truth=truth,
            hits=hits,
        )


def _leave_orphans(folder: Path) -> None:
    table = folder / "lake" / TENANT / "raw_qbo" / "bills"
    for number in range(_AT_MOST // 2):
        (table / f".{number}.unfinished").write_bytes(b"half a segment")
        (table / f"{number:032x}.parquet").write_bytes(b"a whole one of a sync that died")


def _connect(installation: Installation, realm_id: str) -> None:
    consented = installation.oauth.consent_without_browser(
        redirect_uri=installation.settings.qbo_redirect_uri, realm_id=realm_id
    )
    installation.connections.connect(TENANT, environment="local", realm_id=realm_id, tokens=consented.tokens)


@contextmanager
def _after_death(scenario: _Scenario, folder: Path, death: Death) -> Iterator[Installation]:
    """The installation of a process that was killed at a point, half an hour later."""
    shutil.copytree(scenario.folder, folder)
    with open_installation(folder, scenario.sandbox.url) as installation:
        _connect(installation, scenario.realm_id)  # earlier deaths have used up the tokens of the copy
        two_hours_later = START + timedelta(hours=2)
        died = exit_code(die_on_the_way, folder, scenario.sandbox.url, two_hours_later, death)
        assert died == -signal.SIGKILL, f"{death} was not reached"
        installation.clock.sleep(timedelta(hours=2, minutes=30).total_seconds())
        yield installation


def _dies_and_recovers(scenario: _Scenario, folder: Path, death: Death) -> None:
    is_increment = scenario.hits is _INCREMENT
    with _after_death(scenario, folder, death) as installation:
        found = kept(installation, TENANT)
        visible = death.point in _VISIBLE_FROM
        assert syncs(installation) == is_increment + visible
        assert broken_segments(installation) == []
        assert living(found) == scenario.truth if visible else found == scenario.kept
        published = true_publication(installation) if death.point in _PUBLISHED_FROM else scenario.published
        assert installation.published_balances.read(TENANT) == published

        report = sync_and_publish(installation)
        assert report.kind == ("changes" if is_increment or visible else "full")
        ended = kept(installation, TENANT)
        assert living(ended) == scenario.truth
        assert doubled(ended) == []
        assert broken_segments(installation) == []
        assert installation.published_balances.read(TENANT) == true_publication(installation)
        assert files(installation) == installation.commits.named_paths(TENANT)
        assert installation.connections.load(TENANT).state == "connected"
        assert installation.smart_sync.sync(TENANT).kind == "changes"


def _cells(round_number: int) -> list[Any]:
    """One cell a point in each round: the scenario and the passage go round with the rounds."""
    cells = []
    for number, point in enumerate(SYNC_POINTS):
        possible = [
            (name, hit)
            for name, hits in (("increment", _INCREMENT), ("first load", _FIRST_LOAD))
            for hit in range(1, hits.get(point, 0) + 1)
        ]
        # An increment costs a tenth of a first load: the first round, which is everybody's, prefers it.
        name, hit = possible[0] if round_number == 0 else possible[(round_number + number) % len(possible)]
        cells.append(pytest.param(name, Death(point=point, hit=hit), id=f"{point} {hit} {name}"))
    return cells


@pytest.mark.parametrize(("name", "death"), _cells(0))
def test_a_sync_killed_at_a_point_is_made_good_by_the_next(
    scenarios: dict[str, _Scenario], tmp_path: Path, name: str, death: Death
) -> None:
    _dies_and_recovers(scenarios[name], tmp_path / "died", death)


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("round_number", range(1, _ROUNDS))
def test_a_sync_killed_again_and_again_at_every_point_is_made_good(
    scenarios: dict[str, _Scenario], tmp_path: Path, round_number: int
) -> None:
    print(f"round {round_number}")  # noqa: T201 - a long run says what it does
    for number, cell in enumerate(_cells(round_number)):
        name, death = cell.values
        strict = death.point not in ("token.before_save", "token.save.in") and round_number % 2
        scenarios[name].settings(replaced_refresh_seconds=0 if strict else _OLD_VALUES_WORK)
        try:
            _dies_and_recovers(scenarios[name], tmp_path / str(number), death)
        finally:
            scenarios[name].settings(replaced_refresh_seconds=_OLD_VALUES_WORK)
        shutil.rmtree(tmp_path / str(number))


def test_tokens_lost_between_intuit_and_the_store_end_the_connection_openly(
    scenarios: dict[str, _Scenario], tmp_path: Path
) -> None:
    """If a replaced refresh token is dead at once, nobody has the new one: a person connects again, and nothing else is lost."""
    scenario = scenarios["increment"]
    scenario.settings(replaced_refresh_seconds=0)
    try:
        with _after_death(scenario, tmp_path / "died", Death(point="token.before_save", hit=1)) as installation:
            before = kept(installation, TENANT)
            with pytest.raises(ConnectionLost, match=f"runway connect {TENANT}"):
                sync_and_publish(installation)
            assert installation.connections.load(TENANT).state == "lost"
            assert kept(installation, TENANT) == before
            _connect(installation, scenario.realm_id)
            sync_and_publish(installation)
            assert living(kept(installation, TENANT)) == scenario.truth
    finally:
        scenario.settings(replaced_refresh_seconds=_OLD_VALUES_WORK)


def test_what_a_fresh_load_holds_is_the_sandboxs_truth(scenarios: dict[str, _Scenario]) -> None:
    scenario = scenarios["increment"]
    told = scenario.sandbox.control.post(f"/__sandbox__/realms/{scenario.realm_id}/build").json()
    assert {entity: len(found) for entity, found in scenario.truth.items()} == {
        kind.entity: told[kind.entity] for kind in ENTITIES
    }
    truth = scenario.sandbox.truth(scenario.realm_id, basis="known", day=date(2999, 1, 1))
    assert truth["payables"]["open"]


def test_every_point_of_a_sync_is_a_line_of_the_program_and_is_passed(
    scenarios: dict[str, _Scenario], tmp_path: Path
) -> None:
    """A name that nothing passes would let its kill test prove nothing."""
    rooms = Path(__file__).parents[3] / "resources"
    calls = [
        node.args[0]
        for path in rooms.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "failpoint"
    ]
    names = [call.value for call in calls if isinstance(call, ast.Constant) and isinstance(call.value, str)]
    assert len(names) == len(calls), "a point is named by a literal"
    # Mail has a register of its own, and its own test that every point is passed.
    assert sorted(names) == sorted([*SYNC_POINTS, *MAIL_POINTS]), "each name stands in a register and in one place"
    passed: dict[str, int] = {}
    for name, scenario in scenarios.items():
        shutil.copytree(scenario.folder, tmp_path / name)
        with open_installation(tmp_path / name, scenario.sandbox.url) as installation:
            _connect(installation, scenario.realm_id)
        with open_installation(
            tmp_path / name, scenario.sandbox.url, starts=START + timedelta(hours=2)
        ) as installation:
            for point in SYNC_POINTS:
                arm(point, hit=1_000_000)
            try:
                sync_and_publish(installation)
                counted = {point: reached(point) for point in SYNC_POINTS}
            finally:
                disarm()
        assert [point for point, most in scenario.hits.items() if counted[point] < most] == []
        passed = {point: passed.get(point, 0) + counted[point] for point in SYNC_POINTS}
    assert [point for point, count in passed.items() if count == 0] == []
