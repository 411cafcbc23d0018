"""Bills by the accounts they are booked on: accounts named by lines, accounts of items, other currencies, what is gone."""

from datetime import timedelta
from typing import Any

from resources.qbo.bill_lines import bill_lines
from resources.qbo.postings import chart_of_accounts
from tests.resources.qbo.builders import KNOWN_AT, D, deleted, expense, ref, version

CHART = chart_of_accounts([version("Item", "5", ExpenseAccountRef=ref("80"))])


def _of_item(item_id: str, amount: str) -> dict[str, Any]:
    return {
        "Amount": D(amount),
        "DetailType": "ItemBasedExpenseLineDetail",
        "ItemBasedExpenseLineDetail": {"ItemRef": ref(item_id)},
    }


def _booked(*versions: Any) -> list[tuple[str, str, int]]:
    frame = bill_lines(versions, chart=CHART, home_currency="USD")
    return list(zip(frame["party_id"], frame["account_id"], frame["amount_cents"], strict=True))


def test_lines_are_summed_by_the_account_they_name_or_their_item_is_bought_on() -> None:
    lines = [expense("7", D("10.00")), _of_item("5", "30.00"), expense("7", D("0.50")), {"Amount": D("40.50")}]
    assert _booked(version("Bill", Line=lines)) == [("56", "7", 10_50), ("56", "80", 30_00)]


def test_an_item_nobody_knows_names_no_account_and_a_bill_without_one_still_has_its_row() -> None:
    assert _booked(version("Bill", Line=[_of_item("99", "30.00")])) == [("56", "", 0)]
    assert _booked(version("Bill", Line=[])) == [("56", "", 0)]


def test_a_foreign_bill_counts_in_home_cents() -> None:
    foreign = {"CurrencyRef": ref("EUR"), "ExchangeRate": D("1.25"), "Line": [expense("7", D("10.00"))]}
    assert _booked(version("Bill", **foreign)) == [("56", "7", 12_50)]


def test_a_deletion_takes_the_place_of_the_bill_and_other_kinds_are_left_alone() -> None:
    later = (KNOWN_AT + timedelta(days=1), deleted("Bill")[1])
    frame = bill_lines([version("Bill"), later, version("Invoice")], chart=CHART, home_currency="USD")
    assert list(frame["is_deleted"]) == [False, True]
    assert frame["amount_cents"].iloc[-1] == 0
