"""What a mail carries of us that nobody else can make: the id it is known by, the token that unsubscribes its reader.

Belongs here: making and checking both with the key ring. Does not: what unsubscribing changes (`recipients.py`), HTTP
(`cli/unsubscribing.py`).

A token names its tenant or firm and the address and is signed, so that nobody unsubscribes somebody else. It has no end: an old
mail's link works as long as the key it was signed with is in the ring.
"""

import base64
import binascii
import hashlib
import hmac
from collections.abc import Sequence
from dataclasses import dataclass

from resources.mail.tables import MailOwner, of_firm, of_tenant
from resources.tenants import BadTenantId, slug, tenant_id

_SIGNATURE_BYTES = 20
_TOKEN_BYTES = 16
_LONGEST_TOKEN = 800
#: Too short for the id of a tenant.
_FIRM = "F"


class BadUnsubscribeToken(Exception):
    """The token was not made with a key of the ring."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """Whose mail a token ends."""

    owner: MailOwner
    address: str


class MailKeys:
    """Signs with the newest key of the ring, checks with each."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        if not keys:
            raise ValueError("at least one key is needed")
        self._keys = tuple(keys)

    def unsubscribe_token(self, subscription: Subscription) -> str:
        """The token of one recipient of one tenant or firm; the same each time."""
        said = _joined(*_named(subscription.owner), subscription.address)
        return _encoded(_signature(self._keys[0], "unsubscribe", said) + said)

    def subscription(self, token: str) -> Subscription:
        """Whose mail a token ends; `BadUnsubscribeToken` if no key of the ring signed it."""
        if len(token) > _LONGEST_TOKEN:
            raise BadUnsubscribeToken
        try:
            raw = base64.urlsafe_b64decode(token.encode("ascii") + b"=" * (-len(token) % 4))
        except (binascii.Error, UnicodeEncodeError):
            raise BadUnsubscribeToken from None
        signature, said = raw[:_SIGNATURE_BYTES], raw[_SIGNATURE_BYTES:]
        made = [_signature(key, "unsubscribe", said) for key in self._keys]
        if not any(hmac.compare_digest(signature, one) for one in made):
            raise BadUnsubscribeToken
        return _subscription(said)

    def message_token(self, owner: MailOwner, *parts: str) -> str:
        """The local part of a Message-ID: the same for the same row, guessed by nobody."""
        return _signature(self._keys[0], "message", _joined(*_named(owner), *parts))[:_TOKEN_BYTES].hex()


def _subscription(said: bytes) -> Subscription:
    try:
        *named, address = _split(said)
        return Subscription(owner=_owner(named), address=address)
    except (ValueError, BadTenantId):
        raise BadUnsubscribeToken from None


def _named(owner: MailOwner) -> tuple[str, ...]:
    """An owner in signed words; a firm's begin with a word that is no tenant's id."""
    return (owner.owner_id,) if owner.kind == "tenant" else (_FIRM, owner.owner_id)


def _owner(named: list[str]) -> MailOwner:
    match named:
        case [tenant]:
            return of_tenant(tenant_id(tenant))
        case [word, firm_id] if word == _FIRM:
            slug(firm_id, what="firm")
            return of_firm(firm_id)
        case _:
            raise ValueError("a token names a tenant or a firm")


def _signature(key: bytes, purpose: str, said: bytes) -> bytes:
    """The keys of the ring seal tokens of QuickBooks; what is signed here is signed with a key derived for its purpose."""
    own = hmac.new(key, b"runway mail " + purpose.encode(), hashlib.sha256).digest()
    return hmac.new(own, said, hashlib.sha256).digest()[:_SIGNATURE_BYTES]


def _joined(*parts: str) -> bytes:
    """Parts with their lengths before them: no two lists of parts are the same bytes."""
    encoded = [part.encode() for part in parts]
    return b"".join(len(one).to_bytes(2, "big") + one for one in encoded)


def _split(said: bytes) -> list[str]:
    parts = []
    while said:
        end = 2 + int.from_bytes(said[:2], "big")
        parts.append(said[2:end].decode())
        said = said[end:]
    return parts


def _encoded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()
