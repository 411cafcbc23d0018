"""The `runway` command in the test's own process: seconds less for each than a process of its own."""

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from typer.testing import CliRunner, Result

from cli.main import app
from resources.installation import Installation


class Command:
    """Runs the command in this process on an installation of the test."""

    def __init__(self, data: Path) -> None:
        self._runner = CliRunner()
        self._environment = {"RUNWAY_DATA_DIR": str(data), "COLUMNS": "200"}

    def __call__(self, *arguments: str) -> Result:
        return self._runner.invoke(app, arguments, env=self._environment)

    def done(self, *arguments: str) -> str:
        """The output of a command that has to succeed."""
        found = self(*arguments)
        assert found.exit_code == 0, found.output
        return found.stdout

    def json(self, *arguments: str) -> Any:
        return json.loads(self.done(*arguments, "--json"))

    def refused(self, *arguments: str) -> str:
        """The message of a command that has to be refused."""
        found = self(*arguments)
        assert found.exit_code == 1, found.output
        return found.stderr


def running(installation: Installation) -> Iterator[Command]:
    """The command on an installation of the test."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level  # a command sets up logging for a process of its own
    try:
        yield Command(installation.settings.data_dir)
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)
