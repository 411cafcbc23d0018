"""Whatever happens in a company: increments end in the state that a fresh load has, and that is the truth."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

import pandas as pd
import pytest

from migrations.chain import upgrade
from resources.clock import FixedClock
from resources.installation import Installation
from resources.qbo.errors import QboError
from resources.qbo.fields import QboObject
from resources.qbo.frames import accounts, documents
from resources.qbo.history import versions
from resources.qbo.kinds import ENTITIES, KINDS
from resources.qbo.sync_report import SyncReport
from resources.settings import Settings
from resources.tenants import TenantId, tenant_id
from tests.conftest import FRIDAY_MORNING
from tests.sandbox import Sandbox

TENANT = tenant_id("juniper-works")
_PASSING_FAULTS = (
    "http_500",
    "http_503",
    "html_body",
    "drop_before",
    "drop_after",
    "truncated_json",
    "double_delivery",
)
_DOCUMENTS = ("Bill", "Invoice", "VendorCredit", "CreditMemo", "Payment", "BillPayment")


@contextmanager
def _installation(folder: Path, sandbox: Sandbox, realm_id: str) -> Iterator[Installation]:
    opened = Installation(Settings(data_dir=folder, qbo_local_url=sandbox.url), clock=FixedClock(FRIDAY_MORNING))
    try:
        upgrade(opened.database)
        opened.registry.add_firm("birch-cpa", name="Birch CPA")
        opened.registry.add_tenant(TENANT, firm_id="birch-cpa", name="Juniper Works", zone="America/New_York")
        consented = opened.oauth.consent_without_browser(
            redirect_uri=opened.settings.qbo_redirect_uri, realm_id=realm_id
        )
        opened.connections.connect(TENANT, environment="local", realm_id=realm_id, tokens=consented.tokens)
        yield opened
    finally:
        opened.close()


def _known(
    installation: Installation, entity: str, *, until: datetime | None = None, tenant: TenantId = TENANT
) -> dict[str, tuple[datetime, QboObject]]:
    """The newest version of each object of a kind as it was known, deleted ones left out."""
    newest = installation.commits.newest_sync(tenant)
    assert newest is not None
    segments = installation.commits.history(tenant, table=KINDS[entity].table, up_to=newest)
    with installation.lake.open(tenant) as opened:
        found = {
            one.id: (known_at, one)
            for known_at, one in versions(opened, segments, entity=entity, until=until or newest.data_as_of)
        }
    return {qbo_id: version for qbo_id, version in found.items() if not version[1].is_deleted}


def _figures(installation: Installation) -> dict[str, Any]:
    """What the books say: names aside, which QuickBooks copies into documents when it pleases."""
    living = {kind.entity: _known(installation, kind.entity) for kind in ENTITIES}
    open_items = documents([one for kind in _DOCUMENTS for one in living[kind].values()], home_currency="USD")
    balances = accounts(living["Account"].values(), home_currency="USD")
    return {
        "ids": {entity: sorted(found) for entity, found in living.items()},
        "documents": _rows(open_items.drop(columns=["known_at", "party_name"]), "txn_type"),
        "accounts": _rows(balances.drop(columns=["known_at"]), "qbo_id"),
    }


def _rows(frame: pd.DataFrame, *keys: str) -> list[tuple[Any, ...]]:
    ordered = frame.astype(object).where(frame.notna(), None).sort_values([*keys, "qbo_id"] if keys else "qbo_id")
    return list(ordered.itertuples(index=False, name=None))


def _open_items(installation: Installation) -> dict[tuple[str, str], int]:
    found = documents([one for kind in _DOCUMENTS for one in _known(installation, kind).values()], home_currency="USD")
    listed = zip(found["txn_type"], found["qbo_id"], found["open_cents"], strict=True)
    return {(txn_type, qbo_id): int(cents) for txn_type, qbo_id, cents in listed if cents}


def _true_open_items(sandbox: Sandbox, realm_id: str) -> dict[tuple[str, str], int]:
    now = datetime.fromisoformat(sandbox.control.get("/__sandbox__/clock").json()["now"])
    found = sandbox.truth(realm_id, basis="known", day=now.date() + timedelta(days=1), instant=now)
    listed = [*found["payables"]["open"], *found["receivables"]["open"]]
    return {(one["txn_type"], one["id"]): one["open_cents"] for one in listed if one["txn_type"] in _DOCUMENTS}


def _sync_through(installation: Installation, sandbox: Sandbox, realm_id: str, dice: Random) -> SyncReport:
    """Sync while things fail that pass; a sync that gives up is made good by the next."""
    if dice.random() < 0.6:
        for kind in dice.sample(_PASSING_FAULTS, k=2):
            sandbox.break_with(realm_id, kind=kind, probability=0.5, seed=dice.randrange(1000), times=3)
    for _ in range(20):
        try:
            return installation.smart_sync.sync(TENANT)
        except QboError:
            installation.clock.sleep(90)
    raise AssertionError("the sync never came through")


def _live_and_compare(sandbox: Sandbox, folder: Path, *, seed: int, rounds: int, settings: dict[str, Any]) -> None:
    dice = Random(seed)  # noqa: S311 - a reproducible life, not a secret
    realm_id = sandbox.add_company(
        realm_id=str(9_130_358_000_000_000 + seed),
        name="Juniper Works",
        industry=dice.choice(("marketing_agency", "construction", "consulting", "e_commerce")),
        size="micro",
        seed=seed,
        as_of="2026-11-20",
        zone="America/New_York",
    )
    sandbox.control.post(f"/__sandbox__/realms/{realm_id}/settings", json=settings).raise_for_status()
    with _installation(folder / "incremental", sandbox, realm_id) as installation:
        _sync_through(installation, sandbox, realm_id, dice)
        told: list[tuple[datetime, list[str]]] = []
        for _ in range(rounds):
            step = {"days": 1, "seed": dice.randrange(10**6), "operations": dice.randint(1, 40), "move_clock": False}
            sandbox.control.post(f"/__sandbox__/realms/{realm_id}/step", json=step).raise_for_status()
            installation.clock.sleep(3600)
            report = _sync_through(installation, sandbox, realm_id, dice)
            assert report.kind == "changes"
            told.append((report.data_as_of, sorted(_known(installation, "Bill"))))
        sandbox.heal(realm_id)
        installation.smart_sync.sync(TENANT)
        with _installation(folder / "fresh", sandbox, realm_id) as fresh:
            assert fresh.smart_sync.sync(TENANT).kind == "full"
            assert _figures(installation) == _figures(fresh)
        assert _open_items(installation) == _true_open_items(sandbox, realm_id)
        for instant, bills in told:
            assert sorted(_known(installation, "Bill", until=instant)) == bills


_SETTINGS = (
    {},
    {"cdc_cap": "entity", "cdc_cap_objects": 1000, "merge_touches_transactions": False},
)


@pytest.mark.parametrize(("seed", "settings"), [(11, _SETTINGS[0]), (12, _SETTINGS[1])])
def test_increments_end_in_the_state_of_a_fresh_load_and_in_the_truth(
    sandbox: Sandbox, tmp_path: Path, seed: int, settings: dict[str, Any]
) -> None:
    _live_and_compare(sandbox, tmp_path, seed=seed, rounds=3, settings=settings)


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("settings", _SETTINGS)
@pytest.mark.parametrize("seed", range(100, 125))
def test_increments_of_many_lives_end_in_the_truth(
    sandbox: Sandbox, tmp_path: Path, seed: int, settings: dict[str, Any]
) -> None:
    print(f"seed {seed}")  # noqa: T201 - a long run prints its seeds
    _live_and_compare(sandbox, tmp_path, seed=seed + 500 * _SETTINGS.index(settings), rounds=8, settings=settings)
