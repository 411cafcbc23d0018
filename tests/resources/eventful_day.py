"""One long day of one connection, with every logger at its lowest level, as the search for secrets needs it.

Belongs here: what happens, and what is planted. Does not: what must not be found afterwards (`test_no_secrets_in_logs.py`).
"""

import base64
import hashlib
import hmac
import io
import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import anyio
import dagster as dg
import httpx
from sqlalchemy.exc import IntegrityError

from cli.webhooks import PATH, receiver
from resources.commits import Quarantined
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
from tests.conftest import FRIDAY_MORNING
from tests.firm import Company, Firm
from tests.payments.eventful_batch import pay

VERIFIER = "verifier-canary-58a1c0"
VENDOR, CUSTOMER = "Canary Feather & Söhne", "Kanarienvogel Handels-Cie"
MEMO, NOTE = "memo canary 4711: settle quietly", "note canary 0815 for the owner alone"
CANARY_TOKENS = ("AB1-canary-access-token", "wrong-canary-secret")


class Everything:
    """Every logger at DEBUG, into one text, with nothing masked by a handler."""

    def __init__(self) -> None:
        self.stream = io.StringIO()
        self._handler = logging.StreamHandler(self.stream)
        self._handler.setFormatter(logging.Formatter("%(name)s %(levelname)s %(message)s"))
        self._levels: dict[str, int] = {}

    def __enter__(self) -> "Everything":
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


class Day:
    """What happens to one connection."""

    def __init__(self, firm: Firm, company: Company, everything: Everything, *, data: Path) -> None:
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
        vendor = self._write("vendor", {"DisplayName": VENDOR})
        self._write("customer", {"DisplayName": CUSTOMER})
        account = next(
            one["id"]
            for one in self.sandbox.truth(self.company.realm_id, basis="dated", day=FRIDAY_MORNING.date())["accounts"]
            if one["account_type"] == "Expense"
        )
        line = {
            "DetailType": "AccountBasedExpenseLineDetail",
            "Amount": 1234.56,
            "Description": NOTE,
            "AccountBasedExpenseLineDetail": {"AccountRef": {"value": account}},
        }
        bill = {"VendorRef": {"value": vendor["Vendor"]["Id"]}, "PrivateNote": MEMO, "Line": [line]}
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
            client.singleton("CompanyInfo", realm_id=access.realm_id, access_token=Secret(CANARY_TOKENS[0]))
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
        twice = CashSnapshot(account_id="1", name=VENDOR, balance_cents=1, dated_later_cents=0)
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
                        raw_text=json.dumps({"Id": "999999", "PrivateNote": MEMO, "TotalAmt": "x"}),
                    )
                ],
            )
        self.installation.smart_sync.sync(tenant)

    def webhook(self) -> None:
        """A delivery that is Intuit's, and others."""
        app = receiver(self.installation.dirty_tenants, verifier=Secret(VERIFIER))
        event = {
            "id": "1",
            "intuitaccountid": self.company.realm_id,
            "type": "qbo.vendor.updated.v1",
            "intuitentityid": "1",
            "data": {"name": VENDOR},
        }
        body = json.dumps([event]).encode()
        signature = base64.b64encode(hmac.new(VERIFIER.encode(), body, hashlib.sha256).digest()).decode()

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

    def payments(self) -> None:
        """A batch on which everything goes wrong once."""
        self.everything.lower()
        pay(self.firm, self.company, vendor=VENDOR)

    def end_of_the_connection(self) -> None:
        """An app that Intuit does not know, and a user who disconnects."""
        keeper = self.installation.token_keeper
        foreign = OAuthClient(
            discovery_url=f"{self.sandbox.url}/.well-known/openid_sandbox_configuration",
            client_id="sandbox-client",
            client_secret=Secret(CANARY_TOKENS[1]),
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
