"""The database refuses four more wrongs of the ledger.

A send by a run that lost its batch, a decision about other content or without an approval, a bill decided without its money.
"""

from migrations.ledger_guards import Guard, drop_guard, raise_guard

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

#: A person makes the payment file of a batch that no run has at that moment, under the generation it stands at.
_MAY_NOT_SEND = (
    "EXISTS (SELECT 1 FROM intent i JOIN batch b ON b.tenant_id = i.tenant_id AND b.batch_id = i.batch_id "
    "WHERE i.tenant_id = NEW.tenant_id AND i.intent_id = NEW.intent_id "
    "AND NOT (b.generation = NEW.generation AND (b.state = 'claimed' "
    "OR (i.leg = 'rail' AND i.rail = 'nacha_file' AND b.state IN ('finalized', 'waiting')))))"
)
_GUARDS = (
    Guard(
        name="attempt_is_fenced",
        table="attempt",
        moment="BEFORE INSERT",
        condition=_MAY_NOT_SEND,
        message="only the run that has the batch now sends",
    ),
    Guard(
        name="decision_is_about_its_bill_as_it_is",
        table="decision",
        moment="BEFORE INSERT",
        condition="EXISTS (SELECT 1 FROM bill_workflow WHERE tenant_id = NEW.tenant_id AND bill_id = NEW.bill_id "
        "AND cycle = NEW.cycle AND fingerprint <> NEW.fingerprint)",
        message="a decision is about the content that its bill has now",
    ),
    Guard(
        name="decision_is_approved",
        table="decision",
        moment="BEFORE INSERT",
        condition="NEW.ruling <> 'delay' AND NEW.break_glass_id is null AND NEW.approvals = '[]'",
        message="a payment is decided with an approval, or by an override",
    ),
    Guard(
        name="bill_is_decided_with_its_money",
        table="bill_workflow",
        moment="BEFORE UPDATE",
        condition="OLD.state IN ('staged', 'needs_review') AND NEW.state IN ('decided', 'scheduled') "
        "AND NOT EXISTS (SELECT 1 FROM hold h "
        "JOIN decision d ON d.tenant_id = h.tenant_id AND d.decision_id = h.decision_id "
        "WHERE h.tenant_id = NEW.tenant_id AND h.bill_id = NEW.bill_id AND h.cycle = NEW.cycle "
        "AND h.state IN ('soft', 'pending') "
        "AND d.ruling = CASE NEW.state WHEN 'decided' THEN 'pay_now' ELSE 'schedule' END "
        "AND d.number = (SELECT max(number) FROM decision WHERE tenant_id = NEW.tenant_id AND bill_id = NEW.bill_id))",
        message="a bill is decided together with the hold of its newest decision",
    ),
)


def upgrade() -> None:
    for guard in _GUARDS:
        raise_guard(guard)


def downgrade() -> None:
    for guard in _GUARDS:
        drop_guard(guard)
