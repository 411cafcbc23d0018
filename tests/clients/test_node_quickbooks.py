"""node-quickbooks: its tests are in JavaScript (``node/``); here they get a company and its tokens."""

import os
import subprocess
from pathlib import Path

import pytest

from tests.clients.conftest import add_company
from tests.clients.consent import connect
from tests.sandbox import Sandbox

pytestmark = pytest.mark.clients

NODE = Path(__file__).parent / "node"
# The part about tokens ends its connection, so no two parts share a company.
REALMS = {"reading": "9130000000000000021", "writing": "9130000000000000022", "tokens": "9130000000000000023"}


@pytest.mark.parametrize("part", list(REALMS))
def test_node_quickbooks(sandbox: Sandbox, part: str) -> None:
    realm_id = add_company(sandbox, REALMS[part])
    with connect(sandbox, realm_id) as oauth:
        told = {
            "SANDBOX_URL": sandbox.url,
            "REALM_ID": realm_id,
            "ACCESS_TOKEN": oauth.access_token,
            "REFRESH_TOKEN": oauth.refresh_token,
        }
    command = ["node", "--test", "--test-reporter=spec", f"{part}.test.js"]
    ended = subprocess.run(
        command, cwd=NODE, env={**os.environ, **told}, capture_output=True, text=True, check=False, timeout=100
    )
    assert ended.returncode == 0, ended.stdout + ended.stderr
