"""A tray as a page and as text.

Belongs here: its words. Does not: its facts (``build.py``), the frame of a page (``experiences/pages/page.py``).
"""

from collections.abc import Sequence
from dataclasses import replace
from zoneinfo import ZoneInfo

from experiences.digest.attention import effect_words
from experiences.digest.sentences import entry_label, name, sentence
from experiences.digest.wording import clock_time, counted, days, full_date, money_exact
from experiences.pages.page import Block, Cell, Page, PageTable, page_text, render_page
from experiences.tray.document import SetAsideItem, TrayDocument, TrayItem
from experiences.tray.links import Environment, link
from runway_calcs.hygiene.defects import DefectKind, EffectState

#: A page has more room than a mail.
_LABEL_LIMIT = 80
#: What a person takes in as one list.
_ONE_LIST = 10
_SMALLER = "They change less than those above; which ones is shown once some of those are mended or set aside."


def tray_page(document: TrayDocument) -> Page:
    """The words of a tray, in reading order."""
    return Page(
        title=f"Data to fix, {name(document.tenant_name)}",
        kicker=name(document.tenant_name),
        headline=_headline(document),
        lead=_lead(document),
        badges=_badges(document),
        blocks=(*_listed(document), *_aside(document)),
        footer=(
            f"As of {full_date(document.as_of)}, from books read on {_read(document)} ({document.zone}).",
            "The effect of an entry is the difference between the forecast as it is and the forecast made again with the entry "
            "mended. Effects do not add up.",
            *_missing_effects(document),
            "An entry leaves this page by itself once a later sync no longer finds it.",
            _where_links_lead(document),
        ),
    )


def render_html(document: TrayDocument) -> str:
    """The tray as one HTML page."""
    return render_page(tray_page(document))


def render_text(document: TrayDocument) -> str:
    """The same as plain text."""
    return page_text(tray_page(document))


def title(document: TrayDocument) -> str:
    """One line for lists."""
    return f"{_headline(document)} on {full_date(document.as_of)}"


def _headline(document: TrayDocument) -> str:
    return f"{counted(document.count, 'entry', 'entries')} to look at" if document.count else "Nothing to look at"


def _lead(document: TrayDocument) -> str:
    score = "" if document.score is None else f"State of the books: {document.score} of 100. "
    blocking = (
        f"Behind {document.blocking_count:,} of them a figure of the forecast is known to be wrong."
        if document.blocking_count
        else ""
    )
    return (score + blocking).strip()


def _badges(document: TrayDocument) -> tuple[str, ...]:
    if not document.is_reconstructed:
        return ()
    return ("Rebuilt from books connected later; edits and deletions before that are not visible.",)


def _read(document: TrayDocument) -> str:
    return clock_time(document.data_as_of.astimezone(ZoneInfo(document.zone)), near=document.as_of)


def _missing_effects(document: TrayDocument) -> tuple[str, ...]:
    """What the words mean that stand where an effect is missing; only those that the page uses."""
    states = {item.effect for item in document.items}
    told = []
    if EffectState.NOT_COMPUTED in states:
        told.append(
            "Not computed: the entry is smaller than those that were put through the forecast, or there was no forecast."
        )
    if EffectState.NOT_COMPUTABLE in states:
        told.append("Not known: the books alone do not say what the mended entry would be.")
    return tuple(told)


def _where_links_lead(document: TrayDocument) -> str:
    if document.company is None:
        return "Links open in the company that you are signed in to in QuickBooks; it has to be this one."
    if document.company.environment is Environment.LOCAL:
        return "Links name this company, but it is one of the local QuickBooks, which has no pages: Intuit does not know it."
    return "Links open in this company, whichever one you are working in, if your QuickBooks user has access to it."


def _listed(document: TrayDocument) -> tuple[Block, ...]:
    """A short tray as one list; of a long one what moves the forecast, then the rest by kind, to be worked off."""
    items, hidden = document.items, document.count - len(document.items)
    if len(items) <= _ONE_LIST:
        return (_block("To look at", items, document=document),) if items else ()
    first = [item for item in items if item.runway_days or item.low_cents][:_ONE_LIST]
    kinds: dict[DefectKind, list[TrayItem]] = {}
    for item in items[len(first) :]:
        kinds.setdefault(item.kind, []).append(item)
    return (
        *((_block("What moves the forecast most", first, document=document),) if first else ()),
        *(_of_kind(kind, found, document=document) for kind, found in kinds.items()),
        *((Block(heading=f"And {hidden:,} more", paragraphs=(_SMALLER,)),) if hidden else ()),
    )


def _of_kind(kind: DefectKind, items: Sequence[TrayItem], *, document: TrayDocument) -> Block:
    """All entries of one kind; what is said of each of them alike stands above them once."""
    near = document.as_of
    wrong = sum(item.is_blocking for item in items)
    shared = [
        sentence(texts[0], near=near)
        for texts in ([item.what for item in items], [item.remedy for item in items])
        if len(items) > 1 and len(set(texts)) == 1
    ]
    block = _block(kind.value.capitalize(), items, document=document, said_above=shared)
    aside = counted(len(items), "entry", "entries") + (f", {wrong:,} known to be wrong" if wrong else "")
    return replace(block, aside=aside, is_folded=True, paragraphs=tuple(shared))


def _block(heading: str, items: Sequence[TrayItem], *, document: TrayDocument, said_above: Sequence[str] = ()) -> Block:
    table = PageTable(
        caption="By what mending each changes",
        columns=("Entry", "Amount", "Runway", "Low point", "Age"),
        figures=(False, True, True, True, True),
        rows=tuple(_row(item, document=document, said_above=said_above) for item in items),
    )
    return Block(heading=heading, tables=(table,))


def _row(item: TrayItem, *, document: TrayDocument, said_above: Sequence[str]) -> tuple[Cell, ...]:
    currency, near = document.currency, document.as_of
    wrong = "Known to be wrong, whatever it changes." if item.is_blocking else ""
    what = [wrong, sentence(item.what, near=near), sentence(item.remedy, near=near)]
    href = link(item.object_type, item.object_id, company=document.company)
    days_words, low_words = effect_words(
        item.effect,
        runway_days=item.runway_days,
        is_bound=item.is_bound,
        low_cents=item.low_cents,
        currency=currency,
    )
    return (
        Cell(
            text=entry_label(item.label, near=near, limit=_LABEL_LIMIT),
            detail=tuple(text for text in what if text and text not in said_above),
            href=href,
            link_text="Open in QuickBooks" if href else "",
        ),
        Cell(text=money_exact(item.amount_cents, currency=currency) if item.amount_cents else ""),
        Cell(text=days_words),
        Cell(text=low_words),
        Cell(text="" if item.age_days is None else days(item.age_days)),
    )


def _aside(document: TrayDocument) -> tuple[Block, ...]:
    if not document.set_aside:
        return ()
    hidden = document.set_aside_count - len(document.set_aside)
    table = PageTable(
        caption="Snoozed, or ruled no issue",
        columns=("Entry", "Until", "By", "Reason"),
        figures=(False, False, False, False),
        rows=tuple(_aside_row(one, document=document) for one in document.set_aside),
        more=f"and {hidden:,} more" if hidden else "",
    )
    return (Block(heading="Set aside", tables=(table,)),)


def _aside_row(one: SetAsideItem, *, document: TrayDocument) -> tuple[Cell, ...]:
    return (
        Cell(
            text=entry_label(one.item.label, near=document.as_of, limit=_LABEL_LIMIT),
            detail=(sentence(one.item.what, near=document.as_of),),
        ),
        Cell(text="no issue" if one.until is None else full_date(one.until)),
        Cell(text=name(one.author)),
        Cell(text=sentence(one.reason, near=document.as_of)),
    )
