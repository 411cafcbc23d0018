"""The colours of a digest, light and dark, and what stands on what.

Belongs here: every colour, once, and the pairs that need contrast.
Does not: where they are used (the template).
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Palette:
    """Colours as ``#rrggbb``."""

    page: str
    """Behind the mail."""
    card: str
    """Behind the text."""
    ink: str
    muted: str
    """Secondary text; still text, so it has full contrast."""
    rule: str
    """Hairlines; they only separate, nothing depends on seeing them."""
    bar: str
    alert: str
    """Outlined bars and the words that go with them."""
    badge: str
    """Behind a badge."""
    badge_ink: str


LIGHT = Palette(
    page="#f3f1ec",
    card="#ffffff",
    ink="#1d2126",
    muted="#586069",
    rule="#dedad2",
    bar="#3a6b70",
    alert="#8f3d14",
    badge="#fbf0d9",
    badge_ink="#614300",
)
DARK = Palette(
    page="#121517",
    card="#1b1f22",
    ink="#e9e6e0",
    muted="#abb0b5",
    rule="#3a3f44",
    bar="#7fb4b7",
    alert="#f2a57e",
    badge="#3b3017",
    badge_ink="#f3dca6",
)

TEXT_PAIRS = (
    ("ink", "card"),
    ("muted", "card"),
    ("muted", "page"),
    ("alert", "card"),
    ("badge_ink", "badge"),
    ("card", "bar"),
)
"""(foreground, background): at least 4.5:1 in both palettes."""
GRAPHIC_PAIRS = (("bar", "card"), ("alert", "card"))
"""At least 3:1 in both palettes."""
