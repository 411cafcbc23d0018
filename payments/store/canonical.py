"""One way to write a row down: the same row is the same text on both engines.

Belongs here: plain values, hashes. Does not: canonical JSON (`resources/tables.py`), what is written
(`ledger.py`), the chain (`audit.py`).
"""

import hashlib
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any
from urllib.parse import quote

from resources.tables import canonical_json


def plain(value: Any) -> Any:
    """A value of a row as JSON has it: instants and dates as text, bytes as their hash."""
    if isinstance(value, datetime):
        return value.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, bytes | memoryview):
        return f"sha256:{hashlib.sha256(bytes(value)).hexdigest()}"
    return value


def plain_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row with plain values; the tenant is left out, the log says it."""
    return {name: plain(value) for name, value in row.items() if name != "tenant_id"}


def sha256_of(value: Any) -> str:
    """The hash of a plain value's canonical JSON."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()


def entity_name(table: str, *keys: Any) -> str:
    """The name of a row in the log: `hold/1f3a`, `bill_workflow/145/1`."""
    return "/".join([table, *(quote(str(plain(key)), safe="") for key in keys)])
