"""Fixtures of this room: a scripted QuickBooks and one tenant on it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.resources.qbo.house import House, open_house
from tests.resources.qbo.scripted_qbo import ScriptedQbo, serve

# Examples are small; how long one takes says more about the machine's other work than about the code.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


@pytest.fixture
def qbo() -> Iterator[ScriptedQbo]:
    """A QuickBooks whose answers a test scripts."""
    with serve(ScriptedQbo()) as served:
        yield served


@pytest.fixture
def house(tmp_path: Path, qbo: ScriptedQbo) -> Iterator[House]:
    """One connected tenant of that QuickBooks."""
    with open_house(tmp_path, qbo) as opened:
        yield opened
