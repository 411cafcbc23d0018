"""What staged and decided payments do to the week's forecast: from its published draws, with nothing written."""

from datetime import date, timedelta

from payments.bills.projected_cash import of_decisions, projection, staged_and_decided
from payments.bills.what_if import Supposed, what_if
from payments.store.audit import head
from runway_calcs.forecast.what_if_draws import OpenBillDays, WhatIfDraws
from tests.payments.desk import CHECKING, Desk, make_bill


def _draws(as_of: date) -> WhatIfDraws:
    """Two courses of ten days at 1,000.00 and 500.00; one bill of 100.00 that neither pays within them."""
    bill = OpenBillDays(bill_id="b1", cents=100_00, days=(0, 0))
    return WhatIfDraws(as_of=as_of, horizon_days=10, unit_cents=100, paths=((1_000,) * 10, (500,) * 10), bills=(bill,))


def test_what_is_staged_and_what_is_decided_are_supposed_as_they_stand(bare_desk: Desk) -> None:
    desk = bare_desk
    desk.policy(separation_above_cents=50_000)
    desk.sync(make_bill("b1"), make_bill("b2"), make_bill("b3"))
    desk.ready("b1", "b2")
    decided = desk.schedule("b2", days=3, amount_cents=4_000)
    with desk.ledger.look(desk.tenant) as look:
        found, named = staged_and_decided(look), of_decisions(look, [decided.decision_id])
        assert staged_and_decided(look, account_id="another") == ()
    staged = Supposed(bill_id="b1", account_id=CHECKING, amount_cents=10_000, pay_on=desk.today)
    scheduled = Supposed(bill_id="b2", account_id=CHECKING, amount_cents=4_000, pay_on=desk.today + timedelta(days=3))
    assert found == (staged, scheduled)
    assert named == (scheduled,)


def test_the_forecast_says_what_a_payment_does_to_the_weeks_ahead_and_free_cash_whether_it_fits(
    bare_desk: Desk,
) -> None:
    """Floor 450.00: the lower course falls to 400.00 on the day of the payment, the higher one to 900.00."""
    desk = bare_desk
    desk.sync(make_bill("b1"), make_bill("b9"), cash=100_000)
    desk.ready("b1")
    desk.approve("b9")
    project = projection(_draws(desk.today), floor_cents=450_00)
    with desk.ledger.look(desk.tenant) as look:
        written = head(look)
        supposed = [
            Supposed(bill_id=bill, account_id=CHECKING, amount_cents=10_000, pay_on=desk.today + timedelta(days=2))
            for bill in ("b1", "b9")
        ]
        found = what_if(look, supposed, project=project)
        assert head(look) == written
    assert found.accounts[0].free_after_cents == 80_000
    before, after = found.projected["before"], found.projected["after"]
    assert (before["days"], before["low_cents"], before["below_floor_ppm"]) == (None, 500_00, 0)
    assert (after["days"], after["low_cents"], after["below_floor_ppm"]) == (2, 400_00, 500_000)
    assert (found.projected["days"], found.projected["is_open_ended"]) == (-9, True)
    assert found.projected["uncounted_bill_ids"] == ("b9",)
