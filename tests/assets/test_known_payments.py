"""What a forecast is told of the payment ledger."""

from datetime import date

from assets.known_payments import earmarks
from payments.cash.known_holds import KnownHold, KnownLedger
from tests.runway_calcs.builders import point

DEC_1 = date(2026, 12, 1)


def test_a_decision_reaches_the_forecast_with_its_cash_and_the_credits_it_uses() -> None:
    held = KnownHold(
        hold_id="h1",
        decision_id="d1",
        bill_id="7",
        account_id="35",
        amount_cents=600,
        credits=(("2", 400),),
        state="pending",
        pay_on=DEC_1,
        recorded_at=None,
        reserve_id=None,
        drawn_cents=0,
    )
    known = KnownLedger(
        accounts=(), holds=(held,), reserves=(), proposals=(), delayed=(), unapproved_bill_ids=frozenset()
    )
    ((hold,), _) = earmarks(known, at=point())
    assert (hold.bill_id, hold.on, hold.amount_cents, hold.cash_cents) == ("7", DEC_1, 1000, 600)
    assert hold.credits == (("2", 400),)
