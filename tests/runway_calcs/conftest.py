"""The generator of companies that tests of calculators share."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from tests.generated_books import Generator, reading
from tests.sandbox import Sandbox


@pytest.fixture(scope="session")
def generator(sandbox: Sandbox) -> Iterator[Generator]:
    """Reads generated companies from the local QuickBooks; half a second for a micro company, two for a small one."""
    with TemporaryDirectory() as folder, reading(Path(folder), sandbox) as opened:
        yield opened
