"""Pay plans worked by hand: what is paid when, what waits and why, and what cannot be helped."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from runway_calcs.bills.payables import EarlyDiscount, LateFee, PayableBill, Tier, VendorCredit
from runway_calcs.pay_plan.cash import CashPath
from runway_calcs.pay_plan.plan import PayPlan, PlanState
from runway_calcs.pay_plan.reasons import Outcome, PlannedBill
from runway_calcs.pay_plan.solver import Stop
from runway_calcs.policy import PaymentDayPolicy, PlanPolicy
from tests.runway_calcs.plan_cases import FRIDAY, PlanCase, plan_case, steady_case

MONDAY = date(2026, 11, 23)
WEDNESDAY = date(2026, 11, 25)
NO_FEE = LateFee(ppm_per_day=0, flat_cents=0, grace_days=0)
PROVEN = PlanPolicy(gap_ppm=0)
CENT = 1_000_000


def bill(bill_id: str = "1", **overrides: Any) -> PayableBill:  # noqa: ANN401, RUF100 - any field
    """A bill of 1,000.00 due on Wednesday from a vendor of tier 2 that charges no fee."""
    values: dict[str, Any] = {
        "party_id": "7",
        "party_name": "Vendor Seven",
        "open_cents": 1_000_00,
        "due_on": WEDNESDAY,
        "tier": Tier.NORMAL,
        "late_fee": NO_FEE,
    }
    return PayableBill(bill_id=bill_id, **(values | overrides))


def cash(opening_cents: int, *, inflows: dict[date, int] | None = None, days: int = 14, **overrides: Any) -> CashPath:  # noqa: ANN401, RUF100
    """Two weeks from the Saturday after the as-of Friday, no floor, nothing committed."""
    received = [0] * days
    for on, cents in (inflows or {}).items():
        received[(on - FRIDAY).days - 1] = cents
    values: dict[str, Any] = {
        "first_on": FRIDAY + timedelta(days=1),
        "floor_cents": 0,
        "inflow_cents": received,
        "outflow_cents": [0] * days,
    }
    return CashPath(opening_cents=opening_cents, **(values | overrides))


def planned(
    *bills: PayableBill,
    path: CashPath,
    credit: Sequence[VendorCredit] = (),
    **days: Any,  # noqa: ANN401, RUF100
) -> PayPlan:
    return PlanCase(bills=bills, cash=path, vendor_credits=tuple(credit), days=PaymentDayPolicy(**days)).plan(PROVEN)


def only(plan: PayPlan) -> PlannedBill:
    (found,) = plan.bills
    return found


def days_paid(plan: PayPlan) -> dict[str, list[date]]:
    return {one.bill_id: [payment.paid_on for payment in one.payments] for one in plan.bills}


def test_with_plenty_of_cash_a_bill_is_paid_on_its_due_date() -> None:
    plan = planned(bill(), path=cash(5_000_00))
    assert (plan.state, plan.words, plan.cost_micro) == (PlanState.OPTIMAL, "optimal", 0)
    assert days_paid(plan) == {"1": [WEDNESDAY]}
    assert only(plan).reason == "paid on 25 Nov, the last payment day before it costs anything (due on 25 Nov)"
    assert (plan.balance_cents[3], plan.balance_cents[4]) == (5_000_00, 4_000_00)


def test_a_bill_waits_for_the_money_and_says_what_that_costs() -> None:
    """Eight days late of tier 2: 2,000 + 7 x 300 ppm on 1,000.00 = 4.10, less 8 days of 110 ppm = 0.88."""
    arrives = WEDNESDAY + timedelta(days=8)
    plan = planned(bill(), path=cash(900_00, inflows={arrives: 100_00}))
    found = only(plan)
    assert plan.state is PlanState.OPTIMAL
    assert days_paid(plan) == {"1": [arrives]}
    assert (found.outcome, found.waiting_cost_cents) == (Outcome.WAITS, 3_22)
    assert (found.blocked_on, found.blocked_cents) == (WEDNESDAY, 100_00)
    assert found.reason == (
        "waits until 3 Dec, 8 days late: paid on 25 Nov, it would leave the cash 100.00 below the floor on 25 Nov; "
        "waiting costs 3.22"
    )


def test_of_two_bills_the_one_that_harms_less_waits() -> None:
    landlord, patient = bill("a", tier=Tier.PROTECTED), bill("b", tier=Tier.PATIENT)
    plan = planned(patient, landlord, path=cash(1_500_00, inflows={date(2026, 12, 2): 600_00}))
    assert days_paid(plan) == {"a": [WEDNESDAY], "b": [date(2026, 12, 2)]}


def test_the_floor_is_kept_on_every_later_day_not_only_on_the_day_of_payment() -> None:
    """There is money on Wednesday, but payroll needs it on the Friday after."""
    outflow = [0] * 14
    outflow[6] = 800_00
    plan = planned(bill(), path=cash(1_000_00, inflows={date(2026, 12, 1): 900_00}, outflow_cents=outflow))
    assert days_paid(plan) == {"1": [date(2026, 12, 1)]}
    assert only(plan).blocked_on == date(2026, 11, 27)
    assert min(plan.balance_cents) >= 0


def test_a_discount_worth_its_cash_is_taken_on_its_last_payment_day() -> None:
    discount = EarlyDiscount(discount_ppm=20_000, last_on=date(2026, 11, 22))
    due_on = discount.last_on + timedelta(days=20)
    early = planned(bill(discount=discount, due_on=due_on), path=cash(5_000_00, first_on=FRIDAY))
    assert days_paid(early) == {"1": [FRIDAY]}
    assert only(early).payments[0].cash_cents == 980_00
    assert only(early).reason == "paid on 20 Nov with the discount of 20.00 (44.59 % a year)"
    assert early.balance_cents[0] == 4_020_00


def test_a_discount_worth_less_than_the_yield_of_cash_is_left() -> None:
    """0.05 % for paying 8 days early: 50 cents, where 8 days of 110 ppm are worth 88."""
    discount = EarlyDiscount(discount_ppm=500, last_on=WEDNESDAY)
    plan = planned(bill(discount=discount, due_on=date(2026, 12, 3)), path=cash(5_000_00))
    assert days_paid(plan) == {"1": [date(2026, 12, 3)]}
    assert plan.cost_micro == 0


def test_a_discount_not_worth_its_yield_is_taken_where_only_its_price_can_be_paid() -> None:
    discount = EarlyDiscount(discount_ppm=500, last_on=WEDNESDAY)
    plan = planned(bill(discount=discount, due_on=date(2026, 12, 3)), path=cash(999_60))
    assert days_paid(plan) == {"1": [WEDNESDAY]}


def test_a_lost_discount_is_a_cost_of_waiting() -> None:
    """20.00 lost, and the cash kept eight days longer: 1,000.00 x 110 ppm x 12 less 980.00 x 110 ppm x 4."""
    discount = EarlyDiscount(discount_ppm=20_000, last_on=date(2026, 11, 24))
    due_on = date(2026, 12, 2)
    path = cash(979_99, inflows={date(2026, 12, 1): 20_01})
    plan = planned(bill(discount=discount, due_on=due_on), path=path)
    assert days_paid(plan) == {"1": [due_on]}
    assert plan.cost_micro == 20_00 * 1_000_000 - 1_000_00 * 110 * 12 + 980_00 * 110 * 4
    assert only(plan).outcome is Outcome.WAITS


def test_what_cannot_wait_is_paid_and_the_shortfall_is_named() -> None:
    taxes = bill("tax", tier=Tier.ON_TIME)
    plan = planned(
        bill("rent", tier=Tier.PROTECTED),
        taxes,
        path=cash(700_00, floor_cents=200_00, inflows={date(2026, 12, 1): 2_000_00}),
    )
    assert plan.state is PlanState.NOT_FEASIBLE
    assert plan.words == "not feasible, short by 500.00 on 25 Nov"
    assert plan.shortfall is not None
    assert (plan.shortfall.cents, plan.shortfall.first_on, plan.shortfall.worst_on) == (500_00, WEDNESDAY, WEDNESDAY)
    assert days_paid(plan) == {"tax": [WEDNESDAY], "rent": [date(2026, 12, 1)]}
    assert plan.low_cents == -300_00


def test_only_the_discount_on_a_bill_that_cannot_wait_can_save_the_floor() -> None:
    discount = EarlyDiscount(discount_ppm=20_000, last_on=MONDAY)
    taxes = bill(tier=Tier.ON_TIME, discount=discount)
    saved = planned(taxes, path=cash(990_00))
    assert (saved.state, days_paid(saved)) == (PlanState.OPTIMAL, {"1": [MONDAY]})
    short = planned(taxes, path=cash(970_00))
    assert short.words == "not feasible, short by 10.00 on 23 Nov"
    assert days_paid(short) == {"1": [MONDAY]}


def test_a_bill_that_no_money_comes_for_stays_unpaid_in_the_window() -> None:
    plan = planned(bill(), path=cash(10_00))
    found = only(plan)
    assert (found.outcome, found.payments, found.unpaid_cents) == (Outcome.UNPAID, (), 1_000_00)
    assert found.reason.startswith(
        "not paid by 4 Dec, 9 days late: paid on 25 Nov, it would leave the cash 990.00 below"
    )
    assert plan.state is PlanState.OPTIMAL


def test_a_bill_due_after_the_window_costs_nothing_to_leave() -> None:
    plan = planned(bill(due_on=date(2026, 12, 20)), path=cash(10_00))
    assert (only(plan).outcome, plan.cost_micro) == (Outcome.AFTER, 0)
    assert only(plan).reason == "due on 20 Dec, paid after the window at no cost"


def test_payments_fall_on_pay_run_days_that_are_no_holidays() -> None:
    plan = planned(
        bill("1", due_on=date(2026, 12, 3)),
        bill("2", due_on=date(2026, 11, 29)),
        path=cash(5_000_00),
        weekdays=frozenset({1, 4}),
        holidays=frozenset({date(2026, 11, 27)}),
    )
    assert days_paid(plan) == {"1": [date(2026, 12, 1)], "2": [date(2026, 11, 24)]}


def test_tier_0_is_paid_off_the_pay_run_if_none_falls_in_time() -> None:
    plan = planned(bill(tier=Tier.ON_TIME), path=cash(5_000_00), weekdays=frozenset({4}))
    assert days_paid(plan) == {"1": [WEDNESDAY]}
    overdue = planned(bill(tier=Tier.ON_TIME, due_on=FRIDAY), path=cash(5_000_00), weekdays=frozenset({4}))
    assert days_paid(overdue) == {"1": [MONDAY]}
    assert only(overdue).reason == "paid on 23 Nov, the first payment day: it had to be paid before"


def test_a_hard_date_is_kept_whatever_the_tier() -> None:
    hard = bill("hard", tier=Tier.PATIENT, due_on=date(2026, 11, 1), hard_on=date(2026, 11, 27))
    plan = planned(hard, bill("other", tier=Tier.PROTECTED), path=cash(1_000_00, inflows={date(2026, 12, 1): 1_000_00}))
    assert days_paid(plan)["hard"][0] <= date(2026, 11, 27)
    assert days_paid(plan)["other"] == [date(2026, 12, 1)]


def test_an_unapproved_bill_is_paid_only_from_its_assumed_approval_on() -> None:
    plan = planned(bill(is_approved=False), path=cash(5_000_00), approval_days=6)
    assert days_paid(plan) == {"1": [date(2026, 11, 26)]}
    assert only(plan).outcome is Outcome.PAID
    assert only(plan).reason == "paid on 26 Nov, the day on which it costs least, 1 day late"


def test_credits_lower_what_is_paid() -> None:
    credit = [VendorCredit(credit_id="c", party_id="7", open_cents=1_300_00)]
    plan = planned(bill("1"), bill("2", due_on=date(2026, 11, 26)), path=cash(800_00), credit=credit)
    settled, rest = plan.bills
    assert (settled.outcome, settled.credit_cents, settled.reason) == (
        Outcome.CREDIT,
        1_000_00,
        "settled by the vendor's credits",
    )
    assert (rest.credit_cents, rest.payments[0].cash_cents, rest.open_cents) == (300_00, 700_00, 1_000_00)


def test_a_bill_that_may_be_paid_in_parts_gets_what_there_is() -> None:
    path = cash(600_00, inflows={date(2026, 12, 1): 400_00})
    plan = planned(bill(may_part_pay=True), path=path)
    found = only(plan)
    assert [(part.paid_on, part.cash_cents) for part in found.payments] == [
        (WEDNESDAY, 600_00),
        (date(2026, 12, 1), 400_00),
    ]
    # 2,000 + 5 x 300 - 6 x 110 ppm on 400.00
    assert found.waiting_cost_cents == 1_14
    assert found.reason.startswith("paid in parts, 600.00 on 25 Nov, 400.00 on 1 Dec: paid on 25 Nov, it would leave")
    assert days_paid(planned(bill(), path=path)) == {"1": [date(2026, 12, 1)]}


def test_a_flat_fee_is_owed_once_whatever_part_is_late() -> None:
    fee = LateFee(ppm_per_day=0, flat_cents=50_00, grace_days=0)
    path = cash(600_00, inflows={date(2026, 11, 27): 200_00, date(2026, 12, 1): 200_00})
    plan = planned(bill(may_part_pay=True, late_fee=fee), path=path)
    # 200.00 are 2 days late, 200.00 are 6 days late, and the fee is owed once
    assert plan.cost_micro == 50_00 * 1_000_000 + 200_00 * (2_000 + 300 - 220 + 2_000 + 1_500 - 660)


def test_a_discount_needs_payment_in_full() -> None:
    discount = EarlyDiscount(discount_ppm=20_000, last_on=MONDAY)
    path = cash(500_00, inflows={WEDNESDAY: 500_00})
    plan = planned(bill(may_part_pay=True, discount=discount, due_on=WEDNESDAY), path=path)
    assert sum(part.cash_cents for part in only(plan).payments) == 1_000_00


def test_without_bills_there_is_nothing_to_plan() -> None:
    plan = planned(path=cash(-5))
    assert (plan.state, plan.bills, plan.gap_ppm) == (PlanState.NOTHING_OPEN, (), 0)
    assert plan.shortfall is not None
    assert plan.shortfall.cents == 5


def test_the_words_of_a_gap_never_claim_more_than_is_proven() -> None:
    plan = plan_case(16, bills=24, days=40).plan(PlanPolicy(gap_ppm=0, node_limit=0, time_limit_seconds=20))
    percent = plan.words.removeprefix("within ").removesuffix(" % of the least possible cost")
    assert float(percent) * 10_000 >= plan.gap_ppm > (float(percent) - 0.1) * 10_000


@pytest.mark.parametrize("first_on", [FRIDAY - timedelta(days=1), FRIDAY + timedelta(days=2)])
def test_a_window_that_does_not_begin_now_is_refused(first_on: date) -> None:
    with pytest.raises(ValueError, match="neither on nor right after"):
        planned(bill(), path=cash(1, first_on=first_on))


def test_a_path_without_the_same_days_on_both_sides_is_refused() -> None:
    with pytest.raises(ValueError, match="same window"):
        replace(cash(1), inflow_cents=[0])
    with pytest.raises(ValueError, match="negative"):
        replace(cash(1), inflow_cents=[-1] * 14)


@pytest.mark.parametrize(
    ("policy", "stop"),
    [
        pytest.param(PROVEN, Stop.PROVEN, id="proven"),
        pytest.param(PlanPolicy(gap_ppm=0, node_limit=0, time_limit_seconds=20), Stop.NODES, id="no nodes"),
        pytest.param(PlanPolicy(gap_ppm=0, most_entries=30), Stop.SIZE, id="too large to search"),
        pytest.param(PlanPolicy(gap_ppm=0, time_limit_seconds=0), Stop.TIME, id="no time"),
    ],
)
def test_the_search_says_how_it_ended_and_returns_a_plan_with_its_proven_gap(policy: PlanPolicy, stop: Stop) -> None:
    case = steady_case(1, bills=30, days=40)
    plan = case.plan(policy)
    assert plan.stop is stop
    assert plan.is_repeatable == (stop is not Stop.TIME)
    assert (plan.gap_ppm > 100) == (stop is not Stop.PROVEN)
    assert (plan.state is PlanState.WITHIN_GAP) == (stop is not Stop.PROVEN)
    assert plan.bound_micro <= case.plan(PROVEN).cost_micro <= plan.cost_micro
    assert plan.low_cents >= case.cash.floor_cents
    assert case.plan(policy) == plan


@pytest.mark.parametrize("seed", [0, 3])
def test_what_is_too_large_to_search_is_planned_nearly_as_well(seed: int) -> None:
    """Choosing anew for some bills at a time: the proof is what is missing, hardly the plan."""
    case = steady_case(seed, bills=30, days=40)
    plan, best = (case.plan(policy) for policy in (PlanPolicy(gap_ppm=0, most_entries=30), PROVEN))
    assert (plan.stop, best.stop) == (Stop.SIZE, Stop.PROVEN)
    assert plan.bound_micro <= best.cost_micro < plan.cost_micro + CENT
    assert plan.cost_micro <= best.cost_micro * 1.002
