"""Plans with money that is kept for some vendors: by hand, and held against the true balance on generated cases."""

from dataclasses import replace
from datetime import date

import numpy as np
import pytest

from runway_calcs.bills.payables import EarlyDiscount, PayableBill, Tier
from runway_calcs.pay_plan.plan import PayPlan, PlanState
from runway_calcs.pay_plan.vendor_reserves import VendorReserve, kept_for
from runway_calcs.policy import PlanPolicy
from tests.runway_calcs.plan_cases import PlanCase, plan_case
from tests.runway_calcs.test_pay_plan import MONDAY, PROVEN, WEDNESDAY, bill, cash, days_paid

ROOFER = VendorReserve(vendor_ids=frozenset({"roofer"}), cents=1_000_00)
LATER = date(2026, 12, 2)


def planned(*bills: PayableBill, opening_cents: int, reserve: VendorReserve = ROOFER) -> PayPlan:
    return PlanCase(bills=bills, cash=cash(opening_cents), reserves=(reserve,)).plan(PROVEN)


def test_the_bill_due_first_gets_the_money_that_is_left_and_a_bill_in_parts_none() -> None:
    bills = [
        bill("a", party_id="roofer", due_on=LATER),
        bill("b", party_id="roofer", open_cents=700_00),
        bill("c", party_id="printer"),
        bill("d", party_id="roofer", due_on=MONDAY, may_part_pay=True),
    ]
    assert kept_for(bills, [ROOFER]) == {"b": 700_00, "a": 300_00}
    both = VendorReserve(vendor_ids=frozenset({"printer", "roofer"}), cents=1_500_00)
    # Wednesday's come first: b from the roofer's own, c from the shared one; a gets 300.00 and 500.00 of what is left of them.
    assert kept_for(bills, [ROOFER, both]) == {"b": 700_00, "c": 1_000_00, "a": 800_00}
    assert kept_for(bills, [replace(ROOFER, cents=700_00)]) == {"b": 700_00}


@pytest.mark.parametrize("tier", [Tier.ON_TIME, Tier.NORMAL])
def test_a_bill_is_paid_from_what_is_kept_for_its_vendor_though_no_other_cash_is_left(tier: Tier) -> None:
    plan = planned(bill(party_id="roofer", tier=tier), opening_cents=0)
    assert (plan.state, days_paid(plan)) == (PlanState.OPTIMAL, {"1": [WEDNESDAY]})
    (payment,) = plan.bills[0].payments
    assert (payment.cash_cents, set(plan.balance_cents)) == (1_000_00, {0})
    assert plan.bills[0].reason.endswith(", 1,000.00 of it from what is kept for the vendor")


def test_no_other_bill_is_paid_from_it_not_even_before_its_own_is_due() -> None:
    plan = planned(bill("a", party_id="roofer", due_on=LATER), bill("b", party_id="printer"), opening_cents=999_99)
    assert days_paid(plan) == {"a": [LATER], "b": []}
    assert set(plan.balance_cents) == {999_99}


def test_cash_gives_what_the_reserve_does_not_reach() -> None:
    plan = planned(bill(party_id="roofer", open_cents=1_500_00), opening_cents=500_00)
    assert (days_paid(plan), plan.low_cents, plan.low_on) == ({"1": [WEDNESDAY]}, 0, WEDNESDAY)
    short = planned(bill(party_id="roofer", open_cents=1_500_00, tier=Tier.ON_TIME), opening_cents=499_00)
    assert short.words == "not feasible, short by 1.00 on 25 Nov"


def test_a_reason_counts_the_reserve_once() -> None:
    """2,000.00 due on Wednesday, of which 1,000.00 are kept: 100.00 are missing until the cash comes in on 2 Dec."""
    case = PlanCase(
        bills=(bill(party_id="roofer", open_cents=2_000_00),),
        cash=cash(900_00, inflows={LATER: 100_00}),
        reserves=(ROOFER,),
    )
    (found,) = case.plan(PROVEN).bills
    assert (found.payments[0].paid_on, found.blocked_on, found.blocked_cents) == (LATER, WEDNESDAY, 100_00)


def test_a_discount_takes_no_more_of_the_reserve_than_is_paid() -> None:
    discount = EarlyDiscount(discount_ppm=20_000, last_on=MONDAY)
    plan = planned(bill(party_id="roofer", discount=discount), opening_cents=0)
    assert (days_paid(plan), set(plan.balance_cents)) == ({"1": [MONDAY]}, {0})
    assert plan.bills[0].payments[0].cash_cents == 980_00


@pytest.mark.parametrize("seed", range(12))
def test_reserves_never_break_the_floor_and_never_make_a_plan_dearer(seed: int) -> None:
    """Against the true balance: a reserve gives free what has been paid to its vendor, and no more than it keeps."""
    bare = plan_case(seed, bills=14, days=30)
    vendors = sorted({one.party_id for one in bare.bills})[:3]
    reserves = tuple(VendorReserve(vendor_ids=frozenset({one}), cents=900_00 + 100 * seed) for one in vendors)
    policy = PlanPolicy(gap_ppm=0, time_limit_seconds=20)
    without, found = bare.plan(policy), replace(bare, reserves=reserves).plan(policy)
    missing = (without.shortfall.cents if without.shortfall else 0, found.shortfall.cents if found.shortfall else 0)
    assert missing[1] <= missing[0]
    if not missing[0]:
        assert found.bound_micro <= without.cost_micro
    paid = {one: np.zeros(bare.cash.days, dtype="int64") for one in {bill.party_id for bill in bare.bills}}
    for one in found.bills:
        for payment in one.payments:
            paid[one.party_id][(payment.paid_on - bare.cash.first_on).days :] += payment.cash_cents
    free = sum(np.minimum(paid[vendor], kept.cents) for vendor, kept in zip(vendors, reserves, strict=True))
    true = bare.cash.balance_cents() - sum(paid.values()) + free
    assert (true >= np.array(found.balance_cents)).all()
    assert (true >= bare.cash.floor_cents - missing[1]).all()
