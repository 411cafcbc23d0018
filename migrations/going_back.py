"""Taking a revision back without losing what nobody could enter again.

Belongs here: the refusal. Does not: which tables hold such rows (the revisions).

    made again by the next sync, or only saves work     dropped with its table
    the payment ledger                                  kept in `kept_ledger_row`, and back with the next upgrade
    anything else                                       a revision that would drop it is refused while there is some
"""

from collections.abc import Iterable

import sqlalchemy as sa
from alembic import op


class WouldLoseData(RuntimeError):
    """A downgrade would drop rows that nothing brings back; nothing was changed."""


def refuse_to_lose(tables: Iterable[str]) -> None:
    """`WouldLoseData` if one of these tables holds rows: the program before this revision has no place for them."""
    bind = op.get_bind()
    counted = {
        name: bind.execute(sa.select(sa.func.count()).select_from(sa.table(name))).scalar_one() for name in tables
    }
    held = [f"{name} ({count})" for name, count in counted.items() if count]
    if held:
        raise WouldLoseData(
            f"Rows would be lost that nothing brings back: {', '.join(held)}. Nothing was changed. "
            "Restore a backup made before the upgrade, or stay with this version."
        )
