"""Payments as Dagster runs them: the sensor only asks, the run claims; a run by hand or once more pays nothing twice."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from sqlalchemy import update

from payments.controls.anchors import Anchor, present_anchor, verify_history
from payments.sending.runs import claim
from payments.sending.send_policy import SendPolicy
from payments.store.batch_tables import BATCH
from payments.store.cash_tables import HOLD
from payments.store.tables import ALARM, AUDIT
from pipelines.anchoring import newest_anchor
from pipelines.build import build_defs
from pipelines.failure_notices import NOTICE_KIND
from pipelines.paying import RELAUNCH_SECONDS, batch_config, payment_batches
from resources.mail.tables import of_firm
from tests.firm import dagster_instance, tell_of_failure
from tests.payments.office import Company, Office, furnish, open_installation
from tests.resources.builders import ACME, BOLT
from tests.sandbox import Sandbox


@pytest.fixture(scope="module")
def furnished(sandbox: Sandbox, migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Company, Path]:
    company = Company(sandbox, realm_id="9130777000000002")
    folder = tmp_path_factory.mktemp("office") / "data"
    furnish(folder, company, migrated=migrated_file)
    return company, folder


@pytest.fixture
def office(furnished: tuple[Company, Path], tmp_path: Path) -> Iterator[Office]:
    company, folder = furnished
    shutil.copytree(folder, tmp_path / "data")
    opened = open_installation(tmp_path / "data", company.sandbox.url)
    yield Office(opened, company, register=False)
    company.sandbox.heal(company.realm_id)
    opened.close()


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    with dagster_instance(tmp_path / "dagster") as opened:
        yield opened


def _run(
    office: Office, instance: dg.DagsterInstance, job: str = "payment_batch", config: dict[str, Any] | None = None
) -> dg.ExecuteInProcessResult:
    definitions = build_defs(resource_overrides={"installation": office.installation})
    quiet = {"loggers": {"console": {"config": {"log_level": "CRITICAL"}}}}
    return definitions.resolve_job_def(job).execute_in_process(
        instance=instance, run_config={**quiet, **(config or {})}, raise_on_error=False
    )


def _metadata(result: dg.ExecuteInProcessResult, op: str = "drive_batch") -> dict[str, Any]:
    (event,) = [one for one in result.events_for_node(op) if one.is_successful_output]
    return {name: value.value for name, value in event.step_output_data.metadata.items()}


def _tick(office: Office, instance: dg.DagsterInstance) -> list[dg.RunRequest]:
    context = dg.build_sensor_context(instance=instance, resources={"installation": office.installation})
    found = payment_batches(context)
    return list(found.run_requests or []) if isinstance(found, dg.SensorResult) else []


def test_a_finalized_batch_is_asked_for_and_paid_and_each_payment_shows_its_outcome(
    office: Office, instance: dg.DagsterInstance
) -> None:
    assert _tick(office, instance) == []
    batch = office.batch(*office.enter("10.00", "20.00"))
    (request,) = _tick(office, instance)
    assert request.tags == {"runway/tenant": ACME, "runway/batch": batch}
    result = _run(office, instance, config=dict(request.run_config))
    assert result.success
    shown = _metadata(result)
    assert (shown["outcome"], shown["payments_paid"], shown["stopped_early"]) == ("settled", 2, False)
    assert shown["payments"] == {row["intent_id"]: "paid" for row in office.intents(batch).values()}
    noted = Anchor(number=shown["audit_number"], hash=shown["audit_hash"])
    assert noted == newest_anchor(instance, ACME) == present_anchor(office.ledger, ACME)
    assert _tick(office, instance) == []


def test_a_failed_run_executed_again_pays_what_is_left_and_nothing_twice(
    office: Office, instance: dg.DagsterInstance
) -> None:
    bills = office.enter("10.00", "20.00")
    batch = office.batch(*bills)
    company = office.company
    company.sandbox.break_with(
        company.realm_id, kind="drop_after", methods=["POST"], path_contains="billpayment", times=1
    )
    first = _run(office, instance, config=batch_config(ACME, batch))
    assert _metadata(first)["outcome"] == "waiting"
    again = _run(office, instance, config=batch_config(ACME, batch))
    assert _metadata(again)["outcome"] == "not_yet"
    office.later(minutes=10)
    third = _run(office, instance, config=batch_config(ACME, batch))
    assert _metadata(third)["outcome"] == "settled"
    assert _metadata(_run(office, instance, config=batch_config(ACME, batch)))["outcome"] == "already_settled"
    assert office.payments_of(batch) == dict.fromkeys(bills, 1)


def test_a_run_by_hand_of_a_foreign_or_unfinalized_batch_pays_nothing(
    office: Office, instance: dg.DagsterInstance
) -> None:
    batch = office.batch(*office.enter("10.00"))
    before = office.company.remote()
    office.installation.registry.add_tenant(BOLT, firm_id="north-books", name="Bolt", zone="Europe/London")
    for tenant, asked in ((BOLT, batch), ("nobody-known", batch), ("../acme", batch), (ACME, "no-such-batch")):
        assert not _run(office, instance, config=batch_config(tenant, asked)).success
    row = {
        "batch_id": "p-open",
        "origin": "people",
        "state": "open",
        "account_id": office.company.bank,
        "generation": 0,
    }
    with office.ledger.act(ACME, actor="dan", kind="batch opened") as act:
        act.insert(BATCH, row | {"pay_on": act.today, "rail": "record_only", "created_at": act.now})
    assert _metadata(_run(office, instance, config=batch_config(ACME, "p-open")))["outcome"] == "not_finalized"
    assert office.company.remote() == before
    assert {row["batch_id"]: row["state"] for row in office.rows(BATCH)} == {batch: "finalized", "p-open": "open"}
    assert {row["state"] for row in office.rows(HOLD, HOLD.c.decision_id.is_not(None))} == {"pending"}


def test_a_batch_that_nobody_claims_is_asked_for_again_under_another_key(
    office: Office, instance: dg.DagsterInstance
) -> None:
    office.batch(*office.enter("10.00"))
    (first,), (same,) = _tick(office, instance), _tick(office, instance)
    office.later(seconds=RELAUNCH_SECONDS)
    (second,) = _tick(office, instance)
    assert first.run_key == same.run_key != second.run_key


def test_a_batch_whose_run_died_or_that_waits_is_asked_for_when_it_is_due(
    office: Office, instance: dg.DagsterInstance
) -> None:
    batch = office.batch(*office.enter("10.00"))
    claim(office.ledger, ACME, batch_id=batch, holder="a run that dies", policy=SendPolicy())
    assert _tick(office, instance) == []
    office.later(minutes=3)
    (request,) = _tick(office, instance)
    assert request.run_key is not None
    assert f"{batch}:1:" in request.run_key
    company = office.company
    company.sandbox.break_with(company.realm_id, kind="http_503", times=50)
    assert _metadata(_run(office, instance, config=dict(request.run_config)))["stopped_early"]
    company.sandbox.heal(company.realm_id)
    assert _tick(office, instance) == []
    office.later(minutes=6)
    (request,) = _tick(office, instance)
    assert _metadata(_run(office, instance, config=dict(request.run_config)))["outcome"] == "settled"


def test_the_nightly_comparison_says_what_it_found(office: Office, instance: dg.DagsterInstance) -> None:
    (bill,) = office.enter("10.00")
    office.clock.move_to(office.clock.now() + timedelta(seconds=1))
    office.drive(office.batch(bill))
    result = _run(office, instance, job="payment_comparison")
    assert result.success
    shown = _metadata(result, "compare_payments")
    assert (shown["tenants"], shown["doubles"]) == (1, 0)
    assert (shown["histories_verified"], shown["histories_broken"], _alarms(office, "history broken")) == (1, 0, [])


def test_a_comparison_that_fails_for_one_tenant_shows_the_others_and_is_told_to_its_firm(
    office: Office, instance: dg.DagsterInstance
) -> None:
    """A comparison that cannot be made raises no alarm of a double, so somebody has to hear of it."""
    (bill,) = office.enter("10.00")
    office.drive(office.batch(bill))
    office.company.sandbox.break_with(office.company.realm_id, kind="http_500")
    result = _run(office, instance, job="payment_comparison")
    assert not result.success
    (step,) = [one for one in result.all_events if one.is_step_failure]
    failure = step.step_failure_data.user_failure_data
    assert failure is not None
    assert (failure.metadata["failed_tenants"].value, failure.metadata["tenants"].value) == (1, 0)

    firm = of_firm("north-books")
    office.installation.recipients.add(
        firm,
        address="books@north.example",
        name="",
        role="firm",
        locale="en-US",
        zone="America/New_York",
        currency_format="symbol",
        author="amy",
    )
    office.installation.recipients.set_mode(firm, "live", author="amy")
    tell_of_failure(result, instance=instance, installation=office.installation)
    (row,) = office.installation.outbox.rows(firm, kind=NOTICE_KIND)
    assert "could not be compared with QuickBooks" in office.installation.outbox.content(row).text


def test_a_tenant_that_left_is_compared_until_its_last_payment_is_final(
    office: Office, instance: dg.DagsterInstance
) -> None:
    """It is disconnected, so that its comparison had failed every night and was mailed to every firm, for ever."""
    bill, other = office.enter("10.00", "20.00")
    office.drive(office.batch(bill))
    office.installation.registry.deactivate(ACME)
    known = office.installation.connections.load(ACME)
    office.installation.connections.mark_lost(known, because="disconnected")
    result = _run(office, instance, job="payment_comparison")
    assert result.success
    shown = _metadata(result, "compare_payments")
    assert (shown["tenants"], shown["histories_verified"]) == (0, 1)
    office.batch(other)
    assert not _run(office, instance, job="payment_comparison").success, "its money may still move"


def test_a_payment_of_somebody_else_that_cannot_be_read_ends_no_comparison(
    office: Office, instance: dg.DagsterInstance
) -> None:
    """Anybody may enter a bill payment; one that could not be read had ended the comparison for every tenant."""
    bill, other = office.enter("10.00", "20.00")
    office.drive(office.batch(bill))
    office.mar(office.company.pay_by_hand({"Id": other}, "5.00")["Id"])
    result = _run(office, instance, job="payment_comparison")
    assert result.success
    assert _metadata(result, "compare_payments")["compared"] > 0


def test_a_payment_of_ours_that_cannot_be_read_is_its_tenants_failure_and_no_value_of_it_is_told(
    office: Office, instance: dg.DagsterInstance
) -> None:
    (bill,) = office.enter("10.37")
    batch = office.batch(bill)
    office.drive(batch)
    (payment,) = office.intents(batch).values()
    office.mar(payment["remote_id"])
    result = _run(office, instance, job="payment_comparison")
    (step,) = [one for one in result.all_events if one.is_step_failure]
    failure = step.step_failure_data.user_failure_data
    assert failure is not None, "a failure of the op's own, after everybody was tried"
    assert (failure.metadata["failed_tenants"].value, failure.metadata["histories_verified"].value) == (1, 1)
    told = f"an answer of QuickBooks cannot be read: BillPayment {payment['remote_id']}: TotalAmt: Field required"
    assert failure.description == f"{ACME}: {told}"
    assert "10.37" not in failure.description


def _alarms(office: Office, kind: str) -> list[str]:
    return [row["detail"] for row in office.rows(ALARM, ALARM.c.kind == kind)]


def _compare(office: Office, instance: dg.DagsterInstance) -> int:
    """A night's comparison; in how many tenants the history is broken."""
    result = _run(office, instance, job="payment_comparison")
    assert result.success
    broken: int = _metadata(result, "compare_payments")["histories_broken"]
    return broken


def test_a_row_of_the_log_that_is_edited_by_hand_raises_an_alarm_by_the_next_day(
    office: Office, instance: dg.DagsterInstance
) -> None:
    with office.database.write() as connection:
        for trigger in connection.exec_driver_sql(
            "SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'audit'"
        ).all():
            connection.exec_driver_sql(f"DROP TRIGGER {trigger.name}")
        connection.execute(update(AUDIT).where(AUDIT.c.tenant_id == ACME, AUDIT.c.number == 5).values(actor="nobody"))
    assert _compare(office, instance) == 1
    (detail,) = _alarms(office, "history broken")
    assert "row 5" in detail


def test_a_ledger_that_is_put_back_to_an_older_head_is_not_what_was_noted_down(
    office: Office, instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    """Each copy is sound in itself, and one that has grown past the noted row again has another in its place."""
    bill, other = office.enter("10.00", "20.00")
    path, older = str(office.database.url.database), str(tmp_path / "older.sqlite")
    _copy(path, older)
    office.drive(office.batch(bill))
    assert _compare(office, instance) == 0
    noted = newest_anchor(instance, ACME)
    assert noted is not None
    _copy(older, path)
    assert _compare(office, instance) == 1
    assert f"had come to row {noted.number}" in _alarms(office, "history broken")[0]
    assert newest_anchor(instance, ACME) == present_anchor(office.ledger, ACME), "from here on"
    office.drive(office.batch(other))
    grown = verify_history(office.ledger, ACME, anchored=noted)
    assert "has another row" in grown.problems[0]


def _copy(source: str, target: str) -> None:
    with closing(sqlite3.connect(source)) as one, closing(sqlite3.connect(target)) as other:
        one.backup(other)


def test_a_run_holds_ids_and_counts_and_is_never_retried_by_dagster() -> None:
    job = build_defs().resolve_job_def("payment_batch")
    assert job.tags["dagster/max_retries"] == "0"
