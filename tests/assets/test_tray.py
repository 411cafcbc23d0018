"""The tray of a company in the local QuickBooks: what a person mends there leaves by itself, and its links name the company."""

from datetime import date, timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
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
from resources.tenants import tenant_id
from runway_calcs.hygiene.defects import DefectKind
from tests.conftest import FRIDAY
from tests.consent import connect
from tests.experiences.parsed import parse
from tests.sandbox import Sandbox

_ACME = tenant_id("acme")
_REALM = "9130395000000013"
_SAID = {"author": "ann", "reason": "asked"}
_ISSUED = date(2026, 11, 2)


class Bookkeeper:
    """A person who works in QuickBooks."""

    def __init__(self, sandbox: Sandbox, installation: Installation) -> None:
        token = installation.connections.load(_ACME).tokens.access_token.reveal()
        self._headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
        self._company = f"{sandbox.url}/v3/company/{_REALM}"

    def enter(self, entity: str, **body: Any) -> str:
        """Enter something new; its id."""
        return str(self._write(entity, body)["Id"])

    def enter_bill(self, vendor: str, *, dollars: int) -> str:
        """A bill on which nothing says when it is due, which QuickBooks therefore calls due on its own date; its id."""
        account = {"AccountRef": {"value": self._find("Account where AccountType = 'Expense'")["Id"]}}
        detail = {"DetailType": "AccountBasedExpenseLineDetail", "AccountBasedExpenseLineDetail": account}
        line = {"Amount": dollars, **detail}
        return self.enter("Bill", VendorRef={"value": vendor}, TxnDate=_ISSUED.isoformat(), Line=[line])

    def enter_due_date(self, bill: str, due: date) -> None:
        """Open a bill, type the date that the document states, and save."""
        found = self._find(f"Bill where Id = '{bill}'")
        self._write("Bill", {**found, "DueDate": due.isoformat()})

    def _find(self, what: str) -> dict[str, Any]:
        query = {"query": f"select * from {what} maxresults 1"}  # noqa: S608 - conditions of ours
        answer = httpx.get(f"{self._company}/query", params=query, headers=self._headers, trust_env=False)
        ((found,),) = [
            rows for rows in answer.raise_for_status().json()["QueryResponse"].values() if isinstance(rows, list)
        ]
        return dict(found)

    def _write(self, entity: str, body: dict[str, Any]) -> dict[str, Any]:
        address = f"{self._company}/{entity.lower()}"
        answer = httpx.post(address, json=body, headers=self._headers, trust_env=False).raise_for_status()
        return dict(answer.json()[entity])


@pytest.fixture
def bookkeeper(installation: Installation, sandbox: Sandbox) -> Bookkeeper:
    """Whoever keeps the books of the one tenant."""
    sandbox.add_company(
        realm_id=_REALM,
        name="Acme generated",
        industry="construction",
        size="micro",
        seed=3,
        as_of=FRIDAY.isoformat(),
        zone="America/New_York",
    )
    installation.registry.add_firm("oak", name="Oak")
    installation.registry.add_tenant("acme", firm_id="oak", name="Acme", zone="America/New_York")
    connect(installation, "acme", _REALM)
    return Bookkeeper(sandbox, installation)


def _published(installation: Installation, clock: FixedClock) -> tuple[Document, Metadata]:
    """Read the books and make the week's tray of them; what is published, and what Dagster is told."""
    clock.sleep(60)
    installation.smart_sync.sync(_ACME)
    tables = {one.key: one for one in (*CALCULATORS, *DIGESTS)}
    run = RunWeek(week_ending=FRIDAY, started_at=clock.now())
    with newest_desk(_ACME, installation=installation, week=run) as desk:
        make_ledger(desk)
        for table in (*POSITIONS, tables["runway/hygiene"]):
            table.work(desk)
        told = tables["digest/tray"].work(desk)
    found = installation.documents.read(_ACME, kind="tray", key=FRIDAY.isoformat())
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


def _assert_links_name_the_company(published: Document, told: Metadata) -> None:
    """Every link, and nothing that a log or Dagster's event log may show."""
    document = from_json(published.body)
    assert document.company == QboCompany(realm_id=_REALM, environment=Environment.LOCAL)
    links = parse(published.html).all("a")
    assert len(links) == len(document.items) > 0
    for one in links:
        assert parse_qs(urlsplit(one.attributes["href"]).query)["deeplinkcompanyid"] == [_REALM]
    for words in (published.title, published.text, repr(told)):
        assert _REALM not in words


def test_what_is_mended_in_quickbooks_leaves_the_tray_with_the_next_read_of_the_books(
    installation: Installation, clock: FixedClock, bookkeeper: Bookkeeper
) -> None:
    terms = bookkeeper.enter("Term", Name="Net 30 as agreed", Type="STANDARD", DueDays=30)
    vendor = bookkeeper.enter("Vendor", DisplayName="Fernhill Timber", TermRef={"value": terms})
    listed, snoozed, dismissed, left = (bookkeeper.enter_bill(vendor, dollars=one) for one in (410, 520, 630, 740))
    tenant = installation.registry.tenant(_ACME)
    for bill, until in ((snoozed, FRIDAY + timedelta(days=30)), (dismissed, None)):
        defect = (DefectKind.MISSING_DUE_DATE.value, "Bill", bill)
        installation.entries.rule(tenant, defect=defect, until=until, **_SAID)
    published, told = _published(installation, clock)
    _assert_links_name_the_company(published, told)
    first = from_json(published.body)
    before, before_aside = _undated(first)
    assert {listed, left} <= before
    assert before_aside == {snoozed, dismissed}

    for bill in (listed, snoozed, dismissed):
        bookkeeper.enter_due_date(bill, _ISSUED + timedelta(days=30))
    second = from_json(_published(installation, clock)[0].body)
    assert _undated(second) == (before - {listed}, set())
    assert (second.count, second.set_aside_count) == (first.count - 1, 0)
    # What was said stays said: it would count again if the date were taken away.
    assert {one.object_id for one in installation.entries.rulings(_ACME)} == {snoozed, dismissed}
