"""Roles and verbs, deny by default; and bank details that two people stand behind."""

import pytest

from payments.controls.payees import (
    BankDetails,
    confirm_payee,
    open_details,
    payees,
    propose_payee,
    reject_payee,
    seal_again,
)
from payments.controls.people import MAY, VERBS, add_person, deactivate, grant, require, revoke, roles_of
from payments.controls.policies import ApprovalRule, in_force, set_policy
from payments.errors import BadRequest, NotAllowed, SamePerson, UnknownHere
from payments.store.audit import verify
from payments.store.bill_tables import APPROVAL, PAYEE, PAYMENT_POLICY, ROLES, VENDOR_WATCH
from payments.store.ledger import OPERATOR
from payments.store.tables import AUDIT
from resources.registry import TenantRegistry
from resources.row_security import see_tenant
from resources.secret_text import Secret
from resources.tenants import ZONES
from resources.token_vault import TokenUnreadable, TokenVault
from tests.payments.desk import PEOPLE, Desk, make_bill
from tests.resources.builders import KEY, OTHER_KEY

_DETAILS = BankDetails(routing_number=Secret("021000021"), account_number=Secret("123456789"), account_kind="checking")


@pytest.fixture
def desk(bare_desk: Desk) -> Desk:
    """A vendor with an open bill."""
    bare_desk.sync(make_bill("b1"))
    return bare_desk


def test_every_role_and_verb_is_answered_by_the_table(desk: Desk) -> None:
    assert MAY.keys() == set(ROLES)
    assert set().union(*MAY.values()) == VERBS.keys()
    with desk.ledger.look(desk.tenant) as look:
        for person, roles in PEOPLE.items():
            for verb in VERBS:
                if any(verb in MAY[role] for role in roles):
                    assert require(look, person, verb)
                else:
                    with pytest.raises(NotAllowed):
                        require(look, person, verb)


def test_roles_end_when_they_are_revoked(desk: Desk) -> None:
    revoke(desk.ledger, desk.tenant, by="ada", person_id="amy", role="approver")
    with pytest.raises(NotAllowed):
        desk.approve(by="amy")
    with pytest.raises(UnknownHere):
        revoke(desk.ledger, desk.tenant, by="ada", person_id="amy", role="approver")


def test_a_person_who_is_deactivated_acts_for_no_tenant_and_gets_no_role_again(desk: Desk) -> None:
    other = TenantRegistry(desk.database, clock=desk.clock).add_tenant(
        "bolt", firm_id="north-books", name="Bolt", zone=ZONES[0]
    )
    tenants = [desk.tenant, other.tenant_id]
    grant(desk.ledger, other.tenant_id, by=OPERATOR, person_id="amy", role="administrator")
    desk.approve(by="amy")
    with pytest.raises(NotAllowed, match="no administrator of bolt"):
        deactivate(desk.ledger, by="ada", person_id="amy")  # ada administrates one of the two tenants only
    with pytest.raises(NotAllowed, match="themselves"):
        deactivate(desk.ledger, by="amy", person_id="amy")
    with pytest.raises(UnknownHere):
        deactivate(desk.ledger, by=OPERATOR, person_id="nobody")
    assert deactivate(desk.ledger, by=OPERATOR, person_id="amy") == tuple(sorted(tenants))
    assert deactivate(desk.ledger, by=OPERATOR, person_id="amy") == ()
    for tenant in tenants:
        with desk.ledger.look(tenant) as look:
            assert roles_of(look, "amy") == ()
            assert verify(look).is_sound
    with pytest.raises(NotAllowed):
        deactivate(desk.ledger, by="pat", person_id="amy")  # no role is left to take, and yet it is not for everybody
    with pytest.raises(BadRequest, match="was deactivated"):
        grant(desk.ledger, desk.tenant, by="ada", person_id="amy", role="approver")
    assert [row["approved_by"] for row in desk.rows(APPROVAL)] == ["amy"]
    grant(desk.ledger, other.tenant_id, by=OPERATOR, person_id="art", role="administrator")  # a first one is made again


def test_nobody_grants_to_themselves_and_only_administrators_grant(desk: Desk) -> None:
    with pytest.raises(NotAllowed, match="to themselves"):
        grant(desk.ledger, desk.tenant, by="ada", person_id="ada", role="owner")
    with pytest.raises(NotAllowed):
        grant(desk.ledger, desk.tenant, by="oli", person_id="amy", role="owner")


def test_the_command_line_makes_only_the_first_administrator(desk: Desk) -> None:
    for role in ("administrator", "owner"):
        with pytest.raises(NotAllowed, match="first administrator"):
            grant(desk.ledger, desk.tenant, by=OPERATOR, person_id="amy", role=role)


def test_granting_again_changes_nothing(desk: Desk) -> None:
    rows = len(desk.rows(AUDIT))
    grant(desk.ledger, desk.tenant, by="ada", person_id="amy", role="approver")
    assert len(desk.rows(AUDIT)) == rows
    with desk.ledger.look(desk.tenant) as look:
        assert roles_of(look, "amy") == ("approver",)


def test_a_person_of_no_firm_or_of_another_gets_no_role(desk: Desk) -> None:
    with pytest.raises(UnknownHere):
        grant(desk.ledger, desk.tenant, by="ada", person_id="nobody", role="viewer")
    with pytest.raises(BadRequest):
        add_person(desk.ledger, person_id="amy", firm_id="north-books", name="Amy")
    with pytest.raises(UnknownHere, match="no firm 'typo'"):
        add_person(desk.ledger, person_id="new", firm_id="typo", name="New")
    with pytest.raises(BadRequest):
        grant(desk.ledger, desk.tenant, by="ada", person_id="amy", role="king")


def test_policies_are_versions_and_nonsense_makes_none(desk: Desk) -> None:
    with desk.ledger.look(desk.tenant) as look:
        assert in_force(look).separates(1)
    desk.policy(separation_above_cents=5_000)
    with desk.ledger.look(desk.tenant) as look:
        assert (in_force(look).version, in_force(look).separates(5_000)) == (1, False)
    for wrong in ({"per_payment_cents": 0}, {"rail": "pigeon"}, {"separation_above_cents": -1}, {"nonsense": 1}):
        with pytest.raises(BadRequest):
            desk.policy(**wrong)
    with pytest.raises(NotAllowed):
        set_policy(desk.ledger, desk.tenant, by="dan", changes={})


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("separation_above_cents", "abc", "a whole number of cents from 0"),
        ("separation_above_cents", None, "a whole number of cents from 0"),
        ("per_payment_cents", 500.5, "a whole number of cents from 1 to 1000000000000000, or null for no limit"),
        ("per_batch_cents", True, "a whole number of cents"),
        ("per_tenant_day_cents", 10**30, "a whole number of cents"),
        ("payee_watch_days", [], "a whole number of days from 0"),
        ("payee_watch_days", 10**9, "a whole number of days from 0"),
        ("soft_hold_seconds", 0, "a whole number of seconds from 1"),
        ("schedule_holds", ["now"], "one of now, at_due"),
        ("rail", {"a": 1}, "one of "),
        ("group_by_vendor", 1, "true or false"),
        ("rules", None, "a list of rules"),
        ("rules", "all", "a list of rules"),
    ],
)
def test_a_value_of_the_wrong_kind_is_refused_by_its_field_and_what_is_expected(
    desk: Desk, field: str, value: object, expected: str
) -> None:
    with pytest.raises(BadRequest, match=f"^This makes no policy: {field} is .*, but has to be {expected}"):
        desk.policy(**{field: value})
    assert not desk.rows(PAYMENT_POLICY)


@pytest.mark.parametrize(
    ("rule", "field", "expected"),
    [
        ({"vendor_ids": "v-b1", "approvals": 2}, ".vendor_ids", "a list of ids of vendors"),
        ({"vendor_ids": ["v-b1", ""]}, ".vendor_ids", "a list of ids of vendors"),
        ({"vendor_ids": [77]}, ".vendor_ids", "a list of ids of vendors"),
        ({"vendor_ids": None}, ".vendor_ids", "a list of ids of vendors"),
        ({"roles": ["aprover"]}, ".roles", "a list of roles that may approve .adviser, approver, owner."),
        ({"roles": ["viewer"]}, ".roles", "a list of roles that may approve"),
        ({"roles": "approver"}, ".roles", "a list of roles that may approve"),
        ({"above_cents": "0"}, ".above_cents", "a whole number of cents from 0"),
        ({"above_cents": 100_000, "up_to_cents": 5_000}, ".up_to_cents", "more than above_cents, which is 100000"),
        ({"above_cents": 5_000, "up_to_cents": 5_000}, ".up_to_cents", "more than above_cents, which is 5000"),
        ({"approvals": 0}, ".approvals", "a whole number of people from 1"),
        ({"approvals": "2"}, ".approvals", "a whole number of people from 1"),
        ({"approvals": True}, ".approvals", "a whole number of people from 1"),
        ({"only_watched_vendors": "no"}, ".only_watched_vendors", "true or false"),
        ({"in_sequence": 1, "roles": ["approver"]}, ".in_sequence", "true or false"),
        ({"in_sequence": True}, ".roles", "a role for each of the 1 approvals in sequence"),
        ({"in_sequence": True, "roles": ["owner"], "approvals": 2}, ".roles", "a role for each of the 2 approvals"),
        ({"aprovals": 2}, "", "an object with some of above_cents, "),
        (["approvals", 2], "", "an object with some of above_cents, "),
        (7, "", "an object with some of above_cents, "),
    ],
)
def test_a_rule_that_would_be_without_effect_is_refused_by_its_field(
    desk: Desk, rule: object, field: str, expected: str
) -> None:
    with pytest.raises(BadRequest, match=rf"^This makes no policy: rules\[1\]{field} is .*, but has to be {expected}"):
        desk.policy(rules=[{"approvals": 2}, rule])
    assert not desk.rows(PAYMENT_POLICY)


def test_everything_that_is_wrong_is_told_at_once(desk: Desk) -> None:
    with pytest.raises(BadRequest) as refusal:
        desk.policy(rail="pigeon", payee_watch_days=-1, rules=[{"approvals": 0}])
    fields = [one["field"] for one in refusal.value.facts["wrong"]]
    assert fields == ["payee_watch_days", "rail", "rules[0].approvals"]


def test_a_rule_as_json_has_it_asks_for_what_it_says(desk: Desk) -> None:
    desk.policy(rules=[{"vendor_ids": ["v-b1"], "approvals": 2}])
    with desk.ledger.look(desk.tenant) as look:
        assert in_force(look).rules == (ApprovalRule(vendor_ids=("v-b1",), approvals=2),)
    assert desk.approve("b1") == ["1 more approval"]


@pytest.mark.parametrize(("stored", "read"), [("v-b1", ("v-b1",)), (77, ("77",)), (None, ()), (["v-b1"], ("v-b1",))])
def test_a_rule_stored_before_its_values_were_checked_means_the_one_it_names(
    desk: Desk, stored: object, read: tuple[str, ...]
) -> None:
    desk.policy()
    (row,) = desk.rows(PAYMENT_POLICY)
    with desk.ledger.act(desk.tenant, actor="oli", kind="policy set") as act:
        act.insert(PAYMENT_POLICY, row | {"version": 2, "rules": [row["rules"][0] | {"vendor_ids": stored}]})
    with desk.ledger.look(desk.tenant) as look:
        assert in_force(look).rules[0].vendor_ids == read
    desk.policy(separation_above_cents=1)


def _propose(desk: Desk, *, by: str = "pat", details: BankDetails = _DETAILS) -> None:
    propose_payee(desk.ledger, desk.tenant, by=by, vendor_id="v-b1", details=details, vault=TokenVault([KEY]))


def test_bank_details_are_confirmed_by_another_person_who_names_their_end(desk: Desk) -> None:
    desk.policy(separation_above_cents=0)
    grant(desk.ledger, desk.tenant, by="ada", person_id="pat", role="approver")
    _propose(desk)
    with pytest.raises(SamePerson):
        confirm_payee(desk.ledger, desk.tenant, by="pat", vendor_id="v-b1", account_ending="6789")
    with pytest.raises(BadRequest, match="does not end with"):
        confirm_payee(desk.ledger, desk.tenant, by="amy", vendor_id="v-b1", account_ending="0000")
    assert (
        confirm_payee(desk.ledger, desk.tenant, by="amy", vendor_id="v-b1", account_ending="6789").state == "confirmed"
    )
    (watched,) = desk.rows(VENDOR_WATCH)
    assert watched["changed_at"] is not None


def test_a_new_proposal_replaces_an_unconfirmed_one_and_pays_nobody_before_it_is_confirmed(desk: Desk) -> None:
    _propose(desk)
    _propose(desk)
    confirm_payee(desk.ledger, desk.tenant, by="amy", vendor_id="v-b1", account_ending="6789")
    _propose(desk)
    with desk.ledger.look(desk.tenant) as look:
        assert [one.state for one in payees(look)] == ["rejected", "confirmed", "proposed"]
        with pytest.raises(UnknownHere):
            open_details(look, vendor_id="v-b1", version=3, vault=TokenVault([KEY]))
    reject_payee(desk.ledger, desk.tenant, by="amy", vendor_id="v-b1")
    with pytest.raises(UnknownHere):
        reject_payee(desk.ledger, desk.tenant, by="amy", vendor_id="v-b1")


def test_bank_details_are_nowhere_in_the_clear_and_open_at_their_place_only(desk: Desk) -> None:
    _propose(desk)
    confirm_payee(desk.ledger, desk.tenant, by="amy", vendor_id="v-b1", account_ending="6789")
    with desk.ledger.look(desk.tenant) as look:
        opened = open_details(look, vendor_id="v-b1", version=1, vault=TokenVault([KEY]))
        assert opened.account_number.reveal() == "123456789"
        assert "123456789" not in repr(opened)
        told = "".join(str(row) for table in (PAYEE, AUDIT) for row in look.many(table))
        assert "123456789" not in told
        assert "021000021" not in told
    with desk.database.write() as connection:
        see_tenant(connection, desk.tenant)
        connection.execute(PAYEE.insert().values(desk.rows(PAYEE)[0] | {"vendor_id": "v-other"}))
    with desk.ledger.look(desk.tenant) as look, pytest.raises(TokenUnreadable):
        open_details(look, vendor_id="v-other", version=1, vault=TokenVault([KEY]))


def test_bank_details_are_sealed_again_with_the_newest_key(desk: Desk) -> None:
    _propose(desk)
    confirm_payee(desk.ledger, desk.tenant, by="amy", vendor_id="v-b1", account_ending="6789")
    both = TokenVault([OTHER_KEY, KEY])
    assert seal_again(desk.ledger, desk.tenant, vault=both) == 1
    assert seal_again(desk.ledger, desk.tenant, vault=both) == 0
    with desk.ledger.look(desk.tenant) as look:
        opened = open_details(look, vendor_id="v-b1", version=1, vault=TokenVault([OTHER_KEY]))
    assert opened.routing_number.reveal() == "021000021"


@pytest.mark.parametrize(
    ("routing", "account", "kind"),
    [
        ("021000020", "123456789", "checking"),
        ("02100002", "123456789", "checking"),
        ("021000021", "12", "checking"),
        ("021000021", "12a456", "checking"),
        ("021000021", "123456789", "shoebox"),
        ("\u0660" * 9, "123456789", "checking"),
    ],
)
def test_what_is_no_bank_account_is_refused_without_repeating_it(
    desk: Desk, routing: str, account: str, kind: str
) -> None:
    details = BankDetails(routing_number=Secret(routing), account_number=Secret(account), account_kind=kind)
    with pytest.raises(BadRequest) as refused:
        _propose(desk, details=details)
    assert routing not in str(refused.value)
    assert account not in str(refused.value)
