"""The financial statements as rows and sections.

Belongs here: which account types stand in which group, in which order. Does not: headers, columns, parameters
(``reports.py``).
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from qbo_sandbox.books import Books
from qbo_sandbox.money import line_money
from qbo_sandbox.truth import account_balances

Row = dict[str, Any]
Amounts = Mapping[str, int]  # account id: debits less credits

_CASH = ("Bank",)
# Undeposited receipts are money on its way; the cash flow statement counts them as cash.
_CASH_SUBTYPES = ("UndepositedFunds",)


@dataclass(frozen=True, slots=True, kw_only=True)
class Statement:
    """The rows of one statement."""

    rows: tuple[Row, ...]
    is_empty: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Part:
    """A section with its total in the sign in which it is shown."""

    row: Row
    cents: int


def cell(cents: int) -> str:
    """A money cell: always text with two decimals."""
    return str(line_money(cents)) if cents else "0.00"


def _summary(title: str, cents: int) -> Row:
    return {"ColData": [{"value": title}, {"value": cell(cents)}]}


def _computed(title: str, cents: int, group: str) -> Row:
    """A line that only sums other sections."""
    return {"Summary": _summary(title, cents), "type": "Section", "group": group}


def _section(title: str, group: str, children: Iterable[_Part], *, total: str | None = None) -> _Part:
    parts = list(children)
    cents = sum(part.cents for part in parts)
    row: Row = {
        "Header": {"ColData": [{"value": title}, {"value": ""}]},
        "Rows": {"Row": [part.row for part in parts]} if parts else {},
        "Summary": _summary(total or f"Total {title}", cents),
        "type": "Section",
        "group": group,
    }
    return _Part(row=row, cents=cents)


def _accounts(books: Books, amounts: Amounts, types: tuple[str, ...], *, sign: int) -> list[_Part]:
    """The accounts of these types that have a balance, each with its sub-accounts as a section of its own."""
    tops = [
        stored.id
        for stored in books.objects["Account"].values()
        if stored.body["AccountType"] in types and not stored.body.get("ParentRef")
    ]
    parts = (_account(books, amounts, account_id, sign=sign) for account_id in tops)
    return [part for part in parts if part is not None]


def _account(books: Books, amounts: Amounts, account_id: str, *, sign: int) -> _Part | None:
    body = books.objects["Account"][account_id].body
    own = sign * amounts.get(account_id, 0)
    below = [
        _account(books, amounts, stored.id, sign=sign)
        for stored in books.objects["Account"].values()
        if (stored.body.get("ParentRef") or {}).get("value") == account_id
    ]
    children = [part for part in below if part is not None]
    cells = [{"value": body["Name"], "id": account_id}, {"value": cell(own) if own else ""}]
    if not children:
        return _Part(row={"ColData": cells, "type": "Data"}, cents=own) if own else None
    cents = own + sum(part.cents for part in children)
    row: Row = {
        "Header": {"ColData": cells},
        "Rows": {"Row": [part.row for part in children]},
        "Summary": _summary(f"Total {body['Name']}", cents),
        "type": "Section",
    }
    return _Part(row=row, cents=cents)


def _between(books: Books, start: date, end: date) -> dict[str, int]:
    """What a period added to each account."""
    after, before = account_balances(books, day=end), account_balances(books, day=start - timedelta(days=1))
    return {account: cents - before[account] for account, cents in after.items()}


def profit_and_loss(books: Books, start: date, end: date) -> Statement:
    """Income and expenses of a period."""
    amounts = _between(books, start, end)

    def group(title: str, name: str, kind: str, *, sign: int) -> _Part:
        return _section(title, name, _accounts(books, amounts, (kind,), sign=sign))

    income = group("Income", "Income", "Income", sign=-1)
    goods = group("Cost of Goods Sold", "COGS", "Cost of Goods Sold", sign=1)
    expenses = group("Expenses", "Expenses", "Expense", sign=1)
    other_income = group("Other Income", "OtherIncome", "Other Income", sign=-1)
    other_expenses = group("Other Expenses", "OtherExpenses", "Other Expense", sign=1)
    gross = income.cents - goods.cents
    operating = gross - expenses.cents
    other = other_income.cents - other_expenses.cents
    rows = (
        income.row,
        *((goods.row,) if goods.cents else ()),
        _computed("Gross Profit", gross, "GrossProfit"),
        expenses.row,
        _computed("Net Operating Income", operating, "NetOperatingIncome"),
        *((other_income.row,) if other_income.cents else ()),
        *((other_expenses.row,) if other_expenses.cents else ()),
        _computed("Net Other Income", other, "NetOtherIncome"),
        _computed("Net Income", operating + other, "NetIncome"),
    )
    return Statement(rows=rows, is_empty=not any(amounts.values()))


def balance_sheet(books: Books, _: date, end: date) -> Statement:
    """What is owned and owed at the end of a period, wherever the period began."""
    amounts = account_balances(books, day=end)
    year = end.replace(month=1, day=1)

    def group(title: str, name: str, kind: str, *, sign: int) -> _Part:
        return _section(title, name, _accounts(books, amounts, (kind,), sign=sign))

    current_assets = _section(
        "Current Assets",
        "CurrentAssets",
        [
            group("Bank Accounts", "BankAccounts", "Bank", sign=1),
            group("Accounts Receivable", "AR", "Accounts Receivable", sign=1),
            group("Other Current Assets", "OtherCurrentAssets", "Other Current Asset", sign=1),
        ],
    )
    assets = _section(
        "ASSETS",
        "TotalAssets",
        [
            current_assets,
            group("Fixed Assets", "FixedAssets", "Fixed Asset", sign=1),
            group("Other Assets", "OtherAssets", "Other Asset", sign=1),
        ],
        total="TOTAL ASSETS",
    )
    current_liabilities = _section(
        "Current Liabilities",
        "CurrentLiabilities",
        [
            group("Accounts Payable", "AP", "Accounts Payable", sign=-1),
            group("Credit Cards", "CreditCards", "Credit Card", sign=-1),
            group("Other Current Liabilities", "OtherCurrentLiabilities", "Other Current Liability", sign=-1),
        ],
    )
    liabilities = _section(
        "Liabilities",
        "Liabilities",
        [
            current_liabilities,
            group("Long-Term Liabilities", "LongTermLiabilities", "Long Term Liability", sign=-1),
        ],
    )
    net = _net_income(books, amounts, account_balances(books, day=year - timedelta(days=1)))
    earlier = _net_income(books, account_balances(books, day=year - timedelta(days=1)), {})
    equity = _section("Equity", "Equity", [*_equity(books, amounts, earlier), _computed_part("Net Income", net)])
    both = _section(
        "LIABILITIES AND EQUITY",
        "TotalLiabilitiesAndEquity",
        [liabilities, equity],
        total="TOTAL LIABILITIES AND EQUITY",
    )
    return Statement(rows=(assets.row, both.row), is_empty=not any(amounts.values()))


def _computed_part(title: str, cents: int) -> _Part:
    row = {"ColData": [{"value": title}, {"value": cell(cents)}], "type": "Data", "group": title.replace(" ", "")}
    return _Part(row=row, cents=cents)


def _equity(books: Books, amounts: Amounts, earlier: int) -> list[_Part]:
    """Equity accounts; income of earlier years stands in retained earnings without a posting of its own."""
    retained = next(
        (each.id for each in books.objects["Account"].values() if each.body["AccountSubType"] == "RetainedEarnings"),
        None,
    )
    if retained is None:
        parts = _accounts(books, amounts, ("Equity",), sign=-1)
        return [*parts, _computed_part("Retained Earnings", earlier)] if earlier else parts
    return _accounts(books, {**amounts, retained: amounts.get(retained, 0) - earlier}, ("Equity",), sign=-1)


def _net_income(books: Books, after: Amounts, before: Amounts) -> int:
    """Income less expenses between two sets of balances."""
    results = ("Income", "Other Income", "Cost of Goods Sold", "Expense", "Other Expense")
    return -sum(
        after.get(stored.id, 0) - before.get(stored.id, 0)
        for stored in books.objects["Account"].values()
        if stored.body["AccountType"] in results
    )


def cash_flow(books: Books, start: date, end: date) -> Statement:
    """Where money came from and went to, by the indirect method."""
    before, after = account_balances(books, day=start - timedelta(days=1)), account_balances(books, day=end)
    moved = {account: cents - before[account] for account, cents in after.items()}
    net = _net_income(books, after, before)
    beginning, ending = _cash(books, before), _cash(books, after)

    def adjusting(*types: str) -> list[_Part]:
        return _accounts(books, {**moved, **_no_cash(books)}, types, sign=-1)

    adjustments = _section(
        "Adjustments to reconcile Net Income to Net Cash provided by operations:",
        "OperatingAdjustments",
        adjusting(
            "Accounts Receivable", "Other Current Asset", "Accounts Payable", "Credit Card", "Other Current Liability"
        ),
    )
    operating = _section(
        "OPERATING ACTIVITIES",
        "OperatingActivities",
        [_computed_part("Net Income", net), adjustments],
        total="Net cash provided by operating activities",
    )
    investing = _section(
        "INVESTING ACTIVITIES",
        "InvestingActivities",
        adjusting("Fixed Asset", "Other Asset"),
        total="Net cash provided by investing activities",
    )
    financing = _section(
        "FINANCING ACTIVITIES",
        "FinancingActivities",
        adjusting("Long Term Liability", "Equity"),
        total="Net cash provided by financing activities",
    )
    increase = operating.cents + investing.cents + financing.cents
    rows = (
        operating.row,
        *(part.row for part in (investing, financing) if part.cents),
        _computed("Net cash increase for period", increase, "CashIncrease"),
        _computed("Cash at beginning of period", beginning, "BeginningCash"),
        _computed("Cash at end of period", ending, "EndingCash"),
    )
    return Statement(rows=rows, is_empty=not any(moved.values()))


def _is_cash(body: Mapping[str, Any]) -> bool:
    return body["AccountType"] in _CASH or body["AccountSubType"] in _CASH_SUBTYPES


def _no_cash(books: Books) -> dict[str, int]:
    return {stored.id: 0 for stored in books.objects["Account"].values() if _is_cash(stored.body)}


def _cash(books: Books, amounts: Amounts) -> int:
    return sum(amounts.get(stored.id, 0) for stored in books.objects["Account"].values() if _is_cash(stored.body))
