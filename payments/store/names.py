"""Ids of rows that nobody has to derive again.

Belongs here: drawing one. Does not: the keys of payments, which are derived (`sending/intents.py`).
"""

import uuid


def new_id() -> str:
    """A fresh id, never used before."""
    return uuid.uuid4().hex
