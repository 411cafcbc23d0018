"""The query language: statements, faults, and what each selects from a small set of books."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from qbo_sandbox.faults import QboFault
from qbo_sandbox.operations import parse_json
from qbo_sandbox.query import parse
from qbo_sandbox.selection import Selection, select
from qbo_sandbox.settings import RealmSettings
from tests.qbo_sandbox.books import SmallBooks, ref, small_books

NOW = datetime(2026, 3, 2, 20, tzinfo=UTC)


@pytest.fixture(scope="module")
def books() -> SmallBooks:
    books = small_books()
    for number, cents in enumerate((5_000, 10_000, 20_050), start=1):
        books.bill(cents, DocNumber=f"B{number}", TxnDate=f"2026-03-0{number}")
    books.pay_bills(1_000, ("Bill", "1", 1_000))
    for name in ("Adam's Candy", "apple", "Zoo"):
        books.create("Vendor", DisplayName=name)
    books.company.update("Vendor", {"Id": "4", "Active": False}, at=books.tick(), sparse=True)
    return books


def run(books: SmallBooks, statement: str, **settings: Any) -> Selection:
    return select(books.company, parse(statement), settings=RealmSettings(**settings), now=NOW)


def found(books: SmallBooks, statement: str, **settings: Any) -> list[dict[str, Any]]:
    return [parse_json(text) for text in run(books, statement, **settings).texts]


def numbers(books: SmallBooks, statement: str, **settings: Any) -> list[str]:
    return [body["DocNumber"] for body in found(books, statement, **settings)]


def names(books: SmallBooks, statement: str) -> list[str]:
    return [body["DisplayName"] for body in found(books, statement)]


def test_transactions_come_newest_changed_first_when_no_order_is_given(books: SmallBooks) -> None:
    assert numbers(books, "select * from Bill") == ["B1", "B3", "B2"]
    assert numbers(books, "select * from Bill", default_order="id") == ["B1", "B2", "B3"]


def test_names_come_in_byte_order_and_without_the_inactive(books: SmallBooks) -> None:
    assert names(books, "SELECT * FROM Vendor") == ["Adam's Candy", "Paper Mill", "Zoo"]
    everyone = names(books, "select * from vendor where Active in (true, false)")
    assert everyone == ["Adam's Candy", "Paper Mill", "Zoo", "apple (deleted)"]
    assert names(books, "select * from Vendor where active = false") == ["apple (deleted)"]


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        pytest.param("TotalAmt > 50", ["B2", "B3"], id="number bare"),
        pytest.param("TotalAmt >= '200.50'", ["B3"], id="number quoted"),
        pytest.param("Balance = 40", ["B1"], id="balance moved by a payment"),
        pytest.param("TxnDate < '2026-03-02'", ["B1"], id="day"),
        pytest.param("TxnDate = CURRENT_DATE", ["B2"], id="current date of the company"),
        pytest.param("DocNumber = 'b2'", ["B2"], id="text without case"),
        pytest.param("docnumber like '%3'", ["B3"], id="like at the end"),
        pytest.param("DocNumber LIKE 'b%'", ["B1", "B2", "B3"], id="like at the start"),
        pytest.param("DocNumber LIKE 'B'", [], id="like without a wild card is equality"),
        pytest.param("Id IN ('1', '3', '99')", ["B1", "B3"], id="in"),
        pytest.param("VendorRef = '1' AND TotalAmt <= 100", ["B1", "B2"], id="reference by value"),
        pytest.param("VendorRef = 'Paper Mill'", [], id="reference not by name"),
        pytest.param("SalesTermRef = ' '", ["B1", "B2", "B3"], id="null"),
        pytest.param("MetaData.CreateTime >= '2026-03-02T17:02:00Z'", ["B2", "B3"], id="instant in UTC"),
        pytest.param("Metadata.createtime >= '2026-03-02T09:02:00-08:00'", ["B2", "B3"], id="instant with offset"),
        pytest.param("MetaData.CreateTime >= '2026-03-02T09:02:00'", ["B2", "B3"], id="instant in Pacific time"),
    ],
)
def test_conditions(books: SmallBooks, condition: str, expected: list[str]) -> None:
    assert numbers(books, f"select * from Bill where {condition} orderby Id") == expected  # noqa: S608 - the QuickBooks query language


def test_a_time_without_offset_can_be_the_companys(books: SmallBooks) -> None:
    statement = "select * from Bill where MetaData.CreateTime >= '2026-03-02T12:02:00' orderby Id"
    assert numbers(books, statement, query_time_zone="company") == ["B2", "B3"]
    assert numbers(books, statement) == []


def test_a_quote_is_escaped_by_a_backslash(books: SmallBooks) -> None:
    assert names(books, r"select * from Vendor where DisplayName = 'adam\'s candy'") == ["Adam's Candy"]


@pytest.mark.parametrize("spelling", ["ORDERBY", "ORDER BY", "order by", "orderby"])
def test_order_by_several_columns(books: SmallBooks, spelling: str) -> None:
    statement = f"select * from Bill {spelling} VendorRef ASC, TotalAmt desc"  # noqa: S608 - the QuickBooks query language
    assert numbers(books, statement) == ["B3", "B2", "B1"]


@pytest.mark.parametrize("tail", ["startposition 2 maxresults 1", "maxresults 1 startposition 2"])
def test_pages_in_either_order(books: SmallBooks, tail: str) -> None:
    page = run(books, f"select * from Bill orderby Id {tail}")  # noqa: S608 - the QuickBooks query language
    assert (page.start, len(page.texts), page.total) == (2, 1, 1)


def test_total_count_is_on_the_page_of_some_entities_only(books: SmallBooks) -> None:
    assert run(books, "select * from Bill maxresults 2").total == 2
    assert run(books, "select * from Vendor").total is None
    assert run(books, "select * from Vendor", page_total_count="always").total == 3
    assert run(books, "select * from Bill", page_total_count="never").total is None


def test_counting(books: SmallBooks) -> None:
    assert run(books, "SELECT COUNT(*) FROM Bill WHERE TotalAmt > 50").total == 2
    assert run(books, "select count(*) from Vendor").total == 3


def test_a_column_list_gives_those_properties_or_all_or_a_fault(books: SmallBooks) -> None:
    statement = "select Id, MetaData.CreateTime, totalamt from Bill where Id = '1'"
    body = found(books, statement)[0]
    assert set(body) == {"domain", "sparse", "Id", "MetaData", "TotalAmt"}
    assert body["sparse"] is True
    assert set(body["MetaData"]) == {"CreateTime"}
    assert "VendorRef" in found(books, statement, column_lists="whole")[0]
    with pytest.raises(QboFault, match="4001"):
        run(books, statement, column_lists="refuse")


def test_everything_and_a_column_is_everything(books: SmallBooks) -> None:
    assert run(books, "select *, DocNumber from Bill").texts == run(books, "select * from Bill").texts


def test_an_entity_that_no_company_here_has_is_empty(books: SmallBooks) -> None:
    assert run(books, "select * from class where Name = 'North' orderby Name").texts == []
    assert run(books, "select count(*) from PaymentMethod").total == 0


@pytest.mark.parametrize(
    ("statement", "code", "detail"),
    [
        pytest.param("select * frm Bill", "4000", 'Encountered " frm " at line 1, column 10.', id="keyword"),
        pytest.param("select * from Bill where", "4000", 'Encountered " <EOF> " at line 1, column 25.', id="end"),
        pytest.param(
            "select * from Bill where Id = 'x", "4000", 'Encountered " \' " at line 1, column 31.', id="quote"
        ),
        pytest.param("select * from Bill where Id='1' or Id='2'", "4000", 'Encountered " or "', id="or"),
        pytest.param("select * from Bill where TotalAmt != 1", "4000", 'Encountered " ! "', id="not equal"),
        pytest.param("select * from Custmoer", "4001", "invalid context declaration: Custmoer", id="entity"),
        pytest.param("select * from Bill where Foo = '1'", "4001", "Property Foo not found", id="property"),
        pytest.param("select *, Foo from Bill", "4001", "Property Foo not found", id="column"),
        pytest.param("select * from Bill where Line = '1'", "4001", "'Line' is not queryable", id="lines"),
        pytest.param("select * from Bill orderby PrivateNote", "4001", "not queryable", id="order"),
        pytest.param("select * from Bill where Id > '1'", "4001", "operator >", id="id compared"),
        pytest.param("select * from Bill startposition 0", "4001", "value 0 is too small", id="position 0"),
        pytest.param("select * from Bill where TxnDate > 'soon'", "4001", "not a date", id="no date"),
        pytest.param("select * from Bill where TotalAmt > 'much'", "4001", "not a number", id="no number"),
    ],
)
def test_faults_of_statements(books: SmallBooks, statement: str, code: str, detail: str) -> None:
    with pytest.raises(QboFault) as caught:
        run(books, statement)
    assert caught.value.code == code
    assert detail in caught.value.detail


def test_more_than_a_thousand_is_capped_at_a_thousand() -> None:
    assert parse("select * from Bill maxresults 5000").size == 1000
    assert parse("select * from Bill").size == 100


def test_bill_payments_can_be_found_by_their_account(books: SmallBooks) -> None:
    assert len(found(books, f"select * from BillPayment where CheckPayment = '{books.bank}'")) == 1  # noqa: S608 - the QuickBooks query language
    assert found(books, f"select * from BillPayment where CreditCardPayment = '{books.card}'") == []  # noqa: S608 - the QuickBooks query language


def test_an_edit_moves_a_bill_between_pages_without_an_order() -> None:
    """The recorded default order is newest-changed first: an edit during paging hides a row, an explicit order does not."""
    books = small_books()
    for cents in (100, 200, 300, 400):
        books.bill(cents, DocNumber=str(cents))
    first = numbers(books, "select * from Bill maxresults 2")
    books.company.update("Bill", {"Id": "1", "PrivateNote": "x"}, at=books.at + timedelta(hours=1), sparse=True)
    second = numbers(books, "select * from Bill startposition 3 maxresults 2")
    assert set(first) | set(second) == {"200", "300", "400"}


def test_vendor_of_a_bill_is_named(books: SmallBooks) -> None:
    assert found(books, "select * from Bill where Id = '2'")[0]["VendorRef"] == {**ref("1"), "name": "Paper Mill"}
