"""Rotation of the key ring: everything that an older key sealed is sealed with the newest.

Belongs here: what is sealed with which key over all tenants, the rotation, its refusal. Does not: keys and ciphers
(`resources/token_vault.py`), where the sealed things lie (`resources/connections.py`, `payees.py`).

Nothing is changed unless everything can be read. A rotation that breaks off is begun again: what is sealed with the newest key
already is left alone.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from payments.controls.payees import seal_again, seals
from payments.store.ledger import Ledger
from resources.connections import Connections
from resources.errors import TenantError
from resources.settings import Settings
from resources.tenants import TenantId
from resources.token_vault import TokenVault


class KeysMissing(TenantError):
    """A key that something is sealed with is not given: nothing was changed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rotated:
    """What was sealed again, in a dry run: would be."""

    #: Tenants whose tokens of QuickBooks were.
    tokens: tuple[str, ...]
    #: By tenant: how many versions of vendors' bank details were.
    bank_details: Mapping[str, int]
    #: By tenant: how many sealed values no key opens; they are left as they are.
    unreadable: Mapping[str, int]


def refuse_without_keys(settings: Settings) -> None:
    """`KeysMissing` if there is no key at all: a fresh one would open nothing."""
    if not settings.token_keys.get_secret_value() and not settings.key_file.exists():
        raise KeysMissing(
            what=f"There are no keys: RUNWAY_TOKEN_KEYS is empty, and {settings.key_file} is not there.",
            next_step="Put the file back from its backup, or give the keys. Nothing was changed.",
        )


def rotate(
    ledger: Ledger,
    *,
    connections: Connections,
    vault: TokenVault,
    tenants: Sequence[TenantId],
    leave_unreadable: bool = False,
) -> Rotated:
    """Seal again what an older key sealed; in a dry run of the ledger only say what that is.

    Raises:
        KeysMissing: something was sealed with a key that is not given, and nobody said to leave it; nothing was changed.
    """
    tokens = {tenant: Counter(connections.seals(tenant)) for tenant in tenants}
    details = {}
    for tenant in tenants:
        with ledger.look(tenant) as look:
            details[tenant] = Counter(seals(look, vault=vault))
    both = {tenant: tokens[tenant]["unreadable"] + details[tenant]["unreadable"] for tenant in tenants}
    unreadable: dict[str, int] = {tenant: count for tenant, count in both.items() if count}
    if unreadable and not leave_unreadable:
        _refuse(unreadable)
    found = Rotated(
        tokens=tuple(tenant for tenant in tenants if tokens[tenant]["older"]),
        bank_details={tenant: details[tenant]["older"] for tenant in tenants if details[tenant]["older"]},
        unreadable=unreadable,
    )
    if not ledger.dry_run:
        for tenant in tenants:
            if details[tenant]["older"]:
                seal_again(ledger, tenant, vault=vault)
        connections.rotate_keys()
    return found


def _refuse(unreadable: Mapping[str, int]) -> None:
    named = ", ".join(f"{count} of {tenant}" for tenant, count in unreadable.items())
    raise KeysMissing(
        what=f"Sealed values that none of the given keys opens: {named}.",
        next_step="Nothing was changed. Add the key they were sealed with behind the others (RUNWAY_TOKEN_KEYS, or the key file). "
        "If it is lost for good: connect these tenants again, enter their bank details again, and use `--leave-unreadable`.",
    )
