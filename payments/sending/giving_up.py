"""Whether a tenant may give its company up to another one.

Belongs here: what of the ledger speaks against it. Does not: the change of hands itself (`resources/connections.py`).
"""

from sqlalchemy import Connection, func, select

from payments.store.batch_tables import INTENT
from resources.row_security import see_tenant
from resources.tenants import TenantId


def why_company_stays(connection: Connection, tenant: TenantId) -> str | None:
    """What to tell who wants the company of a tenant that has payments for another one; None if it never had any.

    A payment may be on its way without the books having it, and whoever pays for the company next would see the bill open. Even
    when all are final the next ledger would derive the same keys for the rest of a bill, and take the first one's records for
    orphans.
    From here to its end the transaction sees this tenant's rows of the ledger.
    """
    see_tenant(connection, tenant)
    count = connection.execute(
        select(func.count()).select_from(INTENT).where(INTENT.c.tenant_id == tenant)
    ).scalar_one()
    if not count:
        return None
    payments = "1 payment" if count == 1 else f"{count} payments"
    return (
        f"{payments} of {tenant!r} went or may go out of it, and the ledger of another tenant would know of none. Go on with "
        f"{tenant!r} (`runway tenant reactivate {tenant}` and `runway connect {tenant}` where it was ended)."
    )
