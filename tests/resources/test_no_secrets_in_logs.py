"""Whatever is run, at the lowest level of every logger: no secret is anywhere, no client data outside of lake and tables.

One connection is made, synced, refused, broken in every way, announced by webhook and run by Dagster; then everything that
was written is searched for the secrets the local QuickBooks has handed out, and for names and memos of the company's books.
"""

import base64
import hashlib
import hmac
import io
import json
import logging
import os
import re
import sqlite3
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import anyio
import dagster as dg
import httpx
import pytest
from pydantic import SecretStr
from sqlalchemy.exc import IntegrityError

from cli.webhooks import PATH, receiver
from migrations.chain import upgrade
from resources.clock import FixedClock
from resources.commits import Quarantined
from resources.errors import TenantError
from resources.installation import Installation
from resources.published_balances import CashSnapshot
from resources.qbo.errors import (
    ConnectionLost,
    QboAuthExpired,
    QboNotAuthorised,
    QboQuotaExhausted,
    QboRefused,
    QboThrottled,
    QboUnavailable,
)
from resources.qbo.oauth import OAuthClient
from resources.qbo.patience import Patience, RetryPolicy
from resources.qbo.smart_sync import SmartSync
from resources.secret_text import Secret
from resources.settings import Settings
from tests.conftest import FRIDAY_MORNING
from tests.firm import Company, Firm, dagster_instance
from tests.resources.qbo.kept_versions import kept, living
from tests.sandbox import start_sandbox

_CLIENT_SECRET = "sandbox-secret"
_VERIFIER = "verifier-canary-58a1c0"
_VENDOR, _CUSTOMER = "Canary Feather & Söhne", "Kanarienvogel Handels-Cie"
_MEMO, _NOTE = "memo canary 4711: settle quietly", "note canary 0815 for the owner alone"
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


class _Everything:
    """Every logger at DEBUG, into one text, with nothing masked by a handler."""

    def __init__(self) -> None:
        self.stream = io.StringIO()
        self._handler = logging.StreamHandler(self.stream)
        self._handler.setFormatter(logging.Formatter("%(name)s %(levelname)s %(message)s"))
        self._levels: dict[str, int] = {}

    def __enter__(self) -> "_Everything":
        logging.getLogger().addHandler(self._handler)
        self.lower()
        return self

    def lower(self) -> None:
        """Lower the loggers that there are by now, those of the libraries that log traffic by name."""
        for name in ("", *_TRAFFIC, *logging.Logger.manager.loggerDict):
            logger = logging.getLogger(name)
            self._levels.setdefault(name, logger.level)
            logger.setLevel(logging.DEBUG)

    def __exit__(self, *_: object) -> None:
        logging.getLogger().removeHandler(self._handler)
        for name, level in self._levels.items():
            logging.getLogger(name).setLevel(level)


_TRAFFIC = (
    "httpx",
    "httpcore.connection",
    "httpcore.http11",
    "sqlalchemy.engine.Engine",
    "sqlalchemy.pool.impl.QueuePool",
    "urllib3.connectionpool",
    "dagster",
    "uvicorn.access",
    "asyncio",
)


class _Day:
    """What happens to one connection."""

    def __init__(self, firm: Firm, company: Company, everything: _Everything, *, data: Path) -> None:
        self.firm = firm
        self.company = company
        self.installation = firm.installation
        self.sandbox = firm.sandbox
        self.everything = everything
        self.data = data
        self.errors: list[Exception] = []
        self._log = logging.getLogger("the program that caught it")

    @contextmanager
    def _fails(self, *kinds: type[Exception]) -> Iterator[None]:
        self.everything.lower()
        try:
            yield
        except kinds as error:
            self._log.exception("%s: %r", error, error)
            self.errors.append(error)
        else:
            raise AssertionError(f"no {kinds} was raised")

    def books_with_canaries(self) -> None:
        """Enter names and memos in QuickBooks, as a bookkeeper does."""
        vendor = self._write("vendor", {"DisplayName": _VENDOR})
        self._write("customer", {"DisplayName": _CUSTOMER})
        account = next(
            one["id"]
            for one in self.sandbox.truth(self.company.realm_id, basis="dated", day=FRIDAY_MORNING.date())["accounts"]
            if one["account_type"] == "Expense"
        )
        line = {
            "DetailType": "AccountBasedExpenseLineDetail",
            "Amount": 1234.56,
            "Description": _NOTE,
            "AccountBasedExpenseLineDetail": {"AccountRef": {"value": account}},
        }
        bill = {"VendorRef": {"value": vendor["Vendor"]["Id"]}, "PrivateNote": _MEMO, "Line": [line]}
        self._write("bill", bill)

    def _write(self, entity: str, body: dict[str, Any]) -> dict[str, Any]:
        answer = self.sandbox.control.post(
            f"/v3/company/{self.company.realm_id}/{entity}", json=body, headers=self._headers()
        )
        assert answer.status_code == 200, answer.text
        found: dict[str, Any] = answer.json()
        return found

    def _headers(self) -> dict[str, str]:
        token = self.installation.connections.load(self.company.tenant).tokens.access_token
        return {"Authorization": f"Bearer {token.reveal()}", "Accept": "application/json"}

    def syncs(self) -> None:
        """A first load and an increment, a token that died without our knowing, a stored one that has to be replaced."""
        tenant = self.company.tenant
        assert self.installation.smart_sync.sync(tenant).kind == "full"
        self.books_with_canaries()
        assert self.installation.smart_sync.sync(tenant).kind == "changes"
        self.sandbox.control.post("/__sandbox__/clock", json={"advance_seconds": 3700}).raise_for_status()
        self.installation.smart_sync.sync(tenant)
        assert any(one["status"] == 401 for one in self.sandbox.requests(self.company.realm_id))
        self.installation.clock.sleep(3700)
        self.installation.smart_sync.sync(tenant)

    def errors_of_quickbooks(self) -> None:
        """Every way in which QuickBooks can fail."""
        for kind, error in (
            ("http_500", QboUnavailable),
            ("html_body", QboUnavailable),
            ("truncated_json", QboUnavailable),
            ("drop_after", QboUnavailable),
            ("throttle_storm", QboThrottled),
            ("unauthorized", QboAuthExpired),
        ):
            self.sandbox.break_with(self.company.realm_id, kind=kind)
            with self._fails(error):
                self._impatient_sync()
            self.sandbox.heal(self.company.realm_id)
        self._setting(monthly_quota=0)
        with self._fails(QboQuotaExhausted):
            self.installation.smart_sync.sync(self.company.tenant)
        self._setting(monthly_quota=500_000)
        access = self.installation.token_keeper.access_token(self.company.tenant)
        client = self.installation.qbo_client
        with self._fails(QboNotAuthorised):
            client.singleton("CompanyInfo", realm_id="9130999999999999", access_token=access.access_token)
        with self._fails(QboAuthExpired):
            client.singleton("CompanyInfo", realm_id=access.realm_id, access_token=Secret(_CANARY_TOKENS[0]))
        with self._fails(QboRefused):
            client.report("NoSuchReport", {}, realm_id=access.realm_id, access_token=access.access_token)

    def _impatient_sync(self) -> None:
        installation = self.installation
        SmartSync(
            client=installation.qbo_client,
            tokens=installation.token_keeper,
            lake=installation.lake,
            commits=installation.commits,
            clock=installation.clock,
            patience=Patience(clock=installation.clock, policy=RetryPolicy(transient_seconds=0, most_throttles=0)),
        ).sync(self.company.tenant)

    def errors_of_ours(self) -> None:
        """A statement that fails over client data, and an object that cannot be read."""
        tenant = self.company.tenant
        newest = self.installation.commits.newest_sync(tenant)
        assert newest is not None
        twice = CashSnapshot(account_id="1", name=_VENDOR, balance_cents=1, dated_later_cents=0)
        with self._fails(IntegrityError):
            self.installation.published_balances.publish(newest, cash=[twice, twice], bills=[])
        with self.installation.commits.lease(tenant) as lease:
            self.installation.commits.commit_sync(
                lease,
                kind="changes",
                data_as_of=newest.data_as_of + timedelta(microseconds=1),
                watermark=newest.watermark,
                report=newest.report,
                segments=[],
                quarantined=[
                    Quarantined(
                        entity="Bill",
                        qbo_id="999999",
                        field="TotalAmt",
                        expected="an amount",
                        reason="it is none",
                        raw_text=json.dumps({"Id": "999999", "PrivateNote": _MEMO, "TotalAmt": "x"}),
                    )
                ],
            )
        self.installation.smart_sync.sync(tenant)

    def webhook(self) -> None:
        """A delivery that is Intuit's, and others."""
        app = receiver(self.installation.dirty_tenants, verifier=Secret(_VERIFIER))
        event = {
            "id": "1",
            "intuitaccountid": self.company.realm_id,
            "type": "qbo.vendor.updated.v1",
            "intuitentityid": "1",
            "data": {"name": _VENDOR},
        }
        body = json.dumps([event]).encode()
        signature = base64.b64encode(hmac.new(_VERIFIER.encode(), body, hashlib.sha256).digest()).decode()

        async def deliver() -> list[int]:
            transport = httpx.ASGITransport(app=app)
            async with httpx.AsyncClient(transport=transport, base_url="http://receiver") as client:
                answers = [
                    await client.post(PATH, content=content, headers={"intuit-signature": signed})
                    for content, signed in ((body, signature), (body, "forged"), (b"[{", ""))
                ]
            return [answer.status_code for answer in answers]

        self.everything.lower()
        assert anyio.run(deliver) == [200, 401, 401]

    def dagster(self) -> None:
        """Runs that succeed, one of them after a token that is refused, and one that fails."""
        assert self._run().success
        self.sandbox.break_with(self.company.realm_id, kind="unauthorized", times=1)
        assert self._run().success
        self.sandbox.break_with(self.company.realm_id, kind="html_body")
        assert not self._run().success
        self.sandbox.heal(self.company.realm_id)

    def end_of_the_connection(self) -> None:
        """An app that Intuit does not know, and a user who disconnects."""
        keeper = self.installation.token_keeper
        foreign = OAuthClient(
            discovery_url=f"{self.sandbox.url}/.well-known/openid_sandbox_configuration",
            client_id="sandbox-client",
            client_secret=Secret(_CANARY_TOKENS[1]),
            clock=self.installation.clock,
        )
        with foreign, self._fails(QboNotAuthorised):
            foreign.refresh(self.installation.connections.load(self.company.tenant).tokens.refresh_token)
        self.sandbox.revoke(self.company.realm_id)
        self.installation.clock.sleep(3700)
        with self._fails(ConnectionLost):
            keeper.access_token(self.company.tenant)
        assert not self._run().success

    def _run(self) -> dg.ExecuteInProcessResult:
        self.everything.lower()
        return self.firm.run("tenant_sync", self.company.tenant, log_level="DEBUG")

    def _setting(self, **changed: Any) -> None:
        self.sandbox.control.post("/__sandbox__/settings", json=changed).raise_for_status()


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
        _Everything() as everything,
        dagster_instance(folder / "dagster") as instance,
        _printed_to(folder / "printed"),
    ):
        sandbox.control.post("/__sandbox__/settings", json={"refresh_rotation_seconds": 0}).raise_for_status()
        settings = Settings(
            data_dir=folder / "data",
            qbo_local_url=sandbox.url,
            log_level="DEBUG",
            qbo_webhook_verifier=SecretStr(_VERIFIER),
        )
        installation = Installation(settings, clock=FixedClock(FRIDAY_MORNING))
        try:
            upgrade(installation.database)
            firm = Firm(installation, instance, sandbox)
            company = firm.company("larch", seed=41)
            day = _Day(firm, company, everything, data=folder / "data")
            everything.lower()
            day.syncs()
            day.errors_of_quickbooks()
            day.errors_of_ours()
            day.webhook()
            day.dagster()
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
            secrets=frozenset({*_handed_out(state), *keys, _CLIENT_SECRET, _VERIFIER, *_ENCODED, *_CANARY_TOKENS}),
            client_data=_client_data(books),
        )


_ENCODED = (base64.b64encode(f"sandbox-client:{_CLIENT_SECRET}".encode()).decode(),)
_CANARY_TOKENS = ("AB1-canary-access-token", "wrong-canary-secret")


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
    found = {_VENDOR, _CUSTOMER, _MEMO, _NOTE}
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
    names = {name for name, _ in _contents(traces.dagster)}
    assert any(name.endswith((".out", ".err")) for name in names), "compute logs"
    assert any(name.endswith(".db") for name in names), "event logs"
    assert {_VENDOR, _CUSTOMER, _MEMO, _NOTE} < traces.client_data
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
    assert _VENDOR.encode() in tables, "the search would find it"


def _told(error: BaseException | None) -> bytes:
    """What an error and those behind it say."""
    told: list[str] = []
    while error is not None:
        told += [str(error), repr(error), repr(error.args), *getattr(error, "__notes__", ())]
        if isinstance(error, TenantError):
            told += [error.what, error.next_step]
        error = error.__cause__ or error.__context__
    return "\n".join(told).encode()
