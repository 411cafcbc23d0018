"""Whatever is run, at the lowest level of every logger: no secret is anywhere, no client data outside of lake and tables.

One connection is made, synced, refused, broken in every way, announced by webhook, run by Dagster and paid from; then everything
that was written is searched for the secrets the local QuickBooks has handed out, and for names and memos of the company's books.
"""

import base64
import json
import os
import re
import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy.exc import IntegrityError

from migrations.chain import upgrade
from resources.clock import FixedClock
from resources.errors import TenantError
from resources.installation import Installation
from resources.qbo.errors import (
    ConnectionLost,
    QboAuthExpired,
    QboNotAuthorised,
    QboQuotaExhausted,
    QboRefused,
    QboThrottled,
    QboUnavailable,
)
from resources.settings import Settings
from tests.conftest import FRIDAY_MORNING
from tests.firm import Firm, dagster_instance
from tests.payments.eventful_batch import ACCOUNT_NUMBER
from tests.resources.eventful_day import CANARY_TOKENS, CUSTOMER, MEMO, NOTE, VENDOR, VERIFIER, Day, Everything
from tests.resources.qbo.kept_versions import kept, living
from tests.sandbox import start_sandbox

# One worker lives the day once for all tests of this module.
pytestmark = pytest.mark.xdist_group("secrets")

_CLIENT_SECRET = "sandbox-secret"
_FOLDER_OF_BOOKS = ("lake", "runway.sqlite")
#: Words of the books that are words of the program as well say nothing about a leak.
_SHORTEST_NAME = 12
#: Authorisation codes are used up and not kept by anybody: they are known by their form, as are refresh tokens.
_CODE = re.compile(r"AB1[\w-]{40}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Traces:
    """Everything that was written by the way, and what must not be in it."""

    log: str
    printed: str
    errors: list[Exception]
    data: Path
    dagster: Path
    secrets: frozenset[str]
    client_data: frozenset[str]


@contextmanager
def _printed_to(path: Path) -> Iterator[None]:
    """Let everything that is printed go to a file, by Python or past it."""
    with path.open("w") as file, redirect_stdout(file), redirect_stderr(file):
        before = [os.dup(1), os.dup(2)]
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
        try:
            yield
        finally:
            for number, kept_open in enumerate(before, start=1):
                os.dup2(kept_open, number)
                os.close(kept_open)


@pytest.fixture(scope="module")
def traces(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Traces]:
    """One long day, and everything it left behind."""
    folder = tmp_path_factory.mktemp("canaries")
    state = tmp_path_factory.mktemp("canary sandbox")
    with (
        start_sandbox(state) as sandbox,
        Everything() as everything,
        dagster_instance(folder / "dagster") as instance,
        _printed_to(folder / "printed"),
    ):
        sandbox.control.post("/__sandbox__/settings", json={"refresh_rotation_seconds": 0}).raise_for_status()
        settings = Settings(
            data_dir=folder / "data",
            qbo_local_url=sandbox.url,
            log_level="DEBUG",
            qbo_webhook_verifier=SecretStr(VERIFIER),
        )
        installation = Installation(settings, clock=FixedClock(FRIDAY_MORNING))
        try:
            upgrade(installation.database)
            firm = Firm(installation, instance, sandbox)
            company = firm.company("larch", seed=41)
            day = Day(firm, company, everything, data=folder / "data")
            everything.lower()
            day.syncs()
            day.errors_of_quickbooks()
            day.errors_of_ours()
            day.webhook()
            day.dagster()
            day.payments()
            day.end_of_the_connection()
            books = living(kept(installation, company.tenant))
            keys = installation.settings.key_file.read_text().split()
        finally:
            installation.close()
        yield Traces(
            log=everything.stream.getvalue(),
            printed=(folder / "printed").read_text(),
            errors=day.errors,
            data=folder / "data",
            dagster=folder / "dagster",
            secrets=frozenset(
                {*_handed_out(state), *keys, _CLIENT_SECRET, VERIFIER, *_ENCODED, *CANARY_TOKENS, ACCOUNT_NUMBER}
            ),
            client_data=_client_data(books),
        )


_ENCODED = (base64.b64encode(f"sandbox-client:{_CLIENT_SECRET}".encode()).decode(),)


def _handed_out(state: Path) -> set[str]:
    """Every token that the local QuickBooks has ever given to us."""
    store = sqlite3.connect(f"file:{state / 'sandbox.sqlite3'}?mode=ro", uri=True)
    try:
        found = {
            row[0] for row in store.execute("SELECT token FROM access_tokens UNION SELECT token FROM refresh_tokens")
        }
    finally:
        store.close()
    assert len(found) > 4
    return found


def _client_data(books: dict[str, dict[str, str]]) -> frozenset[str]:
    """Names of vendors and customers, memos and notes, as far as they are no words of everyday."""
    found = {VENDOR, CUSTOMER, MEMO, NOTE}
    for entity, texts in books.items():
        for text in texts.values():
            body = json.loads(text)
            if entity in ("Vendor", "Customer"):
                found.add(body["DisplayName"])
            found.add(body.get("PrivateNote", ""))
            found |= {line.get("Description", "") for line in body.get("Line", ())}
    return frozenset(one for one in found if len(one) >= _SHORTEST_NAME)


def _spellings(text: str) -> set[bytes]:
    """How a text may look in a file: as it is, as JSON writes it, as JSON within JSON, as Python shows it."""
    once = json.dumps(text)[1:-1]
    forms = {text, once, json.dumps(once)[1:-1], repr(text)[1:-1], text.replace("&", "&amp;")}
    return {form.encode() for form in forms} | {text.encode("utf-16-le")}


def _found_in(content: bytes, words: frozenset[str]) -> list[str]:
    return sorted(word for word in words if any(form in content for form in _spellings(word)))


def _contents(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Every file, and what is packed inside of databases."""
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        yield str(path.relative_to(folder)), path.read_bytes()
        if path.suffix in (".db", ".sqlite"):
            yield f"unpacked {path.relative_to(folder)}", b"\n".join(_unpacked(path))


def _unpacked(path: Path) -> Iterator[bytes]:
    store = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    try:
        tables = [row[0] for row in store.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in tables:
            for row in store.execute(f'SELECT * FROM "{table}"'):  # noqa: S608 - the file's own names
                for value in row:
                    if isinstance(value, bytes):
                        yield _inflated(value)
                    elif isinstance(value, str):
                        yield value.encode()
    finally:
        store.close()


def _inflated(value: bytes) -> bytes:
    try:
        return zlib.decompress(value)
    except zlib.error:
        return value


def test_the_day_was_as_eventful_as_it_should_be(traces: Traces) -> None:
    """A search in an empty log finds nothing."""
    kinds = {type(error) for error in traces.errors}
    assert {QboUnavailable, QboThrottled, QboAuthExpired, QboQuotaExhausted, QboNotAuthorised} <= kinds
    assert {QboRefused, ConnectionLost, IntegrityError} <= kinds
    assert "Traceback" in traces.log
    assert "sqlalchemy.engine.Engine INFO" in traces.log, "statements are logged, without what they carry"
    assert "INSERT INTO open_bill" in traces.log
    assert "a delivery was not signed" in traces.log
    assert "INSERT INTO intent" in traces.log, "a batch was sealed and sent"
    names = {name for name, _ in _contents(traces.dagster)}
    assert any(name.endswith((".out", ".err")) for name in names), "compute logs"
    assert any(name.endswith(".db") for name in names), "event logs"
    assert {VENDOR, CUSTOMER, MEMO, NOTE} < traces.client_data
    assert len(traces.client_data) > 20


def test_no_secret_is_logged_printed_or_told_by_an_error(traces: Traces) -> None:
    assert _found_in(traces.log.encode(), traces.secrets) == []
    assert _found_in(traces.printed.encode(), traces.secrets) == []
    assert _CODE.findall(traces.log + traces.printed) == []
    for error in traces.errors:
        assert _found_in(_told(error), traces.secrets) == []


def test_no_client_data_is_logged_printed_or_told_by_an_error(traces: Traces) -> None:
    assert _found_in(traces.log.encode(), traces.client_data) == []
    assert _found_in(traces.printed.encode(), traces.client_data) == []
    for error in traces.errors:
        assert _found_in(_told(error), traces.client_data) == []


def test_no_secret_lies_readable_in_any_file(traces: Traces) -> None:
    for folder in (traces.data, traces.dagster):
        for name, content in _contents(folder):
            secrets = traces.secrets
            if name == "keys/token.keys":
                secrets = frozenset(one for one in secrets if one.encode() not in content)
                assert len(secrets) == len(traces.secrets) - 1
            assert _found_in(content, secrets) == [], name


def test_client_data_is_in_the_lake_and_in_our_tables_and_nowhere_else(traces: Traces) -> None:
    for name, content in _contents(traces.dagster):
        assert _found_in(content, traces.client_data) == [], name
    for name, content in _contents(traces.data):
        if not name.removeprefix("unpacked ").startswith(_FOLDER_OF_BOOKS):
            assert _found_in(content, traces.client_data) == [], name
    tables = dict(_contents(traces.data))["unpacked runway.sqlite"]
    assert VENDOR.encode() in tables, "the search would find it"


def _told(error: BaseException | None) -> bytes:
    """What an error and those behind it say."""
    told: list[str] = []
    while error is not None:
        told += [str(error), repr(error), repr(error.args), *getattr(error, "__notes__", ())]
        if isinstance(error, TenantError):
            told += [error.what, error.next_step]
        error = error.__cause__ or error.__context__
    return "\n".join(told).encode()
