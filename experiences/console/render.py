"""The console document for reading: open bills in the order of priority, and the plan, as a page and as text.

Belongs here: its words. Does not: deciding anything; the frame of a page (``experiences/pages/page.py``).
"""

from zoneinfo import ZoneInfo

from experiences.console.document import ConsoleBill, ConsoleDocument, ConsolePlan
from experiences.console.ledger_words import ledger_blocks
from experiences.digest.attention import proof
from experiences.digest.sentences import name, sentence
from experiences.digest.wording import (
    clock_time,
    counted,
    currency_prefix,
    doc_number,
    full_date,
    money_exact,
    money_short,
    short_date,
)
from experiences.pages.page import Block, Cell, Page, PageTable, page_text, render_page
from runway_calcs.bills.priority import BillPriority, Cause, ScorePart
from runway_calcs.cents import divide_half_up

#: A day of waiting is told for so much owed: a thousand.
_PER_CENTS = 100_000
_MICRO = 1_000_000


def console_page(document: ConsoleDocument) -> Page:
    """The words, in reading order."""
    return Page(
        title=f"Open bills, {name(document.tenant_name)}",
        kicker=name(document.tenant_name),
        headline=title(document),
        lead=_lead(document),
        badges=(),
        blocks=_blocks(document),
        footer=(
            f"As of {full_date(document.as_of)}, from books read on "
            f"{clock_time(document.data_as_of.astimezone(ZoneInfo(document.zone)), near=document.as_of)} ({document.zone}).",
            f"The order is by what one more day of waiting is counted at, for each {_per(document)} owed; the reasons under a bill "
            "add up to it but for rounding. What was decided after these books were read stands in the payment ledger only.",
        ),
    )


def render_html(document: ConsoleDocument) -> str:
    """One HTML page."""
    return render_page(console_page(document))


def render_text(document: ConsoleDocument) -> str:
    """The same as plain text."""
    return page_text(console_page(document))


def title(document: ConsoleDocument) -> str:
    """One line for lists."""
    if not document.count:
        return "No open bills" if document.floor_cents is not None else "No forecast to rank bills by"
    return f"{counted(document.count, 'open bill')}, {money_exact(document.total_cents, currency=document.currency)}"


def _lead(document: ConsoleDocument) -> str:
    if document.cash_cents is None or document.floor_cents is None:
        return ""
    cash, floor = (
        money_exact(cents, currency=document.currency) for cents in (document.cash_cents, document.floor_cents)
    )
    reserved = (
        f" Reserves hold {money_exact(document.reserved_cents, currency=document.currency)} of it."
        if document.reserved_cents
        else ""
    )
    plan = f" The plan is {_proof(document.plan, document=document)}." if document.plan is not None else ""
    free = (
        f" Free cash {money_exact(document.ledger.free_cents, currency=document.currency)}."
        if document.ledger is not None
        else ""
    )
    return f"Cash {cash}, floor {floor}.{reserved}{free}{plan}"


def _proof(plan: ConsolePlan, *, document: ConsoleDocument) -> str:
    return proof(
        plan.words,
        short_cents=plan.short_cents,
        short_on=plan.short_on,
        currency=document.currency,
        near=document.as_of,
    )


def _blocks(document: ConsoleDocument) -> tuple[Block, ...]:
    return (*_open_bills(document), *ledger_blocks(document), *_not_planned(document))


def _open_bills(document: ConsoleDocument) -> tuple[Block, ...]:
    if not document.bills:
        return ()
    hidden = document.count - len(document.bills)
    table = PageTable(
        caption="The most costly to leave first",
        columns=("Bill", "Open", "Due", "Latest safe day", "A day's wait", "In the plan"),
        figures=(False, True, True, True, True, False),
        rows=tuple(_row(one, document=document) for one in document.bills),
        more=f"and {hidden:,} more" if hidden else "",
    )
    return (Block(heading="Open bills", tables=(table,)),)


def _reason(part: ScorePart, *, document: ConsoleDocument) -> str:
    """A part in words with what it counts for; its cause stands in front where the words do not begin with it."""
    words = part.words if part.words.startswith(part.cause.value) else f"{part.cause.value}: {part.words}"
    return f"{words} ({_waiting_a_day(part.micro, document=document)})"


def _per(document: ConsoleDocument) -> str:
    return f"{currency_prefix(document.currency)}1,000"


def _waiting_a_day(micro: int, *, document: ConsoleDocument) -> str:
    """What a day is counted at for a thousand owed, from millionths of each unit, to the cent."""
    return money_exact(divide_half_up(micro * _PER_CENTS, _MICRO), currency=document.currency)


def _not_planned(document: ConsoleDocument) -> tuple[Block, ...]:
    if not document.unplanned:
        return ()
    table = PageTable(
        caption="Open bills beside the plan",
        columns=("Bill", "Open", "Why"),
        figures=(False, True, False),
        rows=tuple(
            (
                Cell(text=name(one.party_name), detail=tuple(filter(None, (doc_number(one.doc_number),)))),
                Cell(text=money_exact(one.cents, currency=document.currency)),
                Cell(text=sentence(one.reason, near=document.as_of)),
            )
            for one in document.unplanned
        ),
    )
    return (Block(heading="Not planned", tables=(table,)),)


def _suggested(priority: BillPriority) -> str:
    """The tier that nobody set, where no reason of the score names it."""
    is_told = any(part.cause is Cause.RELATIONSHIP for part in priority.parts)
    if not priority.tier_suggestion or is_told:
        return ""
    return f"tier {priority.tier} suggested: {priority.tier_suggestion}"


def _row(one: ConsoleBill, *, document: ConsoleDocument) -> tuple[Cell, ...]:
    near, priority = document.as_of, one.priority
    reasons = tuple(_reason(part, document=document) for part in priority.parts)
    number = doc_number(one.doc_number)
    flag = (
        f"{money_short(priority.breach_cents, currency=document.currency)} more than the cash above the floor"
        if priority.is_liquidity_breach
        else ""
    )
    return (
        Cell(
            text=name(one.vendor), detail=tuple(text for text in (number, _suggested(priority), *reasons, flag) if text)
        ),
        Cell(text=money_exact(one.open_cents, currency=document.currency)),
        Cell(text="no due date" if one.due_on is None else short_date(one.due_on, near=near)),
        Cell(
            text="passed" if priority.latest_safe_on is None else short_date(priority.latest_safe_on, near=near),
            is_alert=priority.latest_safe_on is None,
        ),
        Cell(text=_waiting_a_day(priority.score, document=document)),
        Cell(text="" if one.planned is None else sentence(one.planned.reason, near=near)),
    )
