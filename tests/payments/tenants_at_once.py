"""Trials of many tenants on one ledger at the same time: the runs of all but one are killed, stopped and confused side by side.

Belongs here: playing the tenants' plans (`trials.py`) at once, whether anything of one came to another, whether the quiet one
wrote the same history that it writes alone. Does not: plans, what every tenant's trial is judged by (`judging.py`).
"""

import json
import re
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any

from payments.sending.runs import SETTLED
from payments.store.batch_tables import BATCH
from payments.store.tables import AUDIT
from resources.tenants import tenant_id
from tests.consent import connect
from tests.payments.judging import judge_batches
from tests.payments.office import Company, Office, memory_of
from tests.payments.scene import MOST_RUNS, Scene
from tests.payments.trials import KILL, Death, Trial, drawn

#: So many tenants have a batch at once.
TENANTS = 100
#: So many runs are under way at the same moment.
_AT_ONCE = 6
_FIRST_REALM = 9130777700000000
_SEED = 1_000_003
_LONG_AGO = datetime.min.replace(tzinfo=UTC)
#: The tenant that nothing happens to while everything happens to the others.
_QUIET = 0
#: What differs between two plays of the same plan: moments, ids that are drawn, hashes over them, whose process it was.
_MOMENT = re.compile(r"\d{4}-\d\d-\d\dT[\d:.]+(?:\+00:00|Z)?")
_DRAWN = re.compile(r"\b[0-9a-f]{32}\b")
_HASH = re.compile(r"\b[0-9a-f]{64}\b")
_PROCESS = re.compile(r"process \d+")


@dataclass(slots=True, kw_only=True)
class _Member:
    """One tenant in the middle of its trial."""

    office: Office
    trial: Trial
    batch: str
    #: Whole amount and what is paid of each bill, in cents.
    paid: dict[str, tuple[int, int]]
    deaths: list[Death]
    runs: int = 0

    def row(self) -> dict[str, Any]:
        return dict(self.office.rows(BATCH, BATCH.c.batch_id == self.batch)[0])

    def is_settled(self) -> bool:
        return self.row()["state"] in SETTLED


@dataclass(slots=True, kw_only=True)
class _Standing:
    """A run that stands still, and how many rounds the others go on without it."""

    pid: int
    rounds: int = field(default=3)


def play_tenants(scene: Scene, seed: int, *, tenants: int = TENANTS) -> None:
    """A batch of each tenant at once, each by a plan of its own, judged tenant by tenant; the quiet one has been alone before."""
    since = scene.server_time()
    own_company, own_office = scene.company, scene.office
    alone = _alone(scene, seed)
    scene.begin()
    members = [_member(scene, seed, number) for number in range(tenants)]
    try:
        _drive(scene, members, dice=Random(seed))  # noqa: S311 - a reproducible plan
        if (told := _history(members[_QUIET])) != alone:
            scene.counts.wrong.append(
                f"seed {seed}: the quiet tenant's history is not what it is alone: {_first_of(told, alone)}"
            )
        for member in members:
            scene.company, scene.office = member.office.company, member.office
            if member.trial.closed_books:
                scene.company.close_books(through=None)
            judge_batches(
                scene,
                member.batch,
                trial=f"seed {seed}, {member.office.tenant}",
                takes_twice=lambda bill, member=member: member.trial.takes_twice(*member.paid[bill]),
                since=since,
                business_fault=lambda _, member=member: member.trial.closed_books,
            )
            scene.counts.more["tenants at once"] += 1
    finally:
        scene.company, scene.office = own_company, own_office
        for member in members:
            _forget(scene, member)
        scene.end()


def _alone(scene: Scene, seed: int) -> list[str]:
    """The history of the quiet tenant with nobody beside it."""
    scene.begin()
    member = _member(scene, seed, _QUIET)
    try:
        _drive(scene, [member], dice=Random(seed))  # noqa: S311 - a reproducible plan
        return _history(member)
    finally:
        _forget(scene, member)
        scene.end()


def _forget(scene: Scene, member: _Member) -> None:
    path = f"/__sandbox__/companies/{member.office.company.realm_id}"
    scene.sandbox.control.delete(path).raise_for_status()


def _history(member: _Member) -> list[str]:
    """Every act of the tenant's audit, which tells all its tables, without what differs between two plays."""
    numbers: dict[str, str] = {}
    acts = []
    for row in sorted(member.office.rows(AUDIT), key=lambda one: int(one["number"])):
        # Ids are numbered as they come up, so the rows of one act stand in an order that no drawn id decides.
        told = [
            _plain(one) for column in (row["before"], row["after"]) for one in _without_renewals(column, row).items()
        ]
        lines = [_plain([row[name] for name in ("actor", "kind", "entity")])]
        lines += sorted(told, key=lambda line: _DRAWN.sub("id", line))
        acts.append(_DRAWN.sub(lambda found: numbers.setdefault(found[0], f"#{len(numbers)}"), "\n".join(lines)))
    return acts


def _without_renewals(column: dict[str, Any], row: Any) -> dict[str, Any]:
    """Leave out moments that only moved: a lease that is renewed twice within the clock's step is not told twice."""

    def has_moved(entity: str, name: str) -> bool:
        both = [told.get(entity, {}).get(name) for told in (row["before"], row["after"])]
        return all(isinstance(one, str) and _MOMENT.fullmatch(one) for one in both)

    return {
        entity: {name: value for name, value in values.items() if not has_moved(entity, name)}
        for entity, values in column.items()
    }


def _plain(told: object) -> str:
    text = json.dumps(told, sort_keys=True, default=str)
    return _PROCESS.sub("process", _HASH.sub("hash", _MOMENT.sub("moment", text)))


def _first_of(told: list[str], alone: list[str]) -> str:
    """Where two histories part."""
    for number, (one, other) in enumerate(zip(told, alone, strict=False), start=1):
        if one != other:
            return f"act {number} is {one}, alone {other}"
    return f"{len(told)} acts, alone {len(alone)}"


def _member(scene: Scene, seed: int, number: int) -> _Member:
    """A tenant with a company of its own, its plan and its sealed batch."""
    opened, trial = scene.opened, _planned(seed * _SEED + number, is_quiet=number == _QUIET)
    company = Company(scene.sandbox, realm_id=str(_FIRST_REALM + seed % _SEED * 1_000 + number))
    tenant = tenant_id(f"tenant-{number}")
    opened.registry.add_tenant(tenant, firm_id="north-books", name=tenant, zone="America/New_York")
    connect(opened, tenant, company.realm_id)
    office = Office(opened, company, tenant=tenant, register=False)
    memory_of(opened).note_ledger(office.ledger, tenant)
    office.grant_roles()
    office.policy(separation_above_cents=10_000_000, payee_watch_days=0)
    company.settings(
        request_ids=trial.request_ids,
        duplicate_doc_number=trial.duplicate_doc_number,
        overpaying_line=trial.overpaying_line,
    )
    bills = office.enter(*(f"{whole / 100:.2f}" for whole, _ in trial.bills))
    paid = dict(zip(bills, trial.bills, strict=True))
    batch = office.batch(*bills, amounts={bill: cents for bill, (_, cents) in paid.items()})
    if trial.closed_books:
        company.close_books(through="2026-12-31")
    for kind, skip in trial.faults:
        scene.misbehave(kind, skip=skip, company=company)
    return _Member(office=office, trial=trial, batch=batch, paid=paid, deaths=list(trial.deaths))


def _planned(seed: int, *, is_quiet: bool) -> Trial:
    """A plan for one of many: nobody waits in real time or stands still inside a transaction, where SQLite has one writer."""
    trial = drawn(seed)
    if is_quiet:
        return replace(trial, faults=(), deaths=(), doubled=False, closed_books=False)
    return replace(
        trial,
        faults=tuple(one for one in trial.faults if one[0] != "slow_then_commit"),
        deaths=tuple((point, hit, KILL if point.endswith(".in") else action) for point, hit, action in trial.deaths),
    )


def _drive(scene: Scene, members: list[_Member], *, dice: Random) -> None:
    """Runs of whatever is due, several at the same moment, until every batch is settled or has had its runs."""
    standing: list[_Standing] = []
    unsettled = list(members)
    while unsettled or standing:
        for one in [one for one in standing if not one.rounds or not unsettled]:
            standing.remove(one)
            scene.zygote.go_on(one.pid)
            scene.note(scene.zygote.wait(one.pid))
        for one in standing:
            one.rounds -= 1
        standing += _round(scene, _due(scene, unsettled), dice=dice)
        unsettled = [one for one in unsettled if one.runs < MOST_RUNS and not one.is_settled()]


def _due(scene: Scene, members: list[_Member]) -> list[_Member]:
    """Those whose batch may be driven now; where there is none, time passes until there is."""
    now = scene.clock.now()
    due = [row["not_before"] or row["lease_until"] or _LONG_AGO for row in (member.row() for member in members)]
    if due and min(due) >= now:
        now = min(due) + timedelta(seconds=1)
        scene.clock.move_to(now)
    return [member for member, when in zip(members, due, strict=True) if when < now]


def _round(scene: Scene, due: list[_Member], *, dice: Random) -> list[_Standing]:
    """Some of the due batches driven at the same moment; the runs that stand still."""
    standing, started = [], []
    for member in dice.sample(due, min(_AT_ONCE, len(due))):
        death = member.deaths.pop(0) if member.deaths else None
        # Two runs of one batch at once: one of them is fenced off.
        for _ in range(2 if member.trial.doubled and not member.runs else 1):
            what: dict[str, Any] = {"deaths": [death] if death else []}
            pid = scene.zygote.start(batch_id=member.batch, tenant=member.office.tenant, **what)
            started.append((pid, death, member.office))
        member.runs += 1
    for pid, death, office in started:
        ended = scene.zygote.wait(pid)
        scene.note(ended, death=death, office=office)
        if ended == "stopped":
            standing.append(_Standing(pid=pid))
    return standing
