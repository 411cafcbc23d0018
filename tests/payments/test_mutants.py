"""The suite can see: with a safeguard left out, the test that is there for it turns red."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from resources.clock import FixedClock
from resources.database import Database
from tests.payments.ledger_mutants import LEDGER_MUTANTS
from tests.payments.mutants import MUTANTS
from tests.payments.office import Company, Office, furnish, open_installation
from tests.payments.rows import NOW, put_all
from tests.payments.test_audit import desk as audit_desk
from tests.payments.test_batches import desk as batches_desk
from tests.payments.test_decisions import desk as decisions_desk
from tests.payments.test_reserves import desk as reserves_desk
from tests.payments.test_tenants_apart import desks
from tests.resources.builders import ACME, BOLT, add_tenants
from tests.resources.test_database import counter
from tests.sandbox import Sandbox

# What the witnesses work on: fixtures of other modules, under names of their own.
__all__ = ["audit_desk", "batches_desk", "counter", "decisions_desk", "desks", "reserves_desk"]

#: Safeguards of each kind for every change; the others are in the long suite.
_SAMPLE = (
    "the hold commits apart from its decision",
    "transactions are DEFERRED",
    "the fingerprint of an approval holds no content",
    "finalizing trusts the balance of the decision",
    "the database has no fence",
)
_COUNT = 30


def _of(*fixtures: str) -> list[Any]:
    names = [name for name, mutant in LEDGER_MUTANTS.items() if mutant.on in fixtures]
    return [pytest.param(name, marks=[] if name in _SAMPLE else [pytest.mark.long]) for name in names]


@pytest.fixture(scope="module")
def office_folder(
    sandbox: Sandbox, migrated_file: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Company, Path]:
    company = Company(sandbox, realm_id="9130777000000017")
    folder = tmp_path_factory.mktemp("office") / "data"
    furnish(folder, company, migrated=migrated_file)
    return company, folder


@pytest.fixture
def office(office_folder: tuple[Company, Path], tmp_path: Path) -> Iterator[Office]:
    company, folder = office_folder
    shutil.copytree(folder, tmp_path / "data")
    opened = open_installation(tmp_path / "data", company.sandbox.url)
    yield Office(opened, company, register=False)
    company.sandbox.heal(company.realm_id)
    company.settings(request_ids="honoured", duplicate_doc_number="accept", overpaying_line="refuse")
    opened.close()


@pytest.fixture
def guarded(migrated_file: Path, tmp_path: Path) -> Iterator[Database]:
    """The filled ledger of the guards' tests, of which a test may take guards away."""
    path = tmp_path / "runway.sqlite"
    shutil.copyfile(migrated_file, path)
    database = Database(f"sqlite:///{path}")
    add_tenants(database, FixedClock(NOW), ACME, BOLT)
    put_all(database)
    yield database
    database.close()


def test_there_are_thirty_wrong_programs_and_more() -> None:
    assert len({*MUTANTS, *LEDGER_MUTANTS}) == len(MUTANTS) + len(LEDGER_MUTANTS) >= _COUNT


@pytest.mark.parametrize("bare_desk", ["sqlite"], indirect=True)
@pytest.mark.parametrize("name", _of("audit_desk", "batches_desk", "decisions_desk", "reserves_desk", "desks"))
@pytest.mark.usefixtures("bare_desk")
def test_a_wrong_ledger_is_found_out(
    name: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    _assert_seen(name, request, monkeypatch)


@pytest.mark.parametrize("database", ["sqlite"], indirect=True)
@pytest.mark.parametrize("name", _of("counter"))
@pytest.mark.usefixtures("database")
def test_wrong_transactions_are_found_out(
    name: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    _assert_seen(name, request, monkeypatch)


@pytest.mark.parametrize("name", _of("guarded"))
def test_a_database_without_a_guard_is_found_out(
    name: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    _assert_seen(name, request, monkeypatch)


@pytest.mark.parametrize("name", _of("office", "office and folder"))
def test_wrong_sending_is_found_out(
    name: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _assert_seen(name, request, monkeypatch, *([tmp_path] if LEDGER_MUTANTS[name].on == "office and folder" else []))


def _assert_seen(name: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, *more: Any) -> None:
    """The witness turns red in one of the ways in which the mutant is known to show."""
    mutant = LEDGER_MUTANTS[name]
    mutant.apply(monkeypatch)
    fixture = request.getfixturevalue(mutant.on.split()[0])
    for trigger in mutant.without:
        with fixture.write() as connection:
            connection.exec_driver_sql(f"DROP TRIGGER {trigger}")
    with pytest.raises(mutant.shows_as) as seen:
        mutant.witness(fixture, *more)
    print(f"{name}: {seen.typename}: {str(seen.value).splitlines()[0]}")  # noqa: T201 - how it showed
