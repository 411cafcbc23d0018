"""Bank details of vendors: encrypted, entered by one person and confirmed by another.

Belongs here: proposing, confirming, rejecting, opening for a payment file, sealing again with a newer key. Does not: the files.

The clear text exists only on its way into a payment file. A change of details puts the vendor on watch: for some days each payment
to it needs a second person, whatever the amount.
"""

import re
from dataclasses import dataclass

import simplejson

from payments.controls.people import require
from payments.errors import BadRequest, PayeeMissing, SamePerson, UnknownHere
from payments.store.bill_tables import PAYEE, VENDOR_WATCH
from payments.store.ledger import OPERATOR, Ledger
from payments.store.repository import Act, Look, Row
from resources.secret_text import Secret
from resources.tenants import TenantId
from resources.token_vault import Place, SealState, TokenVault

_WEIGHTS = (3, 7, 1) * 3
_ACCOUNT = re.compile(r"[0-9]{4,17}")


@dataclass(frozen=True, slots=True, kw_only=True)
class BankDetails:
    """Where a vendor's money goes; shows nothing of itself."""

    routing_number: Secret
    account_number: Secret
    account_kind: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Payee:
    """A version of a vendor's bank details, without them."""

    vendor_id: str
    version: int
    state: str
    account_ending: str
    set_by: str
    confirmed_by: str | None


def propose_payee(
    ledger: Ledger, tenant: TenantId, *, by: str, vendor_id: str, details: BankDetails, vault: TokenVault
) -> Payee:
    """Enter a vendor's bank details; they pay nobody before another person has confirmed them."""
    _check(details)
    with ledger.act(tenant, actor=by, kind="payee proposed") as act:
        require(act, by, "propose_payee")
        _vendor(act, vendor_id)
        act.entity = f"vendor {vendor_id}"
        versions = act.many(PAYEE, PAYEE.c.vendor_id == vendor_id)
        for open_one in [row for row in versions if row["state"] == "proposed"]:
            _end(act, open_one, state="rejected")
        version = len(versions) + 1
        text = "\n".join((details.routing_number.reveal(), details.account_number.reveal(), details.account_kind))
        row = {
            "vendor_id": vendor_id,
            "version": version,
            "state": "proposed",
            "sealed": vault.seal(Secret(text), place=_place(tenant, vendor_id, version)),
            "account_ending": details.account_number.reveal()[-4:],
            "set_by": by,
            "set_at": act.now,
        }
        act.insert(PAYEE, row)
    return _payee(row | {"confirmed_by": None})


def confirm_payee(ledger: Ledger, tenant: TenantId, *, by: str, vendor_id: str, account_ending: str) -> Payee:
    """Confirm the proposed details, naming the last digits as the vendor told them; never one's own entry."""
    with ledger.act(tenant, actor=by, kind="payee confirmed") as act:
        require(act, by, "confirm_payee")
        proposed = _proposed(act, vendor_id)
        if proposed["set_by"] == by:
            raise SamePerson(
                what=f"{by} entered these bank details.",
                next_step="Another person confirms them, after asking the vendor.",
            )
        if proposed["account_ending"] != account_ending:
            raise BadRequest(
                what=f"The proposed account does not end with {account_ending}.",
                next_step="Ask the vendor on a known number; reject the details if they are not theirs.",
            )
        act.entity = f"vendor {vendor_id}"
        before = confirmed_payee(act, vendor_id)
        if before is not None:
            _end(act, before, state="replaced")
        changes = {"state": "confirmed", "confirmed_by": by, "confirmed_at": act.now}
        row = act.update(PAYEE, {"vendor_id": vendor_id, "version": proposed["version"]}, changes)
        act.update(VENDOR_WATCH, {"vendor_id": vendor_id}, {"changed_at": act.now})
    return _payee(row)


def reject_payee(ledger: Ledger, tenant: TenantId, *, by: str, vendor_id: str) -> None:
    """Refuse the proposed details."""
    with ledger.act(tenant, actor=by, kind="payee rejected") as act:
        require(act, by, "confirm_payee")
        act.entity = f"vendor {vendor_id}"
        _end(act, _proposed(act, vendor_id), state="rejected")


def payees(look: Look) -> list[Payee]:
    """Every version of every vendor's details, without them."""
    return [_payee(row) for row in look.many(PAYEE)]


def confirmed_payee(look: Look, vendor_id: str) -> Row | None:
    """The details that payments go to; None if nobody confirmed any."""
    found = look.many(PAYEE, PAYEE.c.vendor_id == vendor_id, PAYEE.c.state == "confirmed")
    return found[0] if found else None


def pays_replaced_details(look: Look, intent: Row) -> bool:
    """Whether two people have said since a payment was sealed that its money does not belong where it would go."""
    if intent["leg"] != "rail":
        return False
    confirmed = confirmed_payee(look, intent["vendor_id"])
    return confirmed is None or confirmed["version"] != simplejson.loads(intent["body"])["payee_version"]


def refuse_without_payee(look: Look, bill: Row, *, rail: str) -> None:
    """`PayeeMissing` if the rail moves money and nobody confirmed where to."""
    if rail != "record_only" and confirmed_payee(look, bill["vendor_id"]) is None:
        raise PayeeMissing(
            what=f"There are no confirmed bank details of {bill['vendor_name']}, and {rail} moves money to them.",
            next_step="`runway ledger propose-payee`, and a second person confirms; or pay outside with `record_only`.",
        )


def open_details(look: Look, *, vendor_id: str, version: int, vault: TokenVault) -> BankDetails:
    """The details in the clear, for a payment file. `TokenUnreadable` if the ring has not their key."""
    row = look.one(PAYEE, vendor_id=vendor_id, version=version)
    if row is None or row["state"] not in {"confirmed", "replaced"}:
        raise UnknownHere(
            what=f"Vendor {vendor_id} has no confirmed bank details of version {version}.",
            next_step="`runway ledger list-payees` shows what there is.",
        )
    text = vault.open(bytes(row["sealed"]), place=_place(look.tenant, vendor_id, version)).reveal()
    routing, account, kind = text.split("\n")
    return BankDetails(routing_number=Secret(routing), account_number=Secret(account), account_kind=kind)


def seal_again(ledger: Ledger, tenant: TenantId, *, vault: TokenVault) -> int:
    """Encrypt with the newest key what an older one of the ring sealed; how many. Breaking off and beginning again is harmless."""
    with ledger.act(tenant, actor=OPERATOR, kind="payees sealed again") as act:
        old = [row for row in act.many(PAYEE) if _state_of(row, tenant, vault=vault) == "older"]
        for row in old:
            keys = {"vendor_id": row["vendor_id"], "version": row["version"]}
            place = _place(tenant, row["vendor_id"], row["version"])
            opened = vault.open(bytes(row["sealed"]), place=place)
            act.update(PAYEE, keys, {"sealed": vault.seal(opened, place=place)})
    return len(old)


def seals(look: Look, *, vault: TokenVault) -> list[SealState]:
    """With which key each version of each vendor's details is sealed."""
    return [_state_of(row, look.tenant, vault=vault) for row in look.many(PAYEE)]


def _state_of(row: Row, tenant: TenantId, *, vault: TokenVault) -> SealState:
    place = _place(tenant, row["vendor_id"], row["version"])
    return vault.state_of(bytes(row["sealed"]), place=place)


def is_routing_number(text: str) -> bool:
    """Whether it is nine digits with the check digit of the ABA: weights 3, 7, 1 over them add up to a multiple of ten."""
    if len(text) != len(_WEIGHTS) or not (text.isascii() and text.isdigit()):
        return False
    return sum(weight * int(digit) for weight, digit in zip(_WEIGHTS, text, strict=True)) % 10 == 0


def _check(details: BankDetails) -> None:
    if not is_routing_number(details.routing_number.reveal()):
        raise BadRequest(
            what="The routing number is not one: nine digits whose check digit fits.", next_step="Read it off again."
        )
    if not _ACCOUNT.fullmatch(details.account_number.reveal()):
        raise BadRequest(what="The account number is not one: 4 to 17 digits.", next_step="Read it off again.")
    if details.account_kind not in {"checking", "savings"}:
        raise BadRequest(what="The account is neither `checking` nor `savings`.", next_step="Name its kind.")


def _vendor(act: Act, vendor_id: str) -> None:
    if act.one(VENDOR_WATCH, vendor_id=vendor_id) is None:
        raise UnknownHere(
            what=f"The ledger knows no vendor {vendor_id!r}.",
            next_step="A vendor is known from its first open bill in a sync.",
        )


def _proposed(act: Act, vendor_id: str) -> Row:
    found = act.many(PAYEE, PAYEE.c.vendor_id == vendor_id, PAYEE.c.state == "proposed")
    if not found:
        raise UnknownHere(
            what=f"Nobody proposed bank details of vendor {vendor_id!r}.",
            next_step="`runway ledger propose-payee` enters them.",
        )
    return found[0]


def _end(act: Act, row: Row, *, state: str) -> None:
    keys = {"vendor_id": row["vendor_id"], "version": row["version"]}
    act.update(PAYEE, keys, {"state": state, "ended_by": act.actor, "ended_at": act.now})


def _place(tenant: TenantId, vendor_id: str, version: int) -> Place:
    return Place(tenant_id=tenant, realm_id="", kind=f"payee/{version}/{vendor_id}")


def _payee(row: Row) -> Payee:
    names = ("vendor_id", "version", "state", "account_ending", "set_by", "confirmed_by")
    return Payee(**{name: row[name] for name in names})
