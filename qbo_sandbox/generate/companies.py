"""A generated company: the books of a spec, entered from the first day to the last.

Belongs here: the order in which the nouns are drawn, and the one way in (``build_company``).
Does not: what any of them consists of. The same spec gives the same books, byte for byte.
"""

from dataclasses import dataclass

from qbo_sandbox.company import Company
from qbo_sandbox.generate.bill_payments import bill_payment_entries
from qbo_sandbox.generate.chart import chart_entries, company_info, setup_moment
from qbo_sandbox.generate.defects import PlannedDefect, entered_defects, spoil_bills, vendor_defects
from qbo_sandbox.generate.deposits import deposit_entries
from qbo_sandbox.generate.parties import Parties, draw_parties, party_entries
from qbo_sandbox.generate.payables import draw_bills, draw_vendor_credits
from qbo_sandbox.generate.payroll import payroll_entries
from qbo_sandbox.generate.plan import Plan, make_plan
from qbo_sandbox.generate.purchases import draw_purchases
from qbo_sandbox.generate.receipts import receipt_entries
from qbo_sandbox.generate.receivables import receivable_entries
from qbo_sandbox.generate.timeline import Entry, apply_timeline
from qbo_sandbox.generate.treasury import card_payment_entries, estimated_tax_entries, opening_entries, savings_entries
from qbo_sandbox.generate.trust import trust_entries
from qbo_sandbox.spec import CompanySpec


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """Everything that is entered into a company's books, and what is wrong with it on purpose."""

    plan: Plan
    parties: Parties
    entries: list[Entry]
    defects: list[PlannedDefect]


def build_company(spec: CompanySpec) -> Company:
    """The company of a spec, with the habits of its customers and the defects of its books."""
    history = draw_history(spec)
    plan = history.plan
    company = Company(realm_id=spec.realm_id, name=spec.name, zone=spec.zone, start=setup_moment(plan))
    company.update("CompanyInfo", {"Id": "1", **company_info(plan)}, at=setup_moment(plan), sparse=True)
    ids = apply_timeline(company, history.entries, before=plan.cutoff)
    company.habits = {ids[customer.key]: customer.habit for customer in history.parties.customers}
    company.defects = list(entered_defects(history.defects, ids))
    return company


def draw_history(spec: CompanySpec) -> History:
    """The history of a spec as a timeline, before any of it is entered."""
    plan = make_plan(spec)
    parties = draw_parties(plan)
    purchases = draw_purchases(plan, parties)
    spoiled = spoil_bills(plan, draw_bills(plan, parties))
    vendor_credits = draw_vendor_credits(plan, spoiled.bills)
    sales = [*receivable_entries(plan, parties.customers), *receipt_entries(plan, parties.customers)]
    planned: list[Entry] = [
        *chart_entries(plan),
        *party_entries(plan, parties),
        *sales,
        *deposit_entries(plan, sales),
        *(bill.entry for bill in spoiled.bills),
        *(credit.entry for credit in vendor_credits),
        *bill_payment_entries(plan, spoiled.bills, vendor_credits),
        *purchases.entries,
        *payroll_entries(plan, parties.treasury),
        *trust_entries(plan, parties.customers),
        *estimated_tax_entries(plan, parties.treasury),
        *savings_entries(plan),
    ]
    entries = _entered(plan, planned)
    entries += _entered(plan, [*card_payment_entries(plan, entries)])
    entries += opening_entries(plan, entries)
    return History(
        plan=plan,
        parties=parties,
        entries=entries,
        defects=[*vendor_defects(parties), *spoiled.defects, *purchases.defects],
    )


def _entered(plan: Plan, entries: list[Entry]) -> list[Entry]:
    return [entry for entry in entries if entry.at < plan.cutoff]
