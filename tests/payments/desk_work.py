"""Work at the desk in a process that may die: each request is done once, its answer written down when it was given.

Belongs here: doing a list of requests as a client does, the journal of answers. Does not: which requests (`desk_trials.py`).

A request that was answered is in the journal; one that is not may have been carried out or not: it is made again with the same key.
"""

import json
import os
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

from payments.bills.approvals import approve
from payments.bills.decisions import pay_now, schedule, stage
from payments.bills.postponing import delay
from payments.cash.reflection import reflect
from payments.cash.reserves import allocate
from payments.errors import Refused
from payments.sending.batches import finalize
from payments.sending.promotion import pass_day
from payments.store.ledger import Ledger
from resources.installation import Installation
from tests.resources.builders import ACME

Answers = dict[str, Any]


def do_desk_work(opened: Installation, work: Sequence[Mapping[str, Any]], *, journal: Path) -> None:
    """Do what is asked, in order, leaving out what was answered before."""
    ledger = Ledger(opened.database, clock=opened.clock)
    answers = answered(journal)
    for asked in work:
        if asked["key"] in answers:
            continue
        answers[asked["key"]] = _VERBS[asked["verb"]](ledger, asked, answers)
        _write(journal, {"key": asked["key"], "answer": answers[asked["key"]]})


def answered(journal: Path) -> Answers:
    """The answers that were given, by the key of the request."""
    lines = journal.read_text().splitlines() if journal.exists() else []
    return {line["key"]: line["answer"] for line in map(json.loads, lines)}


def _write(journal: Path, line: Mapping[str, Any]) -> None:
    handle = os.open(journal, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
    os.write(handle, json.dumps(line).encode() + b"\n")
    os.close(handle)


def _wanted(asked: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {"request_key": asked["key"], **{name: asked[name] for name in names}}


def _approve(ledger: Ledger, asked: Mapping[str, Any], _: Answers) -> Any:
    return approve(ledger, ACME, by="amy", **_wanted(asked, "bill_id"))


def _stage(ledger: Ledger, asked: Mapping[str, Any], _: Answers) -> Any:
    return stage(ledger, ACME, by="pat", **_wanted(asked, "bill_id", "account_id"))


def _pay_now(ledger: Ledger, asked: Mapping[str, Any], _: Answers) -> Any:
    wanted = _wanted(asked, "bill_id", "account_id", "amount_cents")
    return pay_now(ledger, ACME, by="dan", **wanted).decision_id


def _schedule(ledger: Ledger, asked: Mapping[str, Any], _: Answers) -> Any:
    wanted = _wanted(asked, "bill_id", "account_id", "amount_cents")
    return schedule(ledger, ACME, by="dan", pay_on=date.fromisoformat(asked["on"]), **wanted).decision_id


def _delay(ledger: Ledger, asked: Mapping[str, Any], _: Answers) -> Any:
    return delay(ledger, ACME, by="dan", until=date.fromisoformat(asked["on"]), **_wanted(asked, "bill_id"))


def _allocate(ledger: Ledger, asked: Mapping[str, Any], _: Answers) -> Any:
    return allocate(ledger, ACME, by="dan", reason="quarter", **_wanted(asked, "reserve_id", "amount_cents"))


def _finalize(ledger: Ledger, asked: Mapping[str, Any], answers: Answers) -> Any:
    ids = [answers[key] for key in asked["decided_by"]]
    return finalize(ledger, ACME, by="fin", request_key=asked["key"], decision_ids=ids).batch_id


def _reflect(ledger: Ledger, _asked: Mapping[str, Any], _: Answers) -> Any:
    return reflect(ledger, ACME).accounts


def _pass_day(ledger: Ledger, _asked: Mapping[str, Any], _: Answers) -> Any:
    return list(pass_day(ledger, ACME).batch_ids)


def _finalize_or_not(ledger: Ledger, asked: Mapping[str, Any], answers: Answers) -> Any:
    """One of many who finalize the same: the batch, or why not."""
    try:
        return _finalize(ledger, asked, answers)
    except Refused as refused:
        return {"refused": type(refused).__name__, "batch_id": refused.facts.get("batch_id", "")}


_VERBS: Mapping[str, Callable[[Ledger, Mapping[str, Any], Answers], Any]] = {
    "approve": _approve,
    "stage": _stage,
    "pay_now": _pay_now,
    "schedule": _schedule,
    "delay": _delay,
    "allocate": _allocate,
    "finalize": _finalize,
    "finalize_or_not": _finalize_or_not,
    "reflect": _reflect,
    "pass_day": _pass_day,
}
