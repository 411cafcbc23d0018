"""The connected company that tests which only read share, and a sandbox of their own for tests that move time."""

from collections.abc import Iterator

import pytest

from tests.qbo_sandbox.client import Company, new_company
from tests.sandbox import Sandbox, start_sandbox


@pytest.fixture(scope="session")
def reading(sandbox: Sandbox) -> Company:
    """A company that no test changes."""
    return new_company(sandbox)


@pytest.fixture(scope="module")
def company(sandbox: Sandbox) -> Company:
    """A company that the tests of one module change."""
    return new_company(sandbox)


@pytest.fixture
def own_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """A sandbox whose time and settings a test may change."""
    with start_sandbox(tmp_path_factory.mktemp("own-sandbox")) as running:
        yield running
