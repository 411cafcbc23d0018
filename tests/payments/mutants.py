"""Wrong programs: each leaves one safeguard of sending out, by a patch on the real code, and names the trial that must show it.

Belongs here: those whose harm needs processes that die, stand still or are not answered. Does not: those that a test of the suite
sees by itself (`ledger_mutants.py`).

A patch is applied in a run's own process after it was forked, so nothing of it is left afterwards.
"""

import json
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from payments.rails.protocol import Instruction
from payments.sending import book, drive, fates, legs, rail_leg, runs
from payments.sending.evidence import Absent
from payments.sending.runs import Claim
from payments.sending.send_policy import SendPolicy
from resources.qbo.bill_payments import PaymentClient
from resources.qbo.errors import QboError
from tests.payments.bank_plans import BankTrial
from tests.payments.trials import Trial

_PART = ((30_000, 10_000),)
#: QuickBooks that knows no request id, asked for a part of a bill: only our own safeguards are left.
_BARE: dict[str, Any] = {"request_ids": "ignored", "bills": _PART}


@dataclass(frozen=True, slots=True, kw_only=True)
class Mutant:
    """What is wrong, and the trial in which it shows."""

    apply: Callable[[], None]
    trial: Trial | BankTrial
    #: Times that the run goes by, where they are what is wrong.
    policy: Callable[[SendPolicy], SendPolicy] = lambda policy: policy


def _put(module: Any, name: str, value: Any) -> Callable[[], None]:
    return lambda: setattr(module, name, value)


def _nothing() -> None:
    """The times alone are wrong."""


def _write_no_intent() -> None:
    def written(ledger: Any, claim: Any, payment: Any) -> Any:
        return {**payment.intent, "sent_at": ledger.clock.now()}

    fates.send_written = written


def _take_new_keys() -> None:
    real = book.send

    def send(books: Any, payment: Any) -> Any:
        return real(books, replace(payment, intent={**payment.intent, "request_id": str(uuid.uuid4())}))

    book.send = send


def _take_new_numbers_blindly() -> None:
    """The first attempt has the number that was derived, so whoever looks for that alone finds one record."""
    real = book.send

    def send(books: Any, payment: Any) -> Any:
        intent = dict(payment.intent)
        if intent["attempts"]:
            body = json.loads(intent["body"])
            body["DocNumber"] = intent["doc_number"][:-1] + str(intent["attempts"])
            intent |= {"request_id": str(uuid.uuid4()), "doc_number": body["DocNumber"]}
            intent |= {"body": json.dumps(body).encode()}
        return real(books, replace(payment, intent=intent))

    book.send = send
    _put(legs, "judge", lambda *_: Absent())()


def _send_no_key() -> None:
    real = PaymentClient._payment_request

    def request(self: Any, body: bytes, *, realm_id: str, parameters: Mapping[str, str]) -> Any:
        kept = {name: value for name, value in parameters.items() if name != "requestid"}
        return real(self, body, realm_id=realm_id, parameters=kept)

    PaymentClient._payment_request = request  # type: ignore[method-assign]


def _retry_in_the_client() -> None:
    real = PaymentClient.create_payment

    def create(self: Any, body: bytes, **more: Any) -> Any:
        try:
            return real(self, body, **more)
        except QboError:
            return real(self, body, **more)

    PaymentClient.create_payment = create  # type: ignore[method-assign]


def _take_silence_for_a_refusal() -> None:
    real = book.send

    def send(books: Any, payment: Any) -> Any:
        answer = real(books, payment)
        return replace(answer, kind="refused") if answer.kind == "unknown" else answer

    book.send = send


def _lower_the_fence() -> None:
    def fence(self: Any, act: Any) -> Any:
        return None

    def written(ledger: Any, claim: Any, payment: Any) -> Any:
        fresh = payment
        with ledger.look(claim.tenant) as look:
            fresh = fates.outgoing(look, payment.intent_id)
        return real(ledger, claim, fresh)

    real = fates.send_written
    Claim.fence = fence  # type: ignore[method-assign]
    fates.send_written = written


def _free_what_is_unknown() -> None:
    real = fates.unknown

    def unknown(ledger: Any, claim: Any, *, intent_id: str, detail: str) -> None:
        real(ledger, claim, intent_id=intent_id, detail=detail)
        with ledger.act(claim.tenant, actor=runs.RUN, kind="money freed") as act:
            for line in fates.outgoing(act, intent_id).lines:
                fates.void(act, hold_id=line["hold_id"], because="no answer")

    fates.unknown = unknown


def _leave_what_was_found() -> None:
    real = fates.paid

    def paid(ledger: Any, tenant: Any, *, was_found: bool, **more: Any) -> bool:
        return True if was_found else real(ledger, tenant, was_found=was_found, **more)

    fates.paid = paid


def _send_again_blindly() -> None:
    real = drive._Run._look

    def look(self: Any, payment: Any) -> Any:
        return Absent() if payment.intent["state"] == "unknown" else real(self, payment)

    drive._Run._look = look  # type: ignore[method-assign]


def _tell_the_bank_again_blindly() -> None:
    real = rail_leg.look

    def look(rail: Any, books: Any, payment: Any) -> Any:
        return Absent() if payment.intent["state"] == "unknown" else real(rail, books, payment)

    rail_leg.look = look


def _take_silence_of_the_bank_for_a_yes() -> None:
    real = rail_leg.send

    def send(rail: Any, payment: Any) -> Any:
        answer = real(rail, payment)
        if answer.kind != "unknown":
            return answer
        intent = payment.intent
        ids = {"remote_id": "assumed", "key": intent["request_id"], "amount_cents": intent["amount_cents"]}
        assumed = Instruction(**ids, state="accepted", instructed_at=intent["created_at"])
        return replace(answer, kind="landed", record=assumed)

    rail_leg.send = send


def _believe_a_dead_lease() -> None:
    real = runs.why_not_claimable

    def not_claimable(batch: Any, **more: Any) -> str | None:
        return "busy" if batch["state"] == "claimed" else real(batch, **more)

    runs.why_not_claimable = not_claimable


MUTANTS: Mapping[str, Mutant] = {
    "nothing is looked up": Mutant(
        apply=_put(legs, "judge", lambda *_: Absent()),
        trial=Trial(seed=-2_001, faults=(("drop_after", 0),), **_BARE),
    ),
    "a changed bill is paid": Mutant(
        apply=_put(legs, "judge", lambda *_: Absent()),
        trial=Trial(seed=-2_002, bills=_PART, paid_by_hand=True),
    ),
    "the intent is not written before the send": Mutant(
        apply=_write_no_intent, trial=Trial(seed=-2_003, faults=(("slow_then_commit", 0),), slow_seconds=2.0, **_BARE)
    ),
    "each attempt has a new key": Mutant(
        apply=_take_new_keys, trial=Trial(seed=-2_004, bills=_PART, deaths=(("send.before", 1, "stop"),))
    ),
    "each attempt has a new number and nothing is looked up": Mutant(
        apply=_take_new_numbers_blindly, trial=Trial(seed=-2_021, faults=(("drop_after", 0),), bills=_PART)
    ),
    "no key is sent": Mutant(
        apply=_send_no_key, trial=Trial(seed=-2_005, bills=_PART, deaths=(("send.before", 1, "stop"),))
    ),
    "the client tries again by itself": Mutant(
        apply=_retry_in_the_client, trial=Trial(seed=-2_006, faults=(("drop_after", 0),), **_BARE)
    ),
    "silence is a refusal": Mutant(
        apply=_take_silence_for_a_refusal, trial=Trial(seed=-2_007, faults=(("slow_then_commit", 0),), slow_seconds=2.0)
    ),
    "a look counts at once": Mutant(
        apply=_nothing,
        policy=lambda policy: replace(policy, settle=timedelta()),
        trial=Trial(seed=-2_008, faults=(("slow_then_commit", 0),), slow_seconds=2.0, **_BARE),
    ),
    "no fence": Mutant(apply=_lower_the_fence, trial=Trial(seed=-2_009, deaths=(("look.after", 1, "stop"),), **_BARE)),
    "no send window": Mutant(
        apply=_nothing,
        policy=lambda policy: replace(policy, send_window=timedelta(days=900)),
        trial=Trial(seed=-2_010, deaths=(("intent.after", 1, "stop"),), **_BARE),
    ),
    "paid money is not posted": Mutant(apply=_put(fates, "post", lambda *_, **__: None), trial=Trial(seed=-2_011)),
    "unknown frees its money": Mutant(
        apply=_free_what_is_unknown, trial=Trial(seed=-2_012, faults=(("drop_after", 0),))
    ),
    "what is found is left": Mutant(apply=_leave_what_was_found, trial=Trial(seed=-2_014, faults=(("drop_after", 0),))),
    "a refusal keeps its money": Mutant(
        apply=_put(fates, "void", lambda *_, **__: None), trial=Trial(seed=-2_015, closed_books=True)
    ),
    "what is unclear is sent again blindly": Mutant(
        apply=_send_again_blindly, trial=Trial(seed=-2_017, faults=(("drop_after", 0),), **_BARE)
    ),
    "the bank is told again blindly": Mutant(
        apply=_tell_the_bank_again_blindly,
        trial=BankTrial(seed=-2_019, request_ids="ignored", bank_faults=(("drop_after", 0),)),
    ),
    "silence of the bank is a yes": Mutant(
        apply=_take_silence_of_the_bank_for_a_yes, trial=BankTrial(seed=-2_020, bank_faults=(("drop_before", 0),))
    ),
    "the lease of a dead run never ends": Mutant(
        apply=_believe_a_dead_lease, trial=Trial(seed=-2_018, deaths=(("send.before", 1, "kill"),))
    ),
    "a batch settles with payments unknown": Mutant(
        apply=_put(runs, "DONE", runs.DONE | {"unknown"}), trial=Trial(seed=-2_016, faults=(("drop_before", 0),))
    ),
}
