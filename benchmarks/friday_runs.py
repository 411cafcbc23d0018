"""Friday's runs by Dagster's daemon, each in a process of its own, asked for as the UI asks.

Belongs here: starting the deployed whole, launching runs, waiting for their end. Does not: what is measured.
"""

import socket
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from benchmarks.process_tree import ProcessTree, started

_ROOT = Path(__file__).parent.parent
_START_SECONDS = 300
_POLL_SECONDS = 3
"""Asking costs the web server processor time, which would count as the runs'."""
_LAUNCH = """
mutation($params: ExecutionParams!) {
  launchRun(executionParams: $params) { __typename ... on PythonError { message } }
}
"""
_STATUSES = "{ runsOrError { ... on Runs { results { status } } } }"
_LOCATIONS = "{ workspaceOrError { ... on Workspace { locationEntries { loadStatus } } } }"
_ENDED = {"SUCCESS", "FAILURE", "CANCELED"}


class Daemon:
    """The UI's GraphQL of a running Dagster."""

    def __init__(self, url: str, tree: ProcessTree) -> None:
        self.tree = tree
        self._http = httpx.Client(base_url=url, timeout=120)

    def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        """The data of an answer; an answer with errors raises."""
        answer = self._http.post("/graphql", json={"query": query, "variables": variables})
        answer.raise_for_status()
        body = answer.json()
        if "errors" in body:
            raise RuntimeError(str(body["errors"]))
        found: dict[str, Any] = body["data"]
        return found

    def is_ready(self) -> bool:
        """Whether the code location is loaded."""
        try:
            entries = self.ask(_LOCATIONS)["workspaceOrError"]["locationEntries"]
        except (httpx.HTTPError, RuntimeError):
            return False
        return bool(entries) and all(one["loadStatus"] == "LOADED" for one in entries)

    def run_all(self, job: str, *, tenants: Sequence[str], config: Mapping[str, Any]) -> None:
        """A run of the job for each tenant, and wait until all have succeeded."""
        before = len(self._statuses())
        for tenant in tenants:
            params = {
                "selector": {
                    "repositoryLocationName": "runway",
                    "repositoryName": "__repository__",
                    "jobName": job,
                },
                "mode": "default",
                "runConfigData": config,
                "executionMetadata": {"tags": [{"key": "dagster/partition", "value": tenant}]},
            }
            launched = self.ask(_LAUNCH, params=params)["launchRun"]
            if launched["__typename"] != "LaunchRunSuccess":
                raise RuntimeError(f"{job} of {tenant} was not launched: {launched}")
        while True:
            statuses = self._statuses()
            if len(statuses) >= before + len(tenants) and all(one in _ENDED for one in statuses):
                break
            time.sleep(_POLL_SECONDS)
        if any(one != "SUCCESS" for one in statuses):
            raise RuntimeError(f"runs of {job}: {statuses}")

    def _statuses(self) -> list[str]:
        return [str(one["status"]) for one in self.ask(_STATUSES)["runsOrError"]["results"]]

    def close(self) -> None:
        """End the connection."""
        self._http.close()


@contextmanager
def daemon(*, environment: Mapping[str, str], log: Path) -> Iterator[Daemon]:
    """`runway dagster`: web server, daemon and code server."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-W", "ignore", "-m", "cli.main", "dagster", "--port", str(port)]
    with started(command, environment=environment, log=log, folder=_ROOT) as (process, tree):
        opened = Daemon(f"http://127.0.0.1:{port}", tree)
        deadline = time.monotonic() + _START_SECONDS
        while not opened.is_ready():
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"Dagster did not start: {log.read_text()[-2000:]}")
            time.sleep(0.5)
        try:
            yield opened
        finally:
            opened.close()
