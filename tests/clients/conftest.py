"""A running local QuickBooks, and clients that nobody here wrote, connected to it by their own means.

The clients are told other addresses and nothing else: intuit-oauth takes the address of a discovery document in place
of an environment, python-quickbooks and node-quickbooks keep the service's address in a class attribute.
"""

import importlib.util
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.sandbox import Sandbox, start_sandbox

ROOT = Path(__file__).parents[2]
#: The interpreter that has the sandbox's packages; the clients have theirs.
RUNWAY_PYTHON = ROOT / ".venv" / "bin" / "python"
FRIDAY_MORNING = datetime(2026, 11, 20, 12, 30, tzinfo=UTC)
CLIENT_ID, CLIENT_SECRET = "sandbox-client", "sandbox-secret"
REDIRECT = "http://127.0.0.1/callback"

# Without the clients' environment there is nothing to collect: `make test-clients` sets it up.
collect_ignore_glob = [] if importlib.util.find_spec("quickbooks") else ["test_*.py"]


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """The local QuickBooks at Friday morning."""
    with start_sandbox(tmp_path_factory.mktemp("sandbox"), python=str(RUNWAY_PYTHON)) as running:
        running.control.post("/__sandbox__/clock", json={"now": FRIDAY_MORNING.isoformat()}).raise_for_status()
        yield running


def add_company(sandbox: Sandbox, realm_id: str) -> str:
    return sandbox.add_company(
        realm_id=realm_id,
        name="Alder Agency",
        industry="marketing_agency",
        size="micro",
        seed=1,
        as_of="2026-11-20",
        zone="America/New_York",
    )


@pytest.fixture(scope="session")
def realm(sandbox: Sandbox) -> str:
    """The company that the Python clients read and change."""
    return add_company(sandbox, "9130000000000000011")


@pytest.fixture(scope="session")
def oauth(sandbox: Sandbox, realm: str):
    """intuit-oauth with the tokens of a consent."""
    from tests.clients.consent import connect  # noqa: PLC0415 - the package is missing outside the clients' environment

    with connect(sandbox, realm) as client:
        yield client


@pytest.fixture(scope="session")
def environment(sandbox: Sandbox) -> Iterator[pytest.MonkeyPatch]:
    """What python-quickbooks must be told to speak to another address, without TLS."""
    from quickbooks import QuickBooks  # noqa: PLC0415 - the package is missing outside the clients' environment

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(QuickBooks, "api_url_v3", f"{sandbox.url}/v3")
        # oauthlib's own switch for servers on the same machine.
        patch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")
        yield patch


@pytest.fixture(scope="session")
def qb(oauth, realm: str, environment: pytest.MonkeyPatch):
    """python-quickbooks, numbers as binary floats, which is its default."""
    from quickbooks import QuickBooks  # noqa: PLC0415 - the package is missing outside the clients' environment

    client = QuickBooks(auth_client=oauth, refresh_token=oauth.refresh_token, company_id=realm, minorversion=75)
    yield client
    client.session.close()


@pytest.fixture(scope="session")
def exact_qb(oauth, realm: str, environment: pytest.MonkeyPatch):
    """python-quickbooks with Decimal numbers, which it writes as text."""
    from quickbooks import QuickBooks  # noqa: PLC0415 - the package is missing outside the clients' environment

    client = QuickBooks(
        auth_client=oauth, refresh_token=oauth.refresh_token, company_id=realm, minorversion=75, use_decimal=True
    )
    yield client
    client.session.close()
