"""Approving, staging, deciding, putting off: who may, what it sets aside, and what is refused with which words."""

from datetime import timedelta

import pytest

from payments.bills.approvals import approve, withdraw_approval
from payments.bills.break_glass import confirm_override, known_overrides
from payments.bills.discovery import discover, reopen
from payments.bills.postponing import withdraw
from payments.bills.rulings import Credit
from payments.bills.what_if import Supposed, what_if
from payments.cash.reserves import allocate, open_reserve
from payments.controls.policies import ApprovalRule
from payments.errors import (
    ApprovalMissing,
    BadRequest,
    CashUnknown,
    ContentChanged,
    InShortfall,
    KeyReused,
    NotAllowed,
    NotEnoughCash,
    OverLimit,
    Refused,
    SamePerson,
    UnknownHere,
    WrongState,
)
from payments.store.batch_tables import INTENT
from payments.store.bill_tables import APPROVAL, BREAK_GLASS, DECISION
from payments.store.cash_tables import HOLD
from payments.store.invariants import broken_invariants
from payments.store.ledger import Ledger
from payments.store.tables import ALARM, AUDIT
from tests.payments.desk import CHECKING, Desk, changed, make_bill
from tests.payments.stand_in_run import answer, claim, send


@pytest.fixture
def desk(bare_desk: Desk) -> Desk:
    """Three bills of 100.00 each, 1,000.00 in the bank, three people above 50.00."""
    bare_desk.sync(make_bill("b1"), make_bill("b2"), make_bill("b3"))
    bare_desk.policy(separation_above_cents=5_000)
    return bare_desk


def test_approval_sets_no_money_aside_and_the_decision_does(desk: Desk) -> None:
    desk.approve()
    desk.stage()
    assert desk.cash().free_cents == 100_000
    assert desk.cash().soft_cents == 10_000
    decided = desk.pay_now()
    assert decided.separation == "apart"
    assert desk.cash().free_cents == 90_000
    assert desk.cash().pending_cents == 10_000
    assert desk.bill()["state"] == "decided"


def test_a_decision_that_does_not_fit_says_what_is_missing_and_what_holds_the_rest(desk: Desk) -> None:
    desk.ready("b1", "b2")
    desk.pay_now("b1")
    desk.sync(make_bill("b1"), make_bill("b2"), make_bill("b3"), cash=15_000)
    with pytest.raises(NotEnoughCash) as refused:
        desk.pay_now("b2")
    assert refused.value.facts["missing_cents"] == 5_000
    held = [{"what": "pending payment of bill", "which": "b1", "amount_cents": 10_000}]
    assert refused.value.facts["held_by"] == held
    assert "50.00 is missing" in str(refused.value)
    assert desk.bill("b2")["state"] == "staged"
    assert len(desk.rows(HOLD, HOLD.c.state == "pending")) == 1


def test_the_same_request_again_gets_the_same_answer_and_another_with_its_key_is_refused(desk: Desk) -> None:
    desk.ready("b1", "b2")
    first = desk.pay_now("b1", request_key="click")
    assert desk.pay_now("b1", request_key="click") == first
    assert len(desk.rows(DECISION)) == 1
    with pytest.raises(KeyReused):
        desk.pay_now("b2", request_key="click")
    with pytest.raises(KeyReused):
        desk.pay_now("b1", by="dot", request_key="click")


@pytest.mark.parametrize(
    ("person", "verb"),
    [
        ("vic", "approve"),
        ("pat", "approve"),
        ("pat", "decide"),
        ("amy", "decide"),
        ("fin", "decide"),
        ("ada", "decide"),
        ("nobody", "decide"),
    ],
)
def test_who_lacks_the_role_is_refused(desk: Desk, person: str, verb: str) -> None:
    desk.ready()
    with pytest.raises(NotAllowed):
        desk.approve("b2", by=person) if verb == "approve" else desk.pay_now(by=person)


def test_above_the_limit_approver_and_decider_are_two_people_and_below_one_may_do_both(desk: Desk) -> None:
    desk.approve(by="dan")
    desk.stage()
    with pytest.raises(SamePerson, match=r"50\.00"):
        desk.pay_now(by="dan")
    decided = desk.pay_now(by="dan", amount_cents=5_000)
    assert decided.separation == "delegated"


def test_a_policy_may_ask_for_several_approvers_by_role_and_in_sequence(desk: Desk) -> None:
    two = ApprovalRule(above_cents=9_000, approvals=2)
    desk.policy(rules=(two,))
    assert desk.approve() == ["1 more approval"]
    assert desk.bill()["state"] == "awaiting_approval"
    with pytest.raises(SamePerson):
        desk.approve()
    assert desk.approve(by="art") == []
    desk.policy(rules=(ApprovalRule(roles=("approver", "owner"), in_sequence=True),))
    desk.approve("b2", by="oli")
    assert desk.approve("b2", by="amy") == ["the next approval has to be by a person with the role owner"]


def test_what_is_approved_and_decided_under_a_stricter_policy_lacks_its_approvals(desk: Desk) -> None:
    desk.ready()
    desk.policy(rules=(ApprovalRule(approvals=2),))
    with pytest.raises(ApprovalMissing, match="1 more approval"):
        desk.pay_now()


def test_a_changed_bill_voids_its_approvals_and_is_approved_again(desk: Desk) -> None:
    desk.ready()
    desk.sync(changed(make_bill("b1"), open_cents=12_000, total_cents=12_000), make_bill("b2"), make_bill("b3"))
    assert desk.bill()["state"] == "awaiting_approval"
    assert [row["void_because"] for row in desk.rows(APPROVAL)] == ["the bill was changed in QuickBooks"]
    assert desk.cash().soft_cents == 0
    desk.ready()
    assert desk.pay_now().amount_cents == 12_000


def test_an_approval_is_for_what_the_person_saw(desk: Desk) -> None:
    seen = desk.bill()["fingerprint"]
    desk.sync(changed(make_bill("b1"), lines_sha256="other lines"), make_bill("b2"), make_bill("b3"))
    with pytest.raises(ContentChanged):
        approve(desk.ledger, desk.tenant, by="amy", bill_id="b1", request_key="k", seen_fingerprint=seen)


def test_a_new_version_of_the_same_content_changes_nothing(desk: Desk) -> None:
    desk.ready()
    desk.sync(changed(make_bill("b1"), sync_token="7"), make_bill("b2"), make_bill("b3"))
    assert desk.bill()["state"] == "staged"
    assert desk.bill()["sync_token"] == "7"


def test_an_approver_may_take_their_approval_back_before_the_decision(desk: Desk) -> None:
    desk.ready()
    withdraw_approval(desk.ledger, desk.tenant, by="amy", bill_id="b1")
    assert desk.bill()["state"] == "awaiting_approval"
    desk.ready()
    desk.pay_now()
    with pytest.raises(WrongState):
        withdraw_approval(desk.ledger, desk.tenant, by="amy", bill_id="b1")


def test_limits_of_payment_vendor_day_and_tenant_day_are_checked_at_the_decision(desk: Desk) -> None:
    desk.ready("b1", "b2", "b3")
    desk.policy(per_payment_cents=9_999)
    with pytest.raises(OverLimit, match=r"one payment is at most 99\.99"):
        desk.pay_now("b1")
    desk.policy(per_payment_cents=None, per_tenant_day_cents=15_000)
    desk.pay_now("b1")
    with pytest.raises(OverLimit, match=r"at most 150\.00 goes out in all"):
        desk.pay_now("b2")
    desk.schedule("b2", days=1)
    with pytest.raises(OverLimit):
        desk.schedule("b3", days=1)


def test_a_vendor_gets_on_one_day_at_most_what_the_policy_says_and_a_scheduled_payment_counts_on_its_own(
    desk: Desk,
) -> None:
    bills = [make_bill(f"c{number}", vendor_id="v9", vendor_name="Paper Mill") for number in (1, 2)]
    desk.sync(*(make_bill(f"b{number}") for number in (1, 2, 3)), *bills)
    desk.ready("b1", "c1", "c2")
    desk.policy(per_vendor_day_cents=15_000)
    desk.pay_now("c1")
    with pytest.raises(OverLimit, match=r"at most 150\.00 goes out to one vendor"):
        desk.pay_now("c2")
    desk.pay_now("b1")
    desk.schedule("c2", days=1)


def test_a_vendor_that_is_new_needs_a_second_person_whatever_the_amount(desk: Desk) -> None:
    desk.policy(separation_above_cents=1_000_000)
    desk.sync(
        make_bill("b1"), make_bill("b2"), make_bill("b3"), make_bill("b4", vendor_name="Somebody New", open_cents=1)
    )
    for bill in ("b1", "b4"):
        desk.approve(bill, by="dan")
        desk.stage(bill)
    assert desk.pay_now("b1").separation == "delegated"
    with pytest.raises(SamePerson, match="is new"):
        desk.pay_now("b4")
    desk.approve("b4", by="amy")
    assert desk.pay_now("b4").separation == "delegated"


def test_the_first_vendor_of_books_without_open_bills_is_new(bare_desk: Desk) -> None:
    bare_desk.policy(separation_above_cents=1_000_000)
    bare_desk.sync()
    bare_desk.sync(make_bill("b1"))
    bare_desk.approve("b1", by="dan")
    bare_desk.stage("b1")
    with pytest.raises(SamePerson, match="is new"):
        bare_desk.pay_now("b1")


def test_an_account_that_is_not_there_is_nothing_to_override(desk: Desk) -> None:
    desk.ready()
    with pytest.raises(UnknownHere, match="no cash account '99'"):
        desk.pay_now(account_id="99", override="the owner asked for it on the telephone")


def test_an_old_balance_decides_nothing_now(desk: Desk) -> None:
    desk.ready()
    desk.later(hours=25)
    with pytest.raises(CashUnknown, match="25 hours ago"):
        desk.pay_now()
    desk.schedule()


def test_delay_releases_the_money_at_once_and_wakes_into_staged(desk: Desk) -> None:
    desk.ready()
    desk.pay_now()
    desk.delay(days=7)
    assert desk.cash().free_cents == 100_000
    assert desk.bill()["state"] == "delayed"
    desk.later(days=6)
    assert desk.pass_day().woken == 0
    desk.later(days=1)
    assert desk.pass_day().woken == 1
    assert desk.bill()["state"] == "staged"
    assert desk.rows(APPROVAL, APPROVAL.c.voided_at.is_(None))
    desk.sync(make_bill("b1"), make_bill("b2"), make_bill("b3"))
    desk.pay_now()


def test_a_batched_payment_that_was_never_sent_may_still_be_put_off(desk: Desk) -> None:
    desk.ready()
    desk.finalize(desk.pay_now())
    desk.delay()
    assert [row["state"] for row in desk.rows(INTENT)] == ["void"]
    assert desk.cash().free_cents == 100_000


def test_a_withdrawn_bill_stays_out_until_it_changes_or_is_reopened(desk: Desk) -> None:
    desk.ready()
    desk.pay_now()
    withdraw(desk.ledger, desk.tenant, by="dan", bill_id="b1", reason="disputed", request_key="w")
    assert desk.cash().free_cents == 100_000
    desk.sync(make_bill("b1"), make_bill("b2"), make_bill("b3"))
    with pytest.raises(WrongState, match="withdrawn"):
        desk.bill()
    assert reopen(desk.ledger, desk.tenant, by="dan", bill_id="b1") == 2
    assert desk.bill()["state"] == "awaiting_approval"


def test_a_bill_that_is_paid_elsewhere_is_superseded_and_its_hold_is_void(desk: Desk) -> None:
    desk.ready("b1", "b2")
    desk.pay_now("b1")
    desk.schedule("b2")
    found, _ = desk.sync(make_bill("b3"), changed(make_bill("b2"), open_cents=4_000))
    assert (found.superseded, found.new) == (2, 1)
    assert desk.cash().free_cents == 100_000
    assert {row["void_because"] for row in desk.rows(HOLD, HOLD.c.decision_id.is_not(None))} == {
        "no longer open in QuickBooks",
        "changed in QuickBooks",
    }
    assert desk.bill("b2")["cycle"] == 2


def test_discovering_again_changes_nothing(desk: Desk) -> None:
    before = len(desk.rows(AUDIT))
    found = discover(desk.ledger, desk.tenant)
    assert (found.new, found.changed, found.superseded) == (0, 0, 0)
    assert len(desk.rows(AUDIT)) == before


def test_a_bill_in_another_currency_is_shown_and_not_paid_from_here(desk: Desk) -> None:
    desk.sync(make_bill("b1"), make_bill("b2"), make_bill("b3"), make_bill("b9", currency="EUR"))
    with pytest.raises(WrongState, match="in EUR: pay it in QuickBooks"):
        desk.approve("b9")


def test_amount_and_credits_fit_the_bill(desk: Desk) -> None:
    desk.ready("b1")
    credit = Credit(credit_id="77", amount_cents=2_500)
    with pytest.raises(BadRequest):
        desk.pay_now(amount_cents=7_501, credits_used=[credit])
    decided = desk.pay_now(credits_used=[credit])
    assert decided.amount_cents == 7_500


def test_an_override_needs_its_role_a_reason_and_a_second_person_within_a_day(desk: Desk) -> None:
    desk.ready("b1", "b2")
    desk.sync(make_bill("b1"), make_bill("b2"), make_bill("b3"), cash=4_000)
    reason = "power is cut tomorrow"
    with pytest.raises(NotAllowed):
        desk.pay_now(by="dot", override=reason)
    with pytest.raises(BadRequest):
        desk.pay_now(by="dan", override="urgent")
    decided = desk.pay_now(by="dan", override=reason)
    assert decided.break_glass_id is not None
    (glass,) = desk.rows(BREAK_GLASS)
    assert glass["missing_cents"] == 6_000
    assert [about for about, _ in glass["overrides"]] == ["cash"]
    with pytest.raises(NotEnoughCash):
        desk.pay_now("b2", by="dot")
    with pytest.raises(NotAllowed):
        confirm_override(desk.ledger, desk.tenant, by="dan", break_glass_id=decided.break_glass_id)
    desk.later(hours=25)
    desk.pass_day()
    assert [row["kind"] for row in desk.rows(ALARM)] == ["override unconfirmed"]
    confirm_override(desk.ledger, desk.tenant, by="oli", break_glass_id=decided.break_glass_id)
    assert desk.rows(BREAK_GLASS)[0]["confirmed_by"] == "oli"
    assert "override declared" in {row["kind"] for row in desk.rows(AUDIT)}


def test_each_override_says_what_its_own_payment_lacks(desk: Desk) -> None:
    """What was missing before is somebody else's override, or nobody's: counted twice it would hide a real shortage."""
    desk.sync(make_bill("b1"), make_bill("b2"), make_bill("b3"), cash=5_000)
    reserve = open_reserve(
        desk.ledger, desk.tenant, by="dan", kind="tax", name="Tax", account_id=CHECKING, vendor_ids=["v-b3"]
    )
    wanted = {"reserve_id": reserve, "amount_cents": 2_000, "reason": "quarter", "request_key": desk.key()}
    allocate(desk.ledger, desk.tenant, by="dan", **wanted)
    desk.ready("b1", "b2", "b3")
    decided = [desk.pay_now(bill, override="the power is cut tomorrow") for bill in ("b1", "b2", "b3")]
    missing = {row["bill_id"]: row["missing_cents"] for row in desk.rows(BREAK_GLASS)}
    assert missing == {"b1": 7_000, "b2": 10_000, "b3": 8_000}
    assert (desk.cash().free_cents, desk.cash().short_cents) == (-25_000, 0)
    desk.sync(make_bill("b1"), make_bill("b2"), make_bill("b3"), cash=4_000)
    assert desk.cash().short_cents == 1_000
    with pytest.raises(InShortfall, match=r"10\.00 now"):
        desk.finalize(*decided)
    with desk.ledger.look(desk.tenant) as look:
        assert broken_invariants(look) == []


def test_a_week_knows_its_overrides_and_older_ones_that_lack_their_second_person(desk: Desk) -> None:
    def known(days: float = 8) -> tuple[int, int]:
        """As the books of some days later tell it."""
        until = start + timedelta(days=days)
        with desk.ledger.look(desk.tenant) as look:
            found = known_overrides(look, since=until - timedelta(days=8), until=until)
        return found.count, found.unconfirmed

    start = desk.clock.now()
    assert known() == (0, 0)
    desk.sync(make_bill("b1", open_cents=200_000), cash=1_000)
    desk.ready("b1")
    override = desk.pay_now(by="dan", override="the owner asked for it on the telephone").break_glass_id
    assert override is not None
    desk.later(days=9)
    confirm_override(desk.ledger, desk.tenant, by="oli", break_glass_id=override)
    assert (known(0), known(1), known(8.9), known(9.1)) == ((0, 0), (1, 1), (1, 1), (0, 0))
    desk.later(days=1)
    assert known(1) == (1, 1), "what is confirmed later changes no earlier week"


def test_an_override_never_covers_other_content(desk: Desk) -> None:
    desk.ready()
    desk.sync(changed(make_bill("b1"), open_cents=9_000), make_bill("b2"), make_bill("b3"))
    with pytest.raises(WrongState):
        desk.pay_now(by="dan", override="the bill is urgent")


def test_a_proposal_expires_and_blocks_nobody(desk: Desk) -> None:
    desk.ready()
    desk.later(hours=73)
    assert desk.pass_day().expired == 1
    assert desk.bill()["state"] == "staged"
    assert desk.cash().soft_cents == 0


def test_a_dry_run_shows_every_refusal_and_changes_nothing(desk: Desk) -> None:
    desk.ready("b1")
    before = desk.rows(AUDIT)
    trial = Desk(desk.database, desk.clock, register=False)
    trial.ledger = Ledger(desk.database, clock=desk.clock, dry_run=True)
    assert trial.pay_now(request_key="t").amount_cents == 10_000
    with pytest.raises(Refused):
        trial.pay_now("b2", request_key="u")
    assert desk.rows(AUDIT) == before
    assert desk.bill()["state"] == "staged"


def test_a_payment_comes_from_a_cash_account_of_the_books(desk: Desk) -> None:
    desk.ready()
    with pytest.raises(Refused, match=f"newest sync: {CHECKING}"):
        desk.pay_now(account_id="99")


def test_a_day_in_the_past_is_no_schedule(desk: Desk) -> None:
    desk.ready()
    with pytest.raises(BadRequest, match="after today"):
        desk.schedule(pay_on=desk.today)
    with pytest.raises(BadRequest, match="after today"):
        desk.delay(days=-1)
    assert (
        desk.today + timedelta(days=1)
        == desk.rows(DECISION, DECISION.c.decision_id == desk.schedule(days=1).decision_id)[0]["pay_on"]
    )


def test_what_if_reads_and_hands_the_payments_to_a_projection(desk: Desk) -> None:
    desk.ready("b1", "b2")
    desk.pay_now("b1")
    before = desk.rows(AUDIT)
    supposed = [
        Supposed(bill_id="b1", account_id=CHECKING, amount_cents=10_000, pay_on=desk.today),
        Supposed(bill_id="b3", account_id=CHECKING, amount_cents=10_000, pay_on=desk.today),
    ]
    with desk.ledger.look(desk.tenant) as look:
        found = what_if(
            look, supposed, project=lambda payments: {"low_cents": -sum(one.amount_cents for one in payments)}
        )
        (account,) = found.accounts
        assert (account.given_back_cents, account.supposed_cents, account.free_after_cents) == (10_000, 20_000, 80_000)
        assert found.against == (("b3", "1 more approval"),)
        assert not found.fits
        assert found.projected == {"low_cents": -20_000}
        with pytest.raises(BadRequest):
            what_if(look, [supposed[0], supposed[0]])
    assert desk.rows(AUDIT) == before


def test_an_older_publication_ends_nothing_and_a_paid_bill_does_not_come_back_from_it(desk: Desk) -> None:
    desk.ready("b1")
    finalized = desk.finalize(desk.pay_now("b1"))
    generation = claim(desk.ledger, desk.tenant, finalized.batch_id)
    (intent,) = desk.rows(INTENT)
    send(desk.ledger, desk.tenant, intent["intent_id"], generation=generation)
    answer(desk.ledger, desk.tenant, intent["intent_id"], outcome="landed", remote_id="9")
    found = discover(desk.ledger, desk.tenant)
    assert (found.new, found.superseded) == (0, 0)
    with pytest.raises(WrongState, match="paid"):
        desk.bill("b1")
    desk.sync(make_bill("b2"), make_bill("b3"))
    with pytest.raises(WrongState, match="paid"):
        desk.bill("b1")
    desk.sync(changed(make_bill("b1"), open_cents=2_500), make_bill("b2"), make_bill("b3"))
    assert desk.bill("b1")["cycle"] == 2
