"""Sealed tokens open at their own place only; keys are private and rotate."""

import base64
import stat
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from resources.secret_text import Secret
from resources.token_vault import BadKey, Place, TokenUnreadable, TokenVault, keys_from_file, keys_from_text
from tests.processes import at_once
from tests.resources.builders import KEY, OTHER_KEY

_PLACE = Place(tenant_id="acme-design", realm_id="9130001", kind="refresh")
_CANARY = Secret("canary-4711")


@given(st.text(max_size=200).filter(lambda text: text.isprintable()))
def test_a_sealed_token_opens_at_its_place(text: str) -> None:
    vault = TokenVault([KEY])
    assert vault.open(vault.seal(Secret(text), place=_PLACE), place=_PLACE) == Secret(text)


def test_sealing_twice_never_gives_the_same_bytes_nor_shows_the_token() -> None:
    vault = TokenVault([KEY])
    one, two = vault.seal(_CANARY, place=_PLACE), vault.seal(_CANARY, place=_PLACE)
    assert one != two
    assert b"canary" not in one + two


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(replace(_PLACE, tenant_id="bolt-supply"), id="other tenant"),
        pytest.param(replace(_PLACE, realm_id="9130002"), id="other realm"),
        pytest.param(replace(_PLACE, kind="access"), id="other kind"),
        pytest.param(replace(_PLACE, tenant_id="acme-design9", realm_id="130001"), id="same text, other borders"),
    ],
)
def test_a_sealed_token_opens_nowhere_else(other: Place) -> None:
    vault = TokenVault([KEY])
    with pytest.raises(TokenUnreadable):
        vault.open(vault.seal(_CANARY, place=_PLACE), place=other)


def test_one_flipped_bit_anywhere_is_noticed() -> None:
    vault = TokenVault([KEY])
    sealed = vault.seal(_CANARY, place=_PLACE)
    for position in range(len(sealed)):
        forged = bytearray(sealed)
        forged[position] ^= 1
        with pytest.raises(TokenUnreadable):
            vault.open(bytes(forged), place=_PLACE)


def test_a_cut_token_is_unreadable_at_every_length() -> None:
    vault = TokenVault([KEY])
    sealed = vault.seal(_CANARY, place=_PLACE)
    for length in range(len(sealed)):
        with pytest.raises(TokenUnreadable):
            vault.open(sealed[:length], place=_PLACE)


def test_a_ring_opens_what_its_older_key_sealed_and_seals_with_the_newer() -> None:
    old, ring, new = TokenVault([KEY]), TokenVault([OTHER_KEY, KEY]), TokenVault([OTHER_KEY])
    before = old.seal(_CANARY, place=_PLACE)
    assert not ring.is_newest(before)
    after = ring.seal(ring.open(before, place=_PLACE), place=_PLACE)
    assert ring.is_newest(after)
    assert new.open(after, place=_PLACE) == _CANARY
    with pytest.raises(TokenUnreadable, match="RUNWAY_TOKEN_KEYS"):
        old.open(after, place=_PLACE)


@pytest.mark.parametrize("keys", [[], [b"short"], [KEY, KEY + b"x"]])
def test_a_ring_needs_keys_of_32_bytes(keys: list[bytes]) -> None:
    with pytest.raises(BadKey):
        TokenVault(keys)


_TEXTS = [base64.b64encode(key).decode() for key in (KEY, OTHER_KEY)]


@pytest.mark.parametrize("between", [",", ", ", "\n", "\r\n", ",\n", " "])
def test_keys_are_separated_by_commas_or_lines(between: str) -> None:
    assert keys_from_text(between.join(_TEXTS) + "\n") == [KEY, OTHER_KEY]


@pytest.mark.parametrize("text", ["canary!", "canary-kéy", f"{_TEXTS[0]},canary"])
def test_a_bad_key_is_refused_without_being_shown(text: str) -> None:
    with pytest.raises(BadKey) as caught:
        keys_from_text(text)
    assert "canary" not in str(caught.value)
    assert _TEXTS[0] not in str(caught.value)


def test_a_missing_key_file_is_made_private_and_kept(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "token.keys"
    keys = keys_from_file(path)
    assert [len(key) for key in keys] == [32]
    assert keys_from_file(path) == keys
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_processes_that_start_at_once_end_with_one_key(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "token.keys"
    found = at_once(8, _keys, path)
    assert len({tuple(keys) for keys in found}) == 1
    assert [one.name for one in path.parent.iterdir()] == ["token.keys"]


def _keys(number: int, path: Path) -> list[bytes]:
    return keys_from_file(path)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o602, 0o601])
def test_a_key_file_that_others_can_reach_is_refused(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "token.keys"
    keys_from_file(path)
    path.chmod(mode)
    with pytest.raises(BadKey, match="chmod 600"):
        keys_from_file(path)
