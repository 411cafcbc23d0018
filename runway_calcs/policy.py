"""Thresholds of the calculators, as frozen values with documented defaults.

Belongs here: every number and every choice that a tenant may set differently.
Does not: reading settings (the assets fill these from the typed settings); formulas (the module that uses the value).
"""

from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

CardBasis = Literal["payment", "purchase"]
"""Which of the two counts as the outflow of card spending: paying the card, or buying with it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CashPolicy:
    """Which accounts are cash, how card spending counts, and which account subtypes carry a meaning.

    Meaning always comes from the account type or subtype of QBO, never from a name: names are the bookkeeper's own.
    """

    chosen_account_ids: frozenset[str] | None = None
    """Bank accounts that count as cash; None = every active bank account in home currency that is not held in trust."""
    excluded_account_ids: frozenset[str] = frozenset()
    """Bank accounts that never count, for example a tax reserve."""
    trust_subtypes: frozenset[str] = frozenset({"TrustAccounts", "RentsHeldInTrust"})
    """Bank subtypes that hold other people's money."""
    undeposited_subtypes: frozenset[str] = frozenset({"UndepositedFunds"})
    """Subtypes of the account where receipts wait for their deposit."""
    payroll_subtypes: frozenset[str] = frozenset({"PayrollExpenses", "PayrollClearing", "DirectDepositPayable"})
    """Counter account subtypes that make a movement payroll."""
    tax_subtypes: frozenset[str] = frozenset(
        {
            "FederalIncomeTaxPayable",
            "GlobalTaxPayable",
            "PayrollTaxPayable",
            "SalesTaxPayable",
            "StateLocalIncomeTaxPayable",
            "TaxesPaid",
        }
    )
    """Counter account subtypes that make a movement a tax payment (payroll wins where both occur)."""
    financing_types: frozenset[str] = frozenset({"Equity", "Long Term Liability"})
    """Counter account types of owners and lenders: such movements are no operating burn."""
    card_basis: CardBasis = "payment"
    """`payment`: the payment of the card counts. `purchase`: each purchase counts and the card payment does not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BurnPolicy:
    """The window of the burn rate and the rule that flags one-off outflows."""

    weeks: int = 13
    """Length of the history window in weeks."""
    total_weeks: int = 4
    """Length of each rolling total: always two biweekly paydays and about one month of rent."""
    one_off_percent: int = 25
    """An outflow is a one-off when it is at least this share of the gross rolling total ..."""
    one_off_alone_days: int = 400
    """... and its party (or, without one, its set of counter accounts) had no other outflow in this many days."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecurringPolicy:
    """When a series of outflows counts as recurring. Tolerances are days around the length of the cadence."""

    lookback_days: int = 400
    """Only outflows of this many days up to the as-of date are looked at: a year and some delay."""
    min_occurrences: int = 3
    """Fewer than this many payments are no rhythm."""
    gap_occurrences: int = 6
    """The rhythm is judged on the last so many payments: older ones may belong to another arrangement."""
    regular_percent: int = 75
    """Share of the gaps between them that must fit the cadence."""
    merge_days: int = 1
    """Payments of one series at most this many days apart are one occurrence (two cheques of one pay run)."""
    weekly_tolerance_days: int = 2
    biweekly_tolerance_days: int = 3
    monthly_tolerance_days: int = 6
    quarterly_tolerance_days: int = 32
    """Wide, since quarterly estimated taxes in the US are 59 to 123 days apart."""
    quarterly_grace_days: int = 20
    """A quarterly outflow is given up this many days after it was expected; the others after their tolerance."""
    amount_spread_percent: int = 50
    """Each of the last three amounts lies within this share of their median. Payroll, tax and card payments vary
    by nature and are recurring whatever their amount."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectionPolicy:
    """How the expected payment date of an open invoice is found."""

    min_paid_invoices: int = 3
    """A customer (or the tenant) has a usual lateness from this many paid invoices on."""
    lookback_days: int = 730
    """Invoices paid longer ago than this say nothing about today's habit."""
    unseen_wait_days: int = 14
    """Least further wait for an invoice that is later than every paid one: the further wait is the larger of this
    and the days it is late already (as long again as so far)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectionPolicy:
    """Horizon, floor and the matching of recurring outflows with documents."""

    horizon_weeks: int = 13
    floor_cents: int | None = None
    """Balance that the tenant wants to keep; None = the next payroll."""
    match_percent: int = 25
    """A document stands for a recurring outflow of its vendor if their amounts differ by at most this share ..."""
    match_days: int = 10
    """... and their dates by at most this many days."""
    card_payment_days: int = 30
    """A card that was never paid before is paid this many days after the as-of date."""
    undeposited_days: int = 3
    """Undeposited funds reach the bank this many days after the as-of date."""

    def horizon_end(self, as_of: date) -> date:
        """The last day of the projection."""
        return as_of + timedelta(weeks=self.horizon_weeks)
