"""Priority of bills: hand-worked costs and yields, reasons that add up, a flag that never urges."""

from dataclasses import fields, replace
from datetime import date, timedelta
from typing import Any

import pytest
from hypothesis import strategies as st

from runway_calcs.bills.bank_holidays import bank_holidays
from runway_calcs.bills.discount_yield import discount_yield
from runway_calcs.bills.payables import (
    EarlyDiscount,
    LateFee,
    PayableBill,
    Tier,
    VendorCredit,
    after_credits,
    credits_used,
    in_stable_order,
)
from runway_calcs.bills.payment_days import banking_days, next_pay_run, pay_run_days
from runway_calcs.bills.priority import BillPriority, Cause, HardDateKind, bill_priorities
from runway_calcs.bills.vendor_tiers import VendorFacts, suggested_tier
from runway_calcs.bills.waiting_cost import relationship_ppm, waiting_cost
from runway_calcs.policy import PaymentDayPolicy, TierPolicy, WaitingPolicy
from tests.runway_calcs.properties import EXAMPLES, holds

FRIDAY = date(2026, 11, 20)
DUE = date(2026, 12, 1)
WAITING = WaitingPolicy()
DOLLAR = 100_000_000
"""Micro-cents in a dollar."""


def bill(**overrides: Any) -> PayableBill:  # noqa: ANN401, RUF100 - any field
    """A bill of 1,000.00 due on 1 December from a vendor of tier 2."""
    values: dict[str, Any] = {
        "bill_id": "1",
        "party_id": "7",
        "party_name": "Vendor Seven",
        "open_cents": 1_000_00,
        "due_on": DUE,
        "tier": Tier.NORMAL,
    }
    return PayableBill(**(values | overrides))


def priority(one: PayableBill, *, as_of: date = FRIDAY, spendable_cents: int = 10_000_00, **days: Any) -> BillPriority:  # noqa: ANN401, RUF100
    (found,) = bill_priorities(
        [one], as_of=as_of, spendable_cents=spendable_cents, waiting=WAITING, days=PaymentDayPolicy(**days)
    )
    return found


@pytest.mark.parametrize(
    ("ppm", "days", "simple", "effective"),
    [
        pytest.param(20_000, 20, 3724, 4459, id="2/10 n30"),
        pytest.param(10_000, 20, 1843, 2013, id="1/10 n30"),
        pytest.param(20_000, 50, 1490, 1589, id="2/10 n60"),
    ],
)
def test_discount_yields_equal_the_hand_worked_ones(ppm: int, days: int, simple: int, effective: int) -> None:
    found = discount_yield(discount_ppm=ppm, days_earlier=days)
    assert found is not None
    assert (found.simple_bp, found.effective_bp) == (simple, effective)


def test_a_habitual_late_payer_earns_less_by_paying_early() -> None:
    """2/10 n30, but usually paid 30 days late: the money leaves 50 days earlier, not 20."""
    discount = EarlyDiscount(discount_ppm=20_000, last_on=DUE - timedelta(days=20) + timedelta(days=12))
    prompt = priority(bill(discount=discount, due_on=discount.last_on + timedelta(days=20)))
    late = priority(bill(discount=discount, due_on=discount.last_on + timedelta(days=20), usual_days_late=30))
    assert prompt.discount_yield is not None
    assert late.discount_yield is not None
    assert (prompt.discount_yield.effective_bp, late.discount_yield.effective_bp) == (4459, 1589)


def test_paying_no_earlier_has_no_yield() -> None:
    assert discount_yield(discount_ppm=20_000, days_earlier=0) is None


@pytest.mark.parametrize("ppm", [0, -1, 1_000_000])
def test_a_discount_of_nothing_or_everything_is_refused(ppm: int) -> None:
    with pytest.raises(ValueError, match="between 0 and 1,000,000"):
        discount_yield(discount_ppm=ppm, days_earlier=10)


@pytest.mark.parametrize(
    ("changes", "paid_on", "dollars"),
    [
        # 11 days of 110 ppm on 1,000.00
        pytest.param({}, DUE, (0, 0, 0, -1.21), id="on the due date"),
        # 10 days x 500 ppm; 2,000 ppm + 9 days x 300 ppm; 21 days x 110 ppm
        pytest.param({}, DUE + timedelta(days=10), (5.00, 0, 4.70, -2.31), id="ten days late"),
        # 2,000 ppm + 13 days x 300 ppm + 6 days x 600 ppm
        pytest.param({}, DUE + timedelta(days=20), (10.00, 0, 9.50, -3.41), id="second band of lateness"),
        pytest.param({}, DUE + timedelta(days=5), (0, 0, 3.20, -1.76), id="inside the grace"),
        pytest.param({"tier": Tier.PROTECTED}, DUE + timedelta(days=10), (5.00, 0, 8.40, -2.31), id="tier 1"),
        pytest.param(
            {"late_fee": LateFee(ppm_per_day=0, flat_cents=25_00, grace_days=3)},
            DUE + timedelta(days=4),
            (25.00, 0, 2.90, -1.65),
            id="flat fee",
        ),
        pytest.param(
            {"discount": EarlyDiscount(discount_ppm=20_000, last_on=date(2026, 11, 24))},
            date(2026, 11, 25),
            (0, 20.00, 0, -0.55),
            id="a day after the discount",
        ),
        # the cash kept is 980.00: 4 days x 110 ppm
        pytest.param(
            {"discount": EarlyDiscount(discount_ppm=20_000, last_on=date(2026, 11, 24))},
            date(2026, 11, 24),
            (0, 0, 0, -0.4312),
            id="the discount's last day",
        ),
        pytest.param(
            {"discount": EarlyDiscount(discount_ppm=20_000, last_on=date(2026, 11, 19))},
            date(2026, 11, 23),
            (0, 0, 0, -0.33),
            id="a discount gone before is not lost now",
        ),
        # already 10 days late, now 11 and 12: what is late by today is past
        pytest.param({"due_on": date(2026, 11, 10)}, date(2026, 11, 22), (1.00, 0, 0.60, -0.22), id="overdue"),
    ],
)
def test_the_cost_of_waiting_equals_the_hand_worked_one(
    changes: dict[str, Any], paid_on: date, dollars: tuple[float, ...]
) -> None:
    """Late fee, lost discount, relationship, yield of cash."""
    cost = waiting_cost(bill(**changes), as_of=FRIDAY, paid_on=paid_on, policy=WAITING)
    parts = (cost.late_fee, cost.lost_discount, cost.relationship, cost.cash_yield)
    assert parts == tuple(round(part * DOLLAR) for part in dollars)
    assert cost.total == sum(parts)


def test_lateness_of_each_band_is_charged_at_its_own_rate() -> None:
    assert [relationship_ppm(Tier.PATIENT, days_late=late, policy=WAITING) for late in (0, 1, 14, 15, 30, 31, 61)] == [
        0,
        1_000,
        2_950,
        3_250,
        7_750,
        8_350,
        26_950,
    ]


def test_the_score_is_the_cost_of_one_more_payment_day_per_day_and_dollar() -> None:
    """Due on Friday and paid on Monday it is 3 days late, within the grace: 2,600 ppm over 3 days, less 110."""
    found = priority(bill(due_on=FRIDAY))
    assert (found.pay_on, found.next_on) == (FRIDAY, date(2026, 11, 23))
    assert found.score == 757
    assert {part.cause: part.micro for part in found.parts} == {Cause.RELATIONSHIP: 867, Cause.CASH_YIELD: -110}


def test_a_discount_that_ends_before_the_next_pay_run_leads_the_score() -> None:
    """Pay runs on Fridays: 2 % lost over 7 days is 2,857 ppm a day."""
    discount = EarlyDiscount(discount_ppm=20_000, last_on=date(2026, 11, 25))
    found = priority(bill(discount=discount), weekdays=frozenset({4}))
    assert found.score == 2_857 - 110
    assert found.discount_cents == 20_00
    assert found.latest_safe_on == FRIDAY


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"hard_on": date(2026, 11, 22)}, id="a recorded hard date"),
        pytest.param({"tier": Tier.ON_TIME, "due_on": date(2026, 11, 21)}, id="tier 0 due"),
        pytest.param({"tier": Tier.ON_TIME, "due_on": date(2026, 11, 1)}, id="tier 0 overdue"),
    ],
)
def test_a_hard_date_before_the_next_payment_day_outranks_every_cost(changes: dict[str, Any]) -> None:
    urgent = bill(bill_id="2", **changes)
    costly = bill(
        bill_id="1",
        due_on=FRIDAY - timedelta(days=200),
        late_fee=LateFee(ppm_per_day=5_000, flat_cents=0, grace_days=0),
    )
    ranked = bill_priorities(
        [costly, urgent], as_of=FRIDAY, spendable_cents=0, waiting=WAITING, days=PaymentDayPolicy()
    )
    assert [item.bill_id for item in ranked] == ["2", "1"]
    assert Cause.HARD_DATE in {part.cause for part in ranked[0].parts}


@pytest.mark.parametrize(
    ("changes", "safe_on"),
    [
        pytest.param({}, DUE, id="the due date"),
        pytest.param({"due_on": date(2026, 11, 29)}, date(2026, 11, 27), id="due on a Sunday"),
        pytest.param({"hard_on": date(2026, 11, 25)}, date(2026, 11, 25), id="an earlier hard date"),
        pytest.param({"due_on": date(2026, 11, 19)}, None, id="overdue"),
        pytest.param(
            {"discount": EarlyDiscount(discount_ppm=20_000, last_on=date(2026, 11, 24))},
            date(2026, 11, 24),
            id="a discount worth taking",
        ),
        pytest.param(
            {"discount": EarlyDiscount(discount_ppm=500, last_on=date(2026, 11, 24))},
            DUE,
            id="a discount worth less than the cash earns",
        ),
        pytest.param(
            {"is_approved": False, "due_on": date(2026, 11, 23)}, date(2026, 11, 23), id="approved just in time"
        ),
        pytest.param({"is_approved": False, "due_on": date(2026, 11, 22)}, None, id="approved too late"),
    ],
)
def test_the_latest_safe_day_is_the_last_payment_day_that_costs_nothing(
    changes: dict[str, Any], safe_on: date | None
) -> None:
    assert priority(bill(**changes)).latest_safe_on == safe_on


def test_hard_dates_are_listed_in_order_and_passed_ones_left_out() -> None:
    discount = EarlyDiscount(discount_ppm=20_000, last_on=date(2026, 11, 19))
    found = priority(bill(discount=discount, hard_on=date(2026, 12, 3)))
    assert [(item.on, item.kind) for item in found.hard_dates] == [
        (DUE, HardDateKind.DUE),
        (date(2026, 12, 3), HardDateKind.GIVEN),
        (date(2026, 12, 6), HardDateKind.LATE_FEE),
    ]


def test_the_breach_counts_what_would_be_paid_with_the_discount() -> None:
    discount = EarlyDiscount(discount_ppm=20_000, last_on=date(2026, 11, 24))
    assert priority(bill(discount=discount), spendable_cents=980_00).is_liquidity_breach is False
    assert priority(bill(discount=discount), spendable_cents=979_99).breach_cents == 1


def drawn_bills() -> st.SearchStrategy[list[PayableBill]]:
    days = st.dates(min_value=FRIDAY - timedelta(days=120), max_value=FRIDAY + timedelta(days=90))
    discounts = st.builds(EarlyDiscount, discount_ppm=st.integers(1, 100_000), last_on=days)
    fees = st.builds(
        LateFee, ppm_per_day=st.integers(0, 2_000), flat_cents=st.integers(0, 10_000), grace_days=st.integers(0, 20)
    )
    one = st.builds(
        PayableBill,
        bill_id=st.text("abcdef", min_size=1, max_size=4),
        party_id=st.sampled_from(["1", "2", "3"]),
        party_name=st.just("Vendor"),
        open_cents=st.integers(1, 10**9),
        due_on=days,
        tier=st.sampled_from(Tier),
        discount=st.none() | discounts,
        late_fee=st.none() | fees,
        hard_on=st.none() | days,
        usual_days_late=st.integers(-10, 60),
        is_approved=st.booleans(),
        may_part_pay=st.booleans(),
    )
    return st.lists(one, max_size=8, unique_by=lambda item: item.bill_id)


def ranked(bills: list[PayableBill], *, spendable_cents: int = 0) -> tuple[BillPriority, ...]:
    return bill_priorities(
        bills, as_of=FRIDAY, spendable_cents=spendable_cents, waiting=WAITING, days=PaymentDayPolicy()
    )


@EXAMPLES
def test_parts_add_up_to_the_score_and_the_order_of_rows_does_not_matter(examples: int) -> None:
    def check(bills: list[PayableBill]) -> None:
        found = ranked(bills)
        assert all(sum(part.micro for part in item.parts) == item.score for item in found)
        assert ranked(bills[::-1]) == found
        assert sorted(item.bill_id for item in found) == sorted(item.bill_id for item in bills)

    holds(check, examples=examples, bills=drawn_bills())


@EXAMPLES
def test_a_liquidity_breach_raises_a_flag_and_never_the_score(examples: int) -> None:
    def check(bills: list[PayableBill], spendable: int) -> None:
        rich, poor = ranked(bills, spendable_cents=10**10), ranked(bills, spendable_cents=spendable)
        assert [(item.bill_id, item.score) for item in rich] == [(item.bill_id, item.score) for item in poor]
        assert not any(item.is_liquidity_breach for item in rich)
        assert all(item.is_liquidity_breach == (item.breach_cents > 0) for item in poor)

    holds(check, examples=examples, bills=drawn_bills(), spendable=st.integers(-(10**6), 10**6))


@EXAMPLES
def test_waiting_twice_costs_what_waiting_once_as_long_does(examples: int) -> None:
    def check(bills: list[PayableBill], first: int, second: int) -> None:
        middle, last = FRIDAY + timedelta(days=first), FRIDAY + timedelta(days=first + second)
        for one in bills:
            whole = waiting_cost(one, as_of=FRIDAY, paid_on=last, policy=WAITING)
            halves = [
                waiting_cost(one, as_of=FRIDAY, paid_on=middle, policy=WAITING),
                waiting_cost(one, as_of=middle, paid_on=last, policy=WAITING),
            ]
            for part in ("late_fee", "lost_discount", "relationship"):
                assert getattr(whole, part) == sum(getattr(half, part) for half in halves)
                assert getattr(whole, part) >= 0
            assert whole.cash_yield <= 0

    holds(check, examples=examples, bills=drawn_bills(), first=st.integers(0, 60), second=st.integers(0, 60))


@EXAMPLES
def test_a_higher_tier_never_waits_cheaper(examples: int) -> None:
    def check(bills: list[PayableBill], days: int) -> None:
        for one in bills:
            costs = [
                waiting_cost(
                    replace(one, tier=tier), as_of=FRIDAY, paid_on=FRIDAY + timedelta(days=days), policy=WAITING
                )
                for tier in Tier
            ]
            assert [cost.total for cost in costs] == sorted((cost.total for cost in costs), reverse=True)

    holds(check, examples=examples, bills=drawn_bills(), days=st.integers(0, 90))


def test_credits_reduce_the_vendors_bills_in_the_order_they_are_due() -> None:
    bills = in_stable_order(
        [
            bill(bill_id="late", due_on=DUE + timedelta(days=5), open_cents=500),
            bill(bill_id="soon", open_cents=300),
            bill(bill_id="other", party_id="8", open_cents=400),
        ]
    )
    used = credits_used(bills, [VendorCredit(credit_id="c", party_id="7", open_cents=450)])
    assert used == {"soon": 300, "late": 150}
    assert {one.bill_id: one.open_cents for one in after_credits(bills, used)} == {"late": 350, "other": 400}


def test_two_bills_of_one_id_and_empty_bills_are_refused() -> None:
    with pytest.raises(ValueError, match="two bills have the id 1"):
        in_stable_order([bill(), bill()])
    with pytest.raises(ValueError, match="nothing open"):
        bill(open_cents=0)


def test_pay_runs_leave_out_weekends_and_holidays() -> None:
    policy = PaymentDayPolicy(weekdays=frozenset({3, 5}), holidays=frozenset({date(2026, 11, 26)}))
    assert pay_run_days(first=FRIDAY, last=date(2026, 12, 11), policy=policy) == (date(2026, 12, 3), date(2026, 12, 10))
    assert next_pay_run(first=FRIDAY, policy=policy) == date(2026, 12, 3)
    with pytest.raises(ValueError, match="no pay-run weekday"):
        next_pay_run(first=FRIDAY, policy=PaymentDayPolicy(weekdays=frozenset({6})))


def test_a_bill_due_on_a_holiday_of_the_banks_is_safe_until_the_day_before() -> None:
    thanksgiving = date(2026, 11, 26)
    assert banking_days(currency="CAD", as_of=FRIDAY).holidays == frozenset(), "theirs are not known here"
    for currency, safe in (("USD", date(2026, 11, 25)), ("CAD", thanksgiving)):
        days = banking_days(currency=currency, as_of=FRIDAY)
        (found,) = bill_priorities(
            [bill(due_on=thanksgiving)], as_of=FRIDAY, spendable_cents=10_000_00, waiting=WAITING, days=days
        )
        assert found.latest_safe_on == safe


@pytest.mark.parametrize(
    ("year", "kept"),
    [
        pytest.param(2026, "01-01 01-19 02-16 05-25 06-19 07-04 09-07 10-12 11-11 11-26 12-25", id="4 July a Saturday"),
        pytest.param(2027, "01-01 01-18 02-15 05-31 06-19 07-05 09-06 10-11 11-11 11-25 12-25", id="4 July a Sunday"),
        pytest.param(2022, "01-01 01-17 02-21 05-30 06-20 07-04 09-05 10-10 11-11 11-24 12-26", id="three on Sundays"),
    ],
)
def test_holidays_are_those_of_the_federal_reserve(year: int, kept: str) -> None:
    """Of its published schedules; one on a Saturday is kept on no other day."""
    days = bank_holidays(currency="USD", first=date(year, 1, 1), last=date(year, 12, 31))
    assert sorted(f"{day:%m-%d}" for day in days) == kept.split()
    thanksgiving = max(day for day in days if day.month == 11)
    assert bank_holidays(currency="USD", first=thanksgiving, last=thanksgiving) == {thanksgiving}


def facts(**overrides: Any) -> VendorFacts:  # noqa: ANN401, RUF100 - any field
    values: dict[str, Any] = {
        "party_id": "7",
        "cents_by_subtype": {"OfficeGeneralAdministrativeExpenses": 100},
        "cents_by_type": {"Expense": 100},
        "all_vendors_cents": 10_000,
        "terms_days": 30,
        "paid_bills": 0,
        "usual_days_late": None,
    }
    return VendorFacts(**(values | overrides))


@pytest.mark.parametrize(
    ("changes", "tier"),
    [
        pytest.param(
            {"cents_by_subtype": {"PayrollTaxPayable": 60, "Utilities": 40}}, Tier.ON_TIME, id="payroll taxes"
        ),
        pytest.param({"cents_by_subtype": {"RentOrLeaseOfBuildings": 100}}, Tier.PROTECTED, id="rent"),
        pytest.param(
            {"cents_by_subtype": {"Utilities": 50, "SuppliesMaterials": 50}}, Tier.NORMAL, id="half is no majority"
        ),
        pytest.param({"cents_by_type": {"Cost of Goods Sold": 2_000}}, Tier.PROTECTED, id="key supplier"),
        pytest.param({"cents_by_type": {"Cost of Goods Sold": 1_999}}, Tier.NORMAL, id="supplier"),
        pytest.param({"paid_bills": 6, "usual_days_late": 14}, Tier.PATIENT, id="patience shown"),
        pytest.param({"paid_bills": 5, "usual_days_late": 14, "terms_days": 7}, Tier.NORMAL, id="short terms"),
        pytest.param({"paid_bills": 6, "usual_days_late": 2}, Tier.NORMAL, id="paid promptly so far"),
        pytest.param(
            {"cents_by_subtype": {"SalesTaxPayable": 100}, "paid_bills": 9, "usual_days_late": 40},
            Tier.ON_TIME,
            id="late taxes are no patience",
        ),
        pytest.param({"is_1099": True, "paid_bills": 9, "usual_days_late": 40}, Tier.NORMAL, id="contractor"),
        pytest.param(
            {
                "cents_by_subtype": {"PenaltiesSettlements": 1, "SuppliesMaterials": 99},
                "paid_bills": 9,
                "usual_days_late": 40,
            },
            Tier.NORMAL,
            id="who charges for lateness shows no patience",
        ),
        pytest.param({}, Tier.NORMAL, id="nothing known"),
    ],
)
def test_the_tier_is_suggested_from_facts(changes: dict[str, Any], tier: Tier) -> None:
    found = suggested_tier(facts(**changes), policy=TierPolicy())
    assert found.tier is tier
    assert found.reason


def test_the_facts_behind_a_suggestion_hold_no_name() -> None:
    assert not [field.name for field in fields(VendorFacts) if "name" in field.name]
