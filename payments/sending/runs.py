"""The run of a batch: taking it, keeping it, letting it wait, settling it.

Belongs here: claim, lease, fence, the batch's end, which batches are due. Does not: its payments (`fates.py`, `drive.py`).

The claim is a compare-and-set under the tenant's lock: each claim has a new generation, and whatever an earlier one still means to
write is refused.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import and_, func, or_, select

from payments.controls.alarms import raise_alarm
from payments.errors import SealBroken, UnknownHere
from payments.sending.batches import require_generation, verify_seal
from payments.sending.send_policy import SendPolicy
from payments.store.batch_tables import BATCH, INTENT
from payments.store.ledger import Ledger
from payments.store.repository import Act, Row
from payments.store.states import INTENT_FINAL
from resources.database import Database
from resources.row_security import see_everybody
from resources.tables import Instant
from resources.tenants import TenantId

#: Who acts when a run does.
RUN = "system:run"
SETTLED = frozenset({"settled", "settled_with_exceptions"})
#: Batches of one tenant that are asked for at a time: a company's calls are spaced anyway.
MOST_OF_TENANT = 5
#: A payment in one of these states is no longer the run's.
DONE = INTENT_FINAL | {"needs_review"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """The right to send the payments of a batch until somebody else claims it."""

    tenant: TenantId
    batch_id: str
    generation: int
    lease: timedelta

    def fence(self, act: Act) -> Row:
        """The batch with the lease renewed; `Fenced` if another run has it: every write of a run starts here."""
        require_generation(act, batch_id=self.batch_id, generation=self.generation)
        return act.update(BATCH, {"batch_id": self.batch_id}, {"lease_until": act.now + self.lease})


@dataclass(frozen=True, slots=True, kw_only=True)
class NotClaimed:
    """Why there is nothing to do: busy, not_yet, not_finalized, already_settled."""

    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DueBatch:
    """A batch that a run should take."""

    tenant_id: str
    batch_id: str
    generation: int
    #: Since when it is due.
    ready_at: datetime


def claim(ledger: Ledger, tenant: TenantId, *, batch_id: str, holder: str, policy: SendPolicy) -> Claim | NotClaimed:
    """Take a batch that is finalized and due, or whose run is dead. `UnknownHere` if the tenant has no such batch."""
    with ledger.act(tenant, actor=RUN, kind="batch claimed", point="claim") as act:
        act.entity = f"batch {batch_id}"
        batch = act.one(BATCH, batch_id=batch_id)
        if batch is None:
            raise UnknownHere(
                what=f"There is no batch {batch_id!r}.", next_step="`runway batch list` shows all; nothing was sent."
            )
        because = why_not_claimable(batch, now=act.now, policy=policy)
        if because is not None:
            return NotClaimed(because=because)
        generation = int(batch["generation"]) + 1
        changes = {"state": "claimed", "generation": generation, "holder": holder}
        act.update(BATCH, {"batch_id": batch_id}, changes | {"not_before": None, "lease_until": act.now + policy.lease})
    return Claim(tenant=tenant, batch_id=batch_id, generation=generation, lease=policy.lease)


def why_not_claimable(batch: Row, *, now: datetime, policy: SendPolicy) -> str | None:
    """Why no run may take a batch now (see `NotClaimed`); None if one may."""
    if batch["state"] == "open":
        return "not_finalized"
    if batch["state"] in SETTLED:
        return "already_settled"
    # A lease or a wait longer than any is from a clock that was set back since.
    if batch["state"] == "claimed" and now <= batch["lease_until"] <= now + 2 * policy.lease:
        return "busy"
    waits = batch["state"] == "waiting" and now < batch["not_before"] <= now + 2 * policy.most_wait
    return "not_yet" if waits else None


def refuse_broken_seal(ledger: Ledger, claimed: Claim, *, policy: SendPolicy) -> None:
    """Compute the seal again before anything is sent; if it is not what was sealed, raise the alarm and let the batch wait."""
    try:
        with ledger.look(claimed.tenant) as look:
            verify_seal(look, claimed.batch_id)
    except SealBroken as broken:
        with ledger.act(claimed.tenant, actor=RUN, kind="batch parked") as act:
            act.entity = f"batch {claimed.batch_id}"
            claimed.fence(act)
            raise_alarm(
                act,
                kind="seal broken",
                subject=f"batch {claimed.batch_id}",
                detail=broken.what,
                remedy=broken.next_step,
            )
            _wait(act, claimed, until=act.now + policy.trouble_wait)
        raise


def close(
    ledger: Ledger, claimed: Claim, *, until: datetime | None, policy: SendPolicy
) -> tuple[str, datetime | None, Mapping[str, int]]:
    """Settle the batch if each payment is done, else let it wait; its state, until when, and its payments by state.

    It waits `most_wait` at most: what its payments wait for is asked again then.
    """
    with ledger.act(claimed.tenant, actor=RUN, kind="batch closed", point="close") as act:
        act.entity = f"batch {claimed.batch_id}"
        claimed.fence(act)
        states = Counter(row["state"] for row in act.many(INTENT, INTENT.c.batch_id == claimed.batch_id))
        if set(states) <= DONE:
            state = "settled" if set(states) == {"paid"} else "settled_with_exceptions"
            act.update(BATCH, {"batch_id": claimed.batch_id}, {"state": state, "settled_at": act.now})
            return state, None, states
        wakes = until if until is not None and until > act.now else act.now + policy.back_off
        # Also where QuickBooks asks for more, or an instant that is waited for is from a clock that was set back since.
        wakes = min(wakes, act.now + policy.most_wait)
        _wait(act, claimed, until=wakes)
    return "waiting", wakes, states


def _wait(act: Act, claimed: Claim, *, until: datetime) -> None:
    act.update(BATCH, {"batch_id": claimed.batch_id}, {"state": "waiting", "not_before": until, "lease_until": None})


def due_batches(
    database: Database, *, now: datetime, most: int, most_of_tenant: int = MOST_OF_TENANT
) -> list[DueBatch]:
    """Batches that a run should take now, longest due first: finalized, waiting and due, or claimed by a run that is dead.

    Of one tenant at most `most_of_tenant`, so that a tenant with a thousand of them keeps nobody from being asked for.
    """
    # As in a claim: a lease or a wait longer than any is from a clock that was set back since.
    policy = SendPolicy()
    is_dead = or_(BATCH.c.lease_until < now, BATCH.c.lease_until > now + 2 * policy.lease)
    wakes = or_(BATCH.c.not_before <= now, BATCH.c.not_before > now + 2 * policy.most_wait)
    due = or_(
        BATCH.c.state == "finalized",
        and_(BATCH.c.state == "waiting", wakes),
        and_(BATCH.c.state == "claimed", is_dead),
    )
    # Exactly one of these says since when, whatever the state.
    ready_at = func.coalesce(BATCH.c.not_before, BATCH.c.lease_until, BATCH.c.finalized_at, type_=Instant())
    place = func.row_number().over(partition_by=BATCH.c.tenant_id, order_by=(ready_at, BATCH.c.batch_id))
    wanted = (BATCH.c.tenant_id, BATCH.c.batch_id, BATCH.c.generation, ready_at.label("ready_at"))
    placed = select(*wanted, place.label("place")).where(due).subquery()
    columns = [placed.c[column.name] for column in wanted]
    statement = select(*columns).where(placed.c.place <= most_of_tenant).limit(most)
    statement = statement.order_by(placed.c.ready_at, placed.c.tenant_id, placed.c.batch_id)
    with database.read() as connection:
        see_everybody(connection)
        return [DueBatch(**row) for row in connection.execute(statement).mappings()]
