"""People, their roles with a tenant, and what each role may do: one table, deny by default.

Belongs here: the table of roles and verbs, granting, revoking and deactivating, the check every verb starts with. Does not: how
many people a payment needs (`policies.py`).

A person belongs to a firm and has roles with each tenant of it. Nobody grants a role to themselves; only a tenant's very first
administrator is made from the command line.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import bindparam, insert, select, update

from payments.errors import BadRequest, NotAllowed, UnknownHere, WrongState
from payments.store.bill_tables import PERSON, ROLE_GRANT, ROLES
from payments.store.ledger import OPERATOR, Ledger
from payments.store.names import new_id
from payments.store.repository import Act, Look, Row
from resources.tables import FIRM, TENANT
from resources.tenants import TenantId, slug

VERBS: Mapping[str, str] = {
    "view": "look at bills, cash, batches and the audit",
    "stage": "propose bills for payment",
    "approve": "approve bills as owed",
    "decide": "rule that a bill is paid, now or on a day",
    "delay": "put a bill off",
    "withdraw": "take a bill out of the workflow, or back into it",
    "finalize": "seal a batch, so that it is paid",
    "review": "resolve a payment whose fate is unclear",
    "write_off": "end a payment that will not be made",
    "reserve": "open reserves, allocate to them and release from them",
    "set_floor": "set the floor of a cash account and enter bank balances",
    "resolve_shortfall": "allow decisions again on an account that was short",
    "set_policy": "set the approval policy and its limits",
    "propose_payee": "enter a vendor's bank details",
    "confirm_payee": "confirm bank details that somebody else entered",
    "manage_people": "grant and revoke roles",
    "break_glass": "override cash or policy with a reason",
    "confirm_break_glass": "stand in as the second person of an override",
}

_PAYING = frozenset({"view", "stage", "approve", "decide", "delay", "withdraw", "finalize"})

#: What each role may do; what is not listed is refused.
MAY: Mapping[str, frozenset[str]] = {
    "viewer": frozenset({"view"}),
    "preparer": frozenset({"view", "stage", "propose_payee"}),
    "approver": frozenset({"view", "approve", "confirm_payee"}),
    "adviser": _PAYING | {"reserve", "review", "propose_payee", "resolve_shortfall"},
    "finalizer": frozenset({"view", "finalize", "review", "write_off", "confirm_payee"}),
    "owner": _PAYING
    | {
        "reserve",
        "set_floor",
        "review",
        "write_off",
        "resolve_shortfall",
        "set_policy",
        "confirm_payee",
        "confirm_break_glass",
    },
    "administrator": frozenset({"view", "set_policy", "set_floor", "manage_people"}),
    "emergency": frozenset({"view", "break_glass"}),
}


#: The roles of a person who is active.
_ROLES = (
    select(ROLE_GRANT.c.role)
    .join(PERSON, PERSON.c.person_id == ROLE_GRANT.c.person_id)
    .where(
        ROLE_GRANT.c.tenant_id == bindparam("tenant_id"),
        ROLE_GRANT.c.person_id == bindparam("person_id"),
        ROLE_GRANT.c.revoked_at.is_(None),
        PERSON.c.active == 1,
    )
    .order_by(ROLE_GRANT.c.role)
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody of a firm."""

    person_id: str
    firm_id: str
    name: str


def add_person(ledger: Ledger, *, person_id: str, firm_id: str, name: str) -> Person:
    """Register a person of a firm.

    Raises:
        BadRequest: the id is taken.
        BadTenantId: the id is no slug.
        UnknownHere: there is no such firm.
    """
    slug(person_id, what="person")
    with ledger.write_people() as connection:
        if connection.execute(select(PERSON.c.person_id).where(PERSON.c.person_id == person_id)).first():
            raise BadRequest(what=f"There is a person {person_id!r} already.", next_step="Choose another id.")
        if not connection.execute(select(FIRM.c.firm_id).where(FIRM.c.firm_id == firm_id)).first():
            raise UnknownHere(what=f"There is no firm {firm_id!r}.", next_step="`runway firm list` shows all.")
        row = {"person_id": person_id, "firm_id": firm_id, "name": name, "active": 1, "created_at": ledger.clock.now()}
        connection.execute(insert(PERSON).values(row))
    return Person(person_id=person_id, firm_id=firm_id, name=name)


def grant(ledger: Ledger, tenant: TenantId, *, by: str, person_id: str, role: str) -> str:
    """Give a person of the tenant's firm a role; the id of the grant. The same role again changes nothing."""
    if role not in ROLES:
        raise BadRequest(what=f"There is no role {role!r}.", next_step=f"Choose one of {', '.join(ROLES)}.")
    with ledger.act(tenant, actor=by, kind="role granted") as act:
        _may_manage(act, by=by, person_id=person_id, role=role)
        _of_the_firm(act, person_id)
        act.entity = f"person {person_id}"
        held = [row for row in _live(act, person_id) if row["role"] == role]
        if held:
            return str(held[0]["grant_id"])
        grant_id = new_id()
        row = {"grant_id": grant_id, "person_id": person_id, "role": role, "granted_by": by, "granted_at": act.now}
        act.insert(ROLE_GRANT, row)
    return grant_id


def revoke(ledger: Ledger, tenant: TenantId, *, by: str, person_id: str, role: str) -> None:
    """Take a role back; what the person did with it stays."""
    with ledger.act(tenant, actor=by, kind="role revoked") as act:
        require(act, by, "manage_people")
        act.entity = f"person {person_id}"
        held = [row for row in _live(act, person_id) if row["role"] == role]
        if not held:
            raise UnknownHere(
                what=f"{person_id} does not have the role {role!r} here.",
                next_step="`runway ledger people` lists them.",
            )
        act.update(ROLE_GRANT, {"grant_id": held[0]["grant_id"]}, {"revoked_by": by, "revoked_at": act.now})


def deactivate(ledger: Ledger, *, by: str, person_id: str) -> tuple[str, ...]:
    """Let somebody act nowhere any more and take their roles back with every tenant of their firm; the tenants that had any.

    What they did stays. Broken off, it is begun again: who is not active has no role from the first moment on.

    Raises:
        NotAllowed: `by` is not an administrator of each tenant where the person has a role (of any, if none), or is the person.
        UnknownHere: there is no such person.
    """
    tenants = _tenants_of_firm(ledger, person_id)
    if by == person_id:
        raise NotAllowed(
            what="Nobody deactivates themselves.", next_step="Ask another administrator.", verb="manage_people"
        )
    concerned, foreign = [], []
    for tenant in tenants:
        with ledger.look(tenant) as look:
            if _live(look, person_id):
                concerned.append(tenant)
            if not _administrates(look, by):
                foreign.append(tenant)
    # Whoever has the machine may take everybody's roles; a person those of the tenants they administrate.
    missing = sorted(set(concerned) & set(foreign)) or (foreign if len(foreign) == len(tenants) else [])
    if by != OPERATOR and (missing or not tenants):
        raise NotAllowed(
            what=f"{by!r} is no administrator of {', '.join(missing) or 'any tenant'}, where {person_id!r} would lose all roles.",
            next_step="Let an administrator of each tenant concerned do it, or do it from the command line without `--by`.",
            verb="manage_people",
        )
    with ledger.write_people() as connection:
        connection.execute(update(PERSON).where(PERSON.c.person_id == person_id).values(active=0))
    for tenant in concerned:
        with ledger.act(tenant, actor=by, kind="person deactivated") as act:
            if by != OPERATOR:
                require(act, by, "manage_people")
            act.entity = f"person {person_id}"
            for row in _live(act, person_id):
                act.update(ROLE_GRANT, {"grant_id": row["grant_id"]}, {"revoked_by": by, "revoked_at": act.now})
    return tuple(concerned)


def reactivate(ledger: Ledger, *, by: str, person_id: str) -> None:
    """Let somebody who was deactivated have roles again. None comes back: each is granted anew, by an administrator of its tenant.

    Raises:
        NotAllowed: `by` is an administrator of no tenant of the person's firm, and not the command line.
        UnknownHere: there is no such person.
        WrongState: the person is active, or the deactivation was broken off before all roles ended.
    """
    tenants = _tenants_of_firm(ledger, person_id)
    if by != OPERATOR and not any(_is_administrator(ledger, tenant, by) for tenant in tenants):
        raise NotAllowed(
            what=f"{by!r} is an administrator of no tenant of the firm of {person_id!r}.",
            next_step="Let an administrator do it, or do it from the command line without `--by`.",
            verb="manage_people",
        )
    left = [tenant for tenant in tenants if _has_grants(ledger, tenant, person_id)]
    with ledger.write_people() as connection:
        mine = PERSON.c.person_id == person_id
        if not connection.execute(update(PERSON).where(mine, PERSON.c.active == 0).values(active=1)).rowcount:
            raise WrongState(what=f"{person_id} is active.", next_step="`runway ledger grant` gives them roles.")
        if left:
            raise WrongState(
                what=f"The deactivation of {person_id} was broken off: their roles with {', '.join(left)} have not ended.",
                next_step="Deactivate them once more, then let them come back.",
            )


def roles_of(look: Look, person_id: str) -> tuple[str, ...]:
    """The roles a person has with the tenant now, sorted."""
    return tuple(row["role"] for row in look.asked(_ROLES, person_id=person_id))


def require(look: Look, person_id: str, verb: str) -> tuple[str, ...]:
    """The roles by which the person may do this; `NotAllowed` if none does."""
    assert verb in VERBS, f"{verb} is a verb"
    roles = tuple(role for role in roles_of(look, person_id) if verb in MAY[role])
    if not roles:
        able = ", ".join(sorted(role for role, verbs in MAY.items() if verb in verbs))
        raise NotAllowed(
            what=f"{person_id!r} may not {VERBS[verb]} for this tenant.",
            next_step=f"That takes one of the roles: {able}. An administrator of the tenant grants them.",
            verb=verb,
        )
    return roles


def _live(look: Look, person_id: str) -> list[Row]:
    return look.many(ROLE_GRANT, person_id=person_id, revoked_at=None)


def _administrates(look: Look, person_id: str) -> bool:
    return any("manage_people" in MAY[role] for role in roles_of(look, person_id))


def _is_administrator(ledger: Ledger, tenant: TenantId, person_id: str) -> bool:
    with ledger.look(tenant) as look:
        return _administrates(look, person_id)


def _has_grants(ledger: Ledger, tenant: TenantId, person_id: str) -> bool:
    with ledger.look(tenant) as look:
        return bool(_live(look, person_id))


def _tenants_of_firm(ledger: Ledger, person_id: str) -> list[TenantId]:
    """All tenants of the person's firm, those out of the schedules too."""
    mine = select(TENANT.c.tenant_id).join(PERSON, PERSON.c.firm_id == TENANT.c.firm_id)
    with ledger.database.read() as connection:
        if connection.execute(select(PERSON.c.person_id).where(PERSON.c.person_id == person_id)).first() is None:
            raise UnknownHere(
                what=f"There is no person {person_id!r}.", next_step="`runway ledger add-person` registers one."
            )
        rows = connection.execute(mine.where(PERSON.c.person_id == person_id).order_by(TENANT.c.tenant_id))
        return [TenantId(row.tenant_id) for row in rows]


def _may_manage(act: Act, *, by: str, person_id: str, role: str) -> None:
    if by == OPERATOR:
        administrators = ROLE_GRANT.c.role == "administrator", ROLE_GRANT.c.revoked_at.is_(None)
        if role != "administrator" or act.many(ROLE_GRANT, *administrators):
            raise NotAllowed(
                what="From the command line only a tenant's first administrator is made.",
                next_step="Let an administrator of the tenant grant this role: `--by PERSON`.",
                verb="manage_people",
            )
        return
    require(act, by, "manage_people")
    if by == person_id:
        raise NotAllowed(
            what="Nobody grants a role to themselves.", next_step="Ask another administrator.", verb="manage_people"
        )


def _of_the_firm(act: Act, person_id: str) -> None:
    person = act.person(person_id)
    if person is None or person["firm_id"] != act.tenant_row["firm_id"]:
        raise UnknownHere(
            what=f"There is no person {person_id!r} in this tenant's firm.",
            next_step="`runway ledger add-person` registers one.",
        )
    if not person["active"]:
        raise BadRequest(
            what=f"{person_id} was deactivated and has no roles any more.",
            next_step="Grant it to somebody else, or let them come back with `runway ledger reactivate-person`.",
        )
