"""`runway reconcile`: kept books against the local QuickBooks' own reports."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.reconciling import compare
from resources.clock import FixedClock
from resources.installation import Installation
from runway_calcs.books.reconciliation import Agreement
from tests.firm import Firm, dagster_instance
from tests.sandbox import Sandbox


@pytest.fixture
def firm(tmp_path: Path, installation: Installation, sandbox: Sandbox) -> Iterator[Firm]:
    with dagster_instance(tmp_path / "dagster") as instance:
        yield Firm(installation, instance, sandbox)


@pytest.mark.parametrize("industry", ["construction", "professional_services", "e_commerce"])
def test_the_kept_books_agree_with_the_reports_and_three_reads_tell(
    firm: Firm, sandbox: Sandbox, industry: str
) -> None:
    company = firm.company("acme", industry=industry)
    firm.installation.smart_sync.sync(company.tenant)
    before = len(sandbox.requests(company.realm_id))
    _, found = compare(firm.installation, firm.installation.registry.tenant(company.tenant))
    asked = sandbox.requests(company.realm_id)[before:]
    assert [one["path"].rpartition("/")[2] for one in asked] == ["AgedPayables", "AgedReceivables", "BalanceSheet"]
    assert {one.name: one.differences for one in found if one.agreement is not Agreement.AGREES} == {}
    by_name = {one.name: one.stated_cents for one in found}
    assert by_name["AgedPayables"] == -(by_name["payables_equal_open_bills"] or 0)
    assert by_name["BalanceSheet"] != 0


def test_what_was_entered_since_shows_as_a_difference(firm: Firm, clock: FixedClock, sandbox: Sandbox) -> None:
    company = firm.company("acme")
    firm.installation.smart_sync.sync(company.tenant)
    path = f"/__sandbox__/realms/{company.realm_id}/step"
    sandbox.control.post(path, json={"days": 5, "seed": 3, "operations": 30, "move_clock": False}).raise_for_status()
    clock.move_to(clock.now().replace(day=27))
    _, found = compare(firm.installation, firm.installation.registry.tenant(company.tenant))
    assert any(one.agreement is Agreement.DIFFERS for one in found)
