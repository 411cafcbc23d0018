"""Encryption of tokens at rest: AES-256-GCM with a ring of keys.

Belongs here: the key ring, seal and open. Does not: where the ciphertext lives (`resources/connections.py`).

A sealed token is `key id | nonce | ciphertext`. Tenant, realm, kind and key id are authenticated with it, each
length-prefixed, so that a ciphertext copied to another row, column or tenant does not open.
"""

import base64
import hashlib
import os
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from resources.files import private_folder, sync_folder
from resources.secret_text import Secret

_KEY_BYTES = 32
_NONCE_BYTES = 12
_KEY_ID_BYTES = 8

#: Sealed with the newest key of the ring, with another one of it, or with none that opens it.
SealState = Literal["newest", "older", "unreadable"]


class BadKey(ValueError):
    """A key is not 32 bytes of base64, or the key file is readable by others."""


class TokenUnreadable(Exception):
    """A sealed token does not open: wrong key, or it belongs to another tenant, realm or kind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a sealed token belongs; it opens nowhere else."""

    tenant_id: str
    realm_id: str
    kind: str

    def authenticated(self, key_id: bytes) -> bytes:
        """The additional data of the cipher, unambiguous by length prefixes."""
        parts = (self.tenant_id.encode(), self.realm_id.encode(), self.kind.encode(), key_id)
        return b"".join(len(part).to_bytes(4, "big") + part for part in parts)


class TokenVault:
    """Seals and opens tokens; the first key seals, every key opens."""

    def __init__(self, keys: Sequence[bytes]) -> None:
        if not keys:
            raise BadKey("at least one token key is needed")
        for key in keys:
            if len(key) != _KEY_BYTES:
                raise BadKey(f"a token key has {_KEY_BYTES} bytes; one of yours has {len(key)}")
        self._keys = {_key_id(key): AESGCM(key) for key in reversed(keys)}
        self._newest = _key_id(keys[0])

    def seal(self, token: Secret, *, place: Place) -> bytes:
        """The token, encrypted for its place."""
        nonce = os.urandom(_NONCE_BYTES)
        cipher = self._keys[self._newest].encrypt(nonce, token.reveal().encode(), place.authenticated(self._newest))
        return self._newest + nonce + cipher

    def open(self, sealed: bytes, *, place: Place) -> Secret:
        """The token; `TokenUnreadable` if no key of the ring opens it at this place."""
        key_id = sealed[:_KEY_ID_BYTES]
        nonce = sealed[_KEY_ID_BYTES : _KEY_ID_BYTES + _NONCE_BYTES]
        cipher = self._keys.get(key_id)
        if cipher is None:
            raise TokenUnreadable("the key that sealed this token is not in the key ring (RUNWAY_TOKEN_KEYS)")
        try:
            opened = cipher.decrypt(nonce, sealed[_KEY_ID_BYTES + _NONCE_BYTES :], place.authenticated(key_id))
        except (InvalidTag, ValueError) as error:  # ValueError: cut so short that not even the nonce is whole
            raise TokenUnreadable("a stored token does not belong to this tenant, realm and kind") from error
        return Secret(opened.decode())

    def state_of(self, sealed: bytes, *, place: Place) -> SealState:
        """With which key a token is sealed, after opening it."""
        try:
            self.open(sealed, place=place)
        except TokenUnreadable:
            return "unreadable"
        return "newest" if self.is_newest(sealed) else "older"

    def is_newest(self, sealed: bytes) -> bool:
        """Whether a sealed token already uses the newest key."""
        return sealed[:_KEY_ID_BYTES] == self._newest


def keys_from_text(text: str) -> list[bytes]:
    """Keys from base64 separated by commas or lines, newest first; `BadKey` never shows what it read."""
    try:
        return [base64.b64decode(part, validate=True) for part in text.replace(",", " ").split()]
    except ValueError as error:
        raise BadKey("a token key is not valid base64") from error


def keys_from_file(path: Path) -> list[bytes]:
    """Keys of a file that only its owner may read; a missing file is made with one fresh key."""
    if not path.exists():
        _create_key_file(path)
    if path.stat().st_mode & 0o077:
        raise BadKey(f"{path} can be read by others: run `chmod 600 {path}`")
    return keys_from_text(path.read_text())


def _create_key_file(path: Path) -> None:
    private_folder(path.parent)
    # Written whole under another name and linked: two processes starting at once end with one and the same key.
    fresh = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as file:
        file.write(base64.b64encode(os.urandom(_KEY_BYTES)).decode() + "\n")
        file.flush()
        os.fsync(file.fileno())
    try:
        path.hardlink_to(fresh)
    except FileExistsError:
        pass  # the other process was first: its key counts
    finally:
        fresh.unlink()
    sync_folder(path.parent)


def _key_id(key: bytes) -> bytes:
    return hashlib.sha256(b"runway token key" + key).digest()[:_KEY_ID_BYTES]
