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
from alembic.util import CommandError
from pydantic import ValidationError
from pydantic_settings import SettingsError
from rich.console import Console
from rich.logging import RichHandler
from sqlalchemy.exc import ArgumentError, NoSuchModuleError, OperationalError

from migrations.chain import upgrade
from resources.errors import TenantError
from resources.installation import Installation
from resources.qbo.entities import BadObject
from resources.registry import RegistryError
from resources.secret_text import LogScrubber, quiet_http_logging
from resources.settings import Settings

#: The checkout: where `workspace.yaml` and the template of `dagster.yaml` are.
ROOT = Path(__file__).resolve().parent.parent

console = Console()
problems = Console(stderr=True)

#: Failures a person can do something about: shown as their message, without a traceback.
_EXPECTED = (TenantError, RegistryError, BadObject, ValueError)


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
    with plain_errors():
        with _told_in_words():
            installation = Installation(settings)
        try:
            with _told_in_words(), installation.database.read():
                pass  # it answers
            with _told_in_words():
                upgrade(installation.database)
            yield installation
        finally:
            installation.close()


@contextmanager
def _told_in_words() -> Iterator[None]:
    """What keeps an installation from opening, as an expected failure; no message of a driver, which may hold the password."""
    try:
        yield
    except (ArgumentError, NoSuchModuleError) as error:
        raise ValueError(
            "RUNWAY_DATABASE_URL is no address of a database. "
            "Expected: postgresql+psycopg://user:password@host/name, or nothing for SQLite."
        ) from error
    except OperationalError as error:
        raise ValueError(
            "The database does not open. See that it runs, that RUNWAY_DATABASE_URL names it, its user and its password, "
            "and that there is room on the disk."
        ) from error
    except CommandError as error:
        raise ValueError(
            f"The database has a schema that this program does not know: {error}. "
            "Is the program older than the one that used the database last?"
        ) from error
    except OSError as error:
        raise ValueError(
            f"{error.filename or 'A folder of the installation'}: {error.strerror}. "
            "RUNWAY_DATA_DIR has to be a folder that can be written."
        ) from error


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
