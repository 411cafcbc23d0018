"""A short mail in the look of the digest: a headline, and an entry for each thing it is about.

Belongs here: its parts as values, both renderings. Does not: what it says (`experiences/portfolio/exceptions.py`,
`experiences/left_out.py`).

Mail programs drop what pages may use: every style stands at its element, and only dark mode needs rules of its own.
"""

from dataclasses import dataclass

from experiences.digest.palette import DARK, LIGHT
from experiences.templates import templates


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeEntry:
    """One thing a notice is about."""

    name: str
    alert: str
    """Why it stands here, in few words; may be empty."""
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """All words of the mail; ``lead`` may be empty."""

    subject: str
    kicker: str
    headline: str
    lead: str
    entries: tuple[NoticeEntry, ...]
    footer: tuple[str, ...]


def render_notice(notice: Notice) -> str:
    """The mail as HTML that needs nothing else."""
    return templates("pages").get_template("notice.html.j2").render(notice=notice, light=LIGHT, dark=DARK)


def notice_text(notice: Notice) -> str:
    """The same words as plain text."""
    lines = [notice.kicker, "", notice.headline]
    lines += [notice.lead] if notice.lead else []
    for entry in notice.entries:
        lines += ["", f"* {entry.name}", *(f"  {text}" for text in (entry.alert, *entry.lines) if text)]
    return "\n".join([*lines, "", "--", *notice.footer, ""])
