"""A quiet week: nothing a reader would miss is wrong or has moved, so the mail is short.

Belongs here: when a week is quiet, and how many rows its lists show. Does not: the sections it goes without (``view.py``), words.

Short is the mail, not the document: what is cut from it is published, and stands on the pages of the same week. Headline, strip,
the change with its causes, the last forecast's outcome and every list's count and sum stay.
"""

from experiences.digest.document import DigestDocument
from experiences.digest.listing import MAX_ROWS
from runway_calcs.forecast.change import ChangeState
from runway_calcs.forecast.figures import RunwayState

QUIET_ROWS = 1
"""Rows that each list of a quiet week's mail shows."""


def is_quiet(document: DigestDocument) -> bool:
    """Whether the runway is unchanged, nothing falls below the floor, the last forecast held, and nothing is known to be wrong."""
    runway, change, closing = document.runway, document.change, document.last_forecast.closing
    is_safe = runway.state is RunwayState.BEYOND_HORIZON and runway.cautious_until is None
    is_unchanged = change.state is ChangeState.COMPARED and change.days == 0 and not change.is_open_ended
    has_held = closing is None or closing.is_inside
    is_fresh = document.books_age_days < document.stale_after_days
    return is_safe and is_unchanged and has_held and is_fresh and not document.data_to_fix.blocking_count


def rows_shown(document: DigestDocument) -> int:
    """How many rows a list of the mail shows."""
    return QUIET_ROWS if is_quiet(document) else MAX_ROWS
