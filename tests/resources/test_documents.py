"""Published documents."""

from dataclasses import replace
from datetime import date, timedelta

import pytest

from resources.clock import FixedClock, SystemClock
from resources.database import Database
from resources.documents import Document, Documents, FirmDocument
from resources.tables import PUBLISHED_DOCUMENT
from tests.conftest import FRIDAY
from tests.databases import url_of
from tests.processes import at_once
from tests.resources.builders import ACME, BOLT, NOON, add_tenants

_DIGEST = Document(
    tenant_id=ACME,
    kind="digest",
    key="2026-11-20",
    title="Acme: 12 weeks",
    body='{"weeks": 12}',
    html="<p>12</p>",
    text="12",
    data_as_of=NOON,
)


@pytest.fixture
def documents(database: Database, clock: FixedClock) -> Documents:
    """The shelf of two tenants."""
    add_tenants(database, clock, ACME, BOLT)
    return Documents(database, clock=clock)


def test_a_published_document_is_read_back(documents: Documents) -> None:
    assert documents.publish(_DIGEST)
    assert documents.read(ACME, kind="digest", key="2026-11-20") == _DIGEST


def test_documents_of_other_tenants_kinds_and_keys_are_others(documents: Documents) -> None:
    documents.publish(_DIGEST)
    for other in (replace(_DIGEST, tenant_id=BOLT), replace(_DIGEST, kind="tray"), replace(_DIGEST, key="2026-11-13")):
        assert documents.read(other.tenant_id, kind=other.kind, key=other.key) is None
        assert documents.publish(replace(other, title="another"))
    assert documents.read(ACME, kind="digest", key="2026-11-20") == _DIGEST


def test_the_same_again_changes_nothing(documents: Documents, database: Database, clock: FixedClock) -> None:
    documents.publish(_DIGEST)
    clock.sleep(60)
    assert not documents.publish(_DIGEST)
    with database.read() as connection:
        [row] = connection.execute(PUBLISHED_DOCUMENT.select())
    assert row.published_at == clock.now() - timedelta(seconds=60)


@pytest.mark.parametrize(
    "change",
    [
        {"title": "Acme: 11 weeks"},
        {"body": "{}"},
        {"html": "<p>"},
        {"text": "11"},
        {"data_as_of": NOON + timedelta(hours=1)},
    ],
    ids=lambda change: next(iter(change)),
)
def test_a_change_of_any_part_is_published(documents: Documents, change: dict[str, object]) -> None:
    """A new title alone, which is a mail's subject, once went unnoticed."""
    documents.publish(_DIGEST)
    changed = replace(_DIGEST, **change)
    assert documents.publish(changed)
    assert documents.read(ACME, kind="digest", key="2026-11-20") == changed


def test_a_document_of_older_books_never_replaces_one_of_newer_books(documents: Documents) -> None:
    documents.publish(_DIGEST)
    assert not documents.publish(replace(_DIGEST, text="stale", data_as_of=NOON - timedelta(microseconds=1)))
    assert documents.read(ACME, kind="digest", key="2026-11-20") == _DIGEST


def test_processes_that_publish_at_once_leave_the_newest(documents: Documents, database: Database) -> None:
    at_once(4, _publish_often, url_of(database))
    found = documents.read(ACME, kind="digest", key="2026-11-20")
    assert found is not None
    assert found.text == "20 of 3"


def _publish_often(number: int, url: str) -> None:
    database = Database(url)
    shelf = Documents(database, clock=SystemClock())
    for times in range(1, 21):
        newer = NOON + timedelta(hours=times, minutes=number)
        shelf.publish(replace(_DIGEST, text=f"{times} of {number}", data_as_of=newer))
    database.close()


def test_the_newest_document_of_a_kind_is_the_one_of_the_latest_week_that_has_come(
    database: Database, clock: FixedClock
) -> None:
    add_tenants(database, clock)
    shelf = Documents(database, clock=clock)
    assert shelf.newest(ACME, kind="tray", not_after=FRIDAY) is None
    for key in ("2026-11-13", "2026-11-20", "2026-11-06", "2027-11-19"):
        shelf.publish(
            Document(tenant_id=ACME, kind="tray", key=key, title=key, body="", html="", text="", data_as_of=clock.now())
        )

    def newest(day: date) -> str | None:
        found = shelf.newest(ACME, kind="tray", not_after=day)
        return None if found is None else found.key

    assert [newest(FRIDAY + timedelta(days=days)) for days in (0, 6, -1)] == ["2026-11-20", "2026-11-20", "2026-11-13"]
    assert newest(date(2026, 11, 5)) is None
    assert newest(date(2027, 11, 19)) == "2027-11-19"
    assert shelf.newest(BOLT, kind="tray", not_after=FRIDAY) is None


def test_a_firms_document_is_replaced_and_the_same_one_changes_nothing(database: Database, clock: FixedClock) -> None:
    firm_id = add_tenants(database, clock)[0].firm_id
    shelf = Documents(database, clock=clock)
    first = FirmDocument(firm_id=firm_id, kind="portfolio", key="2026-11-20", title="a", body="", html="", text="")
    assert shelf.publish_for_firm(first)
    assert not shelf.publish_for_firm(first)
    second = replace(first, title="b")
    assert shelf.publish_for_firm(second)
    assert shelf.read_for_firm(firm_id, kind="portfolio", key="2026-11-20") == second
    assert shelf.read_for_firm(firm_id, kind="portfolio", key="2026-11-13") is None
