"""Payments in the deployed whole: the daemon asks for a batch's run, and nothing is paid twice from the UI.

Driven by the GraphQL that the UI's pages use, judged by QuickBooks' own books.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from payments.store.batch_tables import BATCH
from pipelines.paying import BATCH_TAG, batch_config
from resources.clock import FixedClock, SystemClock
from tests.payments.office import Company, Office, furnish, open_installation
from tests.resources.builders import ACME, BOLT
from tests.sandbox import Sandbox

pytestmark = [pytest.mark.long, pytest.mark.timeout(600)]

#: Everything that a run of a batch shows; the last two are how far the tenant's payment log has come.
_SHOWN = {
    "outcome",
    "payments",
    "payments_paid",
    "metered_reads",
    "stopped_early",
    "until",
    "audit_number",
    "audit_hash",
}
_RUNS = """
query($filter: RunsFilter!) { runsOrError(filter: $filter) { ... on Runs { results {
  runId status runConfigYaml tags { key value }
  eventConnection { events { __typename
    ... on ExecutionStepOutputEvent { metadataEntries { __typename label
      ... on TextMetadataEntry { text } ... on JsonMetadataEntry { jsonString } ... on IntMetadataEntry { intValue }
      ... on BoolMetadataEntry { boolValue } ... on TimestampMetadataEntry { timestamp } } } } }
} } } }
"""
_REPOSITORIES = "{ repositoriesOrError { ... on RepositoryConnection { nodes { name location { name } } } } }"
_LAUNCH = """
mutation($params: ExecutionParams!) { launchRun(executionParams: $params) { __typename ... on LaunchRunSuccess { run { runId } } } }
"""
_AGAIN = """
mutation($params: ReexecutionParams!) { launchRunReexecution(reexecutionParams: $params) { __typename
  ... on LaunchRunSuccess { run { runId } } ... on PythonError { message } } }
"""
_TERMINATE = """
mutation($id: String!) { terminateRun(runId: $id) { __typename } }
"""
_ENDED = {"SUCCESS", "FAILURE", "CANCELED"}


class Ui:
    """The running UI's GraphQL, the way its pages ask."""

    def __init__(self, url: str) -> None:
        self._http = httpx.Client(base_url=url, timeout=60)

    def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        answer = self._http.post("/graphql", json={"query": query, "variables": variables})
        answer.raise_for_status()
        body = answer.json()
        assert "errors" not in body, body
        found: dict[str, Any] = body["data"]
        return found

    def answers(self) -> bool:
        try:
            return bool(self.ask("{ version }"))
        except (httpx.HTTPError, AssertionError):
            return False

    def runs_of(self, batch_id: str) -> list[dict[str, Any]]:
        """The runs of a batch, as the page of its tag lists them, newest first."""
        wanted = {"tags": [{"key": BATCH_TAG, "value": batch_id}]}
        found: list[dict[str, Any]] = self.ask(_RUNS, filter=wanted)["runsOrError"]["results"]
        return found

    def run(self, run_id: str) -> dict[str, Any]:
        (found,) = self.ask(_RUNS, filter={"runIds": [run_id]})["runsOrError"]["results"]
        assert isinstance(found, dict)
        return found

    def ended(self, run_id: str) -> dict[str, Any]:
        _wait(lambda: self.run(run_id)["status"] in _ENDED, seconds=120, what="the run ends")
        return self.run(run_id)

    def launch(self, tenant: str, batch_id: str) -> dict[str, Any]:
        """Start the job by hand for a batch, and wait for its end."""
        (repository,) = self.ask(_REPOSITORIES)["repositoriesOrError"]["nodes"]
        selector = {
            "repositoryName": repository["name"],
            "repositoryLocationName": repository["location"]["name"],
            "jobName": "payment_batch",
        }
        params = {"selector": selector, "runConfigData": batch_config(tenant, batch_id), "mode": "default"}
        launched = self.ask(_LAUNCH, params=params)["launchRun"]
        assert launched["__typename"] == "LaunchRunSuccess", launched
        return self.ended(launched["run"]["runId"])

    def again(self, run_id: str) -> dict[str, Any]:
        """Execute a run again, all of it, and wait for its end."""
        launched = self.ask(_AGAIN, params={"parentRunId": run_id, "strategy": "ALL_STEPS"})["launchRunReexecution"]
        assert launched["__typename"] == "LaunchRunSuccess", launched
        return self.ended(launched["run"]["runId"])

    def close(self) -> None:
        self._http.close()


def _wait(is_so: Callable[[], Any], *, seconds: float, what: str) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, f"not within {seconds} seconds: {what}"
        time.sleep(0.5)


def _metadata(run: dict[str, Any]) -> dict[str, Any]:
    entries = [entry for event in run["eventConnection"]["events"] for entry in event.get("metadataEntries", ())]
    values = ("text", "jsonString", "intValue", "boolValue", "timestamp")
    return {entry["label"]: next(entry[name] for name in values if name in entry) for entry in entries}


@pytest.fixture
def office(sandbox: Sandbox, migrated_file: Path, tmp_path: Path) -> Iterator[Office]:
    """An office in the present, as the processes of this test see it."""
    company = Company(sandbox, realm_id="9130777000000019")
    now = SystemClock().now()
    furnish(tmp_path / "data", company, migrated=migrated_file)
    opened = open_installation(tmp_path / "data", sandbox.url, clock=FixedClock(now))
    opened.registry.add_tenant(BOLT, firm_id="north-books", name="Bolt", zone="Europe/London")
    yield Office(opened, company, register=False)
    sandbox.heal(company.realm_id)
    opened.close()


@pytest.fixture
def ui(office: Office, sandbox: Sandbox, tmp_path: Path) -> Iterator[Ui]:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("RUNWAY_", "DAGSTER_"))}
    environment = kept | {"RUNWAY_DATA_DIR": str(tmp_path / "data"), "RUNWAY_QBO_LOCAL_URL": sandbox.url}
    with (tmp_path / "dagster.log").open("wb") as log:
        command = [sys.executable, "-m", "cli.main", "dagster", "--port", str(port)]
        process = subprocess.Popen(command, env=environment, stdout=log, stderr=log, start_new_session=True)
        opened = Ui(f"http://127.0.0.1:{port}")
        try:
            _wait(opened.answers, seconds=120, what="the UI answers")
            yield opened
        finally:
            opened.close()
            os.killpg(process.pid, signal.SIGINT)
            try:
                process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def test_a_batch_is_paid_by_the_daemon_and_nothing_twice_from_the_ui(ui: Ui, office: Office) -> None:
    bills = office.enter("10.00", "20.00")
    batch = office.batch(*bills)
    _wait(lambda: [one for one in ui.runs_of(batch) if one["status"] in _ENDED], seconds=120, what="the daemon runs it")
    (run,) = ui.runs_of(batch)
    shown = _metadata(run)
    assert (run["status"], shown["outcome"], shown["payments_paid"]) == ("SUCCESS", "settled", 2)
    assert shown.keys() <= _SHOWN
    intents = office.intents(batch)
    assert json.loads(shown["payments"]) == {row["intent_id"]: "paid" for row in intents.values()}
    assert office.payments_of(batch) == dict.fromkeys(bills, 1)
    page = json.dumps(run)
    for secret in (office.company.objects("Vendor")[office.company.vendor]["DisplayName"], "10.00", "30.00"):
        assert secret not in page

    again = ui.again(run["runId"])
    assert (again["status"], _metadata(again)["outcome"]) == ("SUCCESS", "already_settled")
    _refuse_what_is_not_theirs(ui, office, batch)
    assert office.payments_of(batch) == dict.fromkeys(bills, 1)


def _refuse_what_is_not_theirs(ui: Ui, office: Office, batch: str) -> None:
    """Launched by hand: another tenant's batch, nobody's, and one that was not finalized."""
    before = office.company.remote()
    foreign = ui.launch(BOLT, batch)
    assert foreign["status"] == "FAILURE"
    assert ui.again(foreign["runId"])["status"] == "FAILURE"
    assert ui.launch(ACME, "no-such-batch")["status"] == "FAILURE"
    row = {
        "batch_id": "p-open",
        "origin": "people",
        "state": "open",
        "account_id": office.company.bank,
        "generation": 0,
    }
    with office.ledger.act(ACME, actor="dan", kind="batch opened") as act:
        act.insert(BATCH, row | {"pay_on": act.today, "rail": "record_only", "created_at": act.now})
    assert _metadata(ui.launch(ACME, "p-open"))["outcome"] == "not_finalized"
    assert office.company.remote() == before


def test_a_run_that_was_ended_in_the_middle_of_a_send_is_executed_again_harmlessly(ui: Ui, office: Office) -> None:
    company = office.company
    (bill,) = office.enter("40.00")
    company.sandbox.break_with(
        company.realm_id, kind="slow_then_commit", seconds=20.0, methods=["POST"], path_contains="billpayment", times=1
    )
    batch = office.batch(bill)
    _wait(
        lambda: [row for row in office.intents(batch).values() if row["state"] == "sent"],
        seconds=120,
        what="the daemon's run has sent it",
    )
    (run,) = ui.runs_of(batch)
    ui.ask(_TERMINATE, id=run["runId"])
    assert ui.ended(run["runId"])["status"] in {"CANCELED", "FAILURE"}
    again = ui.again(run["runId"])
    assert (again["status"], _metadata(again)["outcome"]) == ("SUCCESS", "busy"), "its lease is not over"
    _wait(lambda: office.payments_of(batch)[bill], seconds=60, what="QuickBooks carries out what it was sent")
    # Five minutes later, without waiting for them: what was sent is found, once.
    office.clock.move_to(SystemClock().now() + timedelta(minutes=10))
    assert office.drive_to_the_end(batch).outcome == "settled"
    assert office.payments_of(batch) == {bill: 1}
    assert office.broken() == []
