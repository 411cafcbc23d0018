"""Increments: one call for what changed, and what replaces it where that call cannot be trusted to be whole."""

import logging
from datetime import UTC, datetime, timedelta

import pytest

from resources.qbo.errors import QboUnavailable
from resources.qbo.kinds import ENTITIES
from resources.qbo.sync_policy import SyncPolicy
from resources.qbo.sync_report import SyncReport
from resources.qbo.transactions import Bill
from tests.resources.qbo.builders import D, make, ref, text
from tests.resources.qbo.house import NOW, TENANT, House
from tests.resources.qbo.scripted_qbo import SERVER_TIME, Answer, ScriptedQbo

SERVER = datetime.fromisoformat(SERVER_TIME).astimezone(UTC)


def _first(house: House, qbo: ScriptedQbo, *, each: int = 3) -> SyncReport:
    for kind in ENTITIES:
        if not kind.is_singleton:
            for number in range(each):
                qbo.books.add(kind.entity, f"{number}", created=f"2026-05-0{number % 9 + 1}T08:00:00-07:00")
    report = house.smart_sync().sync(TENANT)
    qbo.requests.clear()
    return report


def _later(house: House, qbo: ScriptedQbo, **by: float) -> None:
    """Let the same time pass for us and for QuickBooks."""
    span = timedelta(**by)
    house.clock.sleep(span.total_seconds())
    at = datetime.fromisoformat(qbo.time) + span
    qbo.time = at.isoformat()
    qbo.books.now = at


def _sync(house: House, *, most_changes: int = 1000) -> SyncReport:
    return house.smart_sync(policy=SyncPolicy(most_changes=most_changes)).sync(TENANT)


def _alive(house: House, entity: str) -> list[str]:
    newest = {found.id: found for _, found in house.versions(entity)}
    return sorted(qbo_id for qbo_id, found in newest.items() if not found.is_deleted)


def _calls(qbo: ScriptedQbo, part: str) -> int:
    return sum(part in request for request in qbo.requests)


def test_an_increment_is_one_call_whatever_changed(house: House, qbo: ScriptedQbo) -> None:
    _first(house, qbo)
    _later(house, qbo, hours=1)
    qbo.books.replace("Bill", "1", Balance=0)
    qbo.books.add("Vendor", "9", created=qbo.time)
    report = _sync(house)
    assert (report.kind, report.calls, report.new_versions) == ("changes", 1, 2)
    assert [request.split("/")[-1] for request in qbo.requests if "/v3/" in request] == ["cdc"]


def test_what_is_told_to_be_deleted_is_asked_for_once_a_kind(house: House, qbo: ScriptedQbo) -> None:
    _first(house, qbo)
    _later(house, qbo, hours=1)
    for qbo_id in "12":
        qbo.books.remove("Invoice", qbo_id)
    report = _sync(house)
    assert (report.kind, report.calls, report.new_versions) == ("changes", 2, 2)
    assert {one.entity: one.deleted for one in report.entities if one.deleted} == {"Invoice": 2}
    assert _alive(house, "Invoice") == ["0"]
    gone = [found for _, found in house.versions("Invoice") if found.is_deleted]
    assert [found.id for found in gone] == ["1", "2"]
    _later(house, qbo, minutes=1)
    assert _sync(house).calls == 1, "known to be gone"


def test_an_object_that_is_told_to_be_deleted_and_is_there_stays(house: House, qbo: ScriptedQbo) -> None:
    _first(house, qbo)
    _later(house, qbo, hours=1)
    qbo.books.replace("Bill", "1", Balance=0)
    qbo.books.gone.setdefault("Bill", []).append((qbo.books.now, "1"))
    report = _sync(house)
    assert {one.entity: one.deleted for one in report.entities if one.deleted} == {}
    assert _alive(house, "Bill") == ["0", "1", "2"]
    (newest,) = [found for _, found in house.versions("Bill") if found.id == "1"][-1:]
    assert isinstance(newest, Bill)
    assert newest.balance == D(0)


def test_the_text_that_changes_bring_is_kept_to_the_letter(house: House, qbo: ScriptedQbo) -> None:
    _first(house, qbo)
    _later(house, qbo, hours=1)
    raw = text(make("Bill", "77", created=qbo.time)).replace('"Id":', '"Id" :  ')
    qbo.books.add_text("Bill", raw, created=qbo.time)
    _sync(house)
    segments = house.commits.history(TENANT, table="raw_qbo/bills", up_to=house.newest())
    assert raw in [row["payload"] for row in house.lake.read(tenant=TENANT, segments=segments).to_pylist()]


def test_what_overlaps_makes_no_version_twice(house: House, qbo: ScriptedQbo) -> None:
    _first(house, qbo)
    _later(house, qbo, hours=1)
    qbo.books.replace("Bill", "1", Balance=0)
    qbo.books.remove("Bill", "2")
    assert [_sync(house).new_versions for _ in range(3)] == [2, 0, 0]


def test_the_watermark_is_the_servers_time_less_the_overlap(house: House, qbo: ScriptedQbo) -> None:
    _first(house, qbo)
    assert house.newest().watermark == SERVER - timedelta(minutes=5)
    _later(house, qbo, hours=1)
    qbo.books.replace("Bill", "1", MetaData={"CreateTime": SERVER_TIME, "LastUpdatedTime": "2027-01-08T00:00:00Z"})
    _sync(house)
    assert house.newest().watermark == SERVER + timedelta(minutes=55)
    _later(house, qbo, hours=1)
    qbo.books.replace("Bill", "0", Balance=0)
    assert _sync(house).new_versions == 1


def test_a_change_that_appears_late_is_still_found(house: House, qbo: ScriptedQbo) -> None:
    _first(house, qbo)
    _later(house, qbo, hours=1)
    _sync(house)
    qbo.books.now -= timedelta(minutes=4)
    qbo.books.replace("Bill", "1", Balance=0)
    _later(house, qbo, hours=1)
    assert _sync(house).new_versions == 1


def test_a_notice_about_an_object_that_was_never_seen_changes_nothing(house: House, qbo: ScriptedQbo) -> None:
    _first(house, qbo)
    _later(house, qbo, hours=1)
    qbo.books.add("Bill", "55", created=qbo.time)
    qbo.books.remove("Bill", "55")
    report = _sync(house)
    assert (report.kind, report.read, report.new_versions) == ("changes", 1, 0)


def test_a_bad_object_among_the_changes_is_set_aside_until_it_is_readable_again(house: House, qbo: ScriptedQbo) -> None:
    _first(house, qbo)
    _later(house, qbo, hours=1)
    qbo.books.replace("Bill", "1", TotalAmt="many")
    qbo.books.replace("Bill", "2", Balance=0)
    assert [(one.quarantined, one.new_versions) for one in [_sync(house)]] == [(1, 1)]
    _later(house, qbo, hours=1)
    assert _sync(house).quarantined == 1
    assert [one.qbo_id for one in house.commits.quarantined(house.newest())] == ["1"]
    qbo.books.replace("Bill", "1", TotalAmt=1)
    assert [(one.quarantined, one.new_versions) for one in [_sync(house)]] == [(0, 1)]
    assert house.commits.quarantined(house.newest()) == []


def test_a_bad_object_that_is_deleted_is_no_longer_counted(house: House, qbo: ScriptedQbo) -> None:
    _first(house, qbo)
    _later(house, qbo, hours=1)
    qbo.books.add("Bill", "66", created=qbo.time, TotalAmt="many")
    assert _sync(house).quarantined == 1
    qbo.books.remove("Bill", "66")
    assert _sync(house).quarantined == 0


def test_an_object_without_a_readable_id_is_found_again_once_it_is_repaired(house: House, qbo: ScriptedQbo) -> None:
    _first(house, qbo)
    _later(house, qbo, hours=1)
    broken = '{"Id": "88", "Id": "88"}'
    qbo.books.add_text("Bill", broken, created=qbo.time)
    assert _sync(house).quarantined == 1
    _later(house, qbo, hours=1)
    qbo.books.replace_text("Bill", broken, by=text(make("Bill", "88", created=qbo.time)))
    assert (_sync(house).quarantined, _alive(house, "Bill")) == (0, ["0", "1", "2", "88"])


@pytest.mark.parametrize("cap_by", ["answer", "kind", "nothing"])
def test_an_answer_that_may_be_cut_is_asked_for_again_by_kind(house: House, qbo: ScriptedQbo, cap_by: str) -> None:
    qbo.cap, qbo.cap_by = 10, cap_by
    _first(house, qbo)
    _later(house, qbo, hours=1)
    for kind in ("Vendor", "Bill", "Invoice", "Deposit"):
        for number in range(3):
            qbo.books.replace(kind, f"{number}", PrivateNote="edited")
    report = _sync(house, most_changes=10)
    assert (report.kind, report.new_versions) == ("changes", 12)
    assert _calls(qbo, "/cdc") == 18
    assert _calls(qbo, "/query") == 0


@pytest.mark.parametrize("cap_by", ["answer", "kind"])
@pytest.mark.parametrize("deleted", [0, 1, 2])
def test_a_kind_that_fills_an_answer_alone_is_queried_and_its_deletions_are_found(
    house: House, qbo: ScriptedQbo, cap_by: str, deleted: int
) -> None:
    qbo.cap, qbo.cap_by = 10, cap_by
    _first(house, qbo, each=30)
    _later(house, qbo, hours=1)
    for number in range(25):
        qbo.books.replace("Bill", f"{number}", PrivateNote="edited")
    for number in range(deleted):
        qbo.books.remove("Bill", f"{number}")
        qbo.books.remove("Bill", f"{29 - number}")
    report = _sync(house, most_changes=10)
    assert report.kind == "changes"
    assert _alive(house, "Bill") == qbo.books.ids("Bill")
    assert _calls(qbo, "/query") == (2 if deleted == 0 else 3)  # the window, a count, and all of it where they differ
    notes = {found.id: found.private_note for _, found in house.versions("Bill") if isinstance(found, Bill)}
    assert all(notes[qbo_id] == "edited" for qbo_id in _alive(house, "Bill") if int(qbo_id) < 25)


def test_after_a_month_the_company_is_read_whole_with_what_is_missing(house: House, qbo: ScriptedQbo) -> None:
    _first(house, qbo)
    qbo.books.remove("Bill", "1")
    _later(house, qbo, days=29)
    report = _sync(house)
    assert (report.kind, _calls(qbo, "/cdc")) == ("full", 1)
    assert _alive(house, "Bill") == ["0", "2"]


def test_looking_back_too_far_for_quickbooks_leads_to_a_whole_read(house: House, qbo: ScriptedQbo) -> None:
    _first(house, qbo)
    qbo.books.remove("Bill", "1")
    _later(house, qbo, hours=1)
    refusals = [Answer(status=400, body=b'{"Fault": {"Error": [{"code": "500", "Message": "Unsupported Operation"}]}}')]
    qbo.script = lambda path, _statement: refusals.pop() if path.endswith("/cdc") and refusals else None
    assert _sync(house).kind == "full"
    assert _alive(house, "Bill") == ["0", "2"]


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b'{"CDCResponse": [{"QueryResponse": [{}]}], "time": "2026-11-20T05:30:00-08:00"}', id="a part"),
        pytest.param(b'{"CDCResponse": [], "time": "2026-11-20T05:30:00-08:00"}', id="nothing"),
    ],
)
def test_an_answer_that_leaves_kinds_out_is_not_taken_for_no_changes(
    house: House, qbo: ScriptedQbo, body: bytes
) -> None:
    _first(house, qbo)
    _later(house, qbo, hours=1)
    qbo.books.replace("Bill", "1", Balance=0)
    answers = [Answer(body=body)]
    qbo.script = lambda path, _statement: answers.pop() if path.endswith("/cdc") and answers else None
    report = _sync(house)
    assert (report.kind, report.new_versions) == ("full", 1)


@pytest.mark.parametrize("body", [b'{"CDCResponse": [{"QueryResponse": [{"Bill"', b"<html>", b"[]"])
def test_a_spoiled_answer_is_no_answer(house: House, qbo: ScriptedQbo, body: bytes) -> None:
    _first(house, qbo)
    qbo.script = lambda path, _statement: Answer(body=body) if path.endswith("/cdc") else None
    with pytest.raises(QboUnavailable):
        house.smart_sync(retry_seconds=0).sync(TENANT)


def test_what_moved_during_the_first_read_is_right_in_the_same_commit(house: House, qbo: ScriptedQbo) -> None:
    qbo.books.add("Bill", "1", Balance=100)
    qbo.books.add("BillPayment", "2", created="2026-05-06T00:00:00Z")

    def paid_meanwhile(_path: str, statement: str) -> None:
        if "FROM Purchase" in statement and len(qbo.books.ids("BillPayment")) == 1:
            qbo.books.replace("Bill", "1", Balance=0)
            qbo.books.add("BillPayment", "3", created=SERVER_TIME)

    qbo.script = paid_meanwhile
    report = house.smart_sync().sync(TENANT)
    assert report.kind == "full"
    bills = [found.balance for _, found in house.versions("Bill") if isinstance(found, Bill)]
    assert bills == [100, 0]
    assert _alive(house, "BillPayment") == ["2", "3"]
    assert report.data_as_of == house.newest().data_as_of == NOW + timedelta(microseconds=1)


def test_a_singleton_is_read_again_when_it_is_a_day_old_one_in_each_increment(house: House, qbo: ScriptedQbo) -> None:
    _first(house, qbo)
    calls = []
    for _ in range(4):
        _later(house, qbo, hours=23)
        calls.append(_sync(house).calls)
    assert calls == [1, 2, 2, 2]
    assert [_calls(qbo, part) for part in ("/companyinfo", "/preferences")] == [2, 1]


def test_an_old_singleton_may_fail_until_it_is_too_old(house: House, qbo: ScriptedQbo) -> None:
    _first(house, qbo)
    qbo.script = lambda path, _statement: Answer(status=500) if "/companyinfo" in path else None
    _later(house, qbo, days=2)
    assert house.smart_sync(retry_seconds=0).sync(TENANT).kind == "changes"
    _later(house, qbo, days=13)
    with pytest.raises(QboUnavailable):
        house.smart_sync(retry_seconds=0).sync(TENANT)


@pytest.mark.parametrize("touched", [True, False])
def test_a_merge_moves_the_documents_whether_they_count_as_changed_or_not(
    house: House,
    qbo: ScriptedQbo,
    touched: bool,  # noqa: FBT001 - pytest hands it over
) -> None:
    qbo.books.add("Vendor", "56")
    qbo.books.add("Vendor", "57")
    qbo.books.add("Bill", "1", VendorRef=ref("57"))
    qbo.books.add("Bill", "2", VendorRef=ref("56"))
    house.smart_sync().sync(TENANT)
    _later(house, qbo, hours=1)
    qbo.books.remove("Vendor", "57")
    qbo.books.replace("Bill", "1", VendorRef=ref("56"))
    if not touched:
        qbo.books.changed[qbo.books.texts["Bill"][-1][1]] = NOW - timedelta(days=9)
    report = _sync(house)
    vendors = {found.id: found.vendor_ref.value for _, found in house.versions("Bill") if isinstance(found, Bill)}
    assert vendors == {"1": "56", "2": "56"}
    assert report.calls == (2 if touched else 3)


def test_a_vendor_made_inactive_costs_one_look_at_one_document(house: House, qbo: ScriptedQbo) -> None:
    qbo.books.add("Vendor", "57")
    for number in range(5):
        qbo.books.add("Bill", f"{number}", VendorRef=ref("57"))
    house.smart_sync().sync(TENANT)
    _later(house, qbo, hours=1)
    qbo.books.replace("Vendor", "57", Active=False)
    assert [_sync(house).calls for _ in range(2)] == [2, 1]


def test_no_token_and_no_client_data_is_logged_by_an_increment(
    house: House, qbo: ScriptedQbo, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    qbo.books.add("Vendor", "57", DisplayName="Canary Bird Seed")
    qbo.books.add("Bill", "1", VendorRef=ref("57", name="Canary Bird Seed"), PrivateNote="canary memo")
    house.smart_sync().sync(TENANT)
    _later(house, qbo, hours=1)
    qbo.books.replace("Bill", "1", VendorRef=ref("57"), PrivateNote="canary again", TotalAmt=D("74321.99"))
    qbo.books.add("Bill", "2", created=qbo.time, TotalAmt="canary amount")
    qbo.books.remove("Vendor", "57")
    qbo.access_tokens.clear()
    assert _sync(house, most_changes=2).quarantined == 1
    refusals = [Answer(status=401, body=b'{"fault": {"error": [{"code": "3200", "detail": "canary-token"}]}}')]
    qbo.script = lambda path, _statement: refusals.pop() if path.endswith("/cdc") and refusals else None
    _sync(house)
    logged = caplog.text.lower()
    for canary in ("access-", "refresh-", "canary", "74321", "scripted-secret", "select"):
        assert canary not in logged
