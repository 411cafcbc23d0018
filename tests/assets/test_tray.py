"""The tray of a company in the local QuickBooks: what a person mends there leaves by itself, and its links name the company."""

from datetime import date, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from assets.books import POSITIONS, make_ledger
from assets.calculators import CALCULATORS
from assets.desk import newest_desk
from assets.experiences import DIGESTS
from assets.tenants import Metadata
from experiences.tray.document import TrayDocument, from_json
from experiences.tray.links import Environment, QboCompany
from resources.clock import FixedClock
from resources.documents import Document
from resources.installation import Installation, RunWeek
from runway_calcs.hygiene.defects import DefectKind
from tests.assets.bookkeeper import ACME, Bookkeeper, connected_acme
from tests.conftest import FRIDAY
from tests.experiences.parsed import parse
from tests.sandbox import Sandbox

_SAID = {"author": "ann", "reason": "asked"}
_ISSUED = date(2026, 11, 2)


@pytest.fixture
def bookkeeper(installation: Installation, sandbox: Sandbox) -> Bookkeeper:
    """Whoever keeps the books of the one tenant."""
    return connected_acme(installation, sandbox)


def _published(installation: Installation, clock: FixedClock) -> tuple[Document, Metadata]:
    """Read the books and make the week's tray of them; what is published, and what Dagster is told."""
    clock.sleep(60)
    installation.smart_sync.sync(ACME)
    tables = {one.key: one for one in (*CALCULATORS, *DIGESTS)}
    run = RunWeek(week_ending=FRIDAY, started_at=clock.now())
    with newest_desk(ACME, installation=installation, week=run) as desk:
        make_ledger(desk)
        for table in (*POSITIONS, tables["runway/hygiene"]):
            table.work(desk)
        told = tables["digest/tray"].work(desk)
    found = installation.documents.read(ACME, kind="tray", key=FRIDAY.isoformat())
    assert found is not None
    return found, told


def _undated(document: TrayDocument) -> tuple[set[str], set[str]]:
    """The bills without a due date that are listed, and those that are set aside."""
    key = (DefectKind.MISSING_DUE_DATE, "Bill")
    aside = [one.item for one in document.set_aside]
    listed, set_aside = (
        {one.object_id for one in items if (one.kind, one.object_type) == key} for items in (document.items, aside)
    )
    return listed, set_aside


def _assert_links_name_the_company(published: Document, told: Metadata, *, realm_id: str) -> None:
    """Every link, and nothing that a log or Dagster's event log may show."""
    document = from_json(published.body)
    assert document.company == QboCompany(realm_id=realm_id, environment=Environment.LOCAL)
    links = parse(published.html).all("a")
    assert len(links) == len(document.items) > 0
    for one in links:
        assert parse_qs(urlsplit(one.attributes["href"]).query)["deeplinkcompanyid"] == [realm_id]
    for words in (published.title, published.text, repr(told)):
        assert realm_id not in words


def test_what_is_mended_in_quickbooks_leaves_the_tray_with_the_next_read_of_the_books(
    installation: Installation, clock: FixedClock, bookkeeper: Bookkeeper
) -> None:
    terms = bookkeeper.enter("Term", Name="Net 30 as agreed", Type="STANDARD", DueDays=30)
    vendor = bookkeeper.enter("Vendor", DisplayName="Fernhill Timber", TermRef={"value": terms})
    listed, snoozed, dismissed, left = (
        bookkeeper.enter_bill(vendor=vendor, dollars=one, issued=_ISSUED) for one in (410, 520, 630, 740)
    )
    tenant = installation.registry.tenant(ACME)
    for bill, until in ((snoozed, FRIDAY + timedelta(days=30)), (dismissed, None)):
        defect = (DefectKind.MISSING_DUE_DATE.value, "Bill", bill)
        installation.entries.rule(tenant, defect=defect, until=until, **_SAID)
    published, told = _published(installation, clock)
    _assert_links_name_the_company(published, told, realm_id=bookkeeper.realm_id)
    first = from_json(published.body)
    before, before_aside = _undated(first)
    assert {listed, left} <= before
    assert before_aside == {snoozed, dismissed}

    for bill in (listed, snoozed, dismissed):
        found = bookkeeper.first(f"Bill where Id = '{bill}'")
        bookkeeper.save("Bill", {**found, "DueDate": (_ISSUED + timedelta(days=30)).isoformat()})
    second = from_json(_published(installation, clock)[0].body)
    assert _undated(second) == (before - {listed}, set())
    assert (second.count, second.set_aside_count) == (first.count - 1, 0)
    # What was said stays said: it would count again if the date were taken away.
    assert {one.object_id for one in installation.entries.rulings(ACME)} == {snoozed, dismissed}
