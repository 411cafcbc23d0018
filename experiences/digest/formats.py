"""How one reader wants dates and amounts written; the figures are the same for everybody.

Belongs here: the choices and which one is in force while a document is rendered. Does not: the formats themselves (``wording.py``).

The choice reaches every sentence through a context variable, set for the length of one rendering: an argument would go through each
function of every section to reach the one that writes a date.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Literal

Locale = Literal["en-GB", "en-US"]
CurrencyFormat = Literal["symbol", "code"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Formats:
    """``locale``: ``6 Oct``, ``05:00`` (en-GB) or ``Oct 6``, ``5:00 am`` (en-US). ``currency``: ``$8.2k`` or ``USD 8.2k``."""

    locale: Locale = "en-GB"
    currency: CurrencyFormat = "symbol"


#: What the published document is written in.
PUBLISHED = Formats()

_in_force: ContextVar[Formats] = ContextVar("formats", default=PUBLISHED)


def in_force() -> Formats:
    """The formats of the rendering under way."""
    return _in_force.get()


@contextmanager
def written_in(formats: Formats) -> Iterator[None]:
    """Render in these formats."""
    token = _in_force.set(formats)
    try:
        yield
    finally:
        _in_force.reset(token)
