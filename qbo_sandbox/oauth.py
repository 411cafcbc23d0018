"""The authorisation server: codes, access tokens, refresh tokens that change their value, revocation.

Belongs here: which token is good for which realm and when. Does not: HTTP (``oauth_api.py``).

A grant is one consent of one company. A refresh keeps the value of the refresh token for a day, then replaces it; the
replaced value is dead at once, or works for a while more: Intuit's own pages say both.
"""

import secrets
import sqlite3
from dataclasses import dataclass
from typing import Literal

from qbo_sandbox.clock import VirtualClock
from qbo_sandbox.settings import AppSettings

TokenFault = Literal["expired", "revoked", "unknown"]
_CODE_SECONDS = 600


class GrantRefusedError(Exception):
    """The token endpoint answers 400 with this error and description."""

    def __init__(self, error: str, description: str | None = None) -> None:
        super().__init__(error)
        self.error = error
        self.description = description


@dataclass(frozen=True, slots=True, kw_only=True)
class TokenPair:
    """What the token endpoint hands out."""

    realm_id: str
    access_token: str
    expires_in: int
    refresh_token: str
    refresh_expires_in: int
    refresh_hard_expires_in: int


class Authorisations:
    """Codes and tokens of every company, kept in the store."""

    def __init__(self, *, store: sqlite3.Connection, clock: VirtualClock) -> None:
        self._store = store
        self._clock = clock

    def consent(self, *, realm_id: str, redirect_uri: str) -> str:
        """A code for the app, as after a user's consent."""
        code = "AB1" + secrets.token_urlsafe(30)
        self._store.execute(
            "INSERT INTO codes VALUES (?, ?, ?, ?)",
            (code, realm_id, redirect_uri, self._clock.seconds() + _CODE_SECONDS),
        )
        return code

    def exchange(self, *, code: str, redirect_uri: str, settings: AppSettings) -> TokenPair:
        """The first tokens of a grant; a code works once."""
        row = self._store.execute(
            "DELETE FROM codes WHERE code = ? RETURNING realm_id, redirect_uri, expires", (code,)
        ).fetchone()
        if row is None or row[1] != redirect_uri or row[2] < self._clock.seconds():
            raise GrantRefusedError("invalid_grant", "Invalid authorization code")
        started = self._clock.seconds()
        grant = self._store.execute(
            "INSERT INTO grants (realm_id, started) VALUES (?, ?) RETURNING grant_id", (row[0], started)
        ).fetchone()[0]
        return self._issue(grant, realm_id=row[0], refresh=self._new_refresh(grant, settings), settings=settings)

    def refresh(self, *, token: str, settings: AppSettings) -> TokenPair:
        """New tokens for a living refresh token."""
        now = self._clock.seconds()
        token = self._living_refresh(token, now=now, settings=settings)
        grant, issued, expires, realm_id, revoked, started = self._store.execute(
            "SELECT t.grant_id, t.issued, t.expires, g.realm_id, g.revoked, g.started "
            "FROM refresh_tokens t JOIN grants g USING (grant_id) WHERE token = ?",
            (token,),
        ).fetchone()
        if revoked is not None or expires <= now or started + settings.refresh_token_hard_seconds <= now:
            raise _dead_refresh()
        if now - issued >= settings.refresh_rotation_seconds:
            self._store.execute("UPDATE refresh_tokens SET replaced = ? WHERE token = ?", (now, token))
            token = self._new_refresh(grant, settings)
        return self._issue(grant, realm_id=realm_id, refresh=token, settings=settings)

    def revoke(self, token: str) -> bool:
        """End the grant that a token belongs to; whether there was one."""
        row = self._store.execute(
            "SELECT grant_id FROM refresh_tokens WHERE token = ? UNION SELECT grant_id FROM access_tokens WHERE token = ?",
            (token, token),
        ).fetchone()
        if row is None:
            return False
        self._revoke_grant(row[0])
        return True

    def disconnect(self, realm_id: str) -> int:
        """End every grant of a company, as a user does who disconnects the app; how many ended."""
        return self._store.execute(
            "UPDATE grants SET revoked = ? WHERE realm_id = ? AND revoked IS NULL", (self._clock.seconds(), realm_id)
        ).rowcount

    def realm_of(self, access_token: str) -> str | TokenFault:
        """The realm an access token opens, or what is wrong with it (never a realm id: those are digits)."""
        row = self._store.execute(
            "SELECT g.realm_id, g.revoked, t.expires FROM access_tokens t JOIN grants g USING (grant_id) WHERE token = ?",
            (access_token,),
        ).fetchone()
        if row is None:
            return "unknown"
        realm_id, revoked, expires = row
        if revoked is not None:
            return "revoked"
        return "expired" if expires <= self._clock.seconds() else str(realm_id)

    def _living_refresh(self, token: str, *, now: float, settings: AppSettings) -> str:
        """The refresh token itself, or the one that replaced it a short while ago."""
        row = self._store.execute("SELECT grant_id, replaced FROM refresh_tokens WHERE token = ?", (token,)).fetchone()
        if row is None:
            raise _dead_refresh()
        grant, replaced = row
        if replaced is None:
            return token
        if settings.racing_refresh_kills_winner and now - replaced <= settings.racing_refresh_window_seconds:
            self._revoke_grant(grant)
            raise _dead_refresh()
        if now - replaced >= settings.replaced_refresh_seconds:
            raise _dead_refresh()
        newest = self._store.execute(
            "SELECT token FROM refresh_tokens WHERE grant_id = ? AND replaced IS NULL", (grant,)
        ).fetchone()
        return str(newest[0])

    def _revoke_grant(self, grant: int) -> None:
        self._store.execute("UPDATE grants SET revoked = ? WHERE grant_id = ?", (self._clock.seconds(), grant))

    def _new_refresh(self, grant: int, settings: AppSettings) -> str:
        now = self._clock.seconds()
        token = "AB11" + secrets.token_urlsafe(36)
        self._store.execute(
            "INSERT INTO refresh_tokens VALUES (?, ?, ?, ?, NULL)",
            (token, grant, now, now + settings.refresh_token_seconds),
        )
        return token

    def _issue(self, grant: int, *, realm_id: str, refresh: str, settings: AppSettings) -> TokenPair:
        now = self._clock.seconds()
        access = secrets.token_urlsafe(96)
        self._store.execute(
            "INSERT INTO access_tokens VALUES (?, ?, ?)", (access, grant, now + settings.access_token_seconds)
        )
        expires, started = self._store.execute(
            "SELECT t.expires, g.started FROM refresh_tokens t JOIN grants g USING (grant_id) WHERE token = ?",
            (refresh,),
        ).fetchone()
        return TokenPair(
            realm_id=realm_id,
            access_token=access,
            expires_in=settings.access_token_seconds,
            refresh_token=refresh,
            refresh_expires_in=int(expires - now),
            refresh_hard_expires_in=int(started + settings.refresh_token_hard_seconds - now),
        )


def _dead_refresh() -> GrantRefusedError:
    return GrantRefusedError("invalid_grant", "Incorrect or invalid refresh token")
