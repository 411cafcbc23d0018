"""How single values are written in a digest: money, dates, days, counts and names.

Belongs here: one function per kind of value, with its rounding rule. Everything is the same on every machine: no
`strftime`, no `locale`; what differs between readers is chosen in ``formats.py``.
Does not: sentences (``sentences.py``), which facts are shown (``view.py``).

Rounding rules
    Short money  rounded half away from zero. Below one thousand: whole units (``$842``). From one thousand: one decimal
                 and ``k``, ``M`` or ``B`` (``$8.2k``, ``$1.0M``). The unit is chosen after rounding, so 999,960 is
                 ``$1.0M`` and never ``$1000.0k``. An amount that would round to zero without being zero is written
                 to the cent (``$0.30``), so "$0" always means zero.
    Exact money  to the cent with thousands separators (``$8,214.07``); nothing is rounded.
    Currency     ``$`` for USD unless a reader wants codes, otherwise the code in front (``CHF 8.2k``). The sign comes
                 first (``-$8.2k``).
    Dates        day and month (``6 Oct``, in en-US ``Oct 6``); the year is added when the day is more than 182 days
                 away from the digest's own date, where "6 Oct" alone could be read as the wrong year.
    Days         whole numbers, as counted by the calculators.
"""

import html
import re
import unicodedata
from datetime import date, datetime

from experiences.digest.formats import in_force

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_SHORT_UNITS = ((1_000, "k"), (1_000_000, "M"), (1_000_000_000, "B"))
_CENTS = 100
_TENTHS = 10
_THOUSAND_TENTHS = 10_000
_YEAR_NEEDED_DAYS = 182
_NOON = 12
_BYTES_A_CHARACTER = 3
_DOC_NUMBER_LIMIT = 24
_PPM_A_BASIS_POINT = 100
_CURRENCY_CODE = re.compile(r"[A-Z]{3}")
# Controls, formats (bidirectional overrides make a name read as another one) and lone surrogates (not encodable).
_INVISIBLE_CATEGORIES = frozenset({"Cc", "Cf", "Cs"})
# Formats that spelling needs: Persian and Indic words, joined emoji.
_JOINERS = frozenset({"\N{ZERO WIDTH NON-JOINER}", "\N{ZERO WIDTH JOINER}"})
_NO_BREAK = "\N{NO-BREAK SPACE}"
_PERCENT = re.compile("(?<=[0-9]) %")
_FROM_THE_RIGHT = frozenset({"R", "AL", "AN"})


def has_symbol(currency: str) -> bool:
    """Whether amounts of this currency are written with a symbol instead of a code."""
    return currency == "USD" and in_force().currency == "symbol"


def currency_prefix(currency: str) -> str:
    """What stands in front of an amount: ``$`` for USD, the code and a space for every other currency."""
    if has_symbol(currency):
        return "$"
    return f"{currency} " if _CURRENCY_CODE.fullmatch(currency) else ""


def money_short(cents: int, *, currency: str) -> str:
    """An amount for reading at a glance: ``$842``, ``$8.2k``, ``-CHF 1.4M``."""
    whole = _rounded(abs(cents), _CENTS)
    if whole == 0 and cents != 0:
        return money_exact(cents, currency=currency)
    return f"{_sign(cents)}{currency_prefix(currency)}{_short_digits(abs(cents), whole=whole)}"


def money_exact(cents: int, *, currency: str) -> str:
    """An amount to the cent: ``$8,214.07``."""
    units, rest = divmod(abs(cents), _CENTS)
    return f"{_sign(cents)}{currency_prefix(currency)}{units:,}.{rest:02d}"


def short_date(day: date, *, near: date) -> str:
    """``6 Oct``, or ``6 Oct 2025`` when the day lies more than half a year from ``near``."""
    return _day_and_month(day) if abs((day - near).days) <= _YEAR_NEEDED_DAYS else full_date(day)


def full_date(day: date) -> str:
    """``20 Nov 2026``."""
    comma = "," if _is_american() else ""
    return f"{_day_and_month(day)}{comma} {day.year}"


def weekday_date(day: date) -> str:
    """``Friday 20 Nov 2026``."""
    return f"{_WEEKDAYS[day.weekday()]} {full_date(day)}"


def clock_time(moment: datetime, *, near: date) -> str:
    """``20 Nov, 05:00`` by the moment's own zone; in en-US ``Nov 20, 5:00 am``."""
    day = short_date(moment.date(), near=near)
    if _is_american():
        half = "am" if moment.hour < _NOON else "pm"
        return f"{day}, {moment.hour % _NOON or _NOON}:{moment.minute:02d} {half}"
    return f"{day}, {moment.hour:02d}:{moment.minute:02d}"


def days(count: int) -> str:
    """``1 day``, ``14 days``."""
    return counted(count, "day")


def counted(count: int, singular: str, plural: str = "") -> str:
    """A number with its noun: ``1 invoice``, ``-1 invoice``, ``1,204 invoices``."""
    return f"{count:,} {singular if abs(count) == 1 else plural or singular + 's'}"


def plain_text(text: str) -> str:
    """Words on one line, without characters that cannot be seen or that change the reading order.

    A number and its percent sign stay on one line.
    """
    spaced = (" " if char.isspace() else char for char in text)
    words = " ".join("".join(char for char in spaced if _is_visible(char)).split())
    return _PERCENT.sub(f"{_NO_BREAK}%", words)


def shortened(text: str, *, limit: int) -> str:
    """At most ``limit`` characters, and three bytes of markup for each; what was cut is marked by an ellipsis.

    The bytes bound a mail whose names are all ampersands or emoji; a name in any alphabet is cut by its characters.
    """
    room = _BYTES_A_CHARACTER * limit
    if len(text) <= limit and _markup_bytes(text) <= room:
        return text
    kept = text[: limit - 1]
    while _markup_bytes(kept) + _BYTES_A_CHARACTER > room:
        kept = kept[:-1]
    return kept.rstrip() + "\N{HORIZONTAL ELLIPSIS}"


def reading_as_written(text: str) -> str:
    """A name in front of other words on one line: one that is written from the right does not turn them around."""
    if any(unicodedata.bidirectional(char) in _FROM_THE_RIGHT for char in text):
        return f"\N{FIRST STRONG ISOLATE}{text}\N{POP DIRECTIONAL ISOLATE}"
    return text


def doc_number(text: str) -> str:
    """The number of a document: ``no. 1042``; empty without one."""
    clean = shortened(plain_text(text), limit=_DOC_NUMBER_LIMIT)
    return f"no. {clean}" if clean else ""


def percent(basis_points: int) -> str:
    """A rate to the tenth of a percent: ``37.2 %``, with a space that does not break."""
    tenths = _rounded(abs(basis_points), 10)
    return f"{'-' if basis_points < 0 else ''}{tenths // 10:,}.{tenths % 10}{_NO_BREAK}%"


def share(ppm: int) -> str:
    """A probability, in millionths, to the tenth of a percent: ``12.3 %``."""
    return percent(ppm // _PPM_A_BASIS_POINT)


def _markup_bytes(text: str) -> int:
    return len(html.escape(text).encode("utf-8", "surrogatepass"))


def _is_american() -> bool:
    return in_force().locale == "en-US"


def _day_and_month(day: date) -> str:
    month = _MONTHS[day.month - 1]
    return f"{month} {day.day}" if _is_american() else f"{day.day} {month}"


def _sign(cents: int) -> str:
    return "-" if cents < 0 else ""


def _rounded(value: int, unit: int) -> int:
    """How many units, rounded half up (values here are never negative)."""
    return (value + unit // 2) // unit


def _short_digits(cents: int, *, whole: int) -> str:
    if whole < _SHORT_UNITS[0][0]:
        return str(whole)
    scaled = ((_rounded(cents, scale * _CENTS // _TENTHS), letter) for scale, letter in _SHORT_UNITS)
    fitting = (pair for pair in scaled if pair[0] < _THOUSAND_TENTHS or pair[1] == _SHORT_UNITS[-1][1])
    tenths, letter = next(fitting)
    return f"{tenths // _TENTHS:,}.{tenths % _TENTHS}{letter}"


def _is_visible(char: str) -> bool:
    return char in _JOINERS or unicodedata.category(char) not in _INVISIBLE_CATEGORIES
