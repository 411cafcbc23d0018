"""From calculator results to a document."""

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiences.digest.document import NoteKind, from_json, to_json
from experiences.digest.formats import Formats
from experiences.digest.listing import MAX_ROWS
from experiences.digest.payment_workflow import PaymentWorkflow, Tally
from experiences.digest.render import render_html, render_text
from runway_calcs.books.cash import CashState
from runway_calcs.flow_kinds import FlowKind
from runway_calcs.pay_plan.cash import Shortfall
from runway_calcs.pay_plan.plan import PlanState
from tests.experiences.builders import (
    BILLS,
    FRIDAY,
    INVOICES,
    TrialBill,
    TrialFlow,
    TrialInvoice,
    make_bill_payment,
    make_burn,
    make_cash,
    make_digest,
    make_invoice_payment,
)
from tests.experiences.examples import NOTHING_TO_RANK
from tests.experiences.parsed import one_line, parse
from tests.experiences.priority_builders import make_collections, make_contact_invoice, make_plan, make_priorities

NOT_COMPUTABLE_CASH = make_cash(accounts=(), state=CashState.NOT_COMPUTABLE, reason="in another currency")


def test_the_week_ahead_lists_exactly_what_the_first_projected_week_moves() -> None:
    document = make_digest()
    assert document.money_out.likely_cents == document.weeks[0].disbursements_cents == 2_755_395
    assert document.money_in.expected.total_cents == document.weeks[0].receipts_cents == 2_585_000
    assert document.money_out.cash_after_cents == 8_014_007 - 2_755_395


def test_a_bill_with_credits_is_listed_with_what_is_open_and_likely_paid_with_what_is_left() -> None:
    out = make_digest().money_out
    assert next(row.open_cents for row in out.due.rows if row.vendor == "Copperfield Insurance") == 61_200
    assert (out.likely.count, out.likely.cents) == (3, 184_000 + 925_050 + 41_200)


def test_every_bill_past_due_or_due_within_the_week_is_listed_whenever_it_is_expected_to_be_paid() -> None:
    habits = {-40: 30, -1: 9, 7: 60, 8: 2}
    bills = [TrialBill(vendor=f"V{due}", number="1", in_days=due, cents=100 + due) for due in habits]
    payments = [
        replace(make_bill_payment(bill, number=number), expected_on=FRIDAY + timedelta(days=later))
        for number, (bill, later) in enumerate(zip(bills, habits.values(), strict=True))
    ]
    out = make_digest(bills=bills, payments=payments).money_out
    assert ([one.vendor for one in out.overdue.rows], out.overdue.total_cents) == (["V-1", "V-40"], 99 + 60)
    assert ([one.vendor for one in out.due.rows], out.due.total_cents) == (["V7"], 107)
    assert (out.likely.count, out.likely.cents) == (1, 108)


def test_a_bill_decided_in_part_is_likely_paid_once() -> None:
    (first, *_) = BILLS
    decided, rest = (replace(make_bill_payment(first, number=0), counted_cents=cents) for cents in (100_000, 84_000))
    out = make_digest(payments=[decided, rest]).money_out
    assert (out.likely.count, out.likely.cents) == (1, 184_000)


def test_bills_are_told_without_a_forecast_too() -> None:
    out = make_digest(cash=NOT_COMPUTABLE_CASH, flows=(), payments=[], priorities=NOTHING_TO_RANK).money_out
    assert (out.overdue.count, out.due.count, out.likely.count, out.estimate) == (1, 2, 0, None)


def test_invoices_past_due_are_told_without_a_forecast_too() -> None:
    """Incident: 40,000 more than 60 days late stood in the table by age and in no list, as no forecast expected it."""
    late = TrialInvoice(customer="Late", number="7", in_days=-61, expected_in=3, cents=4_000_000, usual=9)
    document = make_digest(
        cash=NOT_COMPUTABLE_CASH,
        flows=(),
        invoices=(late, *INVOICES),
        payments=[],
        priorities=NOTHING_TO_RANK,
    )
    assert document.receivables is not None
    overdue = document.money_in.overdue
    assert (overdue.count, overdue.total_cents) == (3, sum(document.receivables.bucket_cents[1:]))
    assert (overdue.rows[0].customer, overdue.rows[0].expected_on, overdue.rows[0].usual_days_late) == (
        "Late",
        None,
        None,
    )
    assert "Past due: 3 invoices, $56,250.00" in one_line(render_text(document))
    assert from_json(to_json(document)) == document


def test_an_invoice_past_due_that_credits_settle_is_told_with_what_is_open() -> None:
    part, settled = INVOICES[:2]
    payments = [replace(make_invoice_payment(part, number=0), counted_cents=1)]
    document = make_digest(payments=payments)
    told = {one.customer: (one.amount_cents, one.usual_days_late) for one in document.money_in.overdue.rows}
    assert told == {part.customer: (part.cents, 9), settled.customer: (settled.cents, None)}
    assert [one.amount_cents for one in document.money_in.expected.rows] == [1]


def test_the_sums_of_what_goes_out_are_told_apart() -> None:
    text = one_line(render_text(make_digest()))
    assert "Going out by 27 Nov, counted in 3 ways" in text
    assert "Due: 3 bills $11,702.50 past due or due by then, whenever they are paid" in text
    assert "Likely paid: 3 bills, 2 other pay" in text
    assert (
        "$27,553.95 by when such payments are usually made; cash less these, before anything comes in: $52,586.12"
        in text
    )
    assert "Expected in all $27.6k each by its probability, with what is not entered yet" in text


def test_only_customers_who_are_late_and_move_enough_are_worth_a_contact() -> None:
    first, second = make_collections().contacts
    invoice = make_contact_invoice
    contacts = (
        replace(first, invoices=(invoice(number="1", late=40), invoice(number="2", late=21, is_unusual=True))),
        replace(second, customer_name="Not due", invoices=(invoice(number="3", late=-52),)),
        replace(second, customer_name="Early but unusual", invoices=(invoice(number="4", late=-2, is_unusual=True),)),
        replace(second, customer_name="Cheap", value_cents=4_999, invoices=(invoice(number="5", late=9),)),
        replace(second, customer_name="Disputed", invoices=(invoice(number="6", late=9, is_disputed=True),)),
        replace(second, customer_name="Late", value_cents=5_000, invoices=(invoice(number="7", late=9, usual=None),)),
    )
    document = make_digest(priorities=make_priorities(collections=make_collections(contacts=contacts)))
    found = document.money_in.collection.contacts
    assert [(one.customer, one.doc_number) for one in found.rows] == [
        (first.customer_name, "2"),
        ("Early but unusual", "4"),
        ("Late", "7"),
    ]
    assert (found.count, found.total_cents) == (3, 310_020 + 41_000 + 5_000)
    text = one_line(render_text(document))
    assert "no. 2, now 21 days late, usually 9 days late over 14 invoices, $12.4k past due in all" in text
    assert "no. 7, now 9 days late, payment habit not known, $12.4k past due in all" in text


def test_a_bill_that_waits_is_told_with_what_is_open_as_everywhere_else() -> None:
    plan = make_plan()
    paid, waits = plan.bills
    document = make_digest(
        priorities=make_priorities(plan=replace(plan, bills=(paid, replace(waits, credit_cents=700))))
    )
    assert document.money_out.plan is not None
    assert [line.amount_cents for line in document.money_out.plan.waiting.rows] == [waits.open_cents]


def test_a_plans_shortfall_is_told_in_the_currency_and_the_readers_formats() -> None:
    shortfall = Shortfall(cents=120_000, worst_on=date(2026, 12, 3), first_on=date(2026, 12, 1))
    words = "not feasible, short by 1,200.00 on 3 Dec"
    plan = make_plan(state=PlanState.NOT_FEASIBLE, words=words, shortfall=shortfall)
    document = make_digest(currency="EUR", priorities=make_priorities(plan=plan))
    told = one_line(render_text(document, formats=Formats(locale="en-US")))
    assert "The plan is not feasible, short by EUR 1,200.00 on Dec 3." in told
    stored = json.loads(to_json(document))
    for name in ("short_cents", "short_on"):
        del stored["money_out"]["plan"][name]
    before = from_json(json.dumps(stored))
    assert f"The plan is {words}." in one_line(render_text(before)), "a digest that was stored without them is read"


def test_overdue_bills_come_largest_first_and_due_bills_by_date() -> None:
    bills = [
        TrialBill(vendor="Small", number="1", in_days=-50, cents=100),
        TrialBill(vendor="Large", number="2", in_days=-1, cents=900),
        TrialBill(vendor="Sunday", number="3", in_days=2, cents=500),
        TrialBill(vendor="Saturday", number="4", in_days=1, cents=100),
        TrialBill(vendor="Next week", number="5", in_days=8, cents=100),
    ]
    out = make_digest(bills=bills).money_out
    assert [line.vendor for line in out.overdue.rows] == ["Large", "Small"]
    assert [line.vendor for line in out.due.rows] == ["Saturday", "Sunday"]


def test_only_a_habit_of_the_customers_own_is_called_usual() -> None:
    habits = {
        line.customer: line.usual_days_late
        for line in make_digest(
            invoices=[
                TrialInvoice(customer="Known", number="1", in_days=-21, expected_in=3, cents=5_000, usual=9),
                TrialInvoice(customer="New", number="2", in_days=-3, expected_in=3, cents=4_000, usual=None),
            ]
        ).money_in.overdue.rows
    }
    assert habits == {"Known": 9, "New": None}


def test_payments_and_receipts_without_documents_are_on_their_own_sides() -> None:
    flows = [
        TrialFlow(label="Deposit", kind=FlowKind.UNDEPOSITED, in_days=3, cents=70_000),
        TrialFlow(label="Payroll", kind=FlowKind.PAYROLL, in_days=7, cents=-90_000),
        TrialFlow(label="Rent", kind=FlowKind.RECURRING, in_days=8, cents=-10_000),
    ]
    document = make_digest(flows=flows)
    assert [(line.label, line.amount_cents) for line in document.money_in.other.rows] == [("Deposit", 70_000)]
    assert [(line.label, line.amount_cents) for line in document.money_out.other.rows] == [("Payroll", 90_000)]


@given(st.integers(min_value=0, max_value=60))
def test_a_long_list_is_cut_but_counted_and_summed_whole(count: int) -> None:
    bills = [TrialBill(vendor=f"V{n}", number=str(n), in_days=-n - 1, cents=100 + n) for n in range(count)]
    overdue = make_digest(bills=bills).money_out.overdue
    assert overdue.count == count
    assert len(overdue.rows) == min(count, MAX_ROWS)
    assert overdue.total_cents == sum(bill.cents for bill in bills)


def test_the_age_of_the_books_is_counted_in_the_tenants_own_days() -> None:
    # 02:00 UTC on the 20th is still the evening of the 19th in New York.
    assert make_digest(synced=datetime(2026, 11, 20, 2, 0, tzinfo=UTC)).books_age_days == 1
    assert make_digest(synced=datetime(2026, 11, 17, 10, 0, tzinfo=UTC)).books_age_days == 3
    assert make_digest(synced=datetime(2026, 11, 22, 10, 0, tzinfo=UTC)).books_age_days == 0


def test_notes_name_what_the_figures_do_not_hold() -> None:
    document = make_digest(
        bills=(*BILLS, TrialBill(vendor="Sable Legal", number="9", in_days=None, cents=77_000)),
        cash=make_cash(dated_later_cents=-12_345),
        unreadable={"Invoice": 1, "Bill": 3, "Vendor": 0},
    )
    assert [(note.kind, note.entity, note.count, note.amount_cents) for note in document.notes] == [
        (NoteKind.UNREADABLE, "Bill", 3, 0),
        (NoteKind.UNREADABLE, "Invoice", 1, 0),
        (NoteKind.BILLS_WITHOUT_DUE_DATE, "Bill", 1, 77_000),
        (NoteKind.DATED_LATER, "", 0, -12_345),
    ]


def test_names_lose_what_cannot_be_seen_before_they_are_stored() -> None:
    document = make_digest(
        tenant_name="Bright\ud800\x00side\r\nBcc: x@y.example",
        bills=[TrialBill(vendor="a\u202eb", number="\x07", in_days=1, cents=5)],
    )
    assert document.tenant_name == "Brightside Bcc: x@y.example"
    assert (document.money_out.due.rows[0].vendor, document.money_out.due.rows[0].doc_number) == ("ab", "")


def test_results_of_different_days_make_no_digest() -> None:
    with pytest.raises(ValueError, match="one point of view"):
        make_digest(burn=replace(make_burn(), as_of=date(2026, 11, 13)))


def test_the_order_of_the_inputs_does_not_matter() -> None:
    unranked = make_priorities(plan=None, bills=())  # trial bills get their ids from their place
    forward = make_digest(priorities=unranked)
    backward = make_digest(priorities=unranked, invoices=INVOICES[::-1], bills=BILLS[::-1])
    assert forward == backward


def test_payments_under_way_are_told_by_where_they_are_and_a_quiet_ledger_is_left_out() -> None:
    nothing = Tally(count=0, cents=0)
    quiet = PaymentWorkflow(set_aside=nothing, later=nothing, unsettled=nothing, proposed=nothing, free_cents=6_000_000)
    assert "Payments under way" not in render_html(make_digest(workflow=quiet))
    assert render_html(make_digest(workflow=quiet)) == render_html(make_digest())
    busy = replace(quiet, set_aside=Tally(count=2, cents=410_050), proposed=Tally(count=1, cents=99_900))
    document = make_digest(workflow=busy)
    assert from_json(to_json(document)) == document
    for text in (parse(render_html(document)).text, one_line(render_text(document)).replace("UNDER WAY", "under way")):
        assert "In the payment ledger on 20 Nov" in text
        assert "Decided and set aside" in text
        assert "$4,100.50" in text
        assert "Proposed, not decided" in text
        assert "Free cash $60,000.00: cash less the floors of its accounts, reserves and what is set aside." in text
        assert "in no balance yet" not in text, "what there is none of is left out"


def test_overrides_are_told_even_of_a_quiet_ledger_and_only_when_there_were_any() -> None:
    nothing = Tally(count=0, cents=0)
    quiet = PaymentWorkflow(set_aside=nothing, later=nothing, unsettled=nothing, proposed=nothing, free_cents=6_000_000)
    for overridden, unconfirmed, words in (
        (3, 1, "Rules overridden: 3, 1 unconfirmed."),
        (2, 0, "Rules overridden: 2."),
    ):
        document = make_digest(workflow=replace(quiet, overridden=overridden, unconfirmed=unconfirmed))
        assert from_json(to_json(document)) == document
        for text in (parse(render_html(document)).text, one_line(render_text(document))):
            assert words in text
            assert "In the payment ledger on" not in text
    busy = replace(quiet, proposed=Tally(count=1, cents=99_900))
    assert "overridden" not in render_html(make_digest(workflow=busy))
