"""Finalizing, what a payment looks like, and payments that come due."""

import json
import uuid
from collections.abc import Sequence
from datetime import date
from decimal import Decimal

import pytest
from sqlalchemy import text

from payments.bills.discovery import reopen
from payments.bills.postponing import withdraw
from payments.bills.rulings import Credit
from payments.cash.free_cash import enter_bank_balance, resolve_shortfall
from payments.cash.reflection import reflect
from payments.controls.payees import BankDetails, confirm_payee, propose_payee
from payments.controls.people import grant
from payments.controls.policies import ApprovalRule
from payments.errors import (
    ApprovalMissing,
    BadRequest,
    CashUnknown,
    Fenced,
    InShortfall,
    NotEnoughCash,
    OverLimit,
    PayeeMissing,
    Refused,
    SamePerson,
    SealBroken,
    WrongState,
)
from payments.sending.batches import finalize_open, given_up, require_generation, verify_seal
from payments.sending.intents import doc_number, request_id
from payments.store.batch_tables import BATCH, BATCH_ITEM, INTENT, INTENT_BILL
from payments.store.invariants import broken_invariants
from payments.store.repository import Row
from resources.published_balances import CashSnapshot, OpenBill
from resources.row_security import see_tenant
from resources.secret_text import Secret
from resources.token_vault import TokenVault
from tests.payments.desk import Desk, changed, make_bill
from tests.payments.stand_in_run import answer, claim, close, send
from tests.resources.builders import KEY

_BILLS = ("b1", "b2", "b3")


@pytest.fixture
def desk(bare_desk: Desk) -> Desk:
    """Three staged bills of 100.00, one person may do everything up to 50.00."""
    bare_desk.sync(*map(make_bill, _BILLS))
    bare_desk.policy(separation_above_cents=5_000)
    bare_desk.ready(*_BILLS)
    return bare_desk


def _again(desk: Desk, **cash: int) -> None:
    desk.sync(*map(make_bill, _BILLS), **cash)


def _key(**overrides: object) -> dict[str, object]:
    return {"environment": "local", "realm_id": "9130", "leg": "book", "bill_ids": ["7"], "ordinal": 1, **overrides}


def test_a_batch_is_sealed_with_count_total_and_hash_and_makes_one_payment_a_bill(desk: Desk) -> None:
    finalized = desk.finalize(*(desk.pay_now(bill) for bill in _BILLS))
    assert (finalized.item_count, finalized.total_cents, finalized.separation) == (3, 30_000, "apart")
    assert {desk.bill(bill)["state"] for bill in _BILLS} == {"batched"}
    with desk.ledger.look(desk.tenant) as look:
        assert verify_seal(look, finalized.batch_id)["seal"] == finalized.seal
    assert [row["state"] for row in desk.rows(INTENT)] == ["ready"] * 3


def test_a_seal_notices_a_payment_that_was_changed_past_the_guards(desk: Desk) -> None:
    finalized = desk.finalize(desk.pay_now())
    with desk.database.write() as connection:
        see_tenant(connection, desk.tenant)
        if connection.dialect.name == "sqlite":
            connection.execute(text("DROP TRIGGER intent_keeps_what_it_is"))
        else:
            connection.execute(text("ALTER TABLE intent DISABLE TRIGGER intent_keeps_what_it_is"))
        connection.execute(INTENT.update().where(INTENT.c.tenant_id == desk.tenant).values(amount_cents=1))
        if connection.dialect.name == "postgresql":
            connection.execute(text("ALTER TABLE intent ENABLE TRIGGER intent_keeps_what_it_is"))
    with desk.ledger.look(desk.tenant) as look, pytest.raises(SealBroken):
        verify_seal(look, finalized.batch_id)


def test_a_vendor_that_changed_after_the_decision_is_looked_at_by_somebody_else(desk: Desk) -> None:
    desk.policy(separation_above_cents=1_000_000)
    decided = desk.pay_now("b1"), desk.pay_now("b2")
    desk.sync(make_bill("b1", vendor_name="Another Name"), make_bill("b2"), make_bill("b3"))
    with pytest.raises(SamePerson, match="changed after this payment was decided"):
        desk.finalize(*decided, by="dan")
    assert desk.finalize(decided[1], by="dan").separation == "delegated"
    assert desk.finalize(decided[0], by="fin").separation == "apart"


def test_the_body_is_a_whole_bill_payment_in_exact_decimals(desk: Desk) -> None:
    desk.finalize(desk.pay_now(amount_cents=7_505, credits_used=[Credit(credit_id="77", amount_cents=2_000)]))
    (intent,) = desk.rows(INTENT)
    body = json.loads(intent["body"], parse_float=Decimal)
    assert body == {
        "VendorRef": {"value": "v-b1"},
        "PayType": "Check",
        "CheckPayment": {"BankAccountRef": {"value": "35"}, "PrintStatus": "NotSet"},
        "APAccountRef": {"value": "33"},
        "TotalAmt": Decimal("75.05"),
        "TxnDate": "2026-11-20",
        "DocNumber": intent["doc_number"],
        "PrivateNote": f"Runway {intent['request_id']}",
        "Line": [
            {"Amount": Decimal("95.05"), "LinkedTxn": [{"TxnId": "b1", "TxnType": "Bill"}]},
            {"Amount": Decimal("20.00"), "LinkedTxn": [{"TxnId": "77", "TxnType": "VendorCredit"}]},
        ],
    }
    assert b"75.05" in intent["body"]


def test_keys_are_derived_and_differ_in_each_of_their_parts() -> None:
    """The value is written out: a release that derives another one would pay everything again."""
    assert request_id(**_key()) == "9f93ed25-44a7-51f8-9b6f-9adad201a56a"
    assert doc_number(**_key()) == "RW-IUS3SHTMQKVHVB3B5C"
    assert len("RW-IUS3SHTMQKVHVB3B5C") == 21
    others = [
        {"environment": "production"},
        {"realm_id": "9131"},
        {"leg": "rail"},
        {"bill_ids": ["8"]},
        {"bill_ids": ["7", "8"]},
        {"ordinal": 2},
    ]
    keys = {request_id(**_key(**other)) for other in [{}, *others]}
    numbers = {doc_number(**_key(**other)) for other in [{}, *others]}
    assert len(keys) == len(numbers) == len(others) + 1
    assert request_id(**_key(bill_ids=["8", "7"])) == request_id(**_key(bill_ids=["7", "8"]))
    assert all(uuid.UUID(key).version == 5 for key in keys)


def test_a_payment_made_anew_has_the_next_key(desk: Desk) -> None:
    desk.finalize(desk.pay_now())
    desk.delay(days=1)
    desk.later(days=1)
    _again(desk)
    desk.pass_day()
    desk.finalize(desk.pay_now())
    assert [(row["state"], row["ordinal"]) for row in sorted(desk.rows(INTENT), key=lambda one: one["ordinal"])] == [
        ("void", 1),
        ("ready", 2),
    ]


def test_bills_of_one_vendor_may_be_paid_together(desk: Desk) -> None:
    desk.policy(group_by_vendor=True)
    bills = [make_bill(f"c{number}", vendor_id="v9", vendor_name="Paper Mill") for number in (1, 2)]
    desk.sync(*map(make_bill, _BILLS), *bills)
    desk.ready("c1", "c2")
    finalized = desk.finalize(desk.pay_now("b1"), desk.pay_now("c1"), desk.pay_now("c2", amount_cents=5_000))
    assert finalized.item_count == 3
    assert sorted((row["bill_set"], row["amount_cents"]) for row in desk.rows(INTENT)) == [
        ("b1", 10_000),
        ("c1+c2", 15_000),
    ]
    with pytest.raises(WrongState, match="sealed together"):
        desk.delay("c1")


def _of_one_vendor(desk: Desk, *amounts: int, beside: Sequence[OpenBill] = ()) -> None:
    """Bills c1, c2 ... of the Paper Mill, whose bills are paid together, beside others."""
    desk.policy(group_by_vendor=True)
    bills = [
        make_bill(f"c{number}", open_cents=cents, vendor_id="v9", vendor_name="Paper Mill", due_date=date(2026, 11, 21))
        for number, cents in enumerate(amounts, start=1)
    ]
    desk.sync(*bills, *beside)
    desk.ready(*(bill.bill_id for bill in (*bills, *beside)))


def test_what_is_paid_together_is_judged_by_the_limit_of_a_payment(desk: Desk) -> None:
    """Each of them is within it, a part of a bill by the part."""
    _of_one_vendor(desk, 9_000, 9_000, 9_000)
    desk.policy(per_payment_cents=15_000)
    whole, other, part = desk.pay_now("c1"), desk.pay_now("c2"), desk.pay_now("c3", amount_cents=6_000)
    with pytest.raises(
        OverLimit, match=r"at most 150\.00.*180\.00.*c1 with 90\.00, bill c2 with 90\.00.*30\.00 too much"
    ):
        desk.finalize(whole, other)
    assert desk.rows(INTENT) == []
    desk.finalize(whole, part)
    desk.policy(group_by_vendor=False, per_payment_cents=8_000)
    with pytest.raises(OverLimit, match=r"10\.00 too much"):
        desk.finalize(other)


def test_an_override_of_the_limit_covers_its_own_bill_and_no_group(desk: Desk) -> None:
    _of_one_vendor(desk, 9_000, 9_000)
    desk.policy(per_payment_cents=8_000)
    above = desk.pay_now("c1", override="the owner asked for it on the telephone")
    desk.policy(per_payment_cents=10_000)
    within = desk.pay_now("c2")
    with pytest.raises(OverLimit):
        desk.finalize(above, within)
    desk.policy(per_payment_cents=8_000)
    desk.finalize(above)


def test_what_is_paid_together_is_finalized_by_a_third_person_if_it_is_above_the_limit_as_a_whole(desk: Desk) -> None:
    """Four bills, each below it: one person could have paid any amount."""
    desk.policy(separation_above_cents=10_000)
    _of_one_vendor(desk, 9_000, 9_000, 9_000, 9_000)
    decided = [desk.pay_now(f"c{number}") for number in range(1, 5)]
    with pytest.raises(SamePerson, match=r"gets 360\.00 in one; above 100\.00 a third person finalizes"):
        desk.finalize(*decided, by="dan")
    assert desk.finalize(decided[0], by="dan").separation == "delegated"
    assert desk.finalize(*decided[1:], by="fin").separation == "apart"
    assert sorted(row["amount_cents"] for row in desk.rows(INTENT)) == [9_000, 27_000]


def test_whose_approver_decided_on_it_is_not_paid_with_others_above_the_limit(desk: Desk) -> None:
    """Each of them alone may be one person's; as one payment they would be two people's, where it takes three."""
    desk.policy(separation_above_cents=10_000, payee_watch_days=0)
    _of_one_vendor(desk, 9_000, 9_000)
    grant(desk.ledger, desk.tenant, by="ada", person_id="amy", role="adviser")
    decided = [desk.pay_now(bill, by="amy") for bill in ("c1", "c2")]
    assert {one.separation for one in decided} == {"delegated"}
    with pytest.raises(SamePerson, match=r"amy approved bill c\d and decided on it; .* gets 180\.00 in one"):
        desk.finalize(*decided, by="fin")
    assert desk.finalize(decided[0], by="fin").separation == "apart"
    with desk.ledger.look(desk.tenant) as look:
        assert broken_invariants(look) == []


def test_a_limit_that_was_lowered_since_the_decision_counts_at_the_seal(desk: Desk) -> None:
    desk.policy(separation_above_cents=10_000, payee_watch_days=0)
    _of_one_vendor(desk, 9_000)
    grant(desk.ledger, desk.tenant, by="ada", person_id="amy", role="adviser")
    decided = desk.pay_now("c1", by="amy")
    desk.policy(separation_above_cents=5_000, payee_watch_days=0)
    with pytest.raises(SamePerson, match=r"amy approved bill c1 and decided on it; its vendor .* gets 90\.00 in one"):
        desk.finalize(decided, by="fin")


def test_what_nobody_may_finalize_on_its_day_needs_a_review_and_keeps_nobody_waiting(desk: Desk) -> None:
    """Two bills that amy approved and scheduled, each allowed alone, come due as one payment; another vendor's bill goes on."""
    desk.policy(separation_above_cents=10_000, payee_watch_days=0)
    _of_one_vendor(desk, 6_000, 6_000, beside=[make_bill("o1", open_cents=20_000)])
    grant(desk.ledger, desk.tenant, by="ada", person_id="amy", role="adviser")
    for bill in ("c1", "c2"):
        desk.schedule(bill, days=1, by="amy")
    desk.schedule("o1", days=1)
    desk.later(days=1)
    desk.publish()
    reflect(desk.ledger, desk.tenant)
    passed = desk.pass_day()
    assert sorted(passed.needs_review) == ["c1", "c2"]
    assert "amy approved bill c1 and decided on it; with others its vendor" in desk.bill("c1")["reason"]
    (batch_id,) = passed.batch_ids
    finalize_open(desk.ledger, desk.tenant, by="fin", batch_id=batch_id, request_key="a")
    with desk.ledger.look(desk.tenant) as look:
        assert broken_invariants(look) == []


def test_what_comes_due_together_above_the_limit_waits_for_a_finalizer(desk: Desk) -> None:
    desk.policy(separation_above_cents=10_000)
    _of_one_vendor(desk, 6_000, 6_000)
    for bill in ("c1", "c2"):
        desk.schedule(bill, days=1)
    desk.later(days=1)
    desk.publish()
    reflect(desk.ledger, desk.tenant)
    (batch_id,) = desk.pass_day().batch_ids
    assert [row["origin"] for row in desk.rows(BATCH)] == ["due_for_finalizer"]
    with pytest.raises(SamePerson, match=r"gets 120\.00 in one"):
        finalize_open(desk.ledger, desk.tenant, by="dan", batch_id=batch_id, request_key="a")
    finalize_open(desk.ledger, desk.tenant, by="fin", batch_id=batch_id, request_key="b")
    with desk.ledger.look(desk.tenant) as look:
        assert broken_invariants(look) == []


def test_what_comes_due_is_paid_together_up_to_the_limit_of_a_payment(desk: Desk) -> None:
    _of_one_vendor(desk, 5_000, 4_000, 3_000, 2_000)
    desk.policy(per_payment_cents=9_000, separation_above_cents=50_000)
    for bill in ("c1", "c2", "c3", "c4"):
        desk.schedule(bill, days=1)
    desk.policy(per_payment_cents=4_500, separation_above_cents=50_000)
    desk.later(days=1)
    desk.publish()
    reflect(desk.ledger, desk.tenant)
    assert desk.pass_day().needs_review == ("c1", "c4")
    assert "50.00 in one (bill c1 with 50.00)" in desk.bill("c1")["reason"]
    assert "fills the batches of the day" in desk.bill("c4")["reason"]
    (intent,) = desk.rows(INTENT)
    assert (intent["bill_set"], intent["amount_cents"]) == ("c2", 4_000)
    (waiting,) = desk.rows(BATCH, BATCH.c.state == "open")
    assert [one["amount_cents"] for one in desk.rows(BATCH_ITEM, BATCH_ITEM.c.batch_id == waiting["batch_id"])] == [
        3_000
    ]


def test_above_the_limit_a_third_person_finalizes(desk: Desk) -> None:
    desk.approve("b2", by="oli")
    decided = desk.pay_now("b2", by="dan")
    for involved in ("dan", "oli"):
        with pytest.raises(SamePerson, match="a third person finalizes"):
            desk.finalize(decided, by=involved)
    assert desk.finalize(decided, by="fin").separation == "apart"


def test_what_a_stricter_policy_asks_for_by_now_is_asked_at_the_seal(desk: Desk) -> None:
    decided = desk.pay_now()
    desk.policy(rules=(ApprovalRule(roles=("owner",)),))
    overridden = desk.pay_now("b2", override="the owner asked for it on the telephone")
    with pytest.raises(ApprovalMissing, match=r"1 more approval by people with one of the roles owner.*Delay it"):
        desk.finalize(decided, overridden)
    desk.finalize(overridden)
    withdraw(desk.ledger, desk.tenant, by="dan", bill_id="b1", reason="to be approved", request_key=desk.key())
    reopen(desk.ledger, desk.tenant, by="dan", bill_id="b1")
    _again(desk)
    desk.approve(by="oli")
    desk.stage()
    desk.finalize(desk.pay_now())
    with desk.ledger.look(desk.tenant) as look:
        assert broken_invariants(look) == []


def test_what_a_stricter_policy_asks_for_by_now_is_asked_on_the_due_day(desk: Desk) -> None:
    desk.schedule("b1", days=1)
    desk.schedule("b2", days=1)
    desk.approve("b3", by="oli")
    desk.schedule("b3", days=1)
    desk.policy(rules=(ApprovalRule(approvals=2),), separation_above_cents=50_000)
    desk.later(days=1)
    _again(desk)
    passed = desk.pass_day()
    assert passed.needs_review == ("b1", "b2")
    assert (
        "lacks, as the policy is now: 1 more approval. A decided bill takes no approval. Delay it"
        in desk.bill()["reason"]
    )
    assert desk.bill("b3")["state"] == "batched"
    desk.delay("b1", days=1)
    desk.later(days=1)
    _again(desk)
    desk.pass_day()
    desk.approve("b1", by="art")
    desk.finalize(desk.pay_now("b1"))


def test_below_the_limit_one_person_does_all_and_it_is_recorded(desk: Desk) -> None:
    decided = desk.pay_now(by="dan", amount_cents=5_000)
    assert desk.finalize(decided, by="dan").separation == "delegated"


def test_a_batch_has_one_account_and_a_limit(desk: Desk) -> None:
    first, second = desk.pay_now("b1"), desk.pay_now("b2")
    desk.policy(per_batch_cents=15_000, separation_above_cents=50_000)
    with pytest.raises(OverLimit, match=r"50\.00 too much"):
        desk.finalize(first, second)
    with pytest.raises(BadRequest):
        desk.finalize()


def test_finalizing_again_with_the_same_key_gives_the_same_batch(desk: Desk) -> None:
    decided = desk.pay_now()
    assert desk.finalize(decided, request_key="f") == desk.finalize(decided, request_key="f")
    with pytest.raises(WrongState, match="already"):
        desk.finalize(decided)


def test_a_shortfall_stops_finalization_until_a_person_resolves_it(desk: Desk) -> None:
    decided = desk.pay_now()
    _again(desk, cash=6_000)
    with pytest.raises(InShortfall, match=r"40\.00"):
        desk.finalize(decided)
    with pytest.raises(InShortfall):
        desk.pay_now("b2")
    with pytest.raises(Refused):
        resolve_shortfall(desk.ledger, desk.tenant, by="oli", account_id="35", resolution="none")
    _again(desk, cash=30_000)
    with pytest.raises(InShortfall, match="by now it is covered"):
        desk.finalize(decided)
    resolve_shortfall(desk.ledger, desk.tenant, by="oli", account_id="35", resolution="the deposit came")
    desk.finalize(decided)


@pytest.mark.parametrize("cash", [6_000, 10_000], ids=["still short", "covered by then"])
def test_an_override_on_an_account_in_shortfall_is_sealed_once_that_is_resolved(desk: Desk, cash: int) -> None:
    desk.pay_now("b1")
    _again(desk, cash=6_000)
    _again(desk, cash=cash)
    overridden = desk.pay_now("b2", override="the owner asked for it on the telephone")
    with pytest.raises(InShortfall):
        desk.finalize(overridden)
    _again(desk, cash=10_000)
    resolve_shortfall(desk.ledger, desk.tenant, by="oli", account_id="35", resolution="the deposit came")
    desk.finalize(overridden)
    with desk.ledger.look(desk.tenant) as look:
        assert broken_invariants(look) == []


def test_a_stale_balance_finalizes_nothing(desk: Desk) -> None:
    decided = desk.pay_now()
    desk.later(hours=25)
    with pytest.raises(CashUnknown):
        desk.finalize(decided)


def test_scheduled_payments_come_due_once_and_go_into_one_batch_an_account(desk: Desk) -> None:
    desk.schedule("b1", amount_cents=5_000, days=2)
    desk.schedule("b2", amount_cents=4_000, days=1)
    desk.later(days=2)
    assert desk.pass_day().waiting == 2
    _again(desk)
    made = desk.pass_day()
    assert len(made.batch_ids) == 1
    assert desk.pass_day().batch_ids == ()
    (batch,) = desk.rows(BATCH)
    assert (batch["origin"], batch["state"], batch["item_count"], batch["total_cents"]) == (
        "due",
        "finalized",
        2,
        9_000,
    )
    assert batch["finalized_by"] == "system:due"


def test_a_due_payment_waits_for_a_balance_that_is_fresh_by_either_age_and_the_day_passes(desk: Desk) -> None:
    desk.schedule("b1", amount_cents=5_000, days=1)
    desk.delay("b2", days=1)
    desk.policy(snapshot_max_age_seconds=1_800)
    desk.later(days=1)
    _again(desk)
    desk.later(minutes=45)
    passed = desk.pass_day()
    assert (passed.woken, passed.waiting, passed.batch_ids) == (1, 1, ())
    decided = desk.pay_now("b3", override="the owner asked for it on the telephone")
    with pytest.raises(CashUnknown, match="was read 45 minutes ago; at most 30 minutes are allowed"):
        desk.finalize(decided)
    _again(desk)
    assert len(desk.pass_day().batch_ids) == 1


def test_what_comes_due_above_the_limit_waits_for_a_finalizer(desk: Desk) -> None:
    desk.schedule("b1", days=1)
    desk.later(days=1)
    _again(desk)
    (batch_id,) = desk.pass_day().batch_ids
    assert desk.rows(INTENT) == []
    with pytest.raises(SamePerson):
        finalize_open(desk.ledger, desk.tenant, by="dan", batch_id=batch_id, request_key="a")
    finalized = finalize_open(desk.ledger, desk.tenant, by="fin", batch_id=batch_id, request_key="b")
    assert finalized.total_cents == 10_000


def test_what_comes_due_beyond_the_limit_of_a_batch_does_not_go_by_itself(desk: Desk) -> None:
    desk.policy(per_batch_cents=15_000, separation_above_cents=50_000)
    for bill in ("b1", "b2", "b3"):
        desk.schedule(bill, days=1)
    desk.later(days=1)
    _again(desk)
    passed = desk.pass_day()
    batches = {row["origin"]: row for row in desk.rows(BATCH)}
    assert {origin: row["state"] for origin, row in batches.items()} == {
        "due": "finalized",
        "due_for_finalizer": "open",
    }
    assert {row["batch_id"] for row in batches.values()} == set(passed.batch_ids)
    assert batches["due"]["total_cents"] == 10_000
    assert (passed.needs_review, passed.without_room) == ((), 1)
    assert desk.cash().pending_cents == 30_000
    assert desk.pass_day().batch_ids == ()
    desk.later(days=1)
    _again(desk)
    desk.pass_day()
    assert [row["total_cents"] for row in desk.rows(BATCH, BATCH.c.pay_on == desk.today)] == [10_000]
    assert {desk.bill(bill)["state"] for bill in ("b1", "b2", "b3")} == {"batched"}


def test_what_finds_the_batches_full_waits_only_as_long_as_its_bill(desk: Desk) -> None:
    """They come due on a Friday, and the next business day is the Monday."""
    desk.policy(per_batch_cents=15_000, separation_above_cents=50_000)
    bills = [
        make_bill("d1"),
        make_bill("d2", due_date=date(2026, 11, 29)),
        make_bill("d3", due_date=date(2026, 11, 27)),
        make_bill("d4", due_date=None),
        make_bill("d5", due_date=date(2026, 11, 27)),
    ]
    desk.sync(*bills)
    desk.ready(*(bill.bill_id for bill in bills))
    for bill in bills:
        desk.schedule(bill.bill_id, days=7)
    desk.later(days=7)
    desk.sync(*bills)
    assert desk.today == date(2026, 11, 27)
    passed = desk.pass_day()
    assert (passed.needs_review, passed.without_room) == (("d5",), 2), "d2 and d3 cannot wait either and came first"
    assert desk.bill("d5")["reason"] == (
        "What came due with it fills the batches of the day up to the policy's limits, and its bill is due on 2026-11-27, "
        "before the next business day, 2026-11-30."
    )
    assert {bill: desk.bill(bill)["state"] for bill in ("d1", "d4")} == dict.fromkeys(("d1", "d4"), "scheduled")


def test_what_no_batch_can_hold_does_not_wait_for_the_next(desk: Desk) -> None:
    desk.schedule("b1", days=1)
    desk.policy(per_batch_cents=9_000, separation_above_cents=50_000)
    desk.later(days=1)
    _again(desk)
    assert desk.pass_day().needs_review == ("b1",)
    assert desk.bill("b1")["reason"] == "A batch is at most 90.00; this one is 100.00, 10.00 too much."


def test_a_bill_in_an_open_batch_may_be_taken_out(desk: Desk) -> None:
    desk.schedule("b1", days=1)
    desk.later(days=1)
    _again(desk)
    desk.pass_day()
    desk.delay("b1")
    assert desk.rows(BATCH_ITEM) == []
    assert desk.cash().free_cents == 100_000


def test_what_comes_due_later_fills_the_open_batch_whose_payments_were_all_put_off(desk: Desk) -> None:
    """Nobody finalizes an empty batch, and it would keep the day's place."""
    desk.policy(per_batch_cents=15_000)
    desk.schedule("b1", days=1)
    desk.schedule("b2", days=1)
    desk.later(days=1)
    _again(desk)
    passed = desk.pass_day()
    assert (len(passed.batch_ids), passed.without_room) == (1, 1)
    assert _given_up(desk) == set()
    desk.delay("b1")
    assert _given_up(desk) == set(passed.batch_ids)
    again = desk.pass_day()
    assert (again.batch_ids, again.without_room) == (passed.batch_ids, 0)
    assert _given_up(desk) == set()
    (batch_id,) = again.batch_ids
    finalize_open(desk.ledger, desk.tenant, by="fin", batch_id=batch_id, request_key="a")
    assert [row["bill_set"] for row in desk.rows(INTENT)] == ["b2"]
    with desk.ledger.look(desk.tenant) as look:
        assert broken_invariants(look) == []


def test_an_empty_batch_of_another_rail_takes_no_payment(desk: Desk) -> None:
    """It would be paid in another way than the payment was checked for."""
    desk.policy(per_batch_cents=15_000)
    _confirm(desk, "v-b2")
    desk.schedule("b1", days=1)
    desk.schedule("b2", days=1)
    desk.later(days=1)
    _again(desk)
    desk.pass_day()
    desk.delay("b1")
    desk.policy(rail="nacha_file")
    passed = desk.pass_day()
    assert (passed.batch_ids, passed.needs_review, passed.without_room) == ((), (), 1)


def _given_up(desk: Desk) -> set[str]:
    with desk.ledger.look(desk.tenant) as look:
        return given_up(look)


def test_a_due_payment_without_cash_needs_a_review_and_keeps_its_hold(desk: Desk) -> None:
    desk.schedule("b1", days=1)
    desk.later(days=1)
    _again(desk, cash=9_000)
    assert desk.pass_day().needs_review == ("b1",)
    bill = desk.bill("b1")
    assert bill["state"] == "needs_review"
    assert "10.00" in bill["reason"]
    assert desk.cash().pending_cents == 10_000


def test_a_due_payment_of_an_account_that_is_no_cash_any_more_needs_a_review_and_keeps_its_hold(desk: Desk) -> None:
    desk.schedule("b1", days=1)
    desk.later(days=1)
    savings = CashSnapshot(account_id="36", name="Savings", balance_cents=50_000, dated_later_cents=0)
    desk.sync(*map(make_bill, _BILLS), accounts=[savings])
    passed = desk.pass_day()
    assert (passed.waiting, passed.needs_review) == (0, ("b1",))
    assert desk.bill()["reason"] == "The books no longer count Checking (35) as cash."
    assert desk.cash().pending_cents == 10_000


def test_a_payment_that_takes_its_money_shortly_before_is_soft_till_then(desk: Desk) -> None:
    desk.policy(schedule_holds="at_due", promote_days_before=2)
    desk.schedule("b1", days=5)
    assert desk.cash().pending_cents == 0
    desk.later(days=3)
    _again(desk)
    assert desk.pass_day().hardened == 1
    assert desk.cash().pending_cents == 10_000
    desk.schedule("b2", days=5)
    desk.later(days=3)
    _again(desk, cash=15_000)
    passed = desk.pass_day()
    assert passed.needs_review == ("b2",)
    assert "50.00 is missing" in desk.bill("b2")["reason"]


def test_an_override_of_a_limit_takes_no_money_that_is_granted_to_others(desk: Desk) -> None:
    """Cash is asked for shortly before the day, and what was overridden at the decision was the limit alone."""
    desk.policy(schedule_holds="at_due", promote_days_before=2, per_payment_cents=8_000, separation_above_cents=50_000)
    _again(desk, cash=15_000)
    assert desk.schedule("b1", days=5, override="the owner asked for it on the telephone").break_glass_id
    desk.policy(per_payment_cents=None)
    desk.pay_now("b2")
    desk.later(days=3)
    _again(desk, cash=15_000)
    passed = desk.pass_day()
    assert (passed.hardened, passed.needs_review) == (0, ("b1",))
    assert "50.00 is missing" in desk.bill("b1")["reason"]
    assert desk.cash().free_cents == 5_000
    with desk.ledger.look(desk.tenant) as look:
        assert broken_invariants(look) == []


def test_a_payment_of_a_changed_payee_does_not_come_due_by_itself(desk: Desk) -> None:
    desk.schedule("b1", days=1)
    desk.later(days=1)
    desk.sync(changed(make_bill("b1"), vendor_name="Renamed"), make_bill("b2"), make_bill("b3"))
    assert desk.pass_day().needs_review == ("b1",)
    assert "changed after this payment was decided" in desk.bill("b1")["reason"]


def test_a_rail_that_moves_money_has_its_own_payment_before_the_books_and_needs_a_payee(desk: Desk) -> None:
    desk.policy(rail="nacha_file", payee_watch_days=0)
    with pytest.raises(PayeeMissing):
        desk.pay_now()
    _confirm(desk, "v-b1")
    desk.finalize(desk.pay_now())
    found = {row["leg"]: row for row in desk.rows(INTENT)}
    assert {leg: row["state"] for leg, row in found.items()} == {"rail": "ready", "book": "waiting"}
    assert json.loads(found["rail"]["body"])["payee_version"] == 1
    assert b"123456789" not in found["rail"]["body"]
    assert len(desk.rows(INTENT_BILL)) == 2


def _confirm(desk: Desk, vendor_id: str) -> None:
    """Bank details of a vendor, confirmed."""
    details = BankDetails(
        routing_number=Secret("021000021"), account_number=Secret("123456789"), account_kind="checking"
    )
    propose_payee(desk.ledger, desk.tenant, by="pat", vendor_id=vendor_id, details=details, vault=TokenVault([KEY]))
    confirm_payee(desk.ledger, desk.tenant, by="amy", vendor_id=vendor_id, account_ending="6789")


def _run(desk: Desk, batch_id: str, *, outcome: str) -> Row:
    generation = claim(desk.ledger, desk.tenant, batch_id)
    (intent,) = desk.rows(INTENT, INTENT.c.batch_id == batch_id)
    send(desk.ledger, desk.tenant, intent["intent_id"], generation=generation)
    answer(desk.ledger, desk.tenant, intent["intent_id"], outcome=outcome, remote_id="900")
    close(desk.ledger, desk.tenant, batch_id)
    return desk.rows(INTENT, INTENT.c.batch_id == batch_id)[0]


def test_a_paid_hold_counts_until_a_balance_read_after_it_shows_it(desk: Desk) -> None:
    finalized = desk.finalize(desk.pay_now())
    before = desk.clock.now()
    desk.later(minutes=1)
    _run(desk, finalized.batch_id, outcome="landed")
    assert desk.cash().posted_cents == 10_000
    assert desk.cash().free_cents == 90_000
    assert desk.clock.now() > before
    assert reflect(desk.ledger, desk.tenant).reflected == 0, "that balance was read before the payment was entered"
    assert desk.cash().free_cents == 90_000
    _, reflected = desk.sync(make_bill("b2"), make_bill("b3"), cash=90_000)
    assert reflected.reflected == 1
    assert desk.cash().posted_cents == 0
    assert desk.cash().free_cents == 90_000


def test_a_bank_balance_from_before_a_payment_is_less_by_it_once_the_books_show_it(desk: Desk) -> None:
    """Otherwise the same money is granted a second time: the bank's page was read while the payment was still to come."""
    _again(desk, cash=40_000)
    enter_bank_balance(desk.ledger, desk.tenant, by="oli", account_id="35", bank_cents=25_000)
    finalized = desk.finalize(desk.pay_now("b1"))
    assert desk.cash().free_cents == 15_000
    desk.later(minutes=1)
    _run(desk, finalized.batch_id, outcome="landed")
    assert desk.cash().free_cents == 15_000
    for cash in (30_000, 90_000):
        desk.sync(make_bill("b2"), make_bill("b3"), cash=cash)
        assert (desk.cash().posted_cents, desk.cash().basis_cents, desk.cash().free_cents) == (0, 15_000, 15_000)
    desk.pay_now("b2")
    with pytest.raises(NotEnoughCash, match=r"50\.00 is missing"):
        desk.pay_now("b3")
    enter_bank_balance(desk.ledger, desk.tenant, by="oli", account_id="35", bank_cents=25_000)
    assert desk.cash().free_cents == 15_000, "read off again, now without the payment"
    with desk.ledger.look(desk.tenant) as look:
        assert broken_invariants(look) == []


def test_a_refused_payment_frees_its_money_and_the_bill_comes_back(desk: Desk) -> None:
    finalized = desk.finalize(desk.pay_now())
    _run(desk, finalized.batch_id, outcome="refused")
    assert desk.cash().free_cents == 100_000
    _again(desk)
    assert (desk.bill()["cycle"], desk.bill()["state"]) == (2, "awaiting_approval")


def test_an_unknown_payment_keeps_its_money_and_lets_nobody_decide_again(desk: Desk) -> None:
    finalized = desk.finalize(desk.pay_now())
    _run(desk, finalized.batch_id, outcome="unknown")
    desk.later(days=30)
    desk.pass_day()
    assert desk.cash().pending_cents == 10_000
    for verb in (desk.pay_now, desk.delay):
        with pytest.raises(WrongState):
            verb()


def test_a_run_that_lost_its_batch_writes_nothing(desk: Desk) -> None:
    batch_id = desk.finalize(desk.pay_now()).batch_id
    first = claim(desk.ledger, desk.tenant, batch_id)
    with desk.ledger.act(desk.tenant, actor="system:run", kind="batch claimed") as act:
        act.update(BATCH, {"batch_id": batch_id}, {"generation": first + 1, "holder": "another"})
    with desk.ledger.act(desk.tenant, actor="system:run", kind="payment sent") as act, pytest.raises(Fenced):
        require_generation(act, batch_id=batch_id, generation=first)
