"""Whether a tenant may give its company up to another one.

Belongs here: what of the ledger speaks against it. Does not: the change of hands itself (`resources/connections.py`).
"""

from sqlalchemy import Connection, func, select

from payments.store.batch_tables import INTENT
from payments.store.states import INTENT_FINAL
from resources.row_security import see_tenant
from resources.tenants import TenantId


def why_company_stays(connection: Connection, tenant: TenantId) -> str | None:
    """What to tell who wants the tenant's company for another one while payments of it are not final; None if all are.

    Money of such a payment may have moved without the books having it: whoever pays for the company next would see the bill open,
    and no ledger of theirs knows that it was sent. From here to its end the transaction sees this tenant's rows of the ledger.
    """
    see_tenant(connection, tenant)
    open_ones = (
        select(INTENT.c.batch_id, func.count())
        .where(INTENT.c.tenant_id == tenant, INTENT.c.state.not_in(INTENT_FINAL))
        .group_by(INTENT.c.batch_id)
        .order_by(INTENT.c.batch_id)
    )
    found: dict[str, int] = dict(connection.execute(open_ones).all())
    if not found:
        return None
    payments = "1 payment" if sum(found.values()) == 1 else f"{sum(found.values())} payments"
    batches = "batch" if len(found) == 1 else "batches"
    return (
        f"{payments} of {tenant!r} ({batches} {', '.join(found)}) may still go out or be booked, and whoever has the company "
        f"next could pay the same bills again. `runway tenant reactivate {tenant}` and `runway connect {tenant}`, "
        f"end what is open (`runway batch list {tenant}`, `runway batch review {tenant}`), then give it up."
    )
