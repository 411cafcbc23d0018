"""Amounts in words.

Belongs here: how cents are shown in refusals and tables. Does not: arithmetic.
"""


def shown(cents: int) -> str:
    """Cents as people read them: `1,250.00`, `-3.10`."""
    sign = "-" if cents < 0 else ""
    return f"{sign}{abs(cents) // 100:,}.{abs(cents) % 100:02d}"
