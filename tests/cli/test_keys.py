"""Rotating the keys from the command line: told before it is done, refused while a key is missing, whole afterwards."""

import base64
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from cli.main import app
from payments.controls.payees import BankDetails, propose_payee, seals
from resources.clock import FixedClock, SystemClock
from resources.database import Database
from resources.secret_text import Secret
from resources.tables import CONNECTION
from resources.token_vault import Place, TokenVault
from tests.payments.conftest import desk_file  # noqa: F401 - the fixture
from tests.payments.desk import Desk, make_bill
from tests.resources.builders import KEY, OTHER_KEY, connect, make_connections, make_tokens


class Ring:
    """Runs the command with keys; a tenant's tokens and bank details are sealed with `KEY`."""

    def __init__(self, data: Path, desk: Desk) -> None:
        self.desk = desk
        self.data = data

    def __call__(self, *arguments: str, keys: tuple[bytes, ...], code: int = 0) -> str:
        ring = ",".join(base64.b64encode(key).decode() for key in keys)
        environment = {"RUNWAY_DATA_DIR": str(self.data), "RUNWAY_TOKEN_KEYS": ring, "COLUMNS": "250"}
        done = CliRunner().invoke(app, ["keys", "rotate", *arguments], env=environment)
        assert done.exit_code == code, done.output
        return done.output

    def json(self, *arguments: str, keys: tuple[bytes, ...]) -> Any:
        return json.loads(self(*arguments, "--json", keys=keys))

    def states(self, *keys: bytes) -> list[str]:
        """With which key of a ring the two tokens and the bank details are sealed."""
        with self.desk.ledger.look(self.desk.tenant) as look:
            details = seals(look, vault=TokenVault(keys))
        return [*make_connections(self.desk.database, self.desk.clock, keys=keys).seals(self.desk.tenant), *details]


@pytest.fixture
def ring(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, desk_file: Path) -> Iterator[Ring]:  # noqa: F811 - the fixture
    monkeypatch.setattr("logging.basicConfig", lambda **_: None)  # the runner's streams end with the test
    path = tmp_path / "data" / "runway.sqlite"
    path.parent.mkdir()
    shutil.copyfile(desk_file, path)
    database = Database(f"sqlite:///{path}")
    desk = Desk(database, FixedClock(SystemClock().now()), register=False)
    desk.sync(make_bill("b1"))
    connect(make_connections(database, desk.clock), desk.tenant, realm_id=f"realm-{desk.tenant}")
    numbers = {"routing_number": Secret("021000021"), "account_number": Secret("123456789")}
    details = BankDetails(**numbers, account_kind="checking")
    propose_payee(desk.ledger, desk.tenant, by="pat", vendor_id="v-b1", details=details, vault=TokenVault([KEY]))
    yield Ring(tmp_path / "data", desk)
    database.close()


def test_what_an_older_key_sealed_is_sealed_with_the_newest(ring: Ring) -> None:
    both, tenant = (OTHER_KEY, KEY), ring.desk.tenant
    wanted = {"tokens": [tenant], "bank_details": {tenant: 1}, "unreadable": {}}
    assert ring.json("--dry-run", keys=both) == {"done": False, "result": wanted}
    assert ring.states(*both) == ["older"] * 3
    assert f"Would be encrypted again: tokens of {tenant}." in ring("--dry-run", keys=both)
    assert ring.json(keys=both) == {"done": True, "result": wanted}
    assert ring.states(OTHER_KEY) == ["newest"] * 3
    assert "no older one is needed" in ring(keys=both)
    assert make_connections(ring.desk.database, ring.desk.clock, keys=(OTHER_KEY,)).load(tenant).tokens == make_tokens()
    assert ring.states(KEY) == ["unreadable"] * 3


def test_nothing_is_rotated_while_a_key_is_missing(ring: Ring) -> None:
    tenant = ring.desk.tenant
    with ring.desk.database.write() as connection:
        sealed = TokenVault([OTHER_KEY]).seal(
            Secret("lost"), place=Place(tenant_id=tenant, realm_id="", kind="refresh")
        )
        connection.execute(CONNECTION.update().values(previous_refresh_token=sealed))
    newest = bytes(range(1, 33))
    said = ring(keys=(newest, KEY), code=1)
    assert f"none of the given keys opens: 1 of {tenant}" in said
    assert "Nothing was changed" in said
    assert ring.states(newest, KEY) == ["older", "older", "unreadable", "older"]
    found = ring.json("--leave-unreadable", keys=(newest, KEY))
    assert found["result"]["unreadable"] == {tenant: 1}
    assert ring.states(newest) == ["newest", "newest", "unreadable", "newest"]
    assert "There are no keys" in ring(keys=(), code=1)
    assert not (ring.data / "keys").exists(), "no fresh key is made"
