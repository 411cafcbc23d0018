"""Wrong programs of the ledger and of sending: each leaves one safeguard out, and names the test of the suite that must turn red.

Belongs here: what is wrong, and its witness. Does not: wrong programs whose harm needs processes that die or stand still
(`mutants.py`, played by the fault campaign).
"""

import uuid
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import DBAPIError

from payments.bills import decisions, discovery, postponing, rulings
from payments.cash import holds, reflection
from payments.rails.protocol import Instruction
from payments.sending import batches, book, drive, fates, intents, legs, promotion, rail_leg
from payments.sending.evidence import Absent
from payments.store import audit
from payments.store.batch_tables import INTENT
from payments.store.cash_tables import HOLD
from payments.store.repository import Act, Look
from resources import database
from resources.errors import TenantError
from tests.payments import (
    test_audit,
    test_batches,
    test_decisions,
    test_guards,
    test_rails,
    test_reserves,
    test_sending,
    test_tenants_apart,
)
from tests.payments.office import Office
from tests.resources import test_database


@dataclass(frozen=True, slots=True, kw_only=True)
class LedgerMutant:
    """What is wrong, and the test that sees it."""

    apply: Callable[[pytest.MonkeyPatch], None] = lambda _: None
    #: Triggers that the database lacks.
    without: tuple[str, ...] = ()
    #: A test of the suite.
    witness: Callable[..., None]
    #: What the witness works on, by the fixture's name; a second word asks for a folder as well.
    on: str
    #: How it turns red; a wrong program that merely crashes would prove nothing.
    shows_as: tuple[type[BaseException], ...] = (AssertionError, pytest.fail.Exception, TenantError, DBAPIError)


def _put(*places: tuple[Any, str], value: Any) -> Callable[[pytest.MonkeyPatch], None]:
    def apply(patch: pytest.MonkeyPatch) -> None:
        for module, name in places:
            patch.setattr(module, name, value)

    return apply


def _nothing(*_: Any, **__: Any) -> None:
    """A check that refuses nothing, a step that does nothing."""


def _commit_before_the_hold(patch: pytest.MonkeyPatch) -> None:
    real = decisions.set_aside

    def set_aside(act: Act, *arguments: Any, **more: Any) -> str:
        act._connection.exec_driver_sql("COMMIT")
        act._connection.exec_driver_sql("BEGIN IMMEDIATE")
        return real(act, *arguments, **more)

    patch.setattr(decisions, "set_aside", set_aside)


def _begin_with(statement: str | None) -> Callable[[pytest.MonkeyPatch], None]:
    return _put((database, "_BEGIN_WRITING"), value=statement or "SELECT 1")


def _forget_the_audit_of_decisions(patch: pytest.MonkeyPatch) -> None:
    real = Act.write_audit
    patch.setattr(Act, "write_audit", lambda self: None if self.kind == "payment decided" else real(self))


def _let_every_balance_reflect(patch: pytest.MonkeyPatch) -> None:
    def reflect(act: Act, *, account_id: str, sync_id: str, **_: Any) -> int:
        found = act.many(HOLD, HOLD.c.account_id == account_id, HOLD.c.state == "posted")
        for hold in found:
            act.update(HOLD, {"hold_id": hold["hold_id"]}, {"state": "reflected", "reflected_by": sync_id})
        return len(found)

    patch.setattr(reflection, "reflect_posted", reflect)


def _draw_keys(patch: pytest.MonkeyPatch) -> None:
    real = intents._key
    patch.setattr(intents, "_key", lambda *parts: f"{real(*parts)}|{uuid.uuid4()}")


def _give_books_no_wait(patch: pytest.MonkeyPatch) -> None:
    real = intents._intent
    patch.setattr(intents, "_intent", lambda *parts, **names: real(*parts, **names) | {"state": "ready"})


def _void_and_keep_the_draw(patch: pytest.MonkeyPatch) -> None:
    def void(act: Act, *, hold_id: str, because: str) -> None:
        act.update(HOLD, {"hold_id": hold_id}, {"state": "void", "void_because": because, "expires_at": None})

    patch.setattr(holds, "void", void)


def _add_up_everybodys_rows(patch: pytest.MonkeyPatch) -> None:
    def total(self: Look, column: Any, table: Any, *conditions: Any) -> int:
        statement = select(func.coalesce(func.sum(column), 0)).select_from(table).where(*conditions)
        return int(self._connection.execute(statement).scalar_one())

    patch.setattr(Look, "total", total)


def _settle_what_is_told(patch: pytest.MonkeyPatch) -> None:
    real = rail_leg._instruct

    def instruct(act: Act, payment: Any, *, remote_id: str, at: Any) -> None:
        real(act, payment, remote_id=remote_id, at=at)
        act.update(INTENT, {"intent_id": payment.intent_id}, {"settled_at": at})

    patch.setattr(rail_leg, "_instruct", instruct)


def _send_first_without_a_look(patch: pytest.MonkeyPatch) -> None:
    real = drive._Run._look
    patch.setattr(
        drive._Run, "_look", lambda self, payment: real(self, payment) if payment.intent["attempts"] else Absent()
    )


def _number_each_attempt(patch: pytest.MonkeyPatch) -> None:
    real = book.send

    def send(books: Any, payment: Any) -> Any:
        number = payment.intent["doc_number"].encode()
        other = number[:-1] + str(payment.intent["attempts"]).encode()
        body = payment.intent["body"].replace(number, other)
        return real(books, replace(payment, intent={**payment.intent, "body": body}))

    patch.setattr(book, "send", send)


def _pay_another_amount(patch: pytest.MonkeyPatch) -> None:
    real = book.send

    def send(books: Any, payment: Any) -> Any:
        body = payment.intent["body"].replace(b"100.00", b"90.00")
        return real(books, replace(payment, intent={**payment.intent, "body": body}))

    patch.setattr(book, "send", send)


def _always(value: Any) -> Callable[..., Any]:
    return lambda *_, **__: value


def _replace_details_while_it_looks(office: Office) -> None:
    with pytest.MonkeyPatch.context() as patch:
        test_rails.test_no_money_goes_to_bank_details_that_were_replaced_since(office, patch, "while it looks")


LEDGER_MUTANTS: Mapping[str, LedgerMutant] = {
    "the hold commits apart from its decision": LedgerMutant(
        apply=_commit_before_the_hold,
        witness=test_audit.test_an_act_and_its_row_commit_together_or_not_at_all,
        on="audit_desk",
    ),
    "transactions are DEFERRED": LedgerMutant(
        apply=_begin_with("BEGIN"), witness=test_database.test_no_update_of_four_threads_is_lost, on="counter"
    ),
    "a transaction begins with its first write": LedgerMutant(
        apply=_begin_with(None), witness=test_database.test_no_update_of_four_threads_is_lost, on="counter"
    ),
    "the fingerprint of an approval holds no content": LedgerMutant(
        apply=_put((discovery, "fingerprint"), value=_always("same")),
        witness=test_decisions.test_a_changed_bill_voids_its_approvals_and_is_approved_again,
        on="decisions_desk",
    ),
    "a repeated request decides again": LedgerMutant(
        apply=_put((Act, "repeated"), value=_nothing),
        witness=test_decisions.test_the_same_request_again_gets_the_same_answer_and_another_with_its_key_is_refused,
        on="decisions_desk",
    ),
    "an old balance is good enough to decide on": LedgerMutant(
        apply=_put((rulings, "refuse_stale"), value=_nothing),
        witness=test_decisions.test_an_old_balance_decides_nothing_now,
        on="decisions_desk",
    ),
    "a decision does not ask for cash": LedgerMutant(
        apply=_put((rulings, "_refuse_without_cash"), value=_nothing),
        witness=test_decisions.test_a_decision_that_does_not_fit_says_what_is_missing_and_what_holds_the_rest,
        on="decisions_desk",
    ),
    "one person approves and decides": LedgerMutant(
        apply=_put((rulings, "_refuse_one_person"), value=_nothing),
        witness=test_decisions.test_above_the_limit_approver_and_decider_are_two_people_and_below_one_may_do_both,
        on="decisions_desk",
    ),
    "nobody else has to finalize": LedgerMutant(
        apply=_put((batches, "_separation"), value=_always("apart")),
        witness=test_batches.test_above_the_limit_a_third_person_finalizes,
        on="batches_desk",
    ),
    "limits bind nobody": LedgerMutant(
        apply=_put((rulings, "exceeded_limits"), value=_always([])),
        witness=test_decisions.test_limits_of_payment_vendor_day_and_tenant_day_are_checked_at_the_decision,
        on="decisions_desk",
    ),
    "finalizing trusts the balance of the decision": LedgerMutant(
        apply=_put((batches, "refuse_unusable"), (batches, "refuse_short"), value=_nothing),
        witness=test_batches.test_a_shortfall_stops_finalization_until_a_person_resolves_it,
        on="batches_desk",
    ),
    "finalizing takes a balance of any age": LedgerMutant(
        apply=_put((batches, "refuse_stale"), value=_nothing),
        witness=test_batches.test_a_stale_balance_finalizes_nothing,
        on="batches_desk",
    ),
    "what comes due is not checked again": LedgerMutant(
        apply=_put((promotion, "_refuse_account"), value=_nothing),
        witness=test_batches.test_scheduled_payments_come_due_once_and_go_into_one_batch_an_account,
        on="batches_desk",
    ),
    "keys are drawn": LedgerMutant(
        apply=_draw_keys,
        witness=lambda _: test_batches.test_keys_are_derived_and_differ_in_each_of_their_parts(),
        on="batches_desk",
    ),
    "a payment made anew has the old key": LedgerMutant(
        apply=_put((intents, "Counter"), value=_always(Counter())),
        witness=test_batches.test_a_payment_made_anew_has_the_next_key,
        on="batches_desk",
    ),
    "the seal says nothing": LedgerMutant(
        apply=_put((batches, "seal_of"), value=_always("sealed")),
        witness=test_batches.test_a_seal_notices_a_payment_that_was_changed_past_the_guards,
        on="batches_desk",
    ),
    "the books do not wait for the money": LedgerMutant(
        apply=_give_books_no_wait,
        witness=test_batches.test_a_rail_that_moves_money_has_its_own_payment_before_the_books_and_needs_a_payee,
        on="batches_desk",
    ),
    "every balance lets go of paid money": LedgerMutant(
        apply=_let_every_balance_reflect,
        witness=test_batches.test_a_paid_hold_counts_until_a_balance_read_after_it_shows_it,
        on="batches_desk",
    ),
    "a delayed bill keeps its money": LedgerMutant(
        apply=_put((postponing, "release"), value=_nothing),
        witness=test_decisions.test_delay_releases_the_money_at_once_and_wakes_into_staged,
        on="decisions_desk",
    ),
    "what was drawn is not given back": LedgerMutant(
        apply=_void_and_keep_the_draw,
        witness=test_reserves.test_a_payment_that_is_not_made_gives_back_what_it_drew,
        on="reserves_desk",
    ),
    "decisions leave a gap in the log": LedgerMutant(
        apply=_forget_the_audit_of_decisions, witness=test_audit.test_the_log_tells_the_tables, on="audit_desk"
    ),
    "the chain is not computed again": LedgerMutant(
        apply=_put((audit, "link_hash"), value=lambda row: row["hash"]),
        witness=test_audit.test_an_edited_row_of_the_log_breaks_the_chain_there,
        on="audit_desk",
    ),
    "the log is not compared with the tables": LedgerMutant(
        apply=_put((audit, "_differences"), value=_always(())),
        witness=test_audit.test_a_row_slipped_in_beside_the_log_is_noticed,
        on="audit_desk",
    ),
    "a sum is over everybody's rows": LedgerMutant(
        apply=_add_up_everybodys_rows,
        witness=test_tenants_apart.test_every_statement_of_the_ledger_binds_the_tenant,
        on="desks",
    ),
    "the database holds no cash back": LedgerMutant(
        without=("hold_has_room", "hold_has_room_when_hardened"),
        witness=test_guards.test_the_database_itself_refuses_what_does_not_fit_into_free_cash,
        on="guarded",
    ),
    "the database has no fence": LedgerMutant(
        without=("batch_is_fenced",), witness=test_guards.test_each_claim_has_a_new_generation, on="guarded"
    ),
    "the database frees unclear money": LedgerMutant(
        without=("hold_waits_for_its_payment",),
        witness=test_guards.test_a_hold_keeps_its_money_while_the_fate_of_its_payment_is_open,
        on="guarded",
    ),
    "the database lets a sealed batch change": LedgerMutant(
        without=("batch_stays_sealed",), witness=test_guards.test_a_finalized_batch_never_changes, on="guarded"
    ),
    "the database lets a run send that lost its batch": LedgerMutant(
        without=("attempt_is_fenced",),
        witness=test_guards.test_only_the_run_that_has_the_batch_sends,
        on="guarded",
    ),
    "the database takes a decision about other content": LedgerMutant(
        without=("decision_is_about_its_bill_as_it_is",),
        witness=test_guards.test_a_decision_is_about_the_bill_as_it_is,
        on="guarded",
    ),
    "the database takes a decision that nobody approved": LedgerMutant(
        without=("decision_is_approved",),
        witness=test_guards.test_a_payment_is_decided_with_an_approval_or_by_an_override,
        on="guarded",
    ),
    "the database lets a bill be decided without its money": LedgerMutant(
        without=("bill_is_decided_with_its_money",),
        witness=lambda ledger: test_guards.test_a_bill_is_decided_together_with_its_money(
            ledger, "decided", "pay_now", "schedule"
        ),
        on="guarded",
    ),
    "nothing is looked up before the first send": LedgerMutant(
        apply=_send_first_without_a_look,
        witness=test_sending.test_a_payment_that_an_earlier_ledger_made_is_adopted_before_anything_is_sent,
        on="office and folder",
    ),
    "each attempt has a new number": LedgerMutant(
        apply=_number_each_attempt,
        witness=test_sending.test_a_batch_is_recorded_once_and_its_money_is_posted,
        on="office",
    ),
    "another amount is sent": LedgerMutant(
        apply=_pay_another_amount,
        witness=test_sending.test_a_batch_is_recorded_once_and_its_money_is_posted,
        on="office",
    ),
    "one net is enough": LedgerMutant(
        apply=_put((drive, "may_send_again"), value=_always("yes")),
        witness=test_sending.test_a_part_payment_past_the_memory_of_request_ids_is_left_to_a_person,
        on="office",
    ),
    "bank details are not looked at right before the send": LedgerMutant(
        apply=_put((fates, "pays_replaced_details"), value=_nothing),
        witness=_replace_details_while_it_looks,
        on="office",
    ),
    "money moves before its vendor credits are looked up": LedgerMutant(
        apply=_put((legs, "unusable"), value=_always([])),
        witness=lambda office: test_rails.test_no_money_moves_whose_vendor_credit_is_not_what_was_decided(
            office, "gone"
        ),
        on="office",
    ),
    "money that came back counts as paid": LedgerMutant(
        apply=_put((Instruction, "stands"), value=True),
        witness=test_rails.test_money_that_the_bank_gave_back_is_neither_paid_nor_sent_again_by_itself,
        on="office",
    ),
    "money that was told to move has arrived": LedgerMutant(
        apply=_settle_what_is_told,
        witness=test_rails.test_money_is_instructed_before_it_is_recorded,
        on="office",
    ),
}
