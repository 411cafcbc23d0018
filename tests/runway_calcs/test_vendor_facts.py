"""Facts about vendors by hand: a year of bills by account, what was paid late, terms and form 1099; names never count."""

import pandas as pd

from runway_calcs.bills.payables import Tier
from runway_calcs.bills.vendor_facts import vendor_facts
from runway_calcs.bills.vendor_tiers import VendorFacts, suggested_tier
from runway_calcs.policy import TierPolicy
from tests.runway_calcs.builders import (
    SYNC,
    Row,
    accounts,
    applications,
    bill_lines,
    day,
    documents,
    parties,
    point,
    terms,
)


def lines(*rows: Row) -> pd.DataFrame:
    """Lines of bills: 100.00 of vendor 7 on account 60 unless told otherwise."""
    return bill_lines(*({"party_id": "7", "account_id": "60", "amount_cents": 100_00, **row} for row in rows))


def facts(found: pd.DataFrame, **frames: pd.DataFrame) -> dict[str, VendorFacts]:
    given = {
        "documents": documents(),
        "applications": applications(),
        "accounts": accounts(
            {"qbo_id": "60", "account_type": "Expense", "account_subtype": "RentOrLeaseOfBuildings"},
            {"qbo_id": "61", "account_type": "Expense", "account_subtype": "SuppliesMaterials"},
        ),
        "parties": parties(
            {"qbo_id": "7", "party_type": "Vendor", "term_id": "3", "is_1099": True},
            {"qbo_id": "8", "party_type": "Vendor"},
        ),
        "terms": terms({"qbo_id": "3", "due_days": 7}),
        **frames,
    }
    ledger = given.pop("documents"), given.pop("applications")
    return {one.party_id: one for one in vendor_facts(found, *ledger, at=point(), **given)}


def test_a_year_of_bills_is_told_by_kind_of_account_with_terms_and_form_1099() -> None:
    found = facts(
        lines(
            {"qbo_id": "1", "amount_cents": 300_00},
            {"qbo_id": "1", "account_id": "61", "amount_cents": 100_00},
            {"qbo_id": "2", "party_id": "8", "account_id": "61", "amount_cents": 50_00},
            {"qbo_id": "3", "txn_date": day("2025-11-20"), "amount_cents": 999_00},  # a year ago to the day
        )
    )
    rent = found["7"]
    assert rent.cents_by_subtype == {"RentOrLeaseOfBuildings": 300_00, "SuppliesMaterials": 100_00}
    assert rent.cents_by_type == {"Expense": 400_00}
    assert (rent.all_vendors_cents, rent.terms_days, rent.is_1099) == (450_00, 7, True)
    assert (found["8"].terms_days, found["8"].is_1099, found["8"].usual_days_late) == (None, False, None)
    told = suggested_tier(rent, policy=TierPolicy())
    assert (told.tier, told.reason) == (Tier.PROTECTED, "booked on rent, utility, insurance or debt accounts")


def test_what_became_known_later_and_what_was_taken_back_does_not_count() -> None:
    before, later = SYNC - pd.Timedelta(hours=1), SYNC + pd.Timedelta(days=7)
    found = facts(
        lines(
            {"qbo_id": "1", "known_at": before},
            {"qbo_id": "1", "is_deleted": True, "account_id": "", "amount_cents": 0},
            {"qbo_id": "2", "known_at": later},
            {"qbo_id": "4", "party_id": "8"},
        )
    )
    assert {vendor: one.cents_by_type for vendor, one in found.items()} == {"8": {"Expense": 100_00}}


def test_lateness_is_the_median_over_the_bills_paid_in_the_year() -> None:
    """Paid 20, 10 and 30 days late within the year, and 90 days late before it."""
    due = {"1": "2026-09-01", "2": "2026-09-01", "3": "2026-09-01", "4": "2025-08-01"}
    paid = {"1": "2026-09-21", "2": "2026-09-11", "3": "2026-10-01", "4": "2025-10-30"}
    bills = documents(
        *(
            {"qbo_id": one, "party_id": "7", "txn_date": day("2025-07-01"), "due_date": day(on), "total_cents": 100_00}
            for one, on in due.items()
        )
    )
    payments = applications(
        *(
            {"qbo_id": f"9{one}", "target_id": one, "txn_date": day(on), "amount_cents": 100_00}
            for one, on in paid.items()
        )
    )
    (found,) = facts(lines(), documents=bills, applications=payments).values()
    assert (found.paid_bills, found.usual_days_late) == (3, 20)
