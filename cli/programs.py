"""`runway sandbox` and `runway dagster`: the programs beside ours, started with the right environment.

Belongs here: processes. Does not: what is in them. The sandbox shares no code with us, so it is started, never imported.
"""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import typer

from cli.session import ROOT, console, open_installation, prepare_dagster_home
from resources.settings import Settings

_START_SECONDS = 60


def sandbox(context: typer.Context) -> None:
    """Start the local QuickBooks; its own options follow (`runway sandbox --help` lists them)."""
    os.execv(sys.executable, [sys.executable, "-m", "qbo_sandbox", "serve", *context.args])  # noqa: S606 - our own program


def dagster(
    port: int = typer.Option(3000, help="Port of the Dagster UI."),
    host: str = typer.Option("127.0.0.1", help="Address to listen on. The UI has no login: keep it on this machine."),
) -> None:
    """Open the Dagster UI, with its daemon and, for local data, the local QuickBooks."""
    with open_installation() as installation:  # a daemon brings no database to the newest schema
        settings = installation.settings
    prepare_dagster_home(settings)
    command = [sys.executable, "-m", "dagster", "dev", "-w", str(ROOT / "workspace.yaml"), "-h", host, "-p", str(port)]
    if not _needs_local_quickbooks(settings):
        # In our place: nothing is left to end after it, and this process would only hold memory.
        console.print(f"Dagster UI: http://{host}:{port} (Ctrl-C ends it)")
        os.chdir(ROOT)
        os.execve(sys.executable, command, child_environment(settings))  # noqa: S606 - our own program
    with local_quickbooks(settings):
        console.print(f"Dagster UI: http://{host}:{port} (Ctrl-C ends it)")
        process = subprocess.Popen(command, cwd=ROOT, env=child_environment(settings))  # noqa: S603 - our own program
        try:
            code = process.wait()
        except KeyboardInterrupt:
            process.send_signal(signal.SIGINT)
            code = process.wait()
    raise typer.Exit(code=code)


def _needs_local_quickbooks(settings: Settings) -> bool:
    is_local = settings.qbo_environment == "local" and companies_file(settings).exists()
    return is_local and not answers(settings.qbo_local_url)


def child_environment(settings: Settings) -> dict[str, str]:
    """Our environment for a process that runs in another folder: the data folder by its absolute path."""
    return {**os.environ, "RUNWAY_DATA_DIR": str(settings.data_dir.absolute())}


def companies_file(settings: Settings) -> Path:
    """The generated companies that the local QuickBooks serves."""
    return settings.data_dir.absolute() / "sandbox" / "companies.json"


@contextmanager
def local_quickbooks(settings: Settings) -> Iterator[None]:
    """The local QuickBooks with this installation's companies, if it has any; one that already answers is left alone."""
    if not _needs_local_quickbooks(settings):
        yield
        return
    companies = companies_file(settings)
    address = urlsplit(settings.qbo_local_url)
    log = companies.parent / "sandbox.log"
    command = [sys.executable, "-m", "qbo_sandbox", "serve"]
    command += ["--host", str(address.hostname), "--port", str(address.port)]
    command += ["--state", str(companies.parent), "--companies", str(companies)]
    with log.open("ab") as output:
        process = subprocess.Popen(command, cwd=ROOT, stdout=output, stderr=output)  # noqa: S603 - our own program
    try:
        _wait_until_it_answers(process, settings.qbo_local_url, log=log)
        yield
    finally:
        process.terminate()
        process.wait()


def answers(url: str) -> bool:
    """Whether the local QuickBooks is there."""
    try:
        return httpx.get(f"{url}/.well-known/openid_sandbox_configuration", timeout=2).is_success
    except httpx.TransportError:
        return False


def _wait_until_it_answers(process: subprocess.Popen[bytes], url: str, *, log: Path) -> None:
    deadline = time.monotonic() + _START_SECONDS
    while not answers(url):
        if process.poll() is not None or time.monotonic() > deadline:
            raise ValueError(f"The local QuickBooks did not start on {url}: its log is {log}.")
        time.sleep(0.1)
