"""Each bill that waits is counted once, under what it waits for."""

from payments.bills.waiting import PaymentsWaiting, payments_waiting
from payments.sending.batches import finalize_open
from tests.payments.desk import Desk, make_bill

_BILLS = tuple(f"b{number}" for number in range(1, 7))


def _waiting(desk: Desk) -> PaymentsWaiting:
    with desk.ledger.look(desk.tenant) as look:
        return payments_waiting(look)


def _counts(**counts: int) -> PaymentsWaiting:
    nothing = dict.fromkeys(("to_approve", "to_decide", "due", "to_seal", "sealed", "to_review"), 0)
    return PaymentsWaiting(**(nothing | counts))


def test_a_bill_is_counted_under_what_it_waits_for_from_its_approval_to_its_batch(bare_desk: Desk) -> None:
    desk = bare_desk
    assert _waiting(desk) == _counts()
    desk.policy(separation_above_cents=5_000)
    desk.sync(*map(make_bill, _BILLS))
    assert _waiting(desk) == _counts(to_approve=6)
    desk.approve("b1")
    assert _waiting(desk) == _counts(to_approve=5), "approved, and nobody has proposed to pay it"
    desk.ready(*_BILLS[1:])
    desk.stage("b1")
    assert _waiting(desk) == _counts(to_decide=6)
    decided = desk.pay_now("b1")
    desk.delay("b2")
    desk.schedule("b3", days=1)
    assert _waiting(desk) == _counts(to_decide=3, to_seal=1), "what waits for a day of its own waits for nobody"
    desk.finalize(decided)
    assert _waiting(desk) == _counts(to_decide=3, sealed=1)
    desk.later(days=1)
    assert desk.pass_day().waiting == 1
    assert _waiting(desk) == _counts(to_decide=3, due=1, sealed=1), "its day has come, and the balance is of yesterday"
    desk.sync(*map(make_bill, _BILLS))
    (batch_id,) = desk.pass_day().batch_ids
    assert _waiting(desk) == _counts(to_decide=3, to_seal=1, sealed=1), "it came due, and waits for its finalizer"
    finalize_open(desk.ledger, desk.tenant, by="fin", batch_id=batch_id, request_key="k")
    assert _waiting(desk) == _counts(to_decide=3, sealed=2)
    desk.schedule("b4", days=1)
    desk.later(days=1)
    desk.sync(*map(make_bill, _BILLS), cash=9_000)
    assert desk.pass_day().needs_review == ("b4",)
    assert _waiting(desk).to_review == 1
    assert _waiting(desk).sealed == 2
