"""The code location: it loads anywhere, and its graph is the one that was agreed."""

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import dagster as dg
import pytest

from payments.sending.runs import DueBatch
from pipelines.build import build_defs
from pipelines.paying import TENANT_TAG, request

ROOT = Path(__file__).parents[2]
SNAPSHOT = Path(__file__).with_name("asset_graph.txt")


def _graph() -> str:
    graph = build_defs().resolve_asset_graph()
    lines = []
    for key in sorted(graph.get_all_asset_keys()):
        node = graph.get(key)
        parents = ", ".join(sorted(parent.to_user_string() for parent in node.parent_keys))
        partitioned = "" if node.partitions_def is None else f" by {node.partitions_def.name}"
        checks = sorted(one.name for one in node.check_keys)
        lines.append(
            f"{key.to_user_string()} [{node.group_name}]{partitioned}"
            + (f" checks {', '.join(checks)}" if checks else "")
            + (f" <- {parents}" if parents else "")
        )
    return "\n".join(lines) + "\n"


def test_the_asset_graph_is_the_agreed_one() -> None:
    """A lost, added or regrouped asset shows up in review as a changed line. To accept: RUNWAY_ACCEPT_GRAPH=1."""
    if os.environ.get("RUNWAY_ACCEPT_GRAPH"):
        SNAPSHOT.write_text(_graph())
    assert _graph() == SNAPSHOT.read_text()


def test_every_asset_says_what_it_is() -> None:
    graph = build_defs().resolve_asset_graph()
    for key in graph.get_all_asset_keys():
        node = graph.get(key)
        assert node.description, key
        assert node.kinds, key
        assert (node.partitions_def is None) == (node.group_name == "fleet"), key
        if node.group_name not in ("digest", "test_drive") and key.path[-1] != "portfolio":
            assert isinstance(node.metadata.get("dagster/column_schema"), dg.TableSchema), key


def test_the_definitions_load_with_an_empty_environment() -> None:
    code = "import dagster as dg; from pipelines.definitions import runway; dg.Definitions.validate_loadable(runway())"
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        env={"PATH": ""},
        cwd="/",
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("room", ["cli", "pipelines"])
def test_matrices_are_multiplied_in_one_thread_so_that_the_last_bits_are_those_of_any_machine(room: str) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "OPENBLAS_NUM_THREADS"}
    program = f"import sys, os, {room}; print(os.environ['OPENBLAS_NUM_THREADS'], 'numpy' in sys.modules)"
    told = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, env=environment, check=True, capture_output=True, text=True
    )
    assert told.stdout.split() == ["1", "False"]


def test_the_workspace_file_validates(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "dagster", "definitions", "validate", "-w", str(ROOT / "workspace.yaml")],
        env={"PATH": os.environ["PATH"], "DAGSTER_HOME": str(tmp_path)},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("job", ["tenant_sync", "friday"])
def test_a_job_runs_its_steps_in_one_process(job: str) -> None:
    assert build_defs().resolve_job_def(job).executor_def.name == "in_process"


def test_one_sync_and_one_payment_run_of_a_tenant_go_at_once_and_neither_holds_up_the_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
    (tmp_path / "dagster.yaml").write_text((ROOT / "dagster.yaml").read_text())
    with dg.DagsterInstance.from_config(str(tmp_path)) as instance:
        queue = instance.get_concurrency_config().run_queue_config
    assert queue is not None
    one_each = {"value": {"applyLimitPerUniqueValue": True}, "limit": 1}
    assert queue.tag_concurrency_limits == [{"key": "dagster/partition"} | one_each, {"key": TENANT_TAG} | one_each]
    due = DueBatch(tenant_id="acme", batch_id="p1", generation=0, ready_at=datetime(2026, 11, 20, tzinfo=UTC))
    assert request(due, overdue_seconds=0).tags[TENANT_TAG] == "acme"
    definitions = build_defs()
    assert not [job.name for job in definitions.resolve_all_job_defs() if TENANT_TAG in job.tags]
