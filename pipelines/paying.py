"""Payments in Dagster: the run of one batch, the sensor that asks for it, the nightly comparison with QuickBooks.

Belongs here: jobs, sensor and schedule of payments, and what of a run shows in the UI: ids, counts, states. Does not: any rule of
payments (`payments/`), who may pay what: a run launched by hand pays nothing that was not finalized.

Dagster drives, the ledger decides. The claim is taken inside the run, so a run executed again, a second daemon or a retry is
harmless, and a run key is an economy only: Dagster never launches a used one again, even if that run failed, so it changes
with time.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import dagster as dg
from sqlalchemy import or_, select

from payments.errors import Fenced
from payments.rails.opened import Rails
from payments.sending.drive import Driven, drive
from payments.sending.machine_memory import MachineMemory
from payments.sending.rail_leg import follow_all
from payments.sending.reconcile import Reconciled, reconcile
from payments.sending.runs import DueBatch, due_batches
from payments.sending.send_policy import policy_for
from payments.store.batch_tables import INTENT
from payments.store.ledger import Ledger
from payments.store.states import INTENT_FINAL
from pipelines.anchoring import anchor, described, verify_all
from resources.errors import TenantError
from resources.failpoints import failpoint
from resources.installation import Installation
from resources.qbo.entities import BadObject
from resources.row_security import see_everybody
from resources.tables import TENANT
from resources.tenants import TenantId, tenant_id

TENANT_TAG, BATCH_TAG = "runway/tenant", "runway/batch"
#: A batch that is still due after so long is asked for once more.
RELAUNCH_SECONDS = 300
#: In UTC, before the daily look for tenants left behind: the last zone has its night behind it.
COMPARE_DAILY = "30 13 * * *"
_MOST_REQUESTS = 100


class BatchConfig(dg.Config):
    """Which batch of which tenant."""

    tenant: str
    batch_id: str


@dg.op(description="Sends the payments of one finalized batch, or goes on with it; waits for nothing.")
def drive_batch(
    context: dg.OpExecutionContext, config: BatchConfig, installation: dg.ResourceParam[Installation]
) -> dg.Output[str]:
    """One claim of the batch; its outcome and each payment's state as metadata. `dagster.Failure` if the ledger refuses it."""
    ledger = Ledger(installation.database, clock=installation.clock)
    try:
        driven = drive(
            ledger,
            tenant_id(config.tenant),
            batch_id=config.batch_id,
            holder=f"dagster run {context.run_id}",
            open_books=installation.bill_payments,
            open_rail=Rails(installation).open,
            policy=policy_for(installation.settings.qbo_environment),
            memory=MachineMemory(folder=installation.settings.machine_root, clock=installation.clock),
        )
    except Fenced:
        driven = Driven(outcome="taken_over")
    except TenantError as error:
        raise dg.Failure(description=str(error), allow_retries=False) from error
    head = anchor(context, ledger, tenant_id(config.tenant))
    return dg.Output(driven.outcome, metadata={**_metadata(driven), **described(head)})


@dg.op(
    description="Verifies the payment log of every tenant and compares its payments with what QuickBooks has; raises alarms."
)
def compare_payments(context: dg.OpExecutionContext, installation: dg.ResourceParam[Installation]) -> dg.Output[None]:
    """Each tenant's log and comparison by themselves.

    Raises:
        dagster.Failure: it names those that could not be compared, after all were tried.
    """
    ledger = Ledger(installation.database, clock=installation.clock)
    rails = Rails(installation)
    found: dict[TenantId, Reconciled] = {}
    money: Counter[str] = Counter()
    verification = verify_all(context, installation)
    failed = verification.failed
    for tenant in _paying_tenants(installation):
        try:
            found[tenant] = reconcile(ledger, tenant, installation.bill_payments(tenant))
            money += follow_all(ledger, tenant, rails.open)
        except TenantError as error:
            failed[tenant] = str(error)
        except BadObject as error:
            failed[tenant] = f"an answer of QuickBooks cannot be read: {error}"
    followed = {f"money_{state}": count for state, count in sorted(money.items())}
    histories = {"histories_verified": verification.verified, "histories_broken": len(verification.broken)}
    metadata = {**_compared(list(found.values())), **followed, **histories}
    if failed:
        lines = [f"{tenant}: {text}" for tenant, text in failed.items()]
        raise dg.Failure(
            description="\n".join(lines), metadata={**metadata, "failed_tenants": len(failed)}, allow_retries=False
        )
    return dg.Output(None, metadata=metadata)


# Retries are the ledger's: the sensor asks again for whatever is still due.
@dg.job(
    tags={"dagster/max_retries": "0", "dagster/priority": "10"},
    description="Sends the payments of one finalized batch: each looked up, sent once, recorded; what is unclear waits.",
)
def payment_batch() -> None:
    """One op."""
    drive_batch()


@dg.job(
    tags={"dagster/max_retries": "0"},
    description="Compares payments with QuickBooks once a day: doubles, orphans and voided ones raise alarms.",
)
def payment_comparison() -> None:
    """One op."""
    compare_payments()


@dg.sensor(
    job=payment_batch,
    minimum_interval_seconds=20,
    default_status=dg.DefaultSensorStatus.RUNNING,
    description="Asks for a run of each batch that is finalized, wakes, or lost its run. Reads only.",
)
def payment_batches(
    context: dg.SensorEvaluationContext, installation: dg.ResourceParam[Installation]
) -> dg.SensorResult | dg.SkipReason:
    """One request a due batch, the longest due first."""
    now = installation.clock.now()
    due = due_batches(installation.database, now=now, most=_MOST_REQUESTS)
    failpoint("sensor.before_yield")
    if not due:
        return dg.SkipReason("no batch is due")
    context.log.info("batches due: %d", len(due))
    result = dg.SensorResult(
        run_requests=[request(one, overdue_seconds=int((now - one.ready_at).total_seconds())) for one in due]
    )
    failpoint("sensor.after_yield")
    return result


def request(due: DueBatch, *, overdue_seconds: int) -> dg.RunRequest:
    """The run of a batch: a new key with each claim, and every five minutes while nobody claims it."""
    return dg.RunRequest(
        run_key=f"pay:{due.tenant_id}:{due.batch_id}:{due.generation}:{overdue_seconds // RELAUNCH_SECONDS}",
        run_config=batch_config(due.tenant_id, due.batch_id),
        tags={TENANT_TAG: due.tenant_id, BATCH_TAG: due.batch_id},
    )


def batch_config(tenant: str, batch_id: str) -> dict[str, Any]:
    """The run config that names a batch."""
    return {"ops": {"drive_batch": {"config": {"tenant": tenant, "batch_id": batch_id}}}}


def batch_tenant(run_config: Mapping[str, Any]) -> str | None:
    """Whose batch the run of that config drives; None if it drives none."""
    config = run_config.get("ops", {}).get("drive_batch", {}).get("config", {})
    tenant = config.get("tenant")
    return tenant if isinstance(tenant, str) else None


payments_compared_daily = dg.ScheduleDefinition(
    name="payments_compared_daily",
    job=payment_comparison,
    cron_schedule=COMPARE_DAILY,
    execution_timezone="UTC",
    default_status=dg.DefaultScheduleStatus.RUNNING,
    description="Compares the payments of the last 90 days with QuickBooks once a day.",
)


def _paying_tenants(installation: Installation) -> list[TenantId]:
    """Whose payments are compared: of active tenants, and of an inactive one as long as a payment of it is not final.

    A tenant that left is disconnected, and a comparison of it would fail every night for ever. But money that may still move
    has to be told of every night, until a person has connected it once more and ended what is open (`runway batch review`).
    """
    wanted = (
        select(INTENT.c.tenant_id)
        .join(TENANT, TENANT.c.tenant_id == INTENT.c.tenant_id)
        .where(or_(TENANT.c.active == 1, INTENT.c.state.not_in(INTENT_FINAL)))
        .distinct()
        .order_by(INTENT.c.tenant_id)
    )
    with installation.database.read() as connection:
        see_everybody(connection)
        return [tenant_id(row.tenant_id) for row in connection.execute(wanted)]


def _metadata(driven: Driven) -> Mapping[str, Any]:
    return {
        "outcome": driven.outcome,
        **{f"payments_{state}": count for state, count in sorted(driven.states.items())},
        "payments": dg.MetadataValue.json(dict(sorted(driven.payments.items()))),
        "metered_reads": driven.metered_reads,
        **({"until": dg.MetadataValue.timestamp(driven.until)} if driven.until else {}),
        "stopped_early": bool(driven.trouble),
    }


def _compared(found: Sequence[Reconciled]) -> Mapping[str, Any]:
    names = ("compared", "adopted", "doubles", "orphans", "missing", "metered_reads")
    total: Counter[str] = Counter()
    for one in found:
        total.update({name: getattr(one, name) for name in names})
    return {"tenants": len(found), **{name: total[name] for name in names}}


PAYMENT_JOBS = (payment_batch, payment_comparison)
PAYMENT_SENSORS = (payment_batches,)
PAYMENT_SCHEDULES = (payments_compared_daily,)
