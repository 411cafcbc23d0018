"""Reports: ageing summaries, profit and loss, balance sheet, cash flow, in the recorded shape.

Belongs here: parameters, headers, columns and the dispatch by name. Does not: the sums (``truth.py``, ``ledger.py``),
the rows of the financial statements (``statements.py``).

Every value is text, an empty cell is ``""``; rows of an ageing summary have no type.
"""

from collections import defaultdict
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from qbo_sandbox.books import Books
from qbo_sandbox.faults import QboFault
from qbo_sandbox.postings import PAYABLE, RECEIVABLE
from qbo_sandbox.statements import Statement, balance_sheet, cash_flow, cell, profit_and_loss
from qbo_sandbox.truth import BUCKETS, OpenItem, open_by_side
from qbo_sandbox.wire import pacific_millis

_BUCKET_TITLES = ("Current", "1 - 30", "31 - 60", "61 - 90", "91 and over")
_BUCKET_KEYS = ("current", "0", "1", "2", "3")


# Parameters that make another report of it, with the one value under which it is the report built here.
_UNBUILT: Mapping[str, str | None] = {
    "accounting_method": "Accrual",
    "aging_period": "30",
    "class": None,
    "date_macro": None,
    "department": None,
    "item": None,
    "num_periods": "4",
    "summarize_column_by": "Total",
}
_PARTIES = ("customer", "vendor")


@dataclass(frozen=True, slots=True, kw_only=True)
class Period:
    """The days a report covers."""

    start: date
    end: date


def report(books: Books, name: str, params: Mapping[str, str], *, now: datetime) -> dict[str, Any]:
    """The report of this path name; the documented file names are not paths."""
    build = _REPORTS.get(name)
    if build is None:
        raise QboFault.unsupported(f"reports/{name}")
    for asked, value in params.items():
        unbuilt = asked in _UNBUILT and value != _UNBUILT[asked]
        if unbuilt or (asked in _PARTIES and _PARTY_OF.get(name) != asked):
            # An answer that left the parameter aside would be wrong without a sign of it.
            raise QboFault.unsupported(f"reports/{name} with {asked} {value}")
    return build(books, params, now)


def _day(params: Mapping[str, str], name: str, default: date) -> date:
    text = params.get(name)
    if not text:
        return default
    try:
        return date.fromisoformat(text)
    except ValueError as error:
        raise QboFault(
            code="2070", message="Invalid Date", detail=f"Invalid Date : {name} {text}", element=name
        ) from error


def _today(books: Books, now: datetime) -> date:
    return now.astimezone(ZoneInfo(books.zone)).date()


def _header(
    name: str, *, period: Period, now: datetime, options: list[tuple[str, str]], basis: str, **more: str
) -> dict[str, Any]:
    return {
        "Time": pacific_millis(now)[:19] + pacific_millis(now)[23:],
        "ReportName": name,
        "ReportBasis": basis,
        "StartPeriod": period.start.isoformat(),
        "EndPeriod": period.end.isoformat(),
        "SummarizeColumnsBy": "Total",
        "Currency": "USD",
        **more,
        "Option": [{"Name": option, "Value": value} for option, value in options],
    }


def _column(title: str, kind: str, key: str) -> dict[str, Any]:
    return {"ColTitle": title, "ColType": kind, "MetaData": [{"Name": "ColKey", "Value": key}]}


def _ageing(side: str, name: str, party: str) -> Callable[[Books, Mapping[str, str], datetime], dict[str, Any]]:
    def build(books: Books, params: Mapping[str, str], now: datetime) -> dict[str, Any]:
        day = _day(params, "report_date", _today(books, now))
        # Ageing by the report's own date or by today's: the method moves the columns, not the total.
        reference = day if params.get("aging_method", "Report_Date") == "Report_Date" else _today(books, now)
        wanted = params.get(party.lower())
        items = [
            item
            for item in open_by_side(books, basis="dated", day=day)[side]
            if wanted is None or item.party_id in wanted.split(",")
        ]
        rows = _ageing_rows(books, items, party=party, reference=reference)
        header = _header(
            name,
            period=Period(start=day, end=day),
            now=now,
            options=[("report_date", day.isoformat()), ("NoReportData", "false" if rows else "true")],
            basis="Accrual",
            **({party: wanted} if wanted else {}),
        )
        columns = [_column("", party, party.lower())]
        columns += [_column(title, "Money", key) for title, key in zip(_BUCKET_TITLES, _BUCKET_KEYS, strict=True)] + [
            _column("Total", "Money", "total")
        ]
        return {"Header": header, "Columns": {"Column": columns}, "Rows": {"Row": rows} if rows else {}}

    return build


def _ageing_rows(books: Books, items: list[OpenItem], *, party: str, reference: date) -> list[dict[str, Any]]:
    parties: defaultdict[str, dict[str, int]] = defaultdict(lambda: dict.fromkeys(BUCKETS, 0))
    for item in items:
        parties[item.party_id][item.bucket(reference)] += item.open_cents
    if not parties:
        return []
    named = sorted((str(books.objects[party][each].body["DisplayName"]), each) for each in parties)
    rows = [{"ColData": [{"value": name, "id": each}, *_buckets(parties[each])]} for name, each in named]
    total = {bucket: sum(each[bucket] for each in parties.values()) for bucket in BUCKETS}
    summary = {"ColData": [{"value": "TOTAL"}, *_buckets(total)]}
    return [*rows, {"Summary": summary, "type": "Section", "group": "GrandTotal"}]


def _buckets(cents: Mapping[str, int]) -> list[dict[str, str]]:
    cells = [{"value": cell(cents[bucket]) if cents[bucket] else ""} for bucket in BUCKETS]
    return [*cells, {"value": cell(sum(cents.values()))}]


def _financial(
    name: str, build: Callable[[Books, date, date], Statement], *, default_start: Callable[[date], date]
) -> Callable[[Books, Mapping[str, str], datetime], dict[str, Any]]:
    def built(books: Books, params: Mapping[str, str], now: datetime) -> dict[str, Any]:
        today = _today(books, now)
        end = _day(params, "end_date", today)
        start = _day(params, "start_date", default_start(end))
        statement = build(books, start, end)
        header = _header(
            name,
            period=Period(start=start, end=end),
            now=now,
            options=[("AccountingStandard", "GAAP"), ("NoReportData", "true" if statement.is_empty else "false")],
            basis="Accrual",
        )
        columns = [_column("", "Account", "account"), _column("Total", "Money", "total")]
        return {"Header": header, "Columns": {"Column": columns}, "Rows": {"Row": list(statement.rows)}}

    return built


def _year_start(end: date) -> date:
    return end.replace(month=1, day=1)


_PARTY_OF = {"AgedPayables": "vendor", "AgedReceivables": "customer"}
_REPORTS: dict[str, Callable[[Books, Mapping[str, str], datetime], dict[str, Any]]] = {
    "AgedPayables": _ageing(PAYABLE, "AgedPayables", "Vendor"),
    "AgedReceivables": _ageing(RECEIVABLE, "AgedReceivables", "Customer"),
    "ProfitAndLoss": _financial("ProfitAndLoss", profit_and_loss, default_start=_year_start),
    "BalanceSheet": _financial("BalanceSheet", balance_sheet, default_start=_year_start),
    "CashFlow": _financial("CashFlow", cash_flow, default_start=_year_start),
}
