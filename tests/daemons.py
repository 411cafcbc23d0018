"""Real `dagster-daemon` processes on a Dagster home of their own.

Belongs here: the home, starting, killing and ending a daemon. Does not: what the daemons run, what a test judges.
"""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

_ROOT = Path(__file__).parents[1]


class Daemon:
    """One `dagster-daemon` with its code server and its runs, in a process group of its own."""

    def __init__(self, home: Path, environment: Mapping[str, str], *, log: Path) -> None:
        command = [str(Path(sys.executable).parent / "dagster-daemon"), "run", "-w", str(home / "workspace.yaml")]
        self._log = log.open("ab")
        self._process = subprocess.Popen(
            command, cwd=_ROOT, env=dict(environment), stdout=self._log, stderr=self._log, start_new_session=True
        )

    def kill(self) -> None:
        """The daemon dies at once; its code server notices later, as after a crash."""
        self._process.send_signal(signal.SIGKILL)
        self._process.wait()

    def end(self) -> None:
        """Everything it started ends."""
        for how in (signal.SIGTERM, signal.SIGKILL):
            try:
                os.killpg(self._process.pid, how)
            except ProcessLookupError:
                break
            try:
                self._process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                continue
            time.sleep(0.5)
        self._log.close()


def furnish_home(home: Path, *, definitions: str, settings: Mapping[str, str]) -> dict[str, str]:
    """A Dagster home as the command line makes one, that loads a module's definitions; the environment of its processes."""
    # Who looks for dead runs once a minute frees the place of each a minute later.
    template = (_ROOT / "dagster.yaml").read_text().replace("poll_interval_seconds: 60", "poll_interval_seconds: 1")
    (home / "dagster.yaml").write_text(template)
    module = {"module_name": definitions, "working_directory": str(_ROOT)}
    (home / "workspace.yaml").write_text(json.dumps({"load_from": [{"python_module": module}]}))
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("RUNWAY_", "DAGSTER_"))}
    environment = kept | {"DAGSTER_HOME": str(home), **settings}
    # Two processes that make the tables of a new home at the same moment leave it with two revisions, which nothing can open.
    command = [str(Path(sys.executable).parent / "dagster"), "instance", "info"]
    subprocess.run(command, env=environment, check=True, capture_output=True)
    return environment
