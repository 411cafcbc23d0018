"""Reports: the recorded shape, and sums that agree with the books."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from qbo_sandbox.faults import QboFault
from qbo_sandbox.reports import report
from qbo_sandbox.truth import truth
from tests.qbo_sandbox.books import SmallBooks, ref, small_books
from tests.qbo_sandbox.client import Company

NOW = datetime(2026, 3, 31, 20, tzinfo=UTC)


@pytest.fixture(scope="module")
def books() -> SmallBooks:
    books = small_books()
    books.bill(10_000, TxnDate="2026-01-15", DueDate="2026-02-10")
    books.bill(20_000, TxnDate="2026-03-15", DueDate="2026-04-15")
    books.vendor_credit(2_500, TxnDate="2026-03-01")
    books.invoice(50_000, TxnDate="2026-02-01")
    books.receive(30_000, ("Invoice", "4", 30_000), TxnDate="2026-03-02", DepositToAccountRef=ref(books.bank))
    books.create(
        "Purchase",
        AccountRef=ref(books.card),
        PaymentType="CreditCard",
        Line=[books.expense(1_234)],
        TxnDate="2025-12-30",
    )
    return books


def run(books: SmallBooks, name: str, **params: str) -> dict[str, Any]:
    return report(books.company, name, params, now=NOW)


def group(rows: list[dict[str, Any]], name: str) -> dict[str, Any]:
    """The section of this group, wherever it is nested."""
    for row in rows:
        if row.get("group") == name:
            return row
        inner = (row.get("Rows") or {}).get("Row") or []
        try:
            return group(inner, name)
        except KeyError:
            continue
    raise KeyError(name)


def total(told: dict[str, Any], name: str) -> Decimal:
    row = group(told["Rows"]["Row"], name)
    cells = row["Summary"]["ColData"] if "Summary" in row else row["ColData"]
    return Decimal(cells[-1]["value"])


def test_an_ageing_summary_has_the_recorded_shape(books: SmallBooks) -> None:
    told = run(books, "AgedPayables", report_date="2026-03-31")
    assert set(told) == {"Header", "Columns", "Rows"}
    titles = [column["ColTitle"] for column in told["Columns"]["Column"]]
    assert titles == ["", "Current", "1 - 30", "31 - 60", "61 - 90", "91 and over", "Total"]
    assert told["Header"]["ReportName"] == "AgedPayables"
    assert {"Name": "NoReportData", "Value": "false"} in told["Header"]["Option"]
    row, grand = told["Rows"]["Row"]
    assert "type" not in row
    assert row["ColData"][0] == {"value": "Paper Mill", "id": books.vendor}
    values = [cell["value"] for cell in row["ColData"][1:]]
    assert values == ["200.00", "-25.00", "100.00", "", "", "275.00"]
    assert (grand["type"], grand["group"]) == ("Section", "GrandTotal")


def test_an_ageing_summary_can_look_at_one_customer(books: SmallBooks) -> None:
    told = run(books, "AgedReceivables", report_date="2026-03-31", customer=books.customer)
    assert told["Header"]["Customer"] == books.customer
    assert told["Rows"]["Row"][0]["ColData"][-1]["value"] == "200.00"
    assert run(books, "AgedReceivables", customer="99")["Rows"] == {}


def test_ageing_by_the_current_date_moves_the_columns_not_the_total(books: SmallBooks) -> None:
    told = run(books, "AgedPayables", report_date="2026-03-16", aging_method="Current")
    values = [cell["value"] for cell in told["Rows"]["Row"][0]["ColData"][1:]]
    assert values == ["200.00", "-25.00", "100.00", "", "", "275.00"]


def test_profit_and_loss_counts_the_period_by_transaction_date(books: SmallBooks) -> None:
    told = run(books, "ProfitAndLoss", start_date="2026-02-01", end_date="2026-03-31")
    assert total(told, "Income") == 500
    assert total(told, "Expenses") == Decimal("175.00")
    assert total(told, "NetIncome") == Decimal("325.00")
    assert {"Name": "AccountingStandard", "Value": "GAAP"} in told["Header"]["Option"]
    assert told["Header"]["StartPeriod"] == "2026-02-01"


def test_the_balance_sheet_balances_and_agrees_with_the_truth(books: SmallBooks) -> None:
    told = run(books, "BalanceSheet", end_date="2026-03-31")
    assert total(told, "TotalAssets") == total(told, "TotalLiabilitiesAndEquity")
    known = truth(books.company, basis="dated", day=date(2026, 3, 31))
    assert total(told, "BankAccounts") * 100 == known["cash_cents"]
    assert total(told, "AP") * 100 == -known["payables"]["account_cents"]
    assert total(told, "AR") * 100 == known["receivables"]["account_cents"]
    assert total(told, "CreditCards") == Decimal("12.34")
    assert total(told, "NetIncome") == Decimal("225.00")


def test_the_cash_flow_ends_where_the_bank_does(books: SmallBooks) -> None:
    told = run(books, "CashFlow", start_date="2026-01-01", end_date="2026-03-31")
    assert total(told, "BeginningCash") + total(told, "CashIncrease") == total(told, "EndingCash") == 300


def test_an_empty_report_says_so(books: SmallBooks) -> None:
    told = run(books, "AgedPayables", report_date="2020-01-01")
    assert told["Rows"] == {}
    assert {"Name": "NoReportData", "Value": "true"} in told["Header"]["Option"]


@pytest.mark.parametrize(
    ("name", "params"),
    [
        ("APAgingSummary", {}),
        ("ProfitAndLoss", {"accounting_method": "Cash"}),
        ("ProfitAndLoss", {"summarize_column_by": "Month"}),
        ("ProfitAndLoss", {"date_macro": "Last Month"}),
        ("ProfitAndLoss", {"customer": "1"}),
        ("AgedPayables", {"customer": "1"}),
        ("AgedReceivables", {"num_periods": "6"}),
        ("BalanceSheet", {"end_date": "soon"}),
    ],
)
def test_reports_that_are_not_served(books: SmallBooks, name: str, params: dict[str, str]) -> None:
    with pytest.raises(QboFault):
        run(books, name, **params)


def test_reports_of_a_generated_company_agree_with_its_truth(reading: Company) -> None:
    for day in (date(2026, 11, 20), date(2026, 6, 30)):
        query = {"day": day.isoformat(), "basis": "dated"}
        known = reading.http.get(f"/__sandbox__/realms/{reading.realm_id}/truth", params=query).json()
        for name, side in (("AgedPayables", "payables"), ("AgedReceivables", "receivables")):
            told = reading.get(f"reports/{name}", report_date=day.isoformat()).json()
            rows = told["Rows"].get("Row") or []
            cells = rows[-1]["Summary"]["ColData"][1:-1] if rows else []
            shown = [int(Decimal(cell["value"] or 0) * 100) for cell in cells] or [0] * 5
            assert shown == list(known[side]["ageing"].values())
        sheet = reading.get("reports/BalanceSheet", end_date=day.isoformat()).json()
        assert total(sheet, "TotalAssets") == total(sheet, "TotalLiabilitiesAndEquity")
        flow = reading.get(
            "reports/CashFlow", start_date=(day - timedelta(days=180)).isoformat(), end_date=day.isoformat()
        ).json()
        assert total(flow, "BeginningCash") + total(flow, "CashIncrease") == total(flow, "EndingCash")
