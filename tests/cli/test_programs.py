"""Programs that a command starts: what is left running, and in whose place."""

import os
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[2]
_LONGEST_SECONDS = 60


@pytest.mark.skipif(not Path("/proc/self/cmdline").exists(), reason="what a process is called is read from /proc")
def test_where_no_local_quickbooks_has_to_be_ended_dagster_takes_the_place_of_the_command(tmp_path: Path) -> None:
    environment = {**os.environ, "RUNWAY_DATA_DIR": str(tmp_path / "data"), "DAGSTER_HOME": ""}
    command = [sys.executable, "-W", "ignore", "-m", "cli.main", "dagster", "--port", "0"]
    with (tmp_path / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=_ROOT, env=environment, stdout=log, stderr=log, start_new_session=True)
    try:
        called, until = Path(f"/proc/{process.pid}/cmdline"), time.monotonic() + _LONGEST_SECONDS
        while b"\0dagster\0dev\0" not in called.read_bytes():
            assert process.poll() is None, (tmp_path / "log").read_text()
            assert time.monotonic() < until, called.read_bytes()
            time.sleep(0.05)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    assert "Dagster UI: http://127.0.0.1:0" in (tmp_path / "log").read_text()
    assert (tmp_path / "data" / "dagster" / "dagster.yaml").exists()
    # A daemon makes no tables: they have to be there before it.
    with sqlite3.connect(f"file:{tmp_path / 'data' / 'runway.sqlite'}?mode=ro", uri=True) as database:
        assert database.execute("SELECT count(*) FROM tenant").fetchone() == (0,)


def test_the_options_of_the_local_quickbooks_are_listed_where_its_command_says_they_are() -> None:
    command = [sys.executable, "-W", "ignore", "-m", "cli.main", "sandbox", "--help"]
    told = subprocess.run(command, cwd=_ROOT, capture_output=True, text=True, check=True, timeout=_LONGEST_SECONDS)
    assert all(option in told.stdout for option in ("--port", "--state", "--companies"))
