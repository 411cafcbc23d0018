"""What clients write differently though they mean the same, and what no client can mean."""

import copy
import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from qbo_sandbox.faults import QboFault
from qbo_sandbox.intake import taken_in, without_emptied
from qbo_sandbox.operations import apply, parse_json
from qbo_sandbox.settings import RealmSettings
from qbo_sandbox.wire import to_json
from qbo_sandbox.writes import operation_for
from tests.qbo_sandbox.books import SmallBooks, ref, settling, small_books
from tests.qbo_sandbox.client import Company, exact


@pytest.mark.parametrize(
    ("sent", "taken"),
    [
        ({"PrivateNote": None}, {}),
        ({"Line": []}, {"Line": []}),
        ({"LinkedTxn": [], "CustomField": [], "Id": 0}, {}),
        ({"WebAddr": {}}, {"WebAddr": {}}),
        ({"TotalAmt": "12.345"}, {"TotalAmt": Decimal("12.35")}),
        ({"Qty": "1.5", "DueDays": "30"}, {"Qty": Decimal("1.5"), "DueDays": Decimal(30)}),
        ({"UnitPrice": Decimal("0.12345678")}, {"UnitPrice": Decimal("0.1234568")}),
        ({"TxnDate": "2026-03-01T00:00:00Z"}, {"TxnDate": "2026-03-01"}),
        ({"DocNumber": 77, "SyncToken": 0}, {"DocNumber": "77", "SyncToken": "0"}),
        ({"sparse": "true", "Active": "False"}, {"sparse": True, "Active": False}),
        ({"VendorRef": {"value": 5, "name": "", "type": "Vendor"}}, {"VendorRef": {"value": "5"}}),
        ({"BillAddr": {"Line1": "1 Quay Street", "Line2": ""}}, {"BillAddr": {"Line1": "1 Quay Street"}}),
        (
            {"Line": [{"Amount": "3", "Description": "", "LinkedTxn": [{"TxnId": 9, "TxnLineId": 0}]}]},
            {"Line": [{"Amount": Decimal("3.00"), "LinkedTxn": [{"TxnId": "9"}]}]},
        ),
    ],
)
def test_one_meaning_has_one_form(sent: dict[str, Any], taken: dict[str, Any]) -> None:
    found = taken_in(sent)
    assert found == taken
    assert to_json(found) == to_json(taken)


def test_what_a_client_empties_is_told_from_what_it_leaves_out() -> None:
    sent = {"AcctNum": "", "ClassRef": {"value": "", "name": ""}, "Mobile": {"FreeFormNumber": ""}, "Notes": None}
    assert taken_in(sent) == {"AcctNum": None, "ClassRef": None, "Mobile": None}
    assert without_emptied(taken_in(sent)) == {}


@pytest.mark.parametrize(
    ("sent", "code"),
    [
        ({"VendorRef": "5"}, "2010"),
        ({"VendorRef": [{"value": "5"}]}, "2010"),
        ({"VendorRef": {"value": {"value": "5"}}}, "2010"),
        ({"Line": {"Amount": 1}}, "2010"),
        ({"Line": ["x"]}, "2010"),
        ({"Line": [{"LinkedTxn": "9"}]}, "2010"),
        ({"CheckPayment": "Check"}, "2010"),
        ({"DocNumber": ["1"]}, "2010"),
        ({"Active": "perhaps"}, "2010"),
        ({"TxnDate": {"value": "2026-03-01"}}, "2010"),
        ({"TotalAmt": {}}, "2010"),
        ({"TotalAmt": True}, "2090"),
        ({"TotalAmt": "twelve"}, "2090"),
        ({"TotalAmt": Decimal("1e400")}, "2090"),
        ({"TxnDate": "2026-02-30"}, "2070"),
    ],
)
def test_another_shape_than_the_property_has_is_refused(sent: dict[str, Any], code: str) -> None:
    with pytest.raises(QboFault) as raised:
        taken_in(sent)
    assert raised.value.code == code


# -- whatever is sent, the books answer


def _bodies(books: SmallBooks) -> Iterator[tuple[str, dict[str, Any]]]:
    bill, invoice = books.bill(10_000), books.invoice(10_000)
    receipt = books.receive(4_000)
    vendor, customer, bank = ref(books.vendor), ref(books.customer), ref(books.bank)
    check = {"BankAccountRef": bank, "PrintStatus": "NotSet"}
    journal = [
        books._journal_line("Debit", books.rent, 500, None),
        books._journal_line("Credit", books.payable, 500, books.vendor),
    ]
    discount = {
        "Amount": 1,
        "DetailType": "DiscountLineDetail",
        "DiscountLineDetail": {"PercentBased": True, "DiscountPercent": 10},
    }
    group = {"Amount": 1, "DetailType": "GroupLineDetail", "GroupLineDetail": {"Line": [books.sale(300)]}}
    yield "Vendor", {"DisplayName": "New", "PrimaryEmailAddr": {"Address": "a@example.com"}, "Active": True}
    yield "Customer", {"DisplayName": "Job", "ParentRef": customer, "SalesTermRef": ref(books.net_30)}
    yield "Account", {"Name": "Sub", "AccountType": "Bank", "ParentRef": bank}
    yield "Account", {"Id": books.bank, "SyncToken": "0", "sparse": True, "ParentRef": ref(books.card)}
    yield "Item", {"Name": "Thing", "UnitPrice": Decimal("1.5"), "IncomeAccountRef": ref(books.sales)}
    yield "Term", {"Name": "Net 9", "DueDays": 9}
    yield "Bill", {"VendorRef": vendor, "Line": [books.expense(1_000)], "TxnDate": "2026-03-05", "DocNumber": "7"}
    yield "Bill", {"Id": bill, "SyncToken": "0", "sparse": True, "Line": [books.expense(2_000)]}
    yield "VendorCredit", {"VendorRef": vendor, "Line": [books.expense(1_000)]}
    yield (
        "BillPayment",
        {
            "VendorRef": vendor,
            "TotalAmt": 50,
            "PayType": "Check",
            "CheckPayment": check,
            "Line": [settling("Bill", bill, 5_000)],
        },
    )
    yield "Purchase", {"PaymentType": "Cash", "AccountRef": bank, "EntityRef": vendor, "Line": [books.expense(900)]}
    yield (
        "Invoice",
        {"CustomerRef": customer, "Line": [books.sale(1_000), discount, group], "TxnTaxDetail": {"TotalTax": 1}},
    )
    yield "Payment", {"CustomerRef": customer, "TotalAmt": 50, "Line": [settling("Invoice", invoice, 5_000)]}
    yield "CreditMemo", {"CustomerRef": customer, "Line": [books.sale(700)]}
    yield "SalesReceipt", {"CustomerRef": customer, "DepositToAccountRef": bank, "Line": [books.sale(700)]}
    yield "RefundReceipt", {"CustomerRef": customer, "DepositToAccountRef": bank, "Line": [books.sale(700)]}
    yield (
        "Deposit",
        {
            "DepositToAccountRef": bank,
            "Line": [settling("Payment", receipt, 4_000)],
            "CashBack": {"Amount": 5, "AccountRef": ref(books.card)},
        },
    )
    yield "Transfer", {"FromAccountRef": bank, "ToAccountRef": ref(books.card), "Amount": 10}
    yield "JournalEntry", {"Line": journal}
    yield "CompanyInfo", {"Id": "1", "SyncToken": "0", "sparse": True, "LegalName": "Small Books LLC"}


_ENTITIES = len(list(_bodies(small_books())))
_ABSENT = object()
_values = st.one_of(
    st.just(_ABSENT),
    st.none(),
    st.booleans(),
    st.integers(min_value=-3, max_value=30),
    st.sampled_from(["", " ", "x", "1", "-5", "1e30", "2026-03-01", "NaN", "\u2603", "true", "Employee", "Credit"]),
    st.decimals(allow_nan=False, allow_infinity=False, places=3, min_value=-(10**15), max_value=10**15),
    st.just({}),
    st.just([]),
    st.sampled_from(
        [[1], ["x"], [{}], [None], [[]], {"value": "1"}, {"value": ""}, {"value": None}, {"x": "1"}, {"value": []}]
    ),
)


def _places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    inside = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in inside:
        yield (*path, key)
        yield from _places(part, (*path, key))


def _spoiled(body: dict[str, Any], path: tuple[Any, ...], value: Any) -> dict[str, Any]:
    spoiled = copy.deepcopy(body)
    holder: Any = spoiled
    for step in path[:-1]:
        holder = holder[step]
    if value is _ABSENT:
        del holder[path[-1]]
    else:
        holder[path[-1]] = value
    return spoiled


@settings(max_examples=400, suppress_health_check=[HealthCheck.too_slow])
@given(which=st.integers(min_value=0, max_value=_ENTITIES - 1), value=_values, data=st.data())
def test_whatever_is_sent_the_books_take_it_or_refuse_it(which: int, value: Any, data: st.DataObject) -> None:
    books = small_books()
    entity, body = list(_bodies(books))[which]
    sent = _spoiled(body, data.draw(st.sampled_from(list(_places(body)))), value)
    sent = parse_json(json.dumps(sent, default=float))
    company, at = books.company, books.tick()
    before = {name: len(kept) for name, kept in company.objects.items()}
    try:
        operation = operation_for(company, entity, sent, operation=None, include=None, settings=RealmSettings(), at=at)
        written = apply(company, operation)
    except QboFault:
        kept = {name: len(found) for name, found in company.objects.items() if name != "Account"}
        assert kept == {name: count for name, count in before.items() if name != "Account"}
    else:
        json.loads(company.text(written))
        assert json.loads(to_json(operation.to_json()["body"])) is not None
    for of_entity in company.objects.values():
        for stored in of_entity.values():
            company.text(stored).encode()
    assert sum(company.ledger.balances.values()) == 0


def test_half_a_character_is_refused_before_it_reaches_the_books(company: Company) -> None:
    answer = company.post("vendor", '{"DisplayName": "Half \\ud83d"}')
    assert (answer.status_code, answer.json()["Fault"]["Error"][0]["code"]) == (400, "2040")
    whole = exact(company.post("vendor", '{"DisplayName": "Whole \\ud83d\\ude00"}'))
    assert whole["Vendor"]["DisplayName"] == "Whole \U0001f600"


def test_json_without_end_is_refused(company: Company) -> None:
    assert company.post("vendor", "[" * 100_000).status_code == 400


@pytest.mark.parametrize("item", ["x", {"bId": "1", "operation": "create", "Vendor": "x"}])
def test_a_batch_item_of_another_shape_is_refused(company: Company, item: object) -> None:
    answer = company.post("batch", {"BatchItemRequest": [item]})
    body = answer.json()
    fault = body.get("Fault") or body["BatchItemResponse"][0]["Fault"]
    assert fault["Error"][0]["code"] == "2010"


def test_an_account_cannot_stand_below_itself(company: Company) -> None:
    upper = company.create("Account", {"Name": "Upper", "AccountType": "Bank"})
    lower = company.create("Account", {"Name": "Lower", "AccountType": "Bank", "ParentRef": {"value": upper["Id"]}})
    for parent in (upper["Id"], lower["Id"]):
        change = {"Id": upper["Id"], "SyncToken": "0", "sparse": True, "ParentRef": {"value": parent}}
        answer = company.post("account", change)
        assert (answer.status_code, answer.json()["Fault"]["Error"][0]["code"]) == (400, "6000")
    assert company.rows("select * from Account where Name = 'Upper'")


def test_accounts_of_one_name_stand_below_different_parents_only(company: Company) -> None:
    parents = [company.create("Account", {"Name": f"House {n}", "AccountType": "Expense"}) for n in (1, 2)]
    below = [{"Name": "Heating", "AccountType": "Expense", "ParentRef": {"value": each["Id"]}} for each in parents]
    made = [company.create("Account", body) for body in below]
    assert [each["FullyQualifiedName"] for each in made] == ["House 1:Heating", "House 2:Heating"]
    assert company.post("account", below[0]).json()["Fault"]["Error"][0]["code"] == "6240"
    moved = {"Id": made[1]["Id"], "SyncToken": "0", "sparse": True, "ParentRef": {"value": parents[0]["Id"]}}
    assert company.post("account", moved).json()["Fault"]["Error"][0]["code"] == "6240"


@pytest.mark.parametrize(
    ("entity", "reference", "body"),
    [
        ("Payment", "DepositToAccountRef", {"TotalAmt": 1}),
        ("Invoice", "SalesTermRef", {"DueDate": "2026-12-01", "Line": [{"DetailType": "DescriptionOnly"}]}),
    ],
)
def test_a_reference_answered_without_a_name_is_checked_too(
    company: Company, entity: str, reference: str, body: dict[str, Any]
) -> None:
    customer = company.rows("select * from Customer maxresults 1")[0]["Id"]
    sent = {**body, "CustomerRef": {"value": customer}, reference: {"value": "99999"}}
    error = company.post(entity.lower(), sent).json()["Fault"]["Error"][0]
    assert (error["code"], error["element"]) == ("2500", reference)


def test_a_transfer_needs_two_accounts_and_no_negative_amount(company: Company) -> None:
    bank, card = (
        company.rows(f"select * from Account where AccountType = '{kind}' maxresults 1")[0]["Id"]  # noqa: S608 - the QuickBooks query language
        for kind in ("Bank", "Credit Card")
    )
    for taker, amount in ((bank, 5), (card, -5)):
        body = {"FromAccountRef": {"value": bank}, "ToAccountRef": {"value": taker}, "Amount": amount}
        answer = company.post("transfer", body)
        assert (answer.status_code, answer.json()["Fault"]["Error"][0]["code"]) == (400, "6000")


@pytest.mark.parametrize(
    ("entity", "word"),
    [("BillPayment", {"PayType": "ACH"}), ("Purchase", {"PaymentType": "Wire"}), ("Item", {"Type": "Idea"})],
)
def test_a_word_that_the_property_does_not_take_is_refused(company: Company, entity: str, word: dict[str, str]) -> None:
    bank = {"value": company.rows("select * from Account where AccountType = 'Bank' maxresults 1")[0]["Id"]}
    vendor = {"value": company.rows("select * from Vendor maxresults 1")[0]["Id"]}
    body = {"Purchase": {"AccountRef": bank, "Line": [{}]}, "Item": {"Name": "Odd"}}.get(
        entity, {"VendorRef": vendor, "TotalAmt": 1, "Line": [{}]}
    )
    answer = company.post(entity.lower(), {**body, **word})
    assert (answer.status_code, answer.json()["Fault"]["Error"][0]["code"]) == (400, "2170")


def test_what_means_nothing_in_a_company_of_one_currency_is_not_kept(company: Company) -> None:
    customer = company.create("Customer", {"DisplayName": "One Currency"})
    item = company.rows("select * from Item maxresults 1")[0]["Id"]
    sale = {"Amount": 10, "DetailType": "SalesItemLineDetail", "SalesItemLineDetail": {"ItemRef": {"value": item}}}
    made = company.create(
        "Invoice",
        {
            "CustomerRef": {"value": customer["Id"]},
            "Line": [sale],
            "ExchangeRate": 0,
            "GlobalTaxCalculation": "TaxExcluded",
            "SalesTermRef": {"value": "3", "name": "whatever the client holds"},
            "CurrencyRef": {"value": "USD"},
        },
    )
    assert not {"ExchangeRate", "GlobalTaxCalculation"} & made.keys()
    assert made["SalesTermRef"] == {"value": "3"}
    assert made["CurrencyRef"]["name"] == "United States Dollar"
