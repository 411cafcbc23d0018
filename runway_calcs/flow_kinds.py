"""What a forecast flow is, and which of the three layers it belongs to.

Belongs here: the kinds, their order, direction and layer. Does not: amounts and days.
"""

from enum import StrEnum


class Layer(StrEnum):
    """Where a flow of the forecast comes from. No cent is in two of them."""

    DOCUMENTS = "on the books"
    """(a) Entered already: open documents, entries dated later, balances on their way, decisions and known items."""
    RECURRING = "recurring"
    """(b) Comes back in a rhythm and is not entered yet."""
    REST = "statistical"
    """(c) What is neither entered nor recurring, at the level that past Fridays did not know of either."""


class FlowKind(StrEnum):
    """What a forecast flow is; receipts first. The order is the order of every table."""

    INVOICE = "open invoice"
    UNDEPOSITED = "undeposited funds"
    POST_DATED_RECEIPT = "post-dated receipt"
    KNOWN_RECEIPT = "known receipt"
    RECURRING_RECEIPT = "recurring receipt"
    NEW_SALES = "not yet issued"
    """Receipts from invoices that are not entered yet."""
    OTHER_RECEIPT = "other receipts"
    """Receipts without an invoice: sales paid on the spot, refunds of vendors, interest."""
    PAYROLL = "payroll"
    TAX = "tax"
    BILL = "open bill"
    HELD_BILL = "bill decided"
    """A bill with a decision: it has left the open bills and is paid on its decided day."""
    CARD = "card payment"
    RECURRING = "recurring"
    POST_DATED_PAYMENT = "post-dated payment"
    KNOWN_PAYMENT = "known payment"
    NEW_BILLS = "not yet entered"
    """Payments of bills that are not entered yet."""
    OTHER_PAYMENT = "other payments"
    """Payments without a bill: purchases, direct debits, refunds, own transfers."""


RECEIPT_KINDS = (
    FlowKind.INVOICE,
    FlowKind.UNDEPOSITED,
    FlowKind.POST_DATED_RECEIPT,
    FlowKind.KNOWN_RECEIPT,
    FlowKind.RECURRING_RECEIPT,
    FlowKind.NEW_SALES,
    FlowKind.OTHER_RECEIPT,
)
DISBURSEMENT_KINDS = tuple(kind for kind in FlowKind if kind not in RECEIPT_KINDS)
REST_KINDS = (FlowKind.NEW_SALES, FlowKind.OTHER_RECEIPT, FlowKind.NEW_BILLS, FlowKind.OTHER_PAYMENT)
"""The kinds of layer (c), in the order of its arrays."""
SERIES_KINDS = (FlowKind.RECURRING_RECEIPT, FlowKind.PAYROLL, FlowKind.TAX, FlowKind.CARD, FlowKind.RECURRING)
"""Kinds that layer (b) may have; a card payment for a balance owed today is on the books."""
KIND_NUMBER = {kind: number for number, kind in enumerate(FlowKind)}
