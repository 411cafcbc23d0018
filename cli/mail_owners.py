"""Whose mail a command is about: a tenant's, or with `firm:` before its id that of a firm as a whole.

Belongs here: reading the argument, what follows from it. Does not: commands (`cli/mail.py`, `cli/mail_recipients.py`).
"""

from dataclasses import dataclass

import typer

from cli.entering import known_tenant
from resources.installation import Installation
from resources.mail.tables import MailOwner, OwnerKind, of_firm, of_tenant

_FIRM = "firm:"
#: As `assets/mailing.py` queues them, which is not imported: it brings the calculators, and commands are to start at once.
_WEEKLY: dict[OwnerKind, str] = {"tenant": "friday_digest", "firm": "firm_exceptions"}
_HELP = "The tenant; firm:ID for the mail of a firm as a whole."
OWNER = typer.Argument(metavar="TENANT", help=_HELP)


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownOwner:
    """A registered tenant or firm as the owner of mail."""

    owner: MailOwner
    zone: str
    """Whose morning counts if nothing else is said; empty where a firm's tenants are in several zones."""

    @property
    def kind(self) -> str:
        """The document that is mailed each week."""
        return _WEEKLY[self.owner.kind]


def known_owner(installation: Installation, text: str) -> KnownOwner:
    """The registered tenant or firm as typed."""
    if not text.startswith(_FIRM):
        tenant = known_tenant(installation, text)
        return KnownOwner(owner=of_tenant(tenant.tenant_id), zone=tenant.zone)
    firm = installation.registry.firm(text.removeprefix(_FIRM))
    zones = {one.zone for one in installation.registry.tenants() if one.firm_id == firm.firm_id}
    return KnownOwner(owner=of_firm(firm.firm_id), zone=zones.pop() if len(zones) == 1 else "")


def as_fields(owner: MailOwner) -> dict[str, str]:
    """An owner in JSON: `tenant_id` or `firm_id`."""
    return {f"{owner.kind}_id": owner.owner_id}
