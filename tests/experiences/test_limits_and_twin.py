"""The size of a mail, and that its text says what its HTML says."""

from dataclasses import replace
from datetime import date
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from itertools import pairwise

import pytest
from hypothesis import given

from experiences.digest.comparison import MAX_MISSES, Cause, Change, Estimate, LastForecast, MissLine, Outcome
from experiences.digest.document import (
    MAX_NOTES,
    MAX_WEEKS,
    Ageing,
    BillLine,
    Bills,
    CashAccount,
    DataNote,
    DigestDocument,
    FlowLine,
    InvoiceLine,
    LeftOutAccount,
    MoneyIn,
    MoneyOut,
    NoteKind,
    Week,
)
from experiences.digest.listing import FEW_ROWS, MAX_ROWS, Listing, Row
from experiences.digest.payment_workflow import PaymentWorkflow, Tally
from experiences.digest.priorities import (
    Collection,
    ContactLine,
    DataToFix,
    DefectLine,
    DiscountLine,
    Plan,
    PlannedLine,
    WaitingLine,
)
from experiences.digest.render import HTML_LIMIT_BYTES, render_html, render_text
from resources.mail.message import MailWriter
from resources.mail.outbox_rows import MailContent
from resources.mail.unsubscribe import MailKeys
from resources.settings import MailSettings
from runway_calcs.books.cash import ExclusionReason
from runway_calcs.collection.priority import PriorityState
from runway_calcs.flow_kinds import FlowKind
from runway_calcs.forecast.change import ChangeCause, ChangeState
from runway_calcs.forecast.score import MissCause, ScoreState
from runway_calcs.hygiene.defects import EffectState
from runway_calcs.pay_plan.plan import PlanState
from tests.experiences.builders import TrialBill, make_change, make_digest
from tests.experiences.every_page import AT
from tests.experiences.examples import EXAMPLES
from tests.experiences.parsed import figures, one_line, parse
from tests.experiences.strategies import documents, slow_inputs
from tests.resources.mail_builders import make_recipient, make_row

_ENCODED_LIMIT_BYTES = 100_000
"""Of the page as it is sent: one mail program cuts what is longer than some 102,000."""


@given(documents())
@slow_inputs
def test_html_stays_under_80_kilobytes_whatever_the_books_hold(document: DigestDocument) -> None:
    assert len(render_html(document).encode()) <= HTML_LIMIT_BYTES


@pytest.mark.parametrize("letter", ["&", "\N{BRAIN}", "\N{CYRILLIC CAPITAL LETTER ZHE}"])
def test_a_mail_with_every_list_full_of_the_longest_names_is_cut_by_no_mail_program(letter: str) -> None:
    """As it is sent, with the lines that are its recipient's own, and in the encoding that the writer chose."""
    document = _fullest(letter)
    content = MailContent(subject="x", html=render_html(document), text=render_text(document))
    settings = MailSettings(from_address="digest@oak.example", unsubscribe_url="https://unsubscribe.runway.example")
    writer = MailWriter(keys=MailKeys([bytes(32)]), settings=settings)
    reader = make_recipient(address=f"{'a' * 64}@{'b' * 60}.{'c' * 60}.example")
    message = message_from_bytes(
        writer.write(make_row(content), recipient=reader, content=content, at=AT).message, policy=default
    )
    page = message.get_body(("html",))
    assert isinstance(page, EmailMessage)
    assert len(page.get_content().encode()) <= HTML_LIMIT_BYTES
    assert len(page.as_bytes()) <= _ENCODED_LIMIT_BYTES


def test_long_lists_say_how_much_they_leave_out() -> None:
    bills = [TrialBill(vendor=f"V{n}", number=str(n), in_days=-n - 1, cents=10_000) for n in range(43)]
    document = make_digest(bills=bills)
    for text in (render_text(document), parse(render_html(document)).text):
        assert "Bills past due: 43 bills, $4,300.00" in text
        assert "and 39 more on the page of open bills" in text


def test_accounts_that_are_not_shown_still_add_up_to_the_cash() -> None:
    text = one_line(render_text(make_digest(accounts=[(f"Account {n}", n * 100_000) for n in range(30)])))
    assert "26 more accounts $325,000.00 Cash, 30 accounts $435,000.00" in text


@pytest.mark.parametrize("document", EXAMPLES)
def test_text_and_html_carry_the_same_figures(document: DigestDocument) -> None:
    assert figures(one_line(render_text(document))) == figures(parse(render_html(document)).text)


def test_the_columns_of_the_text_stay_in_line_under_a_label_that_is_wider_than_its_own() -> None:
    text = render_text(
        make_digest(change=make_change(), bills=[TrialBill(vendor="V" * 40, number="1", in_days=-3, cents=10_000)])
    )
    label, amount = next(pair for pair in pairwise(text.splitlines()) if "V" * 34 in pair[0])
    assert label.strip() == label[2:]
    assert "$" in amount
    ends = {len(line) for line in text.splitlines() if line.startswith("  ") and line[-3:-2] == "." and "  $" in line}
    assert ends == {56, 76}, "tables of one amount and of two"


@given(documents())
@slow_inputs
def test_every_word_of_the_text_is_in_the_html(document: DigestDocument) -> None:
    seen = _words(parse(render_html(document)).text)
    assert _words(render_text(document)) <= seen | {""}


def _words(text: str) -> set[str]:
    """Words without the punctuation round them: layout differs between the twins, and so do commas."""
    return {word.strip("-*,.").casefold() for word in text.split()}


def _fullest(letter: str) -> DigestDocument:
    """Every list, note and reason present, every name as long as names come, every amount too."""
    name, big, day = letter * 500, 10**16 + 1, date(2024, 12, 31)
    invoice = InvoiceLine(
        customer=name,
        doc_number=name,
        due_date=day,
        expected_on=day,
        amount_cents=-big,
        open_cents=-big - 1,
        overdue_days=10**6,
        usual_days_late=-(10**6),
    )
    bill = BillLine(vendor=name, doc_number=name, due_date=day, open_cents=-big, overdue_days=10**6)
    flow = FlowLine(label=name, kind=FlowKind.POST_DATED_PAYMENT, day=day, amount_cents=-big)
    account = CashAccount(name=name, balance_cents=-big)
    left_out = LeftOutAccount(name=name, balance_cents=-big, currency="CHF", reason=ExclusionReason.UNDEPOSITED)
    note = DataNote(kind=NoteKind.UNUSED_CUSTOMER_CREDIT, entity=name, count=10**6, amount_cents=-big)
    side = Ageing(bucket_cents=(-big,) * 5, total_cents=-5 * big)
    plain = make_digest()
    estimate = Estimate(expected_cents=big, p10_cents=-big, p90_cents=big)
    weeks = _heavy_weeks(-big)
    received = replace(estimate, expected_cents=weeks[0].receipts_cents)
    paid = replace(estimate, expected_cents=weeks[0].disbursements_cents)
    money_in = MoneyIn(
        until=day,
        estimate=received,
        expected=_full(invoice),
        other=_full(flow, most=FEW_ROWS),
        overdue=_full(invoice),
        collection=_longest_collection(name, big),
    )
    money_out = MoneyOut(
        until=day,
        estimate=paid,
        overdue=_full(bill),
        due=_full(bill),
        likely=Bills(count=10**6, cents=-big),
        other=_full(flow, most=FEW_ROWS),
        likely_cents=-2 * big,
        cash_after_cents=big,
        plan=_longest_plan(name, big),
    )
    return replace(
        plain,
        tenant_name=name,
        firm_name=name,
        currency="CHF",
        basis="reconstructed",
        books_age_days=10**6,
        stale_after_days=0,
        runway=replace(
            plain.runway,
            reason=name,
            floor_reason=name,
            history_note=name,
            basis_text=name,
            floor_cents=-big,
            low_cents=-big,
            low_p10_cents=-big - 1,
        ),
        cash=replace(
            plain.cash, accounts=_full(account), cash_cents=-big, left_out=(left_out,) * FEW_ROWS, left_out_count=10**6
        ),
        weeks=weeks,
        change=_longest_change(big),
        last_forecast=_longest_score(name, big),
        receivables=side,
        payables=side,
        money_in=money_in,
        money_out=money_out,
        data_to_fix=_longest_defects(name, big),
        burn=replace(plain.burn, one_off_count=10**6, one_off_cents=big, gross_per_day_cents=big),
        notes=(replace(note, kind=NoteKind.UNREADABLE),) * MAX_NOTES,
        workflow=PaymentWorkflow(
            **dict.fromkeys(("set_aside", "later", "unsettled", "proposed"), Tally(count=10**6, cents=-big)),
            free_cents=-big,
            overridden=1_000,
            unconfirmed=1_000,
        ),
    )


def _longest_change(big: int) -> Change:
    causes = tuple(Cause(cause=cause, days=-91, low_cents=-big) for cause in ChangeCause)
    return Change(
        state=ChangeState.COMPARED,
        reason="",
        last_as_of=date(2024, 12, 31),
        days=-91 * len(causes),
        is_open_ended=True,
        low_cents=-big * len(causes),
        causes=causes,
    )


def _longest_score(name: str, big: int) -> LastForecast:
    outcome = Outcome(forecast=Estimate(expected_cents=0, p10_cents=-big - 1, p90_cents=-big), actual_cents=3 * -big)
    miss = MissLine(label=name, kind=FlowKind.POST_DATED_PAYMENT, cents=-big, cause=MissCause.PERMANENT)
    return LastForecast(
        state=ScoreState.SCORED,
        reason=name,
        last_as_of=date(2024, 12, 31),
        receipts=outcome,
        disbursements=outcome,
        closing=outcome,
        timing_cents=-big,
        permanent_cents=-big,
        corrected_cents=-big,
        misses=(miss,) * MAX_MISSES,
        inside_count=10,
        scored_count=10,
    )


def _longest_collection(name: str, big: int) -> Collection:
    contact = ContactLine(
        customer=name,
        value_cents=-big,
        overdue_cents=big,
        doc_number=name,
        days_late=10**6,
        usual_days_late=10**6,
        paid_invoices=10**6,
    )
    return Collection(
        state=PriorityState.OK,
        low_on=date(2024, 12, 31),
        contacts=_full(contact, most=FEW_ROWS),
        assumption=make_digest().money_in.collection.assumption,
    )


def _longest_plan(name: str, big: int) -> Plan:
    day = date(2024, 12, 31)
    planned = PlannedLine(vendor=name, doc_number=name, paid_on=day, cash_cents=-big)
    waiting = WaitingLine(vendor=name, doc_number=name, amount_cents=-big, until=day, cost_cents=-big)
    discount = DiscountLine(vendor=name, doc_number=name, saves_cents=-big, last_on=day, yield_basis_points=10**9)
    return Plan(
        state=PlanState.NOT_FEASIBLE,
        words="not feasible, short by 1,200,000,000.00 on 30 Dec",
        payments=_full(planned, most=FEW_ROWS),
        balance_after_cents=-big,
        low_cents=-big,
        low_on=day,
        waiting=_full(waiting, most=FEW_ROWS),
        waiting_cost_cents=big,
        discounts=_full(discount, most=FEW_ROWS),
        short_cents=big,
        short_on=day,
    )


def _longest_defects(name: str, big: int) -> DataToFix:
    defect = DefectLine(
        label=name,
        what=name,
        is_blocking=True,
        effect=EffectState.VALUE,
        runway_days=-91,
        is_bound=True,
        low_cents=-big,
        age_days=10**6,
    )
    return DataToFix(score=100, defects=_full(defect, most=FEW_ROWS), blocking_count=10**6, set_aside=10**6)


def _full(row: Row, *, most: int = MAX_ROWS) -> Listing[Row]:
    return Listing(rows=(row,) * most, count=10**6, total_cents=-(10**16 + 1))


def _heavy_weeks(cash_cents: int) -> tuple[Week, ...]:
    """Weeks that each cross zero, so that every one has its words and its widest bar."""
    weeks, opening = [], cash_cents
    for _ in range(MAX_WEEKS):
        receipts, disbursements = -2 * opening - 1, 0
        weeks.append(
            Week(
                first_day=date(2028, 1, 1),
                last_day=date(2028, 12, 31),
                opening_cents=opening,
                receipts_cents=receipts,
                disbursements_cents=disbursements,
                released_cents=0,
                closing_cents=opening + receipts - disbursements,
                p10_cents=-(10**17),
                p90_cents=10**17,
                below_floor_ppm=1_000_000,
            )
        )
        opening = weeks[-1].closing_cents
    return tuple(weeks)
