"""The manual of the sandbox names everything that can be set, planned or asked."""

from pathlib import Path
from typing import get_args

import pytest

from qbo_sandbox.control_api import ROUTES
from qbo_sandbox.entities import ENTITIES
from qbo_sandbox.fault_plan import FaultKind, FaultSpec
from qbo_sandbox.settings import AppSettings, RealmSettings

MANUAL = (Path(__file__).parents[2] / "docs" / "sandbox.md").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    "name",
    [*RealmSettings.model_fields, *AppSettings.model_fields, *get_args(FaultKind), *FaultSpec.model_fields],
)
def test_the_manual_names_every_setting_and_fault(name: str) -> None:
    assert name == "kind" or f"`{name}`" in MANUAL


def test_the_manual_names_every_entity_and_control_address() -> None:
    assert [entity for entity in ENTITIES if entity not in MANUAL] == []
    last_parts = {route.path.split("{realm}")[-1].split("/{")[0].rpartition("/")[2] for route in ROUTES}
    assert [part for part in sorted(last_parts) if part not in MANUAL] == []
