"""Who receives the mail of a tenant or of a firm, and whether any of it leaves the machine.

Belongs here: recipients, unsubscribing, preview or live, addresses that mail does not reach. Does not: what is sent
(`resources/mail/outbox.py`), tokens (`resources/mail/unsubscribe.py`).

A recipient is never deleted: what was sent to it stays. An owner of mail without a word about its mode is in preview.
"""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import Connection, Row, Select, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite

from resources.clock import Clock
from resources.database import Database
from resources.mail.tables import CURRENCY_FORMATS, LOCALES, ROLES, MailOwner, tables_of
from resources.registry import lock_firm, lock_tenant
from resources.tenants import TenantId, zone_name

Role = Literal["client", "firm"]
Mode = Literal["preview", "live"]

#: What every server takes as it is: no quoting, no comments, no letters that only some servers know.
_ADDRESS = re.compile(
    r"[a-z0-9!#$%&'*+=?^_`{|}~-]+(\.[a-z0-9!#$%&'*+=?^_`{|}~-]+)*"
    r"@([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}"
)
_LONGEST_ADDRESS, _LONGEST_LOCAL_PART, _LONGEST_NAME = 254, 64, 100


class RecipientRefused(ValueError):
    """The recipient cannot be kept as asked: the message says why and what is possible."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Recipient:
    """One reader of the mail of a tenant or of a firm."""

    owner: MailOwner
    address: str
    name: str
    role: Role
    """Whoever reads the mail of a firm is of the firm."""
    locale: str
    zone: str
    currency_format: str
    added_by: str
    added_at: datetime
    removed_at: datetime | None = None
    unsubscribed_at: datetime | None = None
    suppressed_because: str | None = None

    @property
    def obstacle(self) -> str | None:
        """Why this recipient gets nothing; None if it does."""
        if self.removed_at is not None:
            return "the recipient was removed"
        if self.unsubscribed_at is not None:
            return "the recipient unsubscribed"
        if self.suppressed_because is not None:
            return f"the address does not take mail: {self.suppressed_because}"
        return None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModeSet:
    """What holds for somebody's mail; nobody has set it where `author` is None."""

    mode: Mode
    author: str | None
    set_at: datetime | None


def mail_address(text: str) -> str:
    """The checked address in lower case; `RecipientRefused` says what is taken."""
    found = text.strip().lower()
    local = found.partition("@")[0]
    is_short = len(found) <= _LONGEST_ADDRESS and len(local) <= _LONGEST_LOCAL_PART
    if not (is_short and _ADDRESS.fullmatch(found)):
        raise RecipientRefused(f"{text[:80]!r} is no mail address: write it as ann@example.com.")
    return found


class Recipients:
    """The recipients of all tenants and firms; every statement names whose."""

    def __init__(self, database: Database, *, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def check(
        self,
        owner: MailOwner,
        *,
        address: str,
        name: str,
        role: str,
        locale: str,
        zone: str,
        currency_format: str,
        lift_suppression: bool = False,
    ) -> str:
        """Refuse what `add` would refuse, and store nothing; the address as it is kept."""
        zone_name(zone)
        for value, known, what in (
            (role, ROLES, "role"),
            (locale, LOCALES, "locale"),
            (currency_format, CURRENCY_FORMATS, "currency format"),
        ):
            if value not in known:
                raise RecipientRefused(f"{value!r} is no {what}: choose one of {', '.join(known)}.")
        if owner.kind == "firm" and role != "firm":
            raise RecipientRefused("Whoever reads the mail of a firm is of the firm: leave the role out.")
        if len(name) > _LONGEST_NAME or not name.isprintable():
            raise RecipientRefused("A recipient's name is one line of at most 100 characters.")
        kept = mail_address(address)
        with self._database.read() as connection:
            _assert_open(_suppressed(connection, owner).get(kept), kept, is_lifted=lift_suppression)
        return kept

    def add(
        self,
        owner: MailOwner,
        *,
        address: str,
        name: str,
        role: Role,
        locale: str,
        zone: str,
        currency_format: str,
        author: str,
        lift_suppression: bool = False,
        subscribe_again: bool = False,
    ) -> Recipient:
        """Keep a recipient; what is said again about an address takes the place of what was said.

        Whoever unsubscribed stays so until ``subscribe_again`` says that the reader asked for it.

        Raises:
            RecipientRefused: the address is none, or mail to it came back and nobody said that it works again.
        """
        kept = self.check(
            owner,
            address=address,
            name=name,
            role=role,
            locale=locale,
            zone=zone,
            currency_format=currency_format,
            lift_suppression=lift_suppression,
        )
        now = self._clock.now()
        table = tables_of(owner).recipient
        values = {
            "name": name.strip(),
            **({"role": role} if "role" in table.c else {}),
            "locale": locale,
            "zone": zone,
            "currency_format": currency_format,
            "added_by": author,
            "added_at": now,
            "removed_at": None,
            **({"unsubscribed_at": None} if subscribe_again else {}),
        }
        with self._database.write() as connection:
            lock_owner(connection, owner)
            standing = _suppressed(connection, owner).get(kept)
            _assert_open(standing, kept, is_lifted=lift_suppression)
            if standing is not None:
                _lift(connection, owner, kept, author=author, now=now)
            dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
            key = tables_of(owner).key
            row = dialect.insert(table).values(**{key: owner.owner_id}, address=kept, **values)
            connection.execute(row.on_conflict_do_update(index_elements=[key, "address"], set_=values))
        return self.one(owner, kept)

    def remove(self, owner: MailOwner, address: str) -> Recipient:
        """Send nothing more to an address."""
        kept = self.one(owner, address)
        self._end(kept, "removed_at")
        return self.one(owner, kept.address)

    def unsubscribe(self, owner: MailOwner, address: str) -> bool:
        """The reader's own end of it; whether it is one of the owner's recipients. A second time changes nothing."""
        with self._database.read() as connection:
            found = _recipients(connection, owner, address=address)
        if not found:
            return False
        self._end(found[0], "unsubscribed_at")
        return True

    def one(self, owner: MailOwner, address: str) -> Recipient:
        """One recipient, removed or not; `RecipientRefused` if there never was one."""
        found = self.find(owner, address)
        if found is None:
            raise RecipientRefused(
                f"{mail_address(address)} is no recipient of {owner}: `runway mail recipients list {owner}` shows all."
            )
        return found

    def find(self, owner: MailOwner, address: str) -> Recipient | None:
        """The same; None if there never was one."""
        with self._database.read() as connection:
            return recipient_in(connection, owner, mail_address(address))

    def all(self, owner: MailOwner) -> tuple[Recipient, ...]:
        """Every recipient that was not removed, by role and address; unsubscribed ones too."""
        with self._database.read() as connection:
            found = _recipients(connection, owner)
        standing = [one for one in found if one.removed_at is None]
        return tuple(sorted(standing, key=lambda one: (one.role, one.address)))

    def reachable(self, owner: MailOwner) -> tuple[Recipient, ...]:
        """The recipients that get mail."""
        return tuple(one for one in self.all(owner) if one.obstacle is None)

    def mode(self, owner: MailOwner) -> ModeSet:
        """What holds for an owner's mail."""
        with self._database.read() as connection:
            return mode_of(connection, owner)

    def set_mode(self, owner: MailOwner, mode: Mode, *, author: str) -> ModeSet:
        """Say what holds from now on; the same again is not recorded twice."""
        with self._database.write() as connection:
            lock_owner(connection, owner)
            newest = connection.execute(_newest_mode(owner)).first()
            if newest is None or newest.mode != mode:
                connection.execute(
                    insert(tables_of(owner).mode).values(
                        **{tables_of(owner).key: owner.owner_id},
                        number=1 if newest is None else newest.number + 1,
                        mode=mode,
                        author=author,
                        set_at=self._clock.now(),
                    )
                )
        return self.mode(owner)

    def _end(self, recipient: Recipient, column: str) -> None:
        tables = tables_of(recipient.owner)
        table = tables.recipient
        with self._database.write() as connection:
            connection.execute(
                update(table)
                .where(
                    tables.owned(table, recipient.owner),
                    table.c.address == recipient.address,
                    table.c[column].is_(None),
                )
                .values({column: self._clock.now()})
            )


def lock_owner(connection: Connection, owner: MailOwner) -> None:
    """Let one transaction at a time read and then write what belongs to this owner's mail."""
    if owner.kind == "tenant":
        lock_tenant(connection, TenantId(owner.owner_id))
    else:
        lock_firm(connection, owner.owner_id)


def recipient_in(connection: Connection, owner: MailOwner, address: str) -> Recipient | None:
    """One recipient inside the caller's transaction."""
    found = _recipients(connection, owner, address=address)
    return found[0] if found else None


def mode_of(connection: Connection, owner: MailOwner) -> ModeSet:
    """What holds for an owner's mail, inside the caller's transaction."""
    row = connection.execute(_newest_mode(owner)).first()
    if row is None:
        return ModeSet(mode="preview", author=None, set_at=None)
    return ModeSet(mode=row.mode, author=row.author, set_at=row.set_at)


def suppress(connection: Connection, owner: MailOwner, address: str, *, reason: str, now: datetime) -> None:
    """Send nothing more to an address that mail does not reach; the newest reason is kept."""
    values = {"reason": reason, "since": now, "lifted_by": None, "lifted_at": None}
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    tables = tables_of(owner)
    row = dialect.insert(tables.suppression).values(**{tables.key: owner.owner_id}, address=address, **values)
    connection.execute(row.on_conflict_do_update(index_elements=[tables.key, "address"], set_=values))


def _newest_mode(owner: MailOwner) -> Select[Any]:
    tables = tables_of(owner)
    mode = tables.mode
    return select(mode).where(tables.owned(mode, owner)).order_by(mode.c.number.desc()).limit(1)


def _assert_open(suppressed_because: str | None, address: str, *, is_lifted: bool) -> None:
    if suppressed_because is not None and not is_lifted:
        raise RecipientRefused(
            f"Mail to {address} came back ({suppressed_because}): add it with --lift-suppression once the address works."
        )


def _lift(connection: Connection, owner: MailOwner, address: str, *, author: str, now: datetime) -> None:
    tables = tables_of(owner)
    table = tables.suppression
    connection.execute(
        update(table)
        .where(tables.owned(table, owner), table.c.address == address)
        .values(lifted_by=author, lifted_at=now)
    )


def _suppressed(connection: Connection, owner: MailOwner) -> dict[str, str]:
    tables = tables_of(owner)
    table = tables.suppression
    found = select(table.c.address, table.c.reason).where(tables.owned(table, owner), table.c.lifted_at.is_(None))
    return {row.address: row.reason for row in connection.execute(found)}


def _recipients(connection: Connection, owner: MailOwner, *, address: str | None = None) -> list[Recipient]:
    tables = tables_of(owner)
    table = tables.recipient
    statement = select(table).where(tables.owned(table, owner))
    if address is not None:
        statement = statement.where(table.c.address == address)
    suppressed = _suppressed(connection, owner)
    return [_recipient(row, suppressed.get(row.address), owner=owner) for row in connection.execute(statement)]


def _recipient(row: Row[Any], suppressed_because: str | None, *, owner: MailOwner) -> Recipient:
    return Recipient(
        owner=owner,
        address=row.address,
        name=row.name,
        role="firm" if owner.kind == "firm" else row.role,
        locale=row.locale,
        zone=row.zone,
        currency_format=row.currency_format,
        added_by=row.added_by,
        added_at=row.added_at,
        removed_at=row.removed_at,
        unsubscribed_at=row.unsubscribed_at,
        suppressed_because=suppressed_because,
    )
