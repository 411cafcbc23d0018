"""The QBO objects that are no transactions: the company, its preferences, its name lists.

Belongs here: their fields as far as the books need them. Does not: parsing (`entities.py`), transactions.
"""

from typing import Annotated, Self

from pydantic import StringConstraints, model_validator

from resources.qbo.fields import Amount, Count, Flag, Listed, OptionalRef, Part, Percent, QboObject, Text

Name = Annotated[str, StringConstraints(strict=True, min_length=1)]

#: Types whose balance enters a figure; QBO always sends it for them.
_BALANCE_MATTERS = frozenset({"Bank", "Credit Card", "Accounts Receivable", "Accounts Payable"})


class NameValue(Part):
    """One of QBO's loose settings."""

    name: Text | None = None
    value: Text | None = None


class CompanyInfo(QboObject):
    """The company itself."""

    company_name: Name
    country: Text | None = None
    default_time_zone: Text | None = None
    name_value: Annotated[tuple[NameValue, ...], Listed] = ()


class CurrencyPrefs(Part):
    """Which currency the books are kept in, and whether there are others."""

    multi_currency_enabled: Flag | None = None
    home_currency: OptionalRef = None


class ReportPrefs(Part):
    """Accrual or cash."""

    report_basis: Text | None = None


class AccountingInfoPrefs(Part):
    """Closing date and the like; a company with open books has none."""

    book_close_date: Text | None = None


class Preferences(QboObject):
    """The company's settings."""

    currency_prefs: CurrencyPrefs | None = None
    report_prefs: ReportPrefs | None = None
    accounting_info_prefs: AccountingInfoPrefs | None = None


class Account(QboObject):
    """One account of the chart; liabilities have negative balances."""

    name: Name
    account_type: Name
    account_sub_type: Text | None = None
    active: Flag = True
    current_balance: Amount | None = None
    currency_ref: OptionalRef = None

    @model_validator(mode="after")
    def _has_its_balance(self) -> Self:
        if self.current_balance is None and self.account_type in _BALANCE_MATTERS:
            raise ValueError("expected CurrentBalance on an account of this type")
        return self


class Vendor(QboObject):
    """Somebody the company buys from."""

    display_name: Name
    active: Flag = True
    balance: Amount
    currency_ref: OptionalRef = None
    term_ref: OptionalRef = None
    vendor1099: Flag | None = None


class Customer(QboObject):
    """Somebody the company sells to, or one of their jobs."""

    display_name: Name
    active: Flag = True
    balance: Amount
    currency_ref: OptionalRef = None
    sales_term_ref: OptionalRef = None
    parent_ref: OptionalRef = None


class Item(QboObject):
    """A product or service, with the accounts its lines post to."""

    name: Name
    type: Text | None = None
    active: Flag = True
    income_account_ref: OptionalRef = None
    expense_account_ref: OptionalRef = None
    asset_account_ref: OptionalRef = None


class Term(QboObject):
    """Terms of payment."""

    name: Name
    type: Text | None = None
    active: Flag = True
    due_days: Count | None = None
    day_of_month_due: Count | None = None
    discount_percent: Percent | None = None
    discount_days: Count | None = None
