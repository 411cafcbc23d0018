"""A total beside its lines, with the exceptions QuickBooks really makes."""

from typing import Any

import pytest

from resources.qbo.line_totals import line_totals
from tests.resources.qbo.builders import D, deleted, expense, journal_line, ref, settles, version


def _line(amount: str, kind: str) -> dict[str, Any]:
    return {"Amount": D(amount), "DetailType": kind, kind: {}}


_SOLD = _line("100.00", "SalesItemLineDetail")
_TAX = {"TotalTax": D("8.25"), "TaxLine": []}
_LINKED = {"Amount": D("90.00"), "LinkedTxn": [{"TxnId": "9", "TxnType": "Payment", "TxnLineId": "0"}]}


@pytest.mark.parametrize(
    ("entity", "changes", "total", "lines"),
    [
        pytest.param(
            "Bill", {"TotalAmt": D("100.00"), "Line": [expense("7", D("60")), expense("8", D("40"))]}, 10000, 10000
        ),
        pytest.param(
            "Bill", {"TotalAmt": D("90.00"), "Line": [expense("7", D("100"))]}, 9000, 10000, id="a bill that differs"
        ),
        pytest.param(
            "Bill",
            {"TotalAmt": D("108.25"), "Line": [expense("7", D("100")), _line("8.25", "TaxLineDetail")]},
            10825,
            10825,
            id="a tax line on a bill",
        ),
        pytest.param(
            "Invoice",
            {"TotalAmt": D("100.00"), "Line": [_SOLD, _line("100.00", "SubTotalLineDetail")]},
            10000,
            10000,
            id="the subtotal does not count",
        ),
        pytest.param(
            "Invoice",
            {"TotalAmt": D("70.00"), "Line": [_line("70.00", "SubTotalLineDetail")]},
            7000,
            7000,
            id="statement charges: nothing but the subtotal",
        ),
        pytest.param(
            "Invoice",
            {"TotalAmt": D("98.25"), "Line": [_SOLD, _line("10.00", "DiscountLineDetail")], "TxnTaxDetail": _TAX},
            9825,
            9825,
            id="a discount goes off, the tax comes on",
        ),
        pytest.param(
            "Invoice",
            {"TotalAmt": D("100.00"), "Line": [_SOLD, {"DetailType": "DescriptionOnly"}], "TxnTaxDetail": {}},
            10000,
            10000,
            id="a description has no amount",
        ),
        pytest.param(
            "Deposit",
            {"TotalAmt": D("80.00"), "Line": [_LINKED], "CashBack": {"AccountRef": ref("36"), "Amount": D("10.00")}},
            8000,
            8000,
            id="cash back",
        ),
        pytest.param(
            "Payment",
            {
                "TotalAmt": D("0"),
                "UnappliedAmt": D("0"),
                "Line": [settles("Invoice", "1", D("100")), settles("CreditMemo", "2", D("100"))],
            },
            0,
            0,
            id="a payment of nothing that applies a credit",
        ),
        pytest.param(
            "Payment",
            {"TotalAmt": D("100.00"), "UnappliedAmt": D("25.00"), "Line": [settles("Invoice", "1", D("75"))]},
            10000,
            10000,
            id="partly applied",
        ),
        pytest.param(
            "JournalEntry",
            {
                "TotalAmt": D("0"),
                "Line": [journal_line("Debit", "7", D("300")), journal_line("Credit", "35", D("300"))],
            },
            30000,
            30000,
            id="a journal by its sides, whatever its total",
        ),
    ],
)
def test_total_and_lines_of_a_kind(entity: str, changes: dict[str, Any], total: int, lines: int) -> None:
    found = line_totals([version(entity, **changes)])
    assert list(zip(found["txn_type"], found["total_cents"], found["lines_cents"], strict=True)) == [
        (entity, total, lines)
    ]


@pytest.mark.parametrize(
    "states_once",
    [
        version("Transfer"),
        version("BillPayment"),
        version("Payment", Line=[settles("JournalEntry", "1", D("5"))]),
        version("Vendor"),
        deleted("Bill"),
    ],
    ids=["a transfer", "a bill payment", "a payment of a journal entry", "no transaction", "a deleted bill"],
)
def test_what_states_its_total_once_is_left_out(states_once: Any) -> None:
    assert line_totals([states_once]).empty
