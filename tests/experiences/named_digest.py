"""A digest with one text in each place that a name or a reason of the books can reach."""

from dataclasses import replace

from experiences.digest.document import DigestDocument
from runway_calcs.books.burn import BurnState
from tests.experiences.builders import BILLS, INVOICES, make_burn, make_digest
from tests.experiences.priority_builders import (
    make_bill_priority,
    make_collections,
    make_defect,
    make_plan,
    make_priorities,
)


def with_names(text: str) -> DigestDocument:
    """The trial company's digest with the text in each name, number and reason."""
    return make_digest(
        tenant_name=f"T{text}",
        firm_name=f"F{text}",
        accounts=((f"A{text}", 2_514_007),),
        left_out=[(f"L{text}", row.balance_cents, row.currency, row.reason) for row in make_digest().cash.left_out],
        bills=[replace(bill, vendor=f"V{text}", number=f"N{text}") for bill in BILLS],
        invoices=[replace(invoice, customer=f"C{text}", number=f"N{text}") for invoice in INVOICES],
        priorities=make_priorities(
            collections=make_collections(name=f"C{text}"),
            bills=(make_bill_priority(party_name=f"V{text}"),),
            plan=make_plan(vendor=f"V{text}"),
            defects=(make_defect(label=f"D{text}", what=f"W{text}"),),
        ),
        unreadable={f"E{text}": 1},
        burn=make_burn(state=BurnState.NOT_COMPUTABLE, gross=None, net=None, reason=f"R{text}"),
    )
