"""Open bills of the books as priority and plan take them: discounts, decisions, credits, missing dates."""

from datetime import date

from runway_calcs.bills.payables import EarlyDiscount, LateFee, Tier, VendorCredit
from runway_calcs.bills.payables_of_books import PayableDecisions, Payables, VendorTerms, payables_of_books
from runway_calcs.books.open_items import open_items
from tests.runway_calcs.builders import Row, applications, day, documents, instant, point, terms

TWO_TEN = {"qbo_id": "4", "due_days": 30, "discount_percent": "2", "discount_days": 10}
NET_30 = {"qbo_id": "3", "due_days": 30, "discount_percent": "", "discount_days": -1}


def bill(bill_id: str, **columns: object) -> Row:
    defaults = {
        "txn_date": day("2026-11-16"),
        "due_date": day("2026-12-16"),
        "total_cents": 100_00,
        "open_cents": 100_00,
    }
    return {"qbo_id": bill_id, **defaults, **columns}


def payables(*rows: Row, decisions: PayableDecisions | None = None) -> Payables:
    found = documents(*rows)
    items = open_items(found, applications(), side="payables", at=point())
    return payables_of_books(
        items, found, terms(TWO_TEN, NET_30), at=point(), decisions=decisions or PayableDecisions()
    )


def test_a_discount_stands_from_the_bills_date_for_the_days_of_its_terms() -> None:
    with_discount, without, no_terms = payables(bill("1", term_id="4"), bill("2", term_id="3"), bill("3")).bills
    assert with_discount.discount == EarlyDiscount(discount_ppm=20_000, last_on=date(2026, 11, 26))
    assert (without.discount, no_terms.discount) == (None, None)


def test_half_a_percent_is_read_without_a_float() -> None:
    found = documents(bill("1", term_id="5"))
    items = open_items(found, applications(), side="payables", at=point())
    known = terms({"qbo_id": "5", "due_days": 30, "discount_percent": "0.5", "discount_days": 5})
    (one,) = payables_of_books(items, found, known, at=point(), decisions=PayableDecisions()).bills
    assert one.discount is not None
    assert one.discount.discount_ppm == 5_000


def test_a_bill_without_a_due_date_counts_as_due_on_its_own() -> None:
    (one,) = payables(bill("1", due_date=None)).bills
    assert one.due_on == date(2026, 11, 16)


def test_what_people_decided_stands_beside_the_books() -> None:
    fee = LateFee(ppm_per_day=333, flat_cents=0, grace_days=10)
    decisions = PayableDecisions(
        vendors={"1": VendorTerms(tier=Tier.PROTECTED, late_fee=fee, usual_days_late=9, may_part_pay=True)},
        hard_dates={"1": date(2026, 12, 1)},
        unapproved_bill_ids=frozenset({"1"}),
        excluded_bill_ids=frozenset({"2"}),
    )
    known, other = payables(bill("1"), bill("2"), bill("3", party_id="9"), decisions=decisions).bills
    assert (known.tier, known.late_fee, known.usual_days_late, known.may_part_pay) == (Tier.PROTECTED, fee, 9, True)
    assert (known.hard_on, known.is_approved) == (date(2026, 12, 1), False)
    assert (other.bill_id, other.tier, other.is_approved, other.hard_on) == ("3", Tier.NORMAL, True, None)


def test_credits_and_unapplied_payments_are_what_a_vendor_owes() -> None:
    found = payables(
        bill("1", open_cents=0),
        {"qbo_id": "8", "txn_type": "VendorCredit", "total_cents": 30_00, "open_cents": -30_00},
        {"qbo_id": "8", "txn_type": "BillPayment", "total_cents": 90_00, "open_cents": -5_00},
    )
    assert found.bills == ()
    assert found.vendor_credits == (
        VendorCredit(credit_id="BillPayment:8", party_id="1", open_cents=5_00),
        VendorCredit(credit_id="VendorCredit:8", party_id="1", open_cents=30_00),
    )


def test_a_change_of_terms_that_became_known_later_does_not_count() -> None:
    found = documents(bill("1", term_id="3"), bill("1", term_id="4", known_at=instant("2026-11-27T10:00:00")))
    items = open_items(found, applications(), side="payables", at=point())
    (one,) = payables_of_books(items, found, terms(TWO_TEN, NET_30), at=point(), decisions=PayableDecisions()).bills
    assert one.discount is None
