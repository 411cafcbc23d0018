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
    financing_subtypes: frozenset[str] = frozenset(
        {"LineOfCredit", "LoanPayable", "NotesPayable", "ShareholderNotesPayable"}
    )
    """The same by subtype, whatever the account type: what is due within a year is an Other Current Liability, as wages
    and taxes are."""
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
    document_spread_percent: int = 10
    """The same for what is paid by bill or invoice: bills of one vendor that merely resemble each other are no series."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectionLiftPolicy:
    """What a contact with a customer is assumed to do, and whom to contact again when.

    An assumption, stated with every list and not learned: books do not say which payment followed a reminder.
    """

    responding_percent: int = 75
    """Of the customers contacted, so many pay earlier than they would have; the others as if nothing had happened."""
    most_days: int = 14
    """Who responds pays 1 to this many days earlier, each number as likely as the others."""
    unseen_responding_percent: int = 25
    """Responding of the customers with an invoice later than any they ever paid: some of them have stopped paying."""
    soonest_days: int = 1
    """No payment comes sooner than this many days after the contact."""
    again_after_days: int = 7
    """A customer is not listed for another contact within so many days."""
    min_paid_invoices: int = 3
    """A customer has a usual lateness from this many paid invoices on."""
    usual_percent: int = 90
    """A delay is unusual when it is longer than that of this share of the customer's paid invoices ..."""
    unusual_days: int = 7
    """... and at least this many days longer than its usual one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MeasurePolicy:
    """The window of the ledger's measures."""

    window_days: int = 90
    """Days of sales, purchases and payments up to the as-of day; the quick ratio looks as far ahead."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HygienePolicy:
    """From when on something in the books counts as a defect."""

    stale_after_days: int = 7
    """Nothing entered for this many days: the books are not kept up."""
    undeposited_after_days: int = 14
    """Receipts that wait for their deposit longer than this."""
    unapplied_after_days: int = 14
    """Payments and credits that are applied to nothing for longer than this."""
    far_past_days: int = 180
    """Open items this long overdue are more likely paid, void or lost than still to come."""
    far_future_days: int = 90
    """Entries dated further ahead than this."""
    future_year_days: int = 330
    """Dated further ahead than this, the year is more likely mistyped: such an entry is blocking."""
    duplicate_days: int = 7
    """Bills of one vendor and amount, one of them without a number, at most this many days apart may be one paper."""
    duplicate_number_days: int = 60
    """The same for bills that carry the same number: a vendor may start to count again each quarter or year."""
    duplicate_lookback_days: int = 400
    """Only bills dated in this many days up to the as-of day are compared."""
    history_days: int = 120
    """Uncategorised and nameless purchases are looked for in this many days up to the as-of day."""
    uncategorized_account_ids: frozenset[str] = frozenset()
    """Accounts that hold what nobody has placed yet, beside those QuickBooks creates for it."""
    points: tuple[tuple[str, int], ...] = (
        ("stale books", 15),
        ("missing due date", 15),
        ("missing terms", 5),
        ("missing vendor", 5),
        ("uncategorized", 10),
        ("duplicate bill", 12),
        ("duplicate vendor", 5),
        ("receipts not deposited", 8),
        ("unapplied payment or credit", 8),
        ("negative balance", 7),
        ("far past due", 6),
        ("dated far ahead", 4),
    )
    """Most points of the score that each kind of defect can take; together 100."""
    full_share_percent: int = 25
    """A kind of defect costs all of its points when this share of what it can befall is befallen."""
    most_recomputed: int = 24
    """At most so many corrections are put through the forecast, the largest amounts first: each takes a tenth of a second."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReservePolicy:
    """How the money for reserves is spread over time."""

    days_between: int = 7
    """Days between two contributions."""
    month_days: int = 30
    """Length of a month of burn."""
    purpose_days: int = 10
    """The forecast pays for a reserve's purpose if a payment of its kind is expected at most this many days from its day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingPolicy:
    """What waiting with a bill is taken to cost where the vendor's own terms do not say.

    Rates are whole parts per million of the open amount and day, so that a cost is an exact whole number of
    micro-cents. The amounts are judgement, for a tenant to replace; `docs/pay-plan.md` says what they stand for.
    """

    late_fee_ppm_per_day: int = 500
    """500 = 1.5 % for 30 days, from the due date on once the grace is over."""
    late_fee_flat_cents: int = 0
    """Charged once, on the first day after the grace."""
    late_fee_grace_days: int = 5
    """No late fee is charged up to this many days after the due date."""
    cash_yield_ppm_per_day: int = 110
    """What a day of keeping the cash is worth: 110 = 4.0 % a year. The rate of the credit line where one is drawn."""
    relationship_first_days: tuple[int, ...] = (1, 2, 15, 31, 61)
    """First day late of each band of lateness."""
    relationship_ppm_per_day: tuple[tuple[int, ...], ...] = (
        (5_000, 5_000, 10_000, 20_000, 40_000),
        (3_000, 600, 1_200, 2_400, 4_800),
        (2_000, 300, 600, 1_200, 2_400),
        (1_000, 150, 300, 600, 1_200),
    )
    """For each tier 0-3, what a day late in each band costs: a word broken, calls, worse terms, a stopped service.
    The first day costs more than a week of yield and every later one more than a day of it, so that with enough cash
    no vendor is paid late for the yield alone."""
    hard_date_ppm_per_day: int = 1_000_000
    """Part of the score where waiting to the next payment day would miss a hard date: above every other part."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TierPolicy:
    """From which facts a vendor's tier is suggested. The person decides; account subtypes are those of QBO."""

    payroll_and_tax_subtypes: frozenset[str] = frozenset(
        {
            "DirectDepositPayable",
            "FederalIncomeTaxPayable",
            "GlobalTaxPayable",
            "PayrollClearing",
            "PayrollExpenses",
            "PayrollTaxPayable",
            "SalesTaxPayable",
            "StateLocalIncomeTaxPayable",
            "TaxesPaid",
        }
    )
    """Tier 0: paid on time before everything else, since unpaid payroll and trust-fund taxes are owed personally."""
    protected_subtypes: frozenset[str] = frozenset(
        {
            "EquipmentRental",
            "Insurance",
            "InsurancePayable",
            "LoanPayable",
            "NotesPayable",
            "RentOrLeaseOfBuildings",
            "Utilities",
        }
    )
    """Tier 1: what secures the premises, the cover and the debts."""
    late_charge_subtypes: frozenset[str] = frozenset({"FinanceCosts", "InterestPaid", "PenaltiesSettlements"})
    """A vendor with a line on one of these charges for lateness, and has shown no patience: tier 2."""
    supply_types: frozenset[str] = frozenset({"Cost of Goods Sold"})
    """Account types that make a vendor a supplier: tier 1 if a key one, else tier 2."""
    key_supplier_percent: int = 20
    """A supplier with at least this share of the year's bills is a key supplier."""
    majority_percent: int = 50
    """A subtype or type speaks for a vendor if more than this share of what it billed is on such accounts."""
    tolerant_days_late: int = 14
    """A vendor usually paid at least this late, and still delivering, has shown patience: tier 3 ..."""
    tolerant_paid_bills: int = 6
    """... if so many paid bills say so."""
    short_terms_days: int = 7
    """A vendor that grants at most this many days expects its money promptly: tier 2."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentDayPolicy:
    """On which days the tenant pays, and when an unapproved bill may be paid."""

    weekdays: frozenset[int] = frozenset({0, 1, 2, 3, 4})
    """Weekdays of the pay run, Monday = 0. Only business days (Monday to Friday) count."""
    holidays: frozenset[date] = frozenset()
    """Days on which banks do not pay."""
    approval_days: int = 3
    """An unapproved bill is taken to be approved this many days after the as-of date."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanPolicy:
    """How long the pay plan is looked for, and how close to the proven bound it has to come."""

    gap_ppm: int = 9_000
    """The search ends when the cost is proven within this share above the least possible: 9,000 = 0.9 %, less than the
    rates of waiting are known to."""
    node_limit: int = 500
    """The search ends after so many nodes, on every machine alike."""
    most_entries: int = 30_000
    """The solver searches at most so many options times rows of the cash to the end, on every machine alike. Of more it
    proves a bound at its first node, and the plan is bettered for some bills at a time. 200 bills over 90 days with lumpy
    receipts stay below it."""
    time_limit_seconds: float = 120.0
    """For the solver, behind the two limits above: several times what they were measured to take. Only a plan that it cut
    short may differ from run to run, and says so."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ForecastPolicy:
    """Horizon, floor, draws and the layers of the forecast."""

    horizon_weeks: int = 13
    draws: int = 1_000
    floor_cents: int | None = None
    """Balance that the tenant wants to keep; None = the next payroll."""
    match_percent: int = 25
    """A document stands for a recurring payment of its party if their amounts differ by at most this share ..."""
    match_days: int = 10
    """... and their dates by at most this many days: a document's is the day on which its party usually pays it."""
    match_lateness_documents: int = 6
    """That day is the due date and the median lateness of so many documents of such an amount that the party paid last."""
    card_payment_days: int = 30
    """A card that was never paid before is paid this many days after the as-of date."""
    undeposited_days: int = 3
    """Undeposited funds reach the bank this many days after the as-of date, until deposits were seen."""
    block_weeks: int = 13
    """Past weeks are drawn in runs of this many, so that what follows on what is kept."""
    lookback_weeks: int = 78
    """Only weeks of the last year and a half speak of the weeks to come."""
    half_life_weeks: int = 39
    """A week this old is drawn half as often as the newest."""
    month_days: int = 4
    """A past week stands for one to come if it lies in the same part of the month, up to so many days."""
    month_from_weeks: int = 26
    """With less history than this any week stands for any."""
    enough_weeks: int = 26
    """With less history than this the forecast says that it is little."""
    level_weeks: int = 4
    """The level of receipts is judged by totals of this many weeks."""
    break_even_percent: int = 7
    """How far a firm's receipts usually lie from its payments (one standard deviation over firms, share of payments)."""
    quarter_percent: int = 20
    """How far the receipts of one quarter lie from the firm's usual ones (one standard deviation over quarters)."""
    drift_percent: int = 8
    """How far the level of the next quarter lies from that of the past (one standard deviation), beside what the
    number of weeks leaves unknown."""

    @property
    def horizon_days(self) -> int:
        """Days of the horizon."""
        return 7 * self.horizon_weeks

    def horizon_end(self, as_of: date) -> date:
        """The last day of the forecast."""
        return as_of + timedelta(weeks=self.horizon_weeks)


@dataclass(frozen=True, slots=True, kw_only=True)
class BacktestPolicy:
    """How payment timing is replayed on past Fridays."""

    fridays: int = 26
    """How many Fridays back from now."""
    week_days: int = 7
    """The band is one of money paid in so many days after the Friday."""
    horizon_days: int = 91
    """Dates are compared once so many days are over; what is not paid by then counts as paid then."""
    draws: int = 400
    """Draws of the band."""
    seed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class AttentionPolicy:
    """When a tenant stands on its firm's list of exceptions. The numbers are judgement."""

    short_days: int = 28
    """Of the median runway: one payroll cycle or two."""
    short_cautious_days: int = 14
    """Of the cautious runway."""
    fallen_days: int = 7
    """The runway became shorter by at least so many days since the last forecast."""
