"""A tenant on a generated company of the local QuickBooks, and the person who keeps its books there.

Belongs here: what is entered over QuickBooks' own API. Does not: what people tell Runway (`office.py`).
"""

from collections.abc import Mapping
from datetime import date
from itertools import count
from typing import Any

import httpx

from resources.installation import Installation
from resources.tenants import tenant_id
from tests.conftest import FRIDAY
from tests.consent import connect
from tests.sandbox import Sandbox

ACME = tenant_id("acme")
_REALMS = count(9_130_395_000_000_011)


class Bookkeeper:
    """A person who works in QuickBooks."""

    def __init__(self, installation: Installation, sandbox: Sandbox, *, realm_id: str) -> None:
        token = installation.connections.load(ACME).tokens.access_token.reveal()
        self.realm_id = realm_id
        self._headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
        self._company = f"{sandbox.url}/v3/company/{realm_id}"

    def enter(self, entity: str, **body: Any) -> str:
        """Enter something new; its id."""
        return str(self.save(entity, body)["Id"])

    def enter_bill(self, *, vendor: str, dollars: int, issued: date, due: date | None = None) -> str:
        """A bill for an expense; its id. Without a due date QuickBooks calls it due on its own date."""
        account = {"AccountRef": {"value": self.first("Account where AccountType = 'Expense'")["Id"]}}
        detail = {"DetailType": "AccountBasedExpenseLineDetail", "AccountBasedExpenseLineDetail": account}
        dates = {"TxnDate": issued.isoformat()} | ({} if due is None else {"DueDate": due.isoformat()})
        return self.enter("Bill", VendorRef={"value": vendor}, Line=[{"Amount": dollars, **detail}], **dates)

    def first(self, what: str) -> dict[str, Any]:
        """The first of a query, such as "Vendor where Active = true"."""
        query = {"query": f"select * from {what} maxresults 1"}  # noqa: S608 - conditions of the tests
        answer = httpx.get(f"{self._company}/query", params=query, headers=self._headers, trust_env=False)
        ((found,),) = [
            rows for rows in answer.raise_for_status().json()["QueryResponse"].values() if isinstance(rows, list)
        ]
        return dict(found)

    def save(self, entity: str, body: Mapping[str, Any]) -> dict[str, Any]:
        """Save something new or changed; as it stands then."""
        address = f"{self._company}/{entity.lower()}"
        answer = httpx.post(address, json=dict(body), headers=self._headers, trust_env=False).raise_for_status()
        return dict(answer.json()[entity])


def connected_acme(installation: Installation, sandbox: Sandbox) -> Bookkeeper:
    """Acme with the books of a construction company, connected and not read yet; whoever keeps them."""
    realm = sandbox.add_company(
        realm_id=str(next(_REALMS)),
        name="Acme generated",
        industry="construction",
        size="micro",
        seed=3,
        as_of=FRIDAY.isoformat(),
        zone="America/New_York",
    )
    installation.registry.add_firm("oak", name="Oak")
    installation.registry.add_tenant("acme", firm_id="oak", name="Acme", zone="America/New_York")
    connect(installation, "acme", realm)
    return Bookkeeper(installation, sandbox, realm_id=realm)
