import logging
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from resources.errors import TenantBusy, TenantError, TenantNotReady
from resources.qbo.errors import ConnectionLost, QboNotAuthorised, QboQuotaExhausted, QboRefused, QboUnavailable
from resources.qbo.kinds import ENTITIES
from resources.qbo.sync_policy import SyncPolicy
from resources.qbo.sync_report import SyncReport
from resources.qbo.transactions import Bill
from resources.qbo.turnstile import BudgetSpent
from resources.qbo.usage import CallBudget
from resources.registry import TenantRegistry
from resources.tenants import TenantId
from tests.resources.qbo.builders import D
from tests.resources.qbo.house import NOW, TENANT, House
from tests.resources.qbo.scripted_qbo import SERVER_TIME, Answer, ScriptedQbo

_TOO_LONG = timedelta(days=31).total_seconds()


def _fill(qbo: ScriptedQbo) -> None:
    for kind in ENTITIES:
        if not kind.is_singleton:
            for number in range(3):
                qbo.books.add(kind.entity, f"{number}", created=f"2026-05-0{number + 1}T08:00:00-07:00")


def _only(path_part: str, answer: Answer) -> Any:
    return lambda path, statement: answer if path_part in path or path_part in statement else None


def test_a_first_sync_keeps_one_version_of_everything(house: House, qbo: ScriptedQbo) -> None:
    _fill(qbo)
    report = house.smart_sync().sync(TENANT)
    assert [entity.entity for entity in report.entities] == [kind.entity for kind in ENTITIES]
    assert (report.read, report.new_versions, report.quarantined, report.calls) == (53, 53, 0, 20)
    assert report.kind == "full"
    assert report.data_as_of == house.newest().data_as_of == NOW
    assert house.newest().report["Bill"]["read"] == 3
    for kind in ENTITIES:
        found = house.versions(kind.entity)
        assert len(found) == (1 if kind.is_singleton else 3)
        assert {known_at for known_at, _ in found} == {NOW}


def test_the_exact_text_of_an_object_is_kept(house: House, qbo: ScriptedQbo) -> None:
    raw = (
        '{ "Id":"7",  "SyncToken":"0","MetaData":{"CreateTime":"2026-05-05T03:14:55-07:00","LastUpdatedTime":'
        '"2026-05-05T03:14:55-07:00"},"VendorRef":{"value":"1"},"TxnDate":"2026-05-01","TotalAmt":1.10,"Balance":1e0,'
        '"New":[0.10,null,"\\u00e9é"]}'
    )
    qbo.books.add_text("Bill", raw)
    house.smart_sync().sync(TENANT)
    segments = house.commits.history(TENANT, table="raw_qbo/bills", up_to=house.newest())
    row = house.lake.read(tenant=TENANT, segments=segments).to_pylist()[0]
    assert row["payload"] == raw
    assert (row["tenant_id"], row["qbo_id"], row["sync_token"], row["is_deleted"]) == (TENANT, "7", "0", False)
    assert row["created_at"] == datetime(2026, 5, 5, 10, 14, 55, tzinfo=UTC)


def test_a_second_sync_of_an_unchanged_company_keeps_nothing_new(house: House, qbo: ScriptedQbo) -> None:
    _fill(qbo)
    house.smart_sync().sync(TENANT)
    house.clock.sleep(3600)
    report = house.smart_sync().sync(TENANT)
    assert (report.kind, report.calls, report.read, report.new_versions) == ("changes", 1, 0, 0)
    assert len(house.versions("Bill")) == 3
    assert report.data_as_of > NOW


def test_edits_and_deletions_become_versions_and_the_old_ones_stay(house: House, qbo: ScriptedQbo) -> None:
    _fill(qbo)
    first = house.smart_sync().sync(TENANT)
    house.clock.sleep(3600)
    qbo.time = "2026-11-20T06:00:00.250-08:00"
    qbo.books.now = NOW + timedelta(minutes=30)
    qbo.books.replace("Bill", "1", Balance=0)
    qbo.books.remove("Bill", "2")
    second = house.smart_sync().sync(TENANT)
    assert (second.new_versions, sum(entity.deleted for entity in second.entities)) == (2, 1)
    history = [(known_at, found.id, found.is_deleted) for known_at, found in house.versions("Bill")]
    assert history == [
        (first.data_as_of, "0", False),
        (first.data_as_of, "1", False),
        (first.data_as_of, "2", False),
        (second.data_as_of, "1", False),
        (second.data_as_of, "2", True),
    ]
    edited, gone = (found for known_at, found in house.versions("Bill") if known_at == second.data_as_of)
    assert isinstance(edited, Bill)
    assert edited.balance == 0
    # The notice does not say when the object had been entered; the version before it does, and its row keeps that.
    segments = house.commits.history(TENANT, table="raw_qbo/bills", up_to=house.newest())
    rows = house.lake.read(tenant=TENANT, segments=segments).to_pylist()
    assert [row["created_at"] for row in rows if row["qbo_id"] == gone.id] == [datetime(2026, 5, 3, 15, tzinfo=UTC)] * 2


@pytest.mark.parametrize(
    ("edited", "nameless"),
    [
        pytest.param(25, [], id="its changes fill an answer"),
        pytest.param(0, ['{"Id": "66", "Id": "66"}'], id="one has no readable id"),
    ],
)
def test_what_is_entered_during_a_long_read_is_kept_though_its_kind_is_read_again(
    house: House, qbo: ScriptedQbo, edited: int, nameless: list[str]
) -> None:
    """Read again was only what had been entered when the sync began, and the next one asks only for what came after its end."""
    for number in range(30):
        qbo.books.add("Bill", f"{number}")
    for raw in nameless:
        qbo.books.add_text("Bill", raw)
    is_first = [True]

    def busy(_path: str, statement: str) -> None:
        if "FROM Purchase" in statement and is_first and is_first.pop():
            qbo.books.now = NOW + timedelta(minutes=3)
            for number in range(edited):
                qbo.books.replace("Bill", f"{number}", PrivateNote="edited")
            qbo.books.remove("Bill", "29")
            qbo.books.add("Bill", "99", created="2026-11-20T05:03:00-08:00")
            qbo.time = "2026-11-20T05:12:00.250-08:00"

    qbo.script, qbo.cap = busy, 10
    policy = SyncPolicy(most_changes=10)
    assert house.smart_sync(policy=policy).sync(TENANT).kind == "full"
    qbo.script = lambda _path, _statement: None
    for _ in range(2):
        newest = {found.id: found for _, found in house.versions("Bill")}
        assert {qbo_id for qbo_id, found in newest.items() if found.is_deleted} == {"29"}
        assert newest.keys() == {f"{number}" for number in range(30)} | {"99"}
        house.clock.sleep(3600)
        house.smart_sync(policy=policy).sync(TENANT)


def test_an_object_that_comes_back_is_a_version_again(house: House, qbo: ScriptedQbo) -> None:
    qbo.books.add("Vendor", "5")
    for present in (True, False, False, True):
        if present and not qbo.books.ids("Vendor"):
            qbo.books.gone.clear()
            qbo.books.add("Vendor", "5", created=SERVER_TIME)
        if not present and qbo.books.ids("Vendor"):
            qbo.books.remove("Vendor", "5")
        house.smart_sync().sync(TENANT)
        house.clock.sleep(60)
    assert [found.is_deleted for _, found in house.versions("Vendor")] == [False, True, False]


def test_a_bad_object_is_set_aside_with_its_text_and_the_rest_goes_on(house: House, qbo: ScriptedQbo) -> None:
    _fill(qbo)
    broken = '{"Id": "66", "TotalAmt": NaN, "Line": [{"a": "}]"}]}'
    qbo.books.add_text("Bill", broken, created="2026-05-02T08:00:00-07:00")
    report = house.smart_sync().sync(TENANT)
    assert (report.quarantined, report.read, report.new_versions) == (1, 54, 53)
    (kept,) = house.commits.quarantined(house.newest())
    assert (kept.entity, kept.qbo_id, kept.raw_text, kept.expected) == ("Bill", "66", broken, "expected JSON")
    assert kept.reason == "came: NaN or Infinity is not a number"


def test_an_object_that_becomes_unreadable_is_not_taken_for_deleted(house: House, qbo: ScriptedQbo) -> None:
    _fill(qbo)
    house.smart_sync().sync(TENANT)
    house.clock.sleep(60)
    qbo.books.replace("Bill", "1", TotalAmt="many")
    report = house.smart_sync().sync(TENANT)
    assert (report.quarantined, report.new_versions) == (1, 0)


def test_an_object_without_a_readable_id_lets_nothing_count_as_deleted(house: House, qbo: ScriptedQbo) -> None:
    _fill(qbo)
    house.smart_sync().sync(TENANT)
    house.clock.sleep(60)
    qbo.books.remove("Bill", "1")
    qbo.books.add_text("Bill", '{"Id": "1", "Id": "1"}')
    qbo.books.remove("Invoice", "1")
    qbo.books.gone.clear()
    house.clock.sleep(_TOO_LONG)
    report = house.smart_sync().sync(TENANT)
    assert report.kind == "full"
    assert {entity.entity: entity.deleted for entity in report.entities if entity.deleted} == {"Invoice": 1}


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        pytest.param(Answer(status=500), QboUnavailable, id="500 for ever"),
        pytest.param(Answer(body=b"<html>"), QboUnavailable, id="HTML"),
        pytest.param(Answer(body=b'{"QueryResponse": {"Transfer": [{"Id"'), QboUnavailable, id="truncated"),
        pytest.param(Answer(body=b'{"QueryResponse": {}}', sent=5), QboUnavailable, id="cut line"),
        pytest.param(Answer(status=429), QboQuotaExhausted, id="throttled for ever"),
        pytest.param(Answer(status=302, headers={"Location": "http://169.254.169.254/"}), QboRefused, id="redirect"),
        pytest.param(Answer(status=403), QboNotAuthorised, id="403"),
    ],
)
def test_a_kind_that_fails_commits_nothing_and_is_named(
    house: House, qbo: ScriptedQbo, answer: Answer, expected: type[TenantError]
) -> None:
    qbo.script = _only("FROM Transfer", answer)
    with pytest.raises(expected, match="Transfer"):
        house.smart_sync().sync(TENANT)
    assert house.commits.newest_sync(TENANT) is None


def test_a_sync_that_failed_is_made_good_by_the_next(house: House, qbo: ScriptedQbo) -> None:
    _fill(qbo)
    qbo.script = _only("FROM Transfer", Answer(status=500))
    with pytest.raises(QboUnavailable):
        house.smart_sync(retry_seconds=0).sync(TENANT)
    qbo.script = lambda _path, _statement: None
    assert house.smart_sync().sync(TENANT).new_versions == 53


def test_a_failed_sync_leaves_the_one_before_as_it_was(house: House, qbo: ScriptedQbo) -> None:
    _fill(qbo)
    before = house.smart_sync().sync(TENANT)
    house.clock.sleep(60)
    qbo.books.remove("Bill", "1")
    qbo.script = _only("/cdc", Answer(status=500))
    with pytest.raises(QboUnavailable):
        house.smart_sync().sync(TENANT)
    assert house.newest().sync_id == before.sync_id
    assert len(house.versions("Bill")) == 3


def test_transient_failures_are_waited_out_and_counted(house: House, qbo: ScriptedQbo) -> None:
    _fill(qbo)
    failures = [Answer(status=503), Answer(status=429, headers={"Retry-After": "7"}), Answer(body=b"<html>")]
    qbo.script = lambda _path, statement: failures.pop() if failures and "FROM Bill " in statement else None
    report = house.smart_sync().sync(TENANT)
    bills = next(entity for entity in report.entities if entity.entity == "Bill")
    assert (bills.read, bills.calls) == (3, 4)
    assert 7 < bills.waited_seconds < 12


def test_a_refused_token_is_replaced_once_and_the_sync_goes_on(house: House, qbo: ScriptedQbo) -> None:
    _fill(qbo)
    qbo.access_tokens.clear()
    assert house.smart_sync().sync(TENANT).read == 53
    assert qbo.refreshes == 1
    assert house.connections.load(TENANT).previous_refresh_token is None


def test_a_connection_that_was_ended_says_how_to_connect_again(house: House, qbo: ScriptedQbo) -> None:
    qbo.access_tokens.clear()
    qbo.refresh_token = "dead"
    with pytest.raises(ConnectionLost, match="runway connect larkspur-studio"):
        house.smart_sync().sync(TENANT)
    asked = len(qbo.requests)
    with pytest.raises(ConnectionLost):
        house.smart_sync().sync(TENANT)
    assert len(qbo.requests) == asked  # a dead connection is not tried again


@pytest.mark.parametrize(
    ("server", "expected"),
    [
        pytest.param("2026-11-20T05:00:01.000-08:00", NOW, id="half a second ahead"),
        pytest.param("2026-11-20T04:59:59.600-08:00", NOW, id="most of a second behind"),
        pytest.param("2026-11-20T06:00:00.000-08:00", NOW, id="an hour ahead"),
        pytest.param("2026-11-20T04:00:00.000-08:00", NOW - timedelta(hours=1, microseconds=500_000), id="behind"),
    ],
)
def test_the_books_are_as_old_as_the_slower_clock_says(
    house: House, qbo: ScriptedQbo, server: str, expected: datetime
) -> None:
    qbo.time = server
    assert house.smart_sync().sync(TENANT).data_as_of == expected


def test_a_server_clock_that_goes_back_deletes_nothing_and_keeps_the_order_of_knowledge(
    house: House, qbo: ScriptedQbo
) -> None:
    qbo.books.add("Bill", "1", created="2026-11-20T04:59:00-08:00")
    first = house.smart_sync().sync(TENANT)
    qbo.time = "2026-11-20T03:00:00.000-08:00"
    qbo.books.replace("Bill", "1", Balance=0)
    second = house.smart_sync().sync(TENANT)
    assert second.data_as_of > first.data_as_of
    assert [found.is_deleted for _, found in house.versions("Bill")] == [False, False]


def test_small_pages_give_the_same_books(house: House, qbo: ScriptedQbo) -> None:
    _fill(qbo)
    report = house.smart_sync(page_rows=2).sync(TENANT)
    assert report.new_versions == 53
    assert house.smart_sync().sync(TENANT).new_versions == 0


def test_one_tenant_is_synced_by_one_process(house: House) -> None:
    with house.commits.lease(TENANT), pytest.raises(TenantBusy):
        house.smart_sync().sync(TENANT)


def test_no_token_and_no_client_data_is_logged(
    house: House, qbo: ScriptedQbo, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    qbo.books.add("Vendor", "1", DisplayName="Canary Bird Seed", Balance="canary")
    qbo.books.add("Bill", "1", TotalAmt=D("1.00"))
    qbo.access_tokens.clear()
    house.smart_sync().sync(TENANT)
    qbo.access_tokens.clear()
    qbo.refresh_token = "dead"
    with pytest.raises(ConnectionLost):
        house.smart_sync().sync(TENANT)
    logged = caplog.text.lower()
    for canary in ("access-", "refresh-", "canary", "scripted-secret", "select"):
        assert canary not in logged


def test_a_spent_budget_refuses_before_anything_is_asked_and_a_planned_one_warns(
    house: House, qbo: ScriptedQbo
) -> None:
    budget = CallBudget(soft=10, hard=21)
    first = house.smart_sync(budget=budget).sync(TENANT)
    assert first.usage is not None
    assert (first.usage.metered, first.calls) == (20, 20)
    assert "20 metered QuickBooks calls in 2026-11" in (first.warning or "")
    assert house.smart_sync(budget=budget).sync(TENANT).calls == 1
    asked = len(qbo.requests)
    with pytest.raises(BudgetSpent, match="free again on 2026-12-01"):
        house.smart_sync(budget=budget).sync(TENANT)
    assert len(qbo.requests) == asked


def test_many_tenants_each_get_their_own_result(house: House, qbo: ScriptedQbo) -> None:
    unknown = TenantId("maple-works")
    registry = TenantRegistry(house.database, clock=house.clock)
    registry.add_tenant(unknown, firm_id="birch-cpa", name="Maple Works", zone="America/New_York")
    found = house.smart_sync().sync_many([TENANT, unknown], workers=2)
    assert list(found) == [TENANT, unknown]
    assert isinstance(found[TENANT], SyncReport)
    assert isinstance(found[unknown], TenantNotReady)  # it was never connected
