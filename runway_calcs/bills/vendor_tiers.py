"""Which tier the facts about a vendor suggest.

Belongs here: the facts and the suggestion with its reason. Does not: the tier in use, which a person sets; names, which
never decide.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from runway_calcs.bills.payables import Tier
from runway_calcs.policy import TierPolicy


@dataclass(frozen=True, slots=True, kw_only=True)
class VendorFacts:
    """What the books say about a vendor. Cents are of the bills of the last year, by the accounts they were booked on."""

    party_id: str
    cents_by_subtype: Mapping[str, int]
    """By QBO account subtype."""
    cents_by_type: Mapping[str, int]
    """By QBO account type."""
    all_vendors_cents: int
    """Bills of all vendors in the same year."""
    terms_days: int | None
    """Days until due by the vendor's terms; None without terms."""
    paid_bills: int
    """How many paid bills `usual_days_late` comes from."""
    usual_days_late: int | None
    """Median lateness of its paid bills; None without any."""
    is_1099: bool = False
    """Its payments are reported on form 1099: a contractor."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TierSuggestion:
    """A tier to start from, and the fact behind it."""

    party_id: str
    tier: Tier
    reason: str


def suggested_tier(facts: VendorFacts, *, policy: TierPolicy) -> TierSuggestion:
    """The first rule that applies.

    Payroll and taxes, protected accounts, key supplier, charges for lateness, contractor, patience shown, supply, terms.
    """
    is_supplier = _is_majority(facts.cents_by_type, policy.supply_types, policy=policy)
    own_cents = sum(facts.cents_by_type.values())
    is_large = own_cents > 0 and own_cents * 100 >= facts.all_vendors_cents * policy.key_supplier_percent
    has_history = facts.usual_days_late is not None and facts.paid_bills >= policy.tolerant_paid_bills
    is_patient = has_history and (facts.usual_days_late or 0) >= policy.tolerant_days_late
    charges_lateness = any(facts.cents_by_subtype.get(kind, 0) > 0 for kind in policy.late_charge_subtypes)
    has_short_terms = facts.terms_days is not None and facts.terms_days <= policy.short_terms_days
    rules = (
        (
            _is_majority(facts.cents_by_subtype, policy.payroll_and_tax_subtypes, policy=policy),
            Tier.ON_TIME,
            "booked on payroll or tax accounts",
        ),
        (
            _is_majority(facts.cents_by_subtype, policy.protected_subtypes, policy=policy),
            Tier.PROTECTED,
            "booked on rent, utility, insurance or debt accounts",
        ),
        (
            is_supplier and is_large,
            Tier.PROTECTED,
            f"supplies at least {policy.key_supplier_percent} % of what vendors billed in a year",
        ),
        (charges_lateness, Tier.NORMAL, "its bills charge penalties or interest"),
        (facts.is_1099, Tier.NORMAL, "a contractor, reported on form 1099"),
        (is_patient, Tier.PATIENT, f"usually paid {facts.usual_days_late} days late over {facts.paid_bills} bills"),
        (is_supplier, Tier.NORMAL, "booked on cost of goods sold"),
        (has_short_terms, Tier.NORMAL, f"grants {facts.terms_days} days"),
        (has_history, Tier.NORMAL, f"paid without much lateness over {facts.paid_bills} bills"),
        (True, Tier.NORMAL, "no fact speaks for another tier"),
    )
    tier, reason = next((tier, reason) for applies, tier, reason in rules if applies)
    return TierSuggestion(party_id=facts.party_id, tier=tier, reason=reason)


def _is_majority(cents: Mapping[str, int], kinds: frozenset[str], *, policy: TierPolicy) -> bool:
    total = sum(cents.values())
    return total > 0 and sum(cents.get(kind, 0) for kind in kinds) * 100 > total * policy.majority_percent
