"""Anchors of the payment ledgers' history in Dagster's event log: another database than the one they are about.

Belongs here: writing and finding them, the daily verification of all tenants. Does not: what is verified
(`payments/controls/anchors.py`).

An anchor is an observation of the asset `payments/history` in the tenant's partition: number and hash, nothing else.
"""

from dataclasses import dataclass, field

import dagster as dg

from payments.controls.anchors import Anchor, present_anchor, verify_history
from payments.store.ledger import Ledger
from resources.errors import TenantError
from resources.installation import Installation
from resources.tenants import TenantId

HISTORY = dg.AssetKey(["payments", "history"])
_NUMBER, _HASH = "audit_number", "audit_hash"


@dataclass(slots=True)
class Verification:
    """What a day's verification of all tenants found."""

    verified: int = 0
    broken: list[TenantId] = field(default_factory=list)
    #: Tenants whose log could not be read, and why.
    failed: dict[TenantId, str] = field(default_factory=dict)


def anchor(context: dg.OpExecutionContext, ledger: Ledger, tenant: TenantId) -> Anchor:
    """Note down how far a tenant's log has come."""
    present = present_anchor(ledger, tenant)
    _note(context, tenant, present)
    return present


def described(found: Anchor) -> dict[str, int | str]:
    """An anchor as metadata."""
    return {_NUMBER: found.number, _HASH: found.hash}


def verify_all(context: dg.OpExecutionContext, installation: Installation) -> Verification:
    """Verify the log of every tenant, also against its newest anchor, and note its head down; what is wrong raises an alarm."""
    ledger = Ledger(installation.database, clock=installation.clock)
    found = Verification()
    for known in installation.registry.tenants(active_only=False):
        tenant = known.tenant_id
        anchored = newest_anchor(context.instance, tenant)
        try:
            history = verify_history(ledger, tenant, anchored=anchored)
        except TenantError as error:
            found.failed[tenant] = str(error)
            continue
        found.verified += 1
        if history.problems:
            found.broken.append(tenant)
        if history.problems or history.head.number:
            # After an alarm from the newest row on: the alarm itself is one.
            anchor(context, ledger, tenant)
    return found


def newest_anchor(instance: dg.DagsterInstance, tenant: TenantId) -> Anchor | None:
    """What was noted down last for a tenant; None if nothing was."""
    wanted = dg.AssetRecordsFilter(asset_key=HISTORY, asset_partitions=[tenant])
    records = instance.fetch_observations(wanted, limit=1).records
    observed = records[0].event_log_entry.asset_observation if records else None
    if observed is None:
        return None
    return Anchor(number=int(str(observed.metadata[_NUMBER].value)), hash=str(observed.metadata[_HASH].value))


def _note(context: dg.OpExecutionContext, tenant: TenantId, found: Anchor) -> None:
    context.log_event(dg.AssetObservation(asset_key=HISTORY, partition=tenant, metadata=described(found)))
