"""Figures of QuickBooks' own reports, to set the kept books against: totals of the ageing summaries, balances of the balance sheet.

Belongs here: which cell of a report is which figure. Does not: asking (`company_line.py`), comparing
(`runway_calcs/books/reconciliation.py`). No figure of a digest comes from a report.

Columns are known by their key, never by their title, which is translated. Every value is text, and an empty one is not zero.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from resources.qbo import exact_json
from resources.qbo.answers import RawAnswer, unavailable
from resources.qbo.company_line import CompanyLine
from resources.qbo.errors import QboContradiction
from resources.qbo.exact_json import NotJson
from resources.qbo.home_currency import cents
from resources.qbo.patience import Tally

#: How many metered reads a set of figures takes.
REPORTS = ("AgedPayables", "AgedReceivables", "BalanceSheet")
_ONE_YEAR = timedelta(days=365)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportedFigures:
    """What QuickBooks' reports of one day say."""

    payables_cents: int
    receivables_cents: int
    #: Account id to balance as the sheet shows it: assets and debts positive. Accounts at zero are often left out.
    sheet_cents: Mapping[str, int]


def reported_figures(line: CompanyLine, *, day: date, tally: Tally) -> ReportedFigures:
    """Read the three reports of a day, each once."""
    aged = {"report_date": day.isoformat(), "aging_method": "Report_Date"}
    sheet = {
        "start_date": (day - _ONE_YEAR).isoformat(),
        "end_date": day.isoformat(),
        "accounting_method": "Accrual",
    }
    return ReportedFigures(
        payables_cents=ageing_total(line.report("AgedPayables", aged, tally)),
        receivables_cents=ageing_total(line.report("AgedReceivables", aged, tally)),
        sheet_cents=account_balances(line.report("BalanceSheet", sheet, tally)),
    )


def ageing_total(answer: RawAnswer) -> int:
    """The grand total of an ageing summary; zero where the report itself says that it holds nothing."""
    report = _report(answer)
    column = _total_column(report, answer)
    for row in _rows(report.get("Rows")):
        if row.get("group") == "GrandTotal":
            return _amount(_cells(row.get("Summary")), column, answer)
    if _says_nothing(report):
        return 0
    raise _unreadable(answer, because="it has no grand total")


def account_balances(answer: RawAnswer) -> dict[str, int]:
    """The balance of each account that has a row of its own."""
    report = _report(answer)
    column = _total_column(report, answer)
    found = {}
    for row in _rows(report.get("Rows")):
        cells = _cells(row)
        if cells and cells[0].get("id") and cells[-1].get("value"):
            found[str(cells[0]["id"])] = _amount(cells, column, answer)
    if not found and not _says_nothing(report):
        raise _unreadable(answer, because="it names no account")
    return found


def _report(answer: RawAnswer) -> dict[str, Any]:
    try:
        value = exact_json.load(answer.text)
    except NotJson:
        raise unavailable(answer, because="its answer is cut or no JSON") from None
    if not isinstance(value, dict) or not isinstance(value.get("Header"), dict):
        raise _unreadable(answer, because="it has no header")
    return value


def _says_nothing(report: Mapping[str, Any]) -> bool:
    options = report["Header"].get("Option") or []
    return any(one.get("Name") == "NoReportData" and one.get("Value") == "true" for one in options)


def _total_column(report: Mapping[str, Any], answer: RawAnswer) -> int:
    columns = (report.get("Columns") or {}).get("Column") or []
    keys = [{part.get("Name"): part.get("Value") for part in column.get("MetaData") or []} for column in columns]
    by_key = [number for number, key in enumerate(keys) if key.get("ColKey") == "total"]
    by_type = [number for number, column in enumerate(columns) if column.get("ColType") == "Money"]
    if not by_key and not by_type:
        raise _unreadable(answer, because="it has no column of totals")
    return (by_key or by_type)[-1]


def _rows(rows: Any) -> Iterator[dict[str, Any]]:
    """Every row at any depth; `Rows` can be empty and `Row` missing."""
    for row in (rows or {}).get("Row") or []:
        yield row
        yield from _rows(row.get("Rows"))


def _cells(row: Any) -> list[dict[str, Any]]:
    return (row or {}).get("ColData") or []


def _amount(cells: list[dict[str, Any]], column: int, answer: RawAnswer) -> int:
    try:
        return cents(Decimal(cells[column]["value"]))
    except (IndexError, KeyError, InvalidOperation, TypeError):
        raise _unreadable(answer, because="an amount is missing or is none") from None


def _unreadable(answer: RawAnswer, *, because: str) -> QboContradiction:
    return QboContradiction(
        what=f"QuickBooks answered {answer.call} in a form that cannot be read: {because}{answer.reference}.",
        next_step="Look at the report in QuickBooks itself; nothing of the kept books depends on it.",
        intuit_tid=answer.intuit_tid,
    )
