"""Free cash, what holds the rest, what is staged and what is not planned, as the console's document and page tell it."""

import re
from dataclasses import replace
from typing import Any

import pytest

from experiences.console.document import from_json, to_json
from experiences.console.render import console_page, render_html, render_text
from experiences.digest.render import render_text as digest_text
from tests.experiences.builders import make_digest
from tests.experiences.console_builders import make_console, make_console_bill, make_console_ledger, make_unplanned
from tests.experiences.parsed import parse
from tests.experiences.priority_builders import make_plan, make_priorities


def test_free_cash_is_told_from_the_books_down_to_the_cent() -> None:
    document = make_console(make_console_bill(), ledger=make_console_ledger())
    text = render_text(document)
    for words in ("Free cash $60,640.07.", "$80,140.07", "-$12,000.00", "-$2,500.00", "-$4,000.00", "-$1,000.00"):
        assert words in text
        assert words in parse(render_html(document)).text
    # Money that is set aside later is still free: it stands there without an amount.
    assert "-$900.00" not in text
    assert "set aside later" in text


def test_the_sum_adds_up_once_an_account_is_no_cash_any_more() -> None:
    """A reserve and a decided payment on an account left out of cash were taken off on paper, and of free cash nowhere."""
    ledger = make_console_ledger()
    (hold, *_), (reserve,) = ledger.holds, ledger.reserves
    elsewhere = {"account_id": "36"}
    ledger = replace(
        ledger,
        holds=(*ledger.holds, replace(hold, bill_id="b10", amount_cents=700_000, state="pending", **elsewhere)),
        reserves=(*ledger.reserves, replace(reserve, reserve_id="r2", name="Escrow", held_cents=630_000, **elsewhere)),
    )
    page = console_page(make_console(ledger=ledger))
    table = next(one for block in page.blocks for one in block.tables if one.caption.startswith("From the cash"))
    *parts, free = [_cents(row[1].text) for row in table.rows]
    assert sum(parts) == free == ledger.free_cents
    apart = [row for row in table.rows if "of an account that is no cash any more" in row[0].detail]
    assert [(row[0].text, row[1].text) for row in apart] == [("Escrow", ""), ("Harbor Print Works", "")]


def _cents(text: str) -> int:
    return int(re.sub(r"[$,.]", "", text) or 0)


def test_how_far_the_log_had_come_is_told_with_its_hash() -> None:
    ledger = replace(make_console_ledger(), audit_number=1_204, audit_hash="5a" * 32)
    document = make_console(ledger=ledger)
    assert from_json(to_json(document)) == document
    for text in (render_text(document), parse(render_html(document)).text):
        assert f"The ledger's log had come to row 1,204, {'5a' * 32}." in " ".join(text.split())
    assert "log had come" not in render_text(make_console(ledger=make_console_ledger()))


def test_what_is_staged_says_what_paying_it_would_change() -> None:
    text = render_text(make_console(ledger=make_console_ledger()))
    assert "1 bill staged, $55,000.00 together." in text
    assert "runway at least 30 days shorter, low point -$55" in text
    assert "2.1\u00a0% before, 64.0\u00a0% after" in text


def test_bills_beside_the_plan_stand_there_with_their_reason() -> None:
    text = render_text(make_console(unplanned=make_unplanned()))
    assert "NOT PLANNED" in text
    assert "Not planned: open 231 days past its date." in text


def test_the_document_comes_back_as_it_was_and_one_from_before_the_ledger_is_still_read() -> None:
    document = make_console(make_console_bill(), ledger=make_console_ledger(), unplanned=make_unplanned())
    assert from_json(to_json(document)) == document
    bare = make_console(make_console_bill())
    older = to_json(bare).replace(',"unplanned":[],"ledger":null', "")
    assert "ledger" not in older
    assert from_json(older) == bare


@pytest.mark.parametrize(
    "wrong",
    [
        {"free_cents": 6_064_008},
        {"holds": ()},
        {"reserves": ()},
        {"staged_on": None},
        {"accounts": ()},
    ],
    ids=lambda wrong: next(iter(wrong)),
)
def test_figures_that_do_not_add_up_are_no_document(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"free cash|holds add up|reserves add up|an effect"):
        make_console_ledger(**wrong)
    (account,) = make_console_ledger().accounts
    with pytest.raises(ValueError, match="nothing is kept for"):
        replace(account, free_cents=account.free_cents - 1)


def test_the_digest_counts_the_bills_that_are_not_planned_by_reason() -> None:
    found = make_digest(priorities=make_priorities(plan=make_plan(apart=make_unplanned())))
    text = " ".join(digest_text(found).split())
    assert "Not planned: 1 bill of $4,000.00 decided already;" in text
    assert "1 bill of $777.00 so long past due that they are more often paid, void or lost." in text
    assert "Not planned" not in digest_text(make_digest())
