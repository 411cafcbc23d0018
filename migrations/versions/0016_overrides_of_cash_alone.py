"""Only an override that covers cash lets a hold take more than is free.

One of a limit says nothing of cash: a payment that took its money shortly before its day took what was granted to others.
"""

from migrations.ledger_guards import NOT_OVERRIDDEN, drop_guard, raise_guard, room_guards

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

#: What was overridden is told as [[about, refusal], ...], and a quote within a refusal is escaped.
_CASH_IS_NOT_OVERRIDDEN = (
    "NOT EXISTS (SELECT 1 FROM break_glass WHERE tenant_id = NEW.tenant_id AND break_glass_id = NEW.break_glass_id "
    "AND replace(overrides, '[\"cash\",', '') <> overrides)"
)


def upgrade() -> None:
    _ask_for_room(_CASH_IS_NOT_OVERRIDDEN)


def downgrade() -> None:
    _ask_for_room(NOT_OVERRIDDEN)


def _ask_for_room(asked_if: str) -> None:
    for guard in room_guards(asked_if=asked_if):
        drop_guard(guard)
        raise_guard(guard)
