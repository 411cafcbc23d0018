"""A batch that a bank pays while everything goes wrong once, run by Dagster: part of the day that is searched for secrets.

Belongs here: what happens, and the bank details that are planted. Does not: what must not be found afterwards
(`tests/resources/test_no_secrets_in_logs.py`).
"""

from typing import Any

import dagster as dg

from payments.bills.approvals import approve
from payments.bills.decisions import pay_now, stage
from payments.controls.payees import BankDetails, confirm_payee, propose_payee
from payments.controls.people import add_person, grant
from payments.controls.policies import set_policy
from payments.sending.batches import finalize
from payments.store.batch_tables import INTENT
from payments.store.bill_tables import BILL_WORKFLOW
from payments.store.cash_tables import CASH_ACCOUNT
from payments.store.ledger import OPERATOR, Ledger
from pipelines.build import build_defs
from pipelines.paying import batch_config
from resources.secret_text import Secret
from resources.token_vault import TokenVault, keys_from_file
from tests.firm import Company, Firm

ACCOUNT_NUMBER = "98710003345512"
_ROLES = {
    "ada": "administrator",
    "pat": "preparer",
    "amy": "approver",
    "dan": "adviser",
    "fin": "finalizer",
    "oli": "owner",
}


def pay(firm: Firm, company: Company, *, vendor: str) -> None:
    """Pay the bill of a vendor: a bank whose answer is lost, books that refuse the entry, a batch that is not there."""
    ledger = Ledger(firm.installation.database, clock=firm.installation.clock)
    batch = _finalized(ledger, firm, company, vendor=vendor)
    for kind, where in (("html_body", "query"), ("drop_after", "bank"), ("http_500_after", "billpayment")):
        firm.sandbox.break_with(company.realm_id, kind=kind, path_contains=where, times=1)
        assert _run(firm, company, batch).success
        firm.sandbox.heal(company.realm_id)
        firm.installation.clock.sleep(600)
    assert _run(firm, company, batch).success
    with ledger.look(company.tenant) as look:
        assert {row["state"] for row in look.many(INTENT)} == {"paid"}
    assert not _run(firm, company, "no-such-batch").success
    assert _job(firm, "payment_comparison", {}).success


def _finalized(ledger: Ledger, firm: Firm, company: Company, *, vendor: str) -> str:
    tenant = company.tenant
    for person, role in _ROLES.items():
        add_person(ledger, person_id=person, firm_id="oak", name=person.title())
        grant(ledger, tenant, by=OPERATOR if person == "ada" else "ada", person_id=person, role=role)
    changes: dict[str, Any] = {"rail": "simulated_bank", "payee_watch_days": 0, "separation_above_cents": 10**9}
    set_policy(ledger, tenant, by="oli", changes=changes)
    with ledger.look(tenant) as look:
        (bill,) = look.many(BILL_WORKFLOW, BILL_WORKFLOW.c.vendor_name == vendor)
        account = max(look.many(CASH_ACCOUNT), key=lambda row: row["basis_cents"])
    details = BankDetails(
        routing_number=Secret("021000021"), account_number=Secret(ACCOUNT_NUMBER), account_kind="checking"
    )
    vault = TokenVault(keys_from_file(firm.installation.settings.key_file))
    propose_payee(ledger, tenant, by="pat", vendor_id=bill["vendor_id"], details=details, vault=vault)
    confirm_payee(ledger, tenant, by="amy", vendor_id=bill["vendor_id"], account_ending=ACCOUNT_NUMBER[-4:])
    wanted = {"bill_id": bill["bill_id"], "account_id": account["account_id"], "amount_cents": 12_345}
    approve(ledger, tenant, by="amy", bill_id=bill["bill_id"], request_key="approve")
    stage(ledger, tenant, by="pat", request_key="stage", **wanted)
    decided = pay_now(ledger, tenant, by="dan", request_key="pay", **wanted)
    return finalize(ledger, tenant, by="fin", decision_ids=[decided.decision_id], request_key="finalize").batch_id


def _run(firm: Firm, company: Company, batch_id: str) -> dg.ExecuteInProcessResult:
    return _job(firm, "payment_batch", batch_config(company.tenant, batch_id))


def _job(firm: Firm, job: str, config: dict[str, Any]) -> dg.ExecuteInProcessResult:
    loud = {"loggers": {"console": {"config": {"log_level": "DEBUG"}}}}
    definitions = build_defs(resource_overrides={"installation": firm.installation})
    return definitions.resolve_job_def(job).execute_in_process(
        instance=firm.instance, run_config=loud | config, raise_on_error=False
    )
