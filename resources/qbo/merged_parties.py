"""What a merge of two vendors or customers leaves to look at.

Belongs here: which kept documents a vanished party leaves behind. Does not: reading them again (`smart_sync.py`).

A name cannot be deleted in QuickBooks, only made inactive, so one that is gone was merged into another, and its documents
now name that one. QuickBooks promises nowhere that they count as changed.
"""

from typing import Any

from resources.qbo import exact_json
from resources.qbo.entities import Deleted
from resources.qbo.fields import QboObject
from resources.qbo.list_objects import Customer, Vendor

_NAMING = frozenset({"VendorRef", "CustomerRef", "EntityRef", "Entity"})


def vanished(found: QboObject) -> bool:
    """Whether this may be a party whose documents went to another one: gone, or no longer active."""
    if isinstance(found, Deleted):
        return found.entity in {"Vendor", "Customer"}
    return isinstance(found, Vendor | Customer) and not found.active


def names_party(text: str, party_id: str) -> bool:
    """Whether a document's text names a vendor or customer, in its head or in a line."""
    return _names(exact_json.load(text), party_id)


def _names(value: Any, party_id: str) -> bool:
    if isinstance(value, list):
        return any(_names(one, party_id) for one in value)
    if not isinstance(value, dict):
        return False
    return any(
        (key in _NAMING and isinstance(part, dict) and part.get("value") == party_id) or _names(part, party_id)
        for key, part in value.items()
    )
