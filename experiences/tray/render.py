"""A tray as a page and as text.

Belongs here: its words. Does not: its facts (``build.py``), the frame of a page (``experiences/pages/page.py``).
"""

from zoneinfo import ZoneInfo

from experiences.digest.attention import effect_words
from experiences.digest.sentences import name, sentence
from experiences.digest.wording import clock_time, counted, days, full_date, money_exact, plain_text, shortened
from experiences.pages.page import Block, Cell, Page, PageTable, page_text, render_page
from experiences.tray.document import SetAsideItem, TrayDocument, TrayItem
from experiences.tray.links import link
from runway_calcs.hygiene.defects import EffectState

#: A page has more room than a mail.
_LABEL_LIMIT = 80


def tray_page(document: TrayDocument) -> Page:
    """The words of a tray, in reading order."""
    return Page(
        title=f"Data to fix, {name(document.tenant_name)}",
        kicker=name(document.tenant_name),
        headline=_headline(document),
        lead=_lead(document),
        badges=_badges(document),
        blocks=tuple(block for block in (_listed(document), _aside(document)) if block is not None),
        footer=(
            f"As of {full_date(document.as_of)}, from books read on {_read(document)} ({document.zone}).",
            "The effect of an entry is the difference between the forecast as it is and the forecast made again with the entry "
            "mended. Effects do not add up.",
            *_missing_effects(document),
            "An entry leaves this page by itself once a later sync no longer finds it.",
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


def _listed(document: TrayDocument) -> Block | None:
    if not document.items:
        return None
    hidden = document.count - len(document.items)
    table = PageTable(
        caption="By what mending each changes",
        columns=("Entry", "Amount", "Runway", "Low point", "Age"),
        figures=(False, True, True, True, True),
        rows=tuple(_row(item, document=document) for item in document.items),
        more=f"and {hidden:,} more" if hidden else "",
    )
    return Block(heading="To look at", tables=(table,))


def _row(item: TrayItem, *, document: TrayDocument) -> tuple[Cell, ...]:
    currency, near = document.currency, document.as_of
    what = [sentence(item.what, near=near), sentence(item.remedy, near=near)]
    href = link(item.object_type, item.object_id)
    days_words, low_words = effect_words(
        item.effect,
        runway_days=item.runway_days,
        is_bound=item.is_bound,
        low_cents=item.low_cents,
        currency=currency,
    )
    return (
        Cell(
            text=_named(item),
            detail=tuple(text for text in what if text),
            href=href,
            link_text="Open in QuickBooks" if href else "",
        ),
        Cell(text=money_exact(item.amount_cents, currency=currency) if item.amount_cents else ""),
        Cell(text=days_words, detail=("known to be wrong",) if item.is_blocking else (), is_alert=item.is_blocking),
        Cell(text=low_words),
        Cell(text="" if item.age_days is None else days(item.age_days)),
    )


def _named(item: TrayItem) -> str:
    label = shortened(plain_text(item.label), limit=_LABEL_LIMIT) or "(no name)"
    return label[0].upper() + label[1:]


def _aside(document: TrayDocument) -> Block | None:
    if not document.set_aside:
        return None
    hidden = document.set_aside_count - len(document.set_aside)
    table = PageTable(
        caption="Snoozed, or ruled no issue",
        columns=("Entry", "Until", "By", "Reason"),
        figures=(False, False, False, False),
        rows=tuple(_aside_row(one, document=document) for one in document.set_aside),
        more=f"and {hidden:,} more" if hidden else "",
    )
    return Block(heading="Set aside", tables=(table,))


def _aside_row(one: SetAsideItem, *, document: TrayDocument) -> tuple[Cell, ...]:
    return (
        Cell(text=_named(one.item), detail=(sentence(one.item.what, near=document.as_of),)),
        Cell(text="no issue" if one.until is None else full_date(one.until)),
        Cell(text=name(one.author)),
        Cell(text=sentence(one.reason, near=document.as_of)),
    )
