"""What each command starts from: settings, a migrated database, errors in plain words.

Belongs here: opening the installation, DAGSTER_HOME, the console. Does not: commands.
"""

import logging
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import typer
from pydantic import ValidationError
from pydantic_settings import SettingsError
from rich.console import Console
from rich.logging import RichHandler

from migrations.chain import upgrade
from resources.errors import TenantError
from resources.installation import Installation
from resources.registry import RegistryError
from resources.secret_text import LogScrubber, quiet_http_logging
from resources.settings import Settings

#: The checkout: where `workspace.yaml` and the template of `dagster.yaml` are.
ROOT = Path(__file__).resolve().parent.parent

console = Console()
problems = Console(stderr=True)

#: Failures a person can do something about: shown as their message, without a traceback.
_EXPECTED = (TenantError, RegistryError, ValueError)


def read_settings() -> Settings:
    """The settings of the environment, or a list of what is wrong with them."""
    try:
        return Settings()
    except ValidationError as error:
        problems.print("[bold red]The settings cannot be read.[/]")
        for one in error.errors(include_url=False, include_input=False):
            name = "RUNWAY_" + "__".join(str(part) for part in one["loc"]).upper()
            problems.print(f"  {name.rstrip('_')}: {one['msg']}", markup=False, soft_wrap=True)
        raise typer.Exit(code=2) from error
    except SettingsError as error:
        problems.print("[bold red]The settings cannot be read.[/]")
        problems.print(f'  {error}: write a list as JSON, for example ["35", "36"].', markup=False, soft_wrap=True)
        raise typer.Exit(code=2) from error


@contextmanager
def open_installation() -> Iterator[Installation]:
    """The installation with its database at the newest schema; expected failures end the command with their message."""
    settings = read_settings()
    log_at(settings.log_level)
    installation = Installation(settings)
    try:
        with plain_errors():
            upgrade(installation.database)
            yield installation
    finally:
        installation.close()


@contextmanager
def plain_errors() -> Iterator[None]:
    """Show an expected failure as its message and end with exit code 1."""
    try:
        yield
    except _EXPECTED as error:
        problems.print("[bold red]Not done.[/] ", end="")
        problems.print(str(error), markup=False, soft_wrap=True)
        raise typer.Exit(code=1) from error


def prepare_dagster_home(settings: Settings) -> Path:
    """The folder of Dagster's storage, with our `dagster.yaml` if it has none; sets DAGSTER_HOME for this process."""
    home = Path(os.environ.get("DAGSTER_HOME") or settings.dagster_home).absolute()
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not (home / "dagster.yaml").exists():
        shutil.copyfile(ROOT / "dagster.yaml", home / "dagster.yaml")
    os.environ["DAGSTER_HOME"] = str(home)
    return home


def log_at(level: str) -> None:
    """Log to the screen from this level on, with nothing secret in it."""
    handler = RichHandler(console=problems, show_path=False)
    handler.addFilter(LogScrubber())
    logging.basicConfig(level=level, handlers=[handler], format="%(name)s: %(message)s", force=True)
    quiet_http_logging()


def is_terminal() -> bool:
    """Whether a person watches: progress bars are for them, lines for files."""
    return sys.stdout.isatty()
