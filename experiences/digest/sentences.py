"""Sentences of a digest, filled from the document's figures so that they cannot contradict them.

Belongs here: subject, preheader, headline, badges, reasons, notes, footer; a wording of its own for each state.
Does not: formats of single values (``wording.py``), tables and order (``view.py``).
"""

import re
from datetime import date
from zoneinfo import ZoneInfo

from experiences.digest.document import DataNote, DigestDocument, InvoiceLine, NoteKind, Runway
from experiences.digest.wording import (
    clock_time,
    counted,
    days,
    full_date,
    money_exact,
    money_short,
    plain_text,
    reading_as_written,
    share,
    short_date,
    shortened,
)
from runway_calcs.books.burn import BurnState
from runway_calcs.books.cash import CashState
from runway_calcs.forecast.change import ChangeState
from runway_calcs.forecast.figures import RunwayState

SUBJECT_LIMIT = 60
NAME_LIMIT = 36
REASON_LIMIT = 200
_ENTITY_LIMIT = 24
"""No name of a QBO entity is longer."""
_ISO_DATE = re.compile(r"\b[0-9]{4}-[0-9]{2}-[0-9]{2}\b")
_ENTRY_OF_A_DAY = re.compile(r"[A-Za-z]+ of [0-9]{4}-[0-9]{2}-[0-9]{2}\b")
"""How entries without a number are called; a number that looks like a date stands elsewhere and is left alone."""


def subject(document: DigestDocument) -> str:
    """The mail's subject: date and number first, at most 60 characters, one line."""
    return next(text for text in _subjects(document) if len(text) <= SUBJECT_LIMIT)


def firm_subject(document: DigestDocument) -> str:
    """The subject of the firm's copy: whose digest it is, then what the client's own subject says, at most 60 characters.

    A firm reads many of them in one list, where without a name all look alike: the name is cut only where even the shortest
    wording leaves no room for it, and the fullest wording that fits follows.
    """
    wordings = _subjects(document)
    left = SUBJECT_LIMIT - len(": ")
    whose = shortened(plain_text(document.tenant_name), limit=left - min(map(len, wordings))) or "(no name)"
    told = next(text for text in wordings if len(whose) + len(text) <= left)
    return f"{reading_as_written(whose)}: {told}"


def preheader(document: DigestDocument) -> str:
    """The line that mail programs show after the subject: whose digest it is, what changed, and the key figures."""
    figures = [f"{label.lower()}: {value}" for label, value in key_figures(document)]
    told = ", ".join([*_change_in_short(document), *figures])
    return f"{name(document.tenant_name)}, week ending {full_date(document.week_ending)}; {told}."


def _change_in_short(document: DigestDocument) -> list[str]:
    """The move of the low point in words: with a sign it would read as a balance."""
    change = document.change
    if change.state is not ChangeState.COMPARED or change.last_as_of is None:
        return []
    moved = "unchanged"
    if change.low_cents:
        amount = money_short(abs(change.low_cents), currency=document.currency)
        moved = f"{'up' if change.low_cents > 0 else 'down'} {amount}"
    return [f"low point {moved} since {short_date(change.last_as_of, near=document.as_of)}"]


def headline(document: DigestDocument) -> str:
    """The answer to "how long does the cash last?" in a few words."""
    runway = document.runway
    if runway.covered_until is not None:
        return f"Covered until {short_date(runway.covered_until, near=document.as_of)}"
    today = short_date(document.as_of, near=document.as_of)
    if document.cash.cash_cents == 0 and runway.is_projected:
        return f"No cash on {today}"
    if runway.state is RunwayState.BEYOND_HORIZON:
        return f"Covered beyond {short_date(runway.horizon_end, near=document.as_of)}"
    if runway.state is RunwayState.ALREADY_BELOW:
        return f"Below the floor on {today}"
    if runway.state is RunwayState.NOT_COMPUTABLE:
        return "Runway not computable"
    return "No data for a runway yet"


def lead(document: DigestDocument) -> str:
    """What stands under the headline: days, low point and floor, or why there is no answer."""
    runway, near, currency = document.runway, document.as_of, document.currency
    if runway.floor_cents is None or runway.low_cents is None or runway.low_on is None:
        return sentence(runway.reason, near=near)
    floor = (
        f"floor of {money_short(runway.floor_cents, currency=currency)}{_in_brackets(runway.floor_reason, near=near)}"
    )
    told = (chance_below(runway), _low_point(document), sentence(runway.history_note, near=near))
    rest = " ".join(part for part in told if part)
    if runway.days is not None:
        length = f"{days(runway.days)} from {short_date(near, near=near)}"
        return f"{length} until the balance falls below the {floor}. {_cautious(document)} {rest}"
    if runway.state is RunwayState.BEYOND_HORIZON:
        return f"Most likely on no day of the next 13 weeks below the {floor}. {_cautious(document)} {rest}"
    cash = money_short(document.cash.cash_cents or 0, currency=currency)
    reserved = (
        f" less reserves of {money_short(runway.reserved_cents, currency=currency)}" if runway.reserved_cents else ""
    )
    return f"Cash of {cash}{reserved} on {short_date(near, near=near)} is below the {floor}. {rest}"


def _cautious(document: DigestDocument) -> str:
    """The cautious date: by when one simulated course in ten is below the floor."""
    runway = document.runway
    if runway.cautious_until is None or runway.cautious_days is None:
        return "Cautious date: beyond 13 weeks, too."
    return f"Cautious date: {short_date(runway.cautious_until, near=document.as_of)} ({days(runway.cautious_days)})."


def chance_below(runway: Runway) -> str:
    """How many of the courses fall below the floor; empty without a forecast, and below it already."""
    if runway.below_floor_ppm is None or runway.state is RunwayState.ALREADY_BELOW:
        return ""
    return f"Below the floor within 13 weeks in {share(runway.below_floor_ppm)} of the courses."


def _low_point(document: DigestDocument) -> str:
    runway, currency = document.runway, document.currency
    if runway.low_cents is None or runway.low_on is None or runway.low_p10_cents is None:
        return ""
    low, on = money_short(runway.low_cents, currency=currency), short_date(runway.low_on, near=document.as_of)
    if runway.low_p10_cents == runway.low_p90_cents or runway.low_p90_cents is None:
        return f"Low point {low} on {on}."
    worst, best = (money_short(cents, currency=currency) for cents in (runway.low_p10_cents, runway.low_p90_cents))
    return f"Low point {low} on {on}, in 8 of 10 courses between {worst} and {best}."


def badges(document: DigestDocument) -> tuple[str, ...]:
    """What limits the trust in the figures: a rebuilt or past week, old books."""
    found = []
    if document.basis == "reconstructed":
        connected = full_date(document.connected_on)
        found.append(
            f"Rebuilt from books connected on {connected}; edits and deletions before that day are not visible."
        )
    if document.basis == "historical":
        found.append(f"A past week, as the books were known on {full_date(document.as_of)}.")
    if document.books_age_days >= document.stale_after_days:
        found.append(f"Books are {days(document.books_age_days)} old: last read on {books_read(document)}.")
    return tuple(found)


def books_read(document: DigestDocument) -> str:
    """When the books were read, on the tenant's clock."""
    return clock_time(document.data_as_of.astimezone(ZoneInfo(document.zone)), near=document.as_of)


def trust(document: DigestDocument) -> str:
    """What the cash figure rests on, always: its day, when the books were read and how old that is, and their state."""
    read = document.data_as_of.astimezone(ZoneInfo(document.zone)).date()
    if read > document.as_of:
        age = "later"
    else:
        age = f"{days(document.books_age_days)} before" if document.books_age_days else "the same day"
    found = document.data_to_fix
    whose = (
        "Books"
        if document.cash.cash_cents is None
        else f"Cash on {short_date(document.as_of, near=document.as_of)} from books"
    )
    told = [f"{whose} read {age}, {books_read(document)}"]
    if found.score is not None:
        told.append(f"state of the books {found.score} of 100")
    if found.defects.count:
        told.append(f"{counted(found.defects.count, 'entry', 'entries')} to fix")
    return f"{'; '.join(told)}."


def key_figures(document: DigestDocument) -> tuple[tuple[str, str], ...]:
    """Cash, buffer and net burn: a figure each, or the words for why there is none."""
    return (("Cash", cash_words(document)), ("Buffer", buffer_words(document)), ("Net burn", net_burn_words(document)))


def cash_words(document: DigestDocument) -> str:
    """Cash at a glance; zero is ``$0``, and no figure is words."""
    if document.cash.cash_cents is not None:
        return money_short(document.cash.cash_cents, currency=document.currency)
    return "no data" if document.cash.state is CashState.NO_DATA else "not computable"


def buffer_words(document: DigestDocument) -> str:
    """Days the cash would last without receipts."""
    burn = document.burn
    if burn.buffer_days is not None:
        return days(burn.buffer_days)
    if burn.gross_per_day_cents == 0:
        return "no outflow" if burn.out_cents == 0 else "no regular outflow"
    return "no data" if burn.state is BurnState.NO_DATA else "not computable"


def net_burn_words(document: DigestDocument) -> str:
    """Cash used up a day, or that none is."""
    burn = document.burn
    if burn.net_per_day_cents is None:
        return "no data" if burn.state is BurnState.NO_DATA else "not computable"
    if burn.state is BurnState.NOT_BURNING:
        return "not burning"
    return f"{money_short(burn.net_per_day_cents, currency=document.currency)} a day"


def net_burn_explained(document: DigestDocument) -> str:
    """The net burn as a sentence; empty when there is none."""
    burn, net, currency = document.burn, document.burn.net_per_day_cents, document.currency
    if net is None:
        return ""
    amount = money_exact(abs(net), currency=currency)
    if burn.state is BurnState.BURNING:
        return f"More goes out than comes in: {amount} a day."
    if net:
        return f"Not burning: {amount} a day more comes in than goes out."
    more = (burn.in_cents or 0) - (burn.out_cents or 0)
    if not more:
        return "Not burning: as much comes in as goes out."
    in_all = f"{money_exact(abs(more), currency=currency)} more {'came in than went out' if more > 0 else 'went out than came in'}"
    return f"Not burning: the median of the 4-week totals is zero; in all 13 weeks {in_all}."


def lateness(line: InvoiceLine) -> str:
    """How an invoice's age compares with its customer's habit: "usually 9 days late, now 21 days late"."""
    if line.usual_days_late is None:
        return f"{days(line.overdue_days)} late" if line.overdue_days else ""
    usual = _usually(line.usual_days_late)
    return f"{usual}, now {days(line.overdue_days)} late" if line.overdue_days else usual


def habit(*, days_late: int, usual_days_late: int | None, paid_invoices: int) -> str:
    """The same of one invoice, with how many the habit is taken from: "now 21 days late, usually 9 days late over 14 invoices"."""
    now = f"now {days(days_late)} late" if days_late > 0 else f"due in {days(-days_late)}" if days_late else "due today"
    if usual_days_late is None:
        return f"{now}, payment habit not known"
    return f"{now}, {_usually(usual_days_late)} over {counted(paid_invoices, 'invoice')}"


def _usually(days_late: int) -> str:
    if days_late == 0:
        return "usually paid on the due date"
    return f"usually {days(abs(days_late))} {'late' if days_late > 0 else 'early'}"


def note(item: DataNote, *, document: DigestDocument) -> str:
    """A data note as a sentence."""
    amount = money_exact(item.amount_cents, currency=document.currency)
    as_of = short_date(document.as_of, near=document.as_of)
    entity = shortened(name(item.entity), limit=_ENTITY_LIMIT)
    match item.kind:
        case NoteKind.UNREADABLE:
            unread = f"{counted(item.count, 'object')} of type {entity}"
            return f"{unread} could not be read and {_are(item.count)} not counted."
        case NoteKind.BILLS_WITHOUT_DUE_DATE:
            return f"{counted(item.count, 'open bill')} without a due date ({amount}): the bill date stands in for it."
        case NoteKind.INVOICES_WITHOUT_DUE_DATE:
            held = counted(item.count, "open invoice")
            return f"{held} without a due date ({amount}): the invoice date stands in for it."
        case NoteKind.DATED_LATER:
            return f"Bank entries dated after {as_of} sum to {amount}; they are not in the cash figure."
        case NoteKind.UNUSED_VENDOR_CREDIT:
            return f"Vendor credits exceed the open bills of their vendors by {amount}; no refund is assumed."
        case NoteKind.UNUSED_CUSTOMER_CREDIT:
            return f"Customer credits exceed the open invoices of their customers by {amount}; no payout is assumed."


_LOW_POINT = "Low point: half of the courses fall lower, and half are lowest by its day."
"""What the words mean that the lead uses: median of the lowest balances, and of their days."""


def footer(document: DigestDocument) -> tuple[str, ...]:
    """How the figures came about, as far as there are figures."""
    basis = f"{sentence(document.runway.basis_text, near=document.as_of)} {_LOW_POINT}"
    burn = (
        "Burn a day is the median of the ten 4-week totals within the last 13 weeks, divided by 28. "
        "Buffer is cash less reserves over gross burn a day."
        if document.burn.is_known
        else ""
    )
    rounding = (
        "Amounts with k, M or B are rounded to one decimal, amounts without decimals to the unit; "
        "amounts with cents are exact."
        if document.cash.cash_cents is not None
        else ""
    )
    return (
        f"As of {full_date(document.as_of)}, from books read on {books_read(document)} ({document.zone}).",
        *(text for text in (basis if document.runway.is_projected else "", burn, rounding) if text),
        f"Who gets this mail, and its settings: {name(document.firm_name)} changes them on request.",
        "This digest describes the books and is not financial advice.",
    )


def name(text: str) -> str:
    """A name from the books, on one line and of bounded length."""
    return shortened(plain_text(text), limit=NAME_LIMIT) or "(no name)"


def entry_label(text: str, *, near: date, limit: int = NAME_LIMIT) -> str:
    """What an entry of the books is called, its own day written as all dates are: "Purchase of 6 Oct at Acme"."""
    clean = plain_text(text)
    found = _ENTRY_OF_A_DAY.match(clean)
    if found is not None:
        clean = _with_dates(found[0], near=near) + clean[found.end() :]
    label = shortened(clean, limit=limit) or "(no name)"
    return label[0].upper() + label[1:]


def sentence(text: str, *, near: date) -> str:
    """A reason from a calculator as a sentence of bounded length; empty stays empty."""
    clean = _reason(text, near=near)
    if not clean:
        return ""
    return clean[0].upper() + clean[1:] + ("" if clean[-1] in ".!?" else ".")


def _subjects(document: DigestDocument) -> tuple[str, ...]:
    """Wordings from the fullest to one that always fits."""
    runway, near = document.runway, document.as_of
    today = short_date(near, near=near)
    if runway.low_cents is None or runway.low_on is None or runway.floor_cents is None:
        return (f"{today}: {headline(document).lower()}",)
    low = money_short(runway.low_cents, currency=document.currency)
    low_on = short_date(runway.low_on, near=near)
    opening = headline(document)
    floor = money_short(runway.floor_cents, currency=document.currency)
    if document.cash.cash_cents == 0:
        return (f"{opening}, floor {floor}", opening)
    if runway.state is RunwayState.ALREADY_BELOW:
        return (f"{opening}, cash {cash_words(document)}, floor {floor}", f"{opening}, floor {floor}", opening)
    length = "13 weeks" if runway.days is None else days(runway.days)
    return (
        f"{opening} ({length}), low point {low} on {low_on}",
        f"{opening} ({length}), low {low} on {low_on}",
        f"{opening} ({length}), low point {low}",
        f"{opening} ({length})",
        opening,
    )


def _in_brackets(text: str, *, near: date) -> str:
    clean = _reason(text, near=near).rstrip(".")
    return f" ({clean})" if clean else ""


def _reason(text: str, *, near: date) -> str:
    """A calculator's reason, with its ISO dates written as all dates of a digest are."""
    return _with_dates(shortened(plain_text(text), limit=REASON_LIMIT), near=near)


def _with_dates(text: str, *, near: date) -> str:
    def written(found: re.Match[str]) -> str:
        try:
            return short_date(date.fromisoformat(found[0]), near=near)
        except ValueError:
            return found[0]  # looks like a date and is none, for example a document number

    return _ISO_DATE.sub(written, text)


def _are(count: int) -> str:
    return "is" if count == 1 else "are"
