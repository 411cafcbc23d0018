"""Batch and change data capture over HTTP."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from qbo_sandbox.change_data import change_data
from qbo_sandbox.faults import QboFault
from qbo_sandbox.operations import parse_json
from qbo_sandbox.settings import RealmSettings
from tests.qbo_sandbox.books import SmallBooks, small_books
from tests.qbo_sandbox.client import Company, exact


def batch(company: Company, *items: dict[str, Any], **params: str) -> list[dict[str, Any]]:
    answer = company.post("batch", {"BatchItemRequest": list(items)}, **params)
    assert answer.status_code == 200, answer.text
    found: list[dict[str, Any]] = exact(answer)["BatchItemResponse"]
    return found


def test_every_item_of_a_batch_stands_alone(company: Company) -> None:
    answers = batch(
        company,
        {"bId": "1", "operation": "create", "Vendor": {"DisplayName": "From a batch"}},
        {"bId": "2", "operation": "create", "Vendor": {"DisplayName": "From a batch"}},
        {"bId": "3", "Query": "select * from Vendor where DisplayName = 'From a batch'"},
        {"bId": "4", "Query": "select * from Nothing"},
        {"bId": "5", "operation": "frobnicate", "Vendor": {}},
    )
    assert [answer["bId"] for answer in answers] == ["1", "2", "3", "4", "5"]
    assert answers[0]["Vendor"]["SyncToken"] == "0"
    assert answers[1]["Fault"]["Error"][0]["code"] == "6240"
    assert answers[2]["QueryResponse"]["maxResults"] == 1
    assert answers[3]["Fault"]["Error"][0]["code"] == "4001"
    assert answers[4]["Fault"]["Error"][0]["code"] == "500"


def test_a_batch_updates_deletes_and_voids(company: Company) -> None:
    customer = company.rows("select * from Customer maxresults 1")[0]["Id"]
    payments = [company.create("Payment", {"CustomerRef": {"value": customer}, "TotalAmt": 5}) for _ in range(2)]
    term = company.create("Term", {"Name": "Net 1", "DueDays": 1})
    answers = batch(
        company,
        {
            "bId": "a",
            "operation": "update",
            "optionsData": "void",
            "Payment": {"Id": payments[0]["Id"], "SyncToken": "0"},
        },
        {"bId": "b", "operation": "delete", "Payment": {"Id": payments[1]["Id"], "SyncToken": "0"}},
        {
            "bId": "c",
            "operation": "update",
            "Term": {"Id": term["Id"], "SyncToken": "0", "Name": "Net 2", "sparse": True},
        },
    )
    assert answers[0]["Payment"]["PrivateNote"] == "Voided"
    assert answers[1]["Payment"]["status"] == "Deleted"
    assert (answers[2]["Term"]["Name"], answers[2]["Term"]["DueDays"]) == ("Net 2", 1)


def test_thirty_items_are_the_most(company: Company) -> None:
    items = [{"bId": str(number), "Query": "select count(*) from Term"} for number in range(31)]
    assert len(batch(company, *items[:30])) == 30
    answer = company.post("batch", {"BatchItemRequest": items})
    assert answer.status_code == 400
    assert answer.json()["Fault"]["Error"][0]["code"] == "1040"


def test_the_cap_of_a_thousand_objects_is_per_query_or_per_batch(company: Company) -> None:
    total = company.query("select count(*) from Bill").json()["QueryResponse"]["totalCount"]
    count = 1000 // total + 2
    items = [{"bId": str(number), "Query": "select * from Bill maxresults 1000"} for number in range(count)]

    def objects() -> int:
        return sum(answer["QueryResponse"].get("maxResults", 0) for answer in batch(company, *items))

    company.settings(batch_items=count)
    assert objects() == count * total
    company.settings(batch_cap="batch")
    assert objects() == 1000
    company.settings(batch_cap="query", batch_items=30)


def test_a_repeated_batch_is_not_carried_out_again(company: Company) -> None:
    item = {"bId": "1", "operation": "create", "Term": {"Name": "Net 99", "DueDays": 99}}
    assert batch(company, item, requestid="batch-1") == batch(company, item, requestid="batch-1")
    answer = company.post("batch", {"BatchItemRequest": [item]}, requestid="b" * 37)
    assert answer.json()["Fault"]["Error"][0]["code"] == "2130"


# -- change data


NOW = datetime(2026, 3, 2, 20, tzinfo=UTC)


@pytest.fixture
def books() -> SmallBooks:
    return small_books()


def changes(books: SmallBooks, since: datetime, *entities: str, **settings: Any) -> list[dict[str, Any]]:
    params = {"entities": ",".join(entities), "changedSince": since.isoformat()}
    text = change_data(books.company, params, settings=RealmSettings(**settings), now=NOW)
    found: list[dict[str, Any]] = parse_json(text)["CDCResponse"][0]["QueryResponse"]
    return found


def test_one_answer_per_entity_in_the_asked_order_and_empty_where_nothing_changed(books: SmallBooks) -> None:
    since = books.tick()
    books.bill(100)
    answers = changes(books, since, "Vendor", "Invoice", "bill", "Account")
    assert [next(iter(answer), None) for answer in answers] == ["Vendor", None, "Bill", "Account"]
    assert answers[1] == {}
    assert (answers[2]["startPosition"], answers[2]["maxResults"]) == (1, 1)
    # The vendor and both accounts show up because their balance moved.
    assert answers[0]["Vendor"][0]["Balance"] == 1
    assert len(answers[3]["Account"]) >= 1


def test_deleted_transactions_come_last_as_stubs_even_when_never_seen(books: SmallBooks) -> None:
    since = books.tick()
    gone, kept = books.bill(100), books.bill(200)
    books.company.delete("Bill", gone, at=books.tick())
    answer = changes(books, since, "Bill")[0]["Bill"]
    assert [body["Id"] for body in answer] == [kept, gone]
    assert set(answer[1]) == {"domain", "status", "Id", "MetaData"}
    assert answer[1]["status"] == "Deleted"
    assert set(answer[1]["MetaData"]) == {"LastUpdatedTime"}


def test_changes_come_in_the_order_in_which_they_were_made(books: SmallBooks) -> None:
    since = books.tick()
    bills = [books.bill(cents) for cents in (1, 2, 3)]
    books.company.update("Bill", {"Id": bills[0], "PrivateNote": "later"}, at=books.tick(), sparse=True)
    assert [body["Id"] for body in changes(books, since, "Bill")[0]["Bill"]] == [bills[1], bills[2], bills[0]]


def test_a_name_made_inactive_comes_whole_and_a_merged_one_as_a_stub(books: SmallBooks) -> None:
    since = books.tick()
    other = books.create("Vendor", DisplayName="Other")
    books.company.update("Customer", {"Id": books.customer, "Active": False}, at=books.tick(), sparse=True)
    books.company.merge("Vendor", kept=other, merged=books.vendor, at=books.tick())
    customers, vendors = changes(books, since, "Customer", "Vendor")
    assert customers["Customer"][0]["Active"] is False
    assert [body.get("status") for body in vendors["Vendor"]] == [None, "Deleted"]


def test_change_data_of_an_entity_without_objects_is_empty(books: SmallBooks) -> None:
    assert changes(books, books.at, "Class", "Vendor", "Estimate")[::2] == [{}, {}]
    with pytest.raises(QboFault, match="500"):
        changes(books, books.at, "TaxCode")


def test_the_cap_cuts_the_response_or_each_entity(books: SmallBooks) -> None:
    since = books.tick()
    for cents in (1, 2, 3):
        books.bill(cents)
        books.invoice(cents)

    def sizes(cap: str) -> list[int]:
        answers = changes(books, since, "Bill", "Invoice", cdc_cap=cap, cdc_cap_objects=4)
        return [answer.get("maxResults", 0) for answer in answers]

    assert sizes("response") == [3, 1]
    assert sizes("entity") == [3, 3]


def test_looking_back_more_than_thirty_days_is_refused_or_not(books: SmallBooks) -> None:
    with pytest.raises(QboFault, match="older than fixed days is not supported") as caught:
        changes(books, NOW - timedelta(days=31), "Bill")
    assert caught.value.code == "500"
    assert changes(books, NOW - timedelta(days=31), "Bill", cdc_look_back="accept") == [{}]
    assert changes(books, NOW - timedelta(days=30), "Bill") == [{}]


@pytest.mark.parametrize(
    ("params", "code"),
    [
        ({"entities": "", "changedSince": "2026-03-01T00:00:00Z"}, "2020"),
        ({"entities": "Nothing", "changedSince": "2026-03-01T00:00:00Z"}, "500"),
        ({"entities": "Bill", "changedSince": "lately"}, "2070"),
    ],
)
def test_change_data_requests_that_cannot_be_meant(books: SmallBooks, params: dict[str, str], code: str) -> None:
    with pytest.raises(QboFault) as caught:
        change_data(books.company, params, settings=RealmSettings(), now=NOW)
    assert caught.value.code == code


def test_change_data_over_http(company: Company) -> None:
    before = datetime.now(tz=UTC) - timedelta(minutes=5)
    made = company.create("Term", {"Name": "Net 3", "DueDays": 3})
    answer = company.get("cdc", entities="Term,Bill", changedSince=before.isoformat())
    assert answer.status_code == 200
    assert made in exact(answer)["CDCResponse"][0]["QueryResponse"][0]["Term"]
