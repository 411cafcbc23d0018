"""A tenant's books as its newest sync left them, as frames: no week, no history.

Belongs here: loading them. Does not: weeks (`assets/desk.py`), arithmetic (`runway_calcs`).
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from resources.commits import Sync
from resources.errors import TenantNotReady
from resources.installation import Installation
from resources.qbo.bill_content import BillDetail, bill_detail
from resources.qbo.columns import Version
from resources.qbo.frames import accounts, documents, parties
from resources.qbo.home_currency import home_currency
from resources.qbo.kinds import ENTITIES
from resources.qbo.line_totals import line_totals
from resources.qbo.postings import chart_of_accounts, postings
from resources.qbo.present import present_objects
from resources.qbo.transactions import Bill
from resources.tenants import Tenant
from runway_calcs.books.as_of import AsOf
from runway_calcs.books.reconciliation import PresentBooks


@dataclass(frozen=True, slots=True, kw_only=True)
class Present:
    """The newest books of a tenant and the point of view they give."""

    sync: Sync
    books: PresentBooks
    at: AsOf
    #: What approvals of the bills cover beside the amounts, by bill.
    bill_details: Mapping[str, BillDetail]


def present_books(tenant: Tenant, *, installation: Installation) -> Present:
    """The books of the tenant's newest sync, on the day it was read; `TenantNotReady` if there is none."""
    sync = installation.commits.newest_sync(tenant.tenant_id)
    if sync is None:
        raise TenantNotReady(
            what=f"The books of {tenant.tenant_id!r} have never been read completely.",
            next_step=f"Run `runway connect {tenant.tenant_id}` if it is not connected, then materialize raw_qbo.",
        )
    at = AsOf.at(
        as_of=tenant.local_date(sync.data_as_of),
        known_until=sync.data_as_of,
        first_known_at=sync.data_as_of,
        newest_known_at=sync.data_as_of,
    )
    found = _objects(sync, installation=installation)
    return Present(
        sync=sync,
        books=_books(found, sync=sync, installation=installation),
        at=at,
        bill_details={one.id: bill_detail(one) for _, one in found if isinstance(one, Bill)},
    )


def _objects(sync: Sync, *, installation: Installation) -> list[Version]:
    tenant = sync.tenant_id
    with installation.lake.open(tenant) as lake:
        return [
            version
            for kind in ENTITIES
            for version in present_objects(
                lake, installation.commits.history(tenant, table=kind.table, up_to=sync), entity=kind.entity
            )
        ]


def _books(found: Sequence[Version], *, sync: Sync, installation: Installation) -> PresentBooks:
    home = home_currency(found)
    return PresentBooks(
        home_currency=home,
        accounts=accounts(found, home_currency=home),
        parties=parties(found),
        documents=documents(found, home_currency=home),
        postings=postings(found, chart=chart_of_accounts(found), home_currency=home),
        line_totals=line_totals(found),
        unread=Counter(one.entity for one in installation.commits.quarantined(sync)),
    )
