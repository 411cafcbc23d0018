"""Every (role, verb) tried at the service itself: who has not the role is refused, and no table is changed."""

import ast
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from payments.controls.people import MAY, add_person, grant, roles_of
from payments.errors import NotAllowed, Refused
from payments.store.ledger import Ledger
from tests.cli.test_dry_runs import Shop, dumped
from tests.cli.test_dry_runs import shop as full_shop  # noqa: F401 - the fixture
from tests.payments.desk import PEOPLE
from tests.payments.verbs import Call, Name, calls
from tests.resources.builders import ACME

_PAYMENTS = Path(__file__).parents[2] / "payments"


def _public_callers() -> set[Name]:
    """The public functions of `payments/` that ask for a role: by themselves, or by a private one of their module."""
    found: set[Name] = set()
    for path in sorted(_PAYMENTS.rglob("*.py")):
        functions = [one for one in ast.parse(path.read_text()).body if isinstance(one, ast.FunctionDef)]
        called_by = {one.name: _called(one) for one in functions}
        asking = {"require"}
        while more := {name for name, called in called_by.items() if called & asking} - asking:
            found |= {(path.stem, name) for name in more if not name.startswith("_")}
            # A public one answers for itself; whoever calls it is no verb for that.
            asking |= {name for name in more if name.startswith("_")}
            called_by = {name: called for name, called in called_by.items() if name not in more}
    return found


def _called(function: ast.FunctionDef) -> set[str]:
    """The names that a function calls."""
    asked = [one.func for one in ast.walk(function) if isinstance(one, ast.Call)]
    return {one.id for one in asked if isinstance(one, ast.Name)} | {
        one.attr for one in asked if isinstance(one, ast.Attribute) and one.attr == "require"
    }


def _add_people(shop: Shop) -> dict[str, tuple[str, ...]]:
    """People with each role alone, with two, with one that ended, with none; their roles now."""
    ledger = shop.office.ledger
    for person in ("eve", "new"):
        add_person(ledger, person_id=person, firm_id="north-books", name=person.title())
    grant(ledger, ACME, by="ada", person_id="eve", role="emergency")
    with ledger.look(ACME) as look:
        people = {person: roles_of(look, person) for person in (*PEOPLE, "eve", "new", "nobody-known")}
    assert {roles[0] for roles in people.values() if len(roles) == 1} == MAY.keys(), "each role stands alone once"
    assert people["art"] == people["new"] == (), "one was deactivated, one never had a role"
    return people


def test_whoever_has_not_the_role_is_refused_by_every_verb_and_changes_nothing(full_shop: Shop) -> None:  # noqa: F811 - the fixture
    people = _add_people(full_shop)
    office = full_shop.office
    office.policy(separation_above_cents=10**9)
    for person in ("dot", "oli"):
        office.approve(full_shop.bills["staged"], by=person)  # each takes back an approval of their own
    tries = calls(full_shop)
    assert tries.keys() - {("people", "reactivate")} == _public_callers(), "every verb that asks for a role is tried"
    last = ("break_glass", "declare")
    for name in sorted(tries, key=lambda one: one == last):
        if name == last:
            office.policy(per_payment_cents=1)  # something to override
        _try(full_shop, name, *tries[name], people=people)


def _try(shop: Shop, name: Name, verbs: tuple[str, ...], call: Call, *, people: Mapping[str, tuple[str, ...]]) -> None:
    """One verb: who may not is refused for it, on the real ledger; who may is not, in a dry run."""
    path = Path(str(shop.office.database.url.database))
    dry = Ledger(shop.office.database, clock=shop.office.clock, dry_run=True)
    before, told = dumped(path), dict[str, Any]()
    for person, roles in people.items():
        missing = [verb for verb in verbs if not any(verb in MAY[role] for role in roles)]
        try:
            call(shop.office.ledger if missing else dry, person)
        except NotAllowed as refused:
            told[person] = ("refused", refused.facts["verb"])
        except Refused as refused:
            told[person] = ("otherwise", type(refused).__name__)
        else:
            told[person] = ("done", "")
        if missing:
            assert told[person] == ("refused", missing[0]), (name, person, roles, told[person])
        else:
            assert told[person][0] != "refused", (name, person, roles)
    assert ("done", "") in told.values(), f"nobody succeeds: {name} {told}"
    now = dumped(path)
    assert [table for table in before if now[table] != before[table]] == [], name
