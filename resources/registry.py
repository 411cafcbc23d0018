"""Who is a tenant: firms and their tenants in the operational database.

Belongs here: registration, thresholds, deactivation and its end. Does not: Dagster's copy of the list (`pipelines/sensors.py`),
QBO connections (`resources/connections.py`).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError
from sqlalchemy import BindParameter, Connection, Row, RowMapping, Text, bindparam, select, update

from resources.clock import Clock
from resources.database import Database
from resources.errors import TenantUnknown
from resources.row_security import has_row_security, naming
from resources.settings import Thresholds
from resources.tables import FIRM, TENANT
from resources.tenants import Tenant, TenantId, slug, tenant_id, zone_name


class RegistryError(ValueError):
    """The registry cannot do what was asked: the message says why and what is possible."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Firm:
    """An accounting firm."""

    firm_id: str
    name: str


class TenantRegistry:
    """Firms and tenants as the operational database holds them."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def add_firm(self, firm_id: str, *, name: str) -> Firm:
        """Register a firm; the same id again is refused."""
        slug(firm_id, what="firm")
        with self._database.write() as connection:
            if connection.execute(select(FIRM.c.firm_id).where(FIRM.c.firm_id == firm_id)).first():
                raise RegistryError(f"Firm {firm_id!r} exists already: choose another id, or use it as it is.")
            connection.execute(FIRM.insert().values(firm_id=firm_id, name=name, created_at=self._clock.now()))
        return Firm(firm_id=firm_id, name=name)

    def firms(self) -> list[Firm]:
        """All firms by id."""
        with self._database.read() as connection:
            rows = connection.execute(select(FIRM).order_by(FIRM.c.firm_id)).all()
        return [Firm(firm_id=row.firm_id, name=row.name) for row in rows]

    def firm(self, firm_id: str) -> Firm:
        """One firm; `RegistryError` if it was never registered."""
        with self._database.read() as connection:
            row = connection.execute(select(FIRM).where(FIRM.c.firm_id == firm_id)).first()
        if row is None:
            raise RegistryError(f"There is no firm {firm_id!r}: `runway firm list` shows all.")
        return Firm(firm_id=row.firm_id, name=row.name)

    def add_tenant(self, tenant: str, *, firm_id: str, name: str, zone: str) -> Tenant:
        """Register a tenant of a firm; id and zone are checked here, at the edge."""
        checked = tenant_id(tenant)
        zone_name(zone)
        with self._database.write() as connection:
            if not connection.execute(select(FIRM.c.firm_id).where(FIRM.c.firm_id == firm_id)).first():
                raise RegistryError(f"There is no firm {firm_id!r}: add it with `runway firm add {firm_id}` first.")
            if connection.execute(select(TENANT.c.tenant_id).where(TENANT.c.tenant_id == checked)).first():
                raise RegistryError(f"Tenant {tenant!r} exists already: ids are never used twice, choose another.")
            connection.execute(
                TENANT.insert().values(
                    tenant_id=checked,
                    firm_id=firm_id,
                    name=name,
                    zone=zone,
                    active=1,
                    thresholds={},
                    created_at=self._clock.now(),
                )
            )
        return self.tenant(checked)

    def tenant(self, tenant: TenantId) -> Tenant:
        """One tenant; `TenantUnknown` if it was never registered."""
        with self._database.read() as connection:
            row = connection.execute(_TENANTS.where(TENANT.c.tenant_id == tenant)).first()
        if row is None:
            raise TenantUnknown(
                what=f"There is no tenant {tenant!r}.",
                next_step="`runway tenant list` shows all; `runway tenant add` registers one.",
            )
        return _tenant(row)

    def tenants(self, *, active_only: bool = True) -> list[Tenant]:
        """Tenants in the order of their registration."""
        statement = _TENANTS.order_by(TENANT.c.created_at, TENANT.c.tenant_id)
        if active_only:
            statement = statement.where(TENANT.c.active == 1)
        with self._database.read() as connection:
            return [_tenant(row) for row in connection.execute(statement)]

    def deactivate(self, tenant: TenantId) -> None:
        """Take a tenant out of schedules; its history stays and its id is never reused."""
        self._set_active(tenant, is_active=False)

    def reactivate(self, tenant: TenantId) -> None:
        """Put a deactivated tenant back into schedules, with its history."""
        self._set_active(tenant, is_active=True)

    def set_thresholds(self, tenant: TenantId, changes: Mapping[str, Any], *, defaults: Thresholds) -> Tenant:
        """Override thresholds for one tenant (None takes an override back); checked before they are stored."""
        self.tenant(tenant)  # unknown ones fail here
        with self._database.write() as connection:
            lock_tenant(connection, tenant)
            stored = connection.execute(select(TENANT.c.thresholds).where(TENANT.c.tenant_id == tenant)).scalar_one()
            kept = {**stored, **changes}
            overrides = {name: value for name, value in kept.items() if value is not None}
            _check(overrides, defaults=defaults)
            connection.execute(update(TENANT).where(TENANT.c.tenant_id == tenant).values(thresholds=overrides))
        return self.tenant(tenant)

    def _set_active(self, tenant: TenantId, *, is_active: bool) -> None:
        self.tenant(tenant)  # unknown ones fail here
        with self._database.write() as connection:
            connection.execute(update(TENANT).where(TENANT.c.tenant_id == tenant).values(active=int(is_active)))


def lock_tenant(connection: Connection, tenant: TenantId) -> RowMapping | None:
    """Let one transaction at a time read and then write what belongs to this tenant; its row, None if nobody registered it.

    Postgres locks the tenant's row, weakly enough that rows may still refer to it, and shows the ledger's rows of this tenant from
    then on; SQLite has one writer anyway.
    """
    locking = _NAMING_AND_LOCKING if has_row_security(connection) else _LOCKING
    return connection.execute(locking, {"locked": tenant}).mappings().first()


_LOCKED: BindParameter[str] = bindparam("locked", type_=Text)
_LOCKING = select(TENANT).where(TENANT.c.tenant_id == _LOCKED).with_for_update(key_share=True)
_NAMING_AND_LOCKING = _LOCKING.add_columns(naming(_LOCKED))


def lock_firm(connection: Connection, firm_id: str) -> None:
    """The same for what belongs to a firm as a whole."""
    connection.execute(select(FIRM.c.firm_id).where(FIRM.c.firm_id == firm_id).with_for_update(key_share=True))


_TENANTS = select(TENANT, FIRM.c.name.label("firm_name")).join(FIRM, FIRM.c.firm_id == TENANT.c.firm_id)


def _check(overrides: Mapping[str, Any], *, defaults: Thresholds) -> None:
    try:
        defaults.overridden(overrides)
    except ValidationError as error:
        wrong = "; ".join(f"{one['loc'][0]}: {one['msg']}" for one in error.errors(include_url=False))
        raise RegistryError(f"These thresholds cannot be set: {wrong}. Nothing was changed.") from error


def _tenant(row: Row[Any]) -> Tenant:
    return Tenant(
        tenant_id=TenantId(row.tenant_id),
        firm_id=row.firm_id,
        firm_name=row.firm_name,
        name=row.name,
        zone=row.zone,
        active=bool(row.active),
        created_at=row.created_at,
        thresholds=row.thresholds,
    )
