"""A call of every verb of the payment service, with something to do for each: what the dry runs of the command line act on."""

from collections.abc import Callable, Mapping
from typing import Any

from payments.bills.approvals import approve, withdraw_approval
from payments.bills.break_glass import confirm_override
from payments.bills.decisions import pay_now, schedule, stage, unstage
from payments.bills.discovery import reopen
from payments.bills.postponing import delay, withdraw
from payments.cash.free_cash import enter_bank_balance, resolve_shortfall, set_floor
from payments.cash.reserves import allocate, close, open_reserve, release, set_target
from payments.controls.alarms import resolve_alarm
from payments.controls.payees import BankDetails, confirm_payee, propose_payee, reject_payee
from payments.controls.people import deactivate, grant, reactivate, revoke
from payments.controls.policies import set_policy
from payments.rails.nacha_file import Originator
from payments.sending.bank_files import confirm_upload, discard_file, make_file
from payments.sending.batches import finalize, finalize_open
from payments.sending.review import end_payment, take_as_paid, write_off
from payments.store.ledger import Ledger
from resources.secret_text import Secret
from resources.tenants import TenantId
from resources.token_vault import TokenVault, keys_from_file
from tests.cli.test_dry_runs import SECOND, Shop
from tests.payments.office import POLICY
from tests.resources.builders import ACME

_ORIGINATOR = Originator(
    bank_routing="021000021", bank_name="First Bank", company_id="1234567890", company_name="Alder Works"
)
_DETAILS = BankDetails(routing_number=Secret("021000021"), account_number=Secret("123456789"), account_kind="checking")
#: Module and function of `payments/`.
Name = tuple[str, str]
#: Does it on a ledger, as a person.
Call = Callable[[Ledger, str], object]
#: What a role has to include for it, and the call.
Try = tuple[tuple[str, ...], Call]


def calls(shop: Shop, tenant: TenantId = ACME) -> Mapping[Name, Try]:
    """Each verb, which somebody succeeds with in the shop's own tenant; with another, its ids are foreign there."""
    return (
        _about_bills(shop, tenant)
        | _about_batches(shop, tenant)
        | _about_money(shop, tenant)
        | _about_people(shop, tenant)
    )


def _about_bills(shop: Shop, tenant: TenantId) -> dict[Name, Try]:
    bills, ids, day = shop.bills, shop.ids, shop.office.today.replace(year=2099, day=5)
    pay: dict[str, Any] = {"bill_id": bills["staged"], "account_id": shop.bank, "request_key": "t"}
    why = {"reason": "because it is so", "request_key": "t"}
    return {
        ("approvals", "approve"): (
            ("approve",),
            lambda on, by: approve(on, tenant, by=by, bill_id=bills["open"], request_key="t"),
        ),
        ("approvals", "withdraw_approval"): (
            ("approve",),
            lambda on, by: withdraw_approval(on, tenant, by=by, bill_id=bills["staged"]),
        ),
        ("decisions", "stage"): (("stage",), lambda on, by: stage(on, tenant, by=by, **pay)),
        ("decisions", "unstage"): (("stage",), lambda on, by: unstage(on, tenant, by=by, bill_id=bills["staged"])),
        ("decisions", "pay_now"): (("decide",), lambda on, by: pay_now(on, tenant, by=by, **pay)),
        ("decisions", "schedule"): (("decide",), lambda on, by: schedule(on, tenant, by=by, pay_on=day, **pay)),
        ("break_glass", "declare"): (
            ("decide", "break_glass"),
            lambda on, by: pay_now(on, tenant, by=by, override="the owner asked for it", **pay),
        ),
        ("break_glass", "confirm_override"): (
            ("confirm_break_glass",),
            lambda on, by: confirm_override(on, tenant, by=by, break_glass_id=ids["glass"]),
        ),
        ("postponing", "delay"): (
            ("delay",),
            lambda on, by: delay(on, tenant, by=by, bill_id=bills["staged"], until=day, request_key="t"),
        ),
        ("postponing", "withdraw"): (
            ("withdraw",),
            lambda on, by: withdraw(on, tenant, by=by, bill_id=bills["staged"], **why),
        ),
        ("discovery", "reopen"): (("withdraw",), lambda on, by: reopen(on, tenant, by=by, bill_id=bills["withdrawn"])),
        ("alarms", "resolve_alarm"): (
            ("review",),
            lambda on, by: resolve_alarm(on, tenant, by=by, alarm_id=ids["alarm"]),
        ),
    }


def _about_batches(shop: Shop, tenant: TenantId) -> dict[Name, Try]:
    ids, outside = shop.ids, shop.office.outside()
    end: dict[str, Any] = {"intent_id": ids["to_end_payment"], "reason": "because it is so", "policy": POLICY}
    books = shop.office.installation.bill_payments(ACME)
    file: dict[str, Any] = {"originator": _ORIGINATOR, "books": books, "vault": _vault(shop)}
    return {
        ("batches", "finalize"): (
            ("finalize",),
            lambda on, by: finalize(on, tenant, by=by, decision_ids=[ids["decided_id"]], request_key="t"),
        ),
        ("batches", "finalize_open"): (
            ("finalize",),
            lambda on, by: finalize_open(on, tenant, by=by, batch_id=ids["due_batch"], request_key="t"),
        ),
        ("bank_files", "make_file"): (
            ("finalize",),
            lambda on, by: make_file(on, tenant, by=by, batch_id=ids["to_file_batch"], **file),
        ),
        ("bank_files", "confirm_upload"): (
            ("finalize",),
            lambda on, by: confirm_upload(on, tenant, by=by, batch_id=ids["filed_batch"], bank_routing="021000021"),
        ),
        ("bank_files", "discard_file"): (
            ("finalize",),
            lambda on, by: discard_file(on, tenant, by=by, batch_id=ids["filed_batch"], reason="because it is so"),
        ),
        ("review", "take_as_paid"): (
            ("review",),
            lambda on, by: take_as_paid(on, tenant, outside, by=by, intent_id=ids["to_take_payment"]),
        ),
        ("review", "end_payment"): (("review",), lambda on, by: end_payment(on, tenant, outside, by=by, **end)),
        ("review", "write_off"): (("write_off",), lambda on, by: write_off(on, tenant, outside, by=by, **end)),
    }


def _about_money(shop: Shop, tenant: TenantId) -> dict[Name, Try]:
    bank, ids = shop.bank, shop.ids
    move: dict[str, Any] = {"amount_cents": 100, "reason": "because it is so", "request_key": "t"}
    return {
        ("reserves", "open_reserve"): (
            ("reserve",),
            lambda on, by: open_reserve(on, tenant, by=by, kind="tax", name="Tax", account_id=bank),
        ),
        ("reserves", "set_target"): (
            ("reserve",),
            lambda on, by: set_target(on, tenant, by=by, reserve_id=ids["full"], target_cents=7_700, target_on=None),
        ),
        ("reserves", "allocate"): (
            ("reserve",),
            lambda on, by: allocate(on, tenant, by=by, reserve_id=ids["empty"], **move),
        ),
        ("reserves", "release"): (
            ("reserve",),
            lambda on, by: release(on, tenant, by=by, reserve_id=ids["full"], **move),
        ),
        ("reserves", "close"): (("reserve",), lambda on, by: close(on, tenant, by=by, reserve_id=ids["empty"])),
        ("free_cash", "set_floor"): (
            ("set_floor",),
            lambda on, by: set_floor(on, tenant, by=by, account_id=bank, floor_cents=100),
        ),
        ("free_cash", "enter_bank_balance"): (
            ("set_floor",),
            lambda on, by: enter_bank_balance(on, tenant, by=by, account_id=bank, bank_cents=9_000_000),
        ),
        ("free_cash", "resolve_shortfall"): (
            ("resolve_shortfall",),
            lambda on, by: resolve_shortfall(on, tenant, by=by, account_id=SECOND, resolution="a typing error"),
        ),
    }


def _about_people(shop: Shop, tenant: TenantId) -> dict[Name, Try]:
    vendor, vault = shop.office.company.vendor, _vault(shop)
    return {
        ("policies", "set_policy"): (
            ("set_policy",),
            lambda on, by: set_policy(on, tenant, by=by, changes={"per_batch_cents": 77}),
        ),
        ("payees", "propose_payee"): (
            ("propose_payee",),
            lambda on, by: propose_payee(on, tenant, by=by, vendor_id=vendor, details=_DETAILS, vault=vault),
        ),
        ("payees", "confirm_payee"): (
            ("confirm_payee",),
            lambda on, by: confirm_payee(on, tenant, by=by, vendor_id=vendor, account_ending="4321"),
        ),
        ("payees", "reject_payee"): (
            ("confirm_payee",),
            lambda on, by: reject_payee(on, tenant, by=by, vendor_id=vendor),
        ),
        ("people", "grant"): (
            ("manage_people",),
            lambda on, by: grant(on, tenant, by=by, person_id="new", role="preparer"),
        ),
        ("people", "revoke"): (
            ("manage_people",),
            lambda on, by: revoke(on, tenant, by=by, person_id="vic", role="viewer"),
        ),
        ("people", "deactivate"): (("manage_people",), lambda on, by: deactivate(on, by=by, person_id="vic")),
        ("people", "reactivate"): (("manage_people",), lambda on, by: reactivate(on, by=by, person_id="art")),
    }


def _vault(shop: Shop) -> TokenVault:
    return TokenVault(keys_from_file(shop.office.installation.settings.key_file))
