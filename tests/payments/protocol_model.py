"""The protocol of one payment as a model that is explored exhaustively: runs, QuickBooks, time, and what may go wrong between them.

A state is one small tuple: the intent, what time has done, QuickBooks' books, each run. Every interleaving of every step is tried.
Runs are interchangeable, so they are kept sorted: states that differ in their names only are one. Of a generation only "mine is the
newest" matters, so numbers are not kept.

What is modelled: claim and stolen lease, fence, look before the first and each further send, intent before send, send window, lost,
late, doubled and refused requests, answers lost or faulty, unknown, settling, the rule of two of three nets, refusal after a second
look, adopting, bills that change, a ledger restored from a backup, runs that die anywhere or stand still after their last check.
Scheduled and delayed payments go the same way once they are due.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from enum import IntEnum


class Intent(IntEnum):
    """The states of the intent; `SCHEDULED` and `DELAYED` are of the decision before it."""

    SCHEDULED = 0
    DELAYED = 1
    READY = 2
    SENT = 3
    UNKNOWN = 4
    PAID = 5
    REFUSED = 6
    VOID = 7
    REVIEW = 8


DONE = frozenset({Intent.PAID, Intent.REFUSED, Intent.VOID, Intent.REVIEW})


class At(IntEnum):
    """Where a run is."""

    IDLE = 0
    CLAIMED = 1
    SEES_NOTHING = 2
    SEES_ONE = 3
    SEES_MANY = 4
    SEES_CHANGE = 5
    WRITTEN = 6
    CHECKED = 7
    SENT = 8
    LANDED = 9
    FAULT = 10
    NOT_PROCESSED = 11
    UNCLEAR = 12


#: A run: where it is, whether its claim is the newest, whether the intent is as it last saw it.
Run = tuple[int, bool, bool]
_IDLE: Run = (At.IDLE, False, False)
#: More records than this change nothing any more.
_MOST_RECORDS = 3
_MOST_LATE = 2

#: intent, attempts, settled, key is young, records, key remembered, requests under way, bill changed, runs.
State = tuple[int, int, bool, bool, int, bool, int, bool, tuple[Run, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """What QuickBooks is like, what may happen, and what is wrong with the program (nothing, unless a test says so)."""

    #: honours: repeats its answer; forgets: knows no key; faults: answers a fault to a key it knows.
    keys: str = "honours"
    #: The bill could take the amount twice: part payment, or QuickBooks allows overpayment.
    accepts_again: bool = False
    #: The whole balance is paid, as the program sees it.
    is_whole: bool = True
    refuses_duplicate_number: bool = False
    delivers_twice: bool = False
    #: A run may stand still between its last check and the first byte, longer than everything.
    stands_still: bool = False
    runs: int = 2
    most_attempts: int = 2
    restored: bool = False
    starts: Intent = Intent.READY
    bug: str = ""

    @property
    def has_no_net(self) -> bool:
        """The cells in which a double cannot be prevented: stated here to be compared with what exploring finds."""
        twice = self.delivers_twice or self.stands_still
        return self.keys == "forgets" and self.accepts_again and not self.refuses_duplicate_number and twice


@dataclass(slots=True)
class Explored:
    """What exploring a world found."""

    states: int
    transitions: int
    doubles: int
    #: What must never be, with a state in which it is.
    wrong: dict[str, State]
    #: States from which no end can be reached.
    stuck: int


def start(world: World) -> State:
    """The first state: nothing was sent, or the ledger has forgotten that it was."""
    runs = (_IDLE,) * world.runs
    records = 1 if world.restored else 0
    return (world.starts, 0, False, True, records, world.restored and world.keys != "forgets", 0, world.restored, runs)


def explore(world: World) -> Explored:
    """Every reachable state, judged; breadth first."""
    first = start(world)
    seen = {first: 0}
    order, edges = deque([first]), []
    wrong: dict[str, State] = {}
    doubles = 0
    while order:
        state = order.popleft()
        number = seen[state]
        doubles += state[4] > 1
        for problem in judged(world, state):
            wrong.setdefault(problem, state)
        for following in steps(world, state):
            known = seen.get(following)
            if known is None:
                known = seen[following] = len(seen)
                order.append(following)
            edges.append((known, number))
    ends = [number for state, number in seen.items() if state[0] in DONE]
    return Explored(
        states=len(seen),
        transitions=len(edges),
        doubles=doubles,
        wrong=wrong,
        stuck=len(seen) - _reaching(len(seen), edges, ends),
    )


def _reaching(count: int, edges: list[tuple[int, int]], ends: list[int]) -> int:
    """How many states have a way to an end."""
    back: list[list[int]] = [[] for _ in range(count)]
    for after, before in edges:
        back[after].append(before)
    reached = bytearray(count)
    waiting = list(ends)
    for one in waiting:
        reached[one] = 1
    while waiting:
        for before in back[waiting.pop()]:
            if not reached[before]:
                reached[before] = 1
                waiting.append(before)
    return sum(reached)


def judged(world: World, state: State) -> Iterator[str]:
    """What does not hold in a state."""
    intent, attempts, _, _, records, _, late, _, runs = state
    if records > 1 and not world.has_no_net:
        yield "paid twice"
    if intent == Intent.PAID and not records:
        yield "paid, and the books have nothing"
    in_flight = late or any(run[0] in (At.CHECKED, At.SENT) for run in runs)
    if intent in (Intent.REFUSED, Intent.VOID) and records and not world.restored and not in_flight:
        yield "ended, and the books have it"
    if intent in (Intent.SCHEDULED, Intent.DELAYED) and records:
        yield "paid before its day"
    if intent == Intent.READY and attempts == 0 and records and not world.restored:
        yield "ready, and the books have it"


def steps(world: World, state: State) -> Iterator[State]:
    """Every state that can follow."""
    yield from _of_time(world, state)
    yield from _of_quickbooks(world, state)
    runs = state[8]
    tried = set()
    for number, run in enumerate(runs):
        if run in tried:
            continue
        tried.add(run)
        others = runs[:number] + runs[number + 1 :]
        yield from _of_run(world, state, run, others)


def _of_time(world: World, state: State) -> Iterator[State]:
    intent, attempts, settled, young, records, known, late, changed, runs = state
    if intent == Intent.SCHEDULED:
        yield _stale((Intent.READY, *state[1:]))
    if intent == Intent.DELAYED:
        yield _stale((Intent.SCHEDULED, *state[1:]))
    waits = intent in (Intent.SENT, Intent.UNKNOWN) and not settled and not late
    # QuickBooks is done with a request when the settling time is over; a run that stands still is not.
    busy = any(run[0] == At.SENT or (run[0] == At.CHECKED and not world.stands_still) for run in runs)
    if waits and not busy:
        # The send window of whoever has not checked it yet is over long before.
        late_ones = tuple(sorted((At.NOT_PROCESSED if at == At.WRITTEN else at, *more) for at, *more in runs))
        yield (intent, attempts, True, young, records, known, late, changed, late_ones)
    # Nobody stands still, and no request is under way, for longer than keys are remembered.
    if young and attempts and settled and not late and not any(run[0] in (At.CHECKED, At.SENT) for run in runs):
        # The age we count on is over: from now on QuickBooks may have forgotten the key too.
        yield (intent, attempts, settled, False, records, known, late, changed, runs)
        yield (intent, attempts, settled, False, records, False, late, changed, runs)
    if not changed and not records:
        yield (intent, attempts, settled, young, records, known, late, True, runs)


def _of_quickbooks(world: World, state: State) -> Iterator[State]:
    """Requests whose sender does not listen any more."""
    late = state[6]
    if late:
        yield (*state[:6], late - 1, *state[7:])
        after, _ = _processed(world, state)
        yield (*after[:6], late - 1, *after[7:])


def _processed(world: World, state: State) -> tuple[State, int]:
    """One request carried out: the books afterwards and what is answered."""
    intent, attempts, settled, young, records, known, late, changed, runs = state
    if known and world.keys == "honours":
        return state, At.LANDED
    if known and world.keys == "faults":
        return state, At.FAULT
    if records and (world.refuses_duplicate_number or not world.accepts_again):
        return state, At.FAULT
    if changed and not world.accepts_again:
        return state, At.FAULT
    remembers = world.keys != "forgets" and world.bug != "new key"
    return (
        intent, attempts, settled, young, min(records + 1, _MOST_RECORDS), remembers or known, late, changed, runs
    ), At.LANDED  # fmt: skip


def _with(state: State, run: Run, others: tuple[Run, ...], *, stale: bool = False) -> State:
    """The state with a run in its new place; the others no longer have the intent as they saw it, if it changed."""
    if stale:
        others = tuple((at, mine, False) for at, mine, _ in others)
    return (*state[:8], tuple(sorted((*others, run))))


def _stale(state: State) -> State:
    return (*state[:8], tuple(sorted((at, mine, False) for at, mine, _ in state[8])))


def _intent(state: State, intent: int, *, attempts: int | None = None, settled: bool | None = None) -> State:
    return (
        intent,
        state[1] if attempts is None else attempts,
        state[2] if settled is None else settled,
        *state[3:],
    )


def _of_run(world: World, state: State, run: Run, others: tuple[Run, ...]) -> Iterator[State]:
    at, mine, fresh = run
    if at == At.IDLE:
        if state[0] not in DONE and state[0] not in (Intent.SCHEDULED, Intent.DELAYED):
            taken = tuple((one, False, same) for one, _, same in others)
            yield _with(state, (At.CLAIMED, True, True), taken)
        return
    # A run dies anywhere; what it had sent is under way without it.
    if at == At.SENT and state[6] < _MOST_LATE:
        yield (*_with(state, _IDLE, others)[:6], state[6] + 1, *_with(state, _IDLE, others)[7:])
    yield _with(state, _IDLE, others)
    if at == At.CLAIMED:
        yield from _look(world, state, run, others)
    elif at in (At.SEES_NOTHING, At.SEES_ONE, At.SEES_MANY, At.SEES_CHANGE):
        yield from _decide(world, state, run, others)
    elif at == At.WRITTEN:
        yield _with(state, (At.CHECKED, mine, fresh), others)
        yield _with(state, (At.NOT_PROCESSED, mine, fresh), others)  # it took too long
    elif at == At.CHECKED:
        yield _with(state, (At.SENT, mine, fresh), others)
    elif at == At.SENT:
        yield from _answers(world, state, run, others)
    else:
        yield from _record(world, state, run, others)


def _may(world: World, run: Run) -> bool:
    """Whether a run may still write: the fence, and the intent as it saw it."""
    return world.bug == "no fence" or (run[1] and run[2])


def _look(world: World, state: State, run: Run, others: tuple[Run, ...]) -> Iterator[State]:
    intent, _, settled, _, records, _, _, changed, _ = state
    if intent in DONE:
        yield _with(state, _IDLE, others)
        return
    if intent == Intent.SENT:
        if _may(world, (run[0], run[1], True)):
            yield _with(_intent(state, Intent.UNKNOWN), (At.CLAIMED, run[1], True), others, stale=True)
        return
    if intent == Intent.UNKNOWN and not settled and world.bug != "no settling":
        return
    if world.bug == "no look":
        seen = At.SEES_NOTHING
    elif records:
        seen = At.SEES_ONE if records == 1 else At.SEES_MANY
    else:
        seen = At.SEES_CHANGE if changed else At.SEES_NOTHING
    yield _with(state, (seen, run[1], True), others)


def _decide(world: World, state: State, run: Run, others: tuple[Run, ...]) -> Iterator[State]:
    at, mine, _ = run
    intent, attempts, _, young, *_ = state
    if at == At.SEES_ONE:
        if intent not in DONE or intent == Intent.REVIEW:
            yield _with(_intent(state, Intent.PAID), _IDLE, others, stale=True)
        return
    if not _may(world, run):
        yield _with(state, _IDLE, others)
        return
    if at == At.SEES_MANY:
        yield _with(_intent(state, Intent.REVIEW), _IDLE, others, stale=True)
    elif at == At.SEES_CHANGE:
        ends = Intent.VOID if intent == Intent.READY and attempts == 0 else Intent.REVIEW
        yield _with(_intent(state, ends), _IDLE, others, stale=True)
    elif intent in DONE:
        yield _with(state, _IDLE, others)
    elif world.bug == "send before intent":
        yield _with(state, (At.CHECKED, mine, True), others)
    elif intent == Intent.READY or _nets(world, young=young, attempts=attempts):
        written = _intent(state, Intent.SENT, attempts=min(attempts + 1, world.most_attempts), settled=False)
        yield _with(written, (At.WRITTEN, mine, True), others, stale=True)
    else:
        yield _with(_intent(state, Intent.REVIEW), _IDLE, others, stale=True)


def _nets(world: World, *, young: bool, attempts: int) -> bool:
    """Two of three, of which the settled look is one."""
    return attempts < world.most_attempts and (young or world.is_whole or world.bug == "blind resend")


def _answers(world: World, state: State, run: Run, others: tuple[Run, ...]) -> Iterator[State]:
    _, mine, fresh = run
    after, answer = _processed(world, state)
    yield _with(after, (answer, mine, fresh), others)
    yield _with(after, (At.UNCLEAR, mine, fresh), others)  # the answer is lost
    yield _with(state, (At.UNCLEAR, mine, fresh), others)  # the request is lost
    yield _with(state, (At.NOT_PROCESSED, mine, fresh), others)
    if not state[4]:
        yield _with(state, (At.FAULT, mine, fresh), others)  # refused for another reason
    if state[6] < _MOST_LATE:
        waiting = _with(state, (At.UNCLEAR, mine, fresh), others)
        yield (*waiting[:6], state[6] + 1, *waiting[7:])  # carried out late
    if world.delivers_twice:
        twice, _ = _processed(world, after)
        yield _with(twice, (answer, mine, fresh), others)


def _record(world: World, state: State, run: Run, others: tuple[Run, ...]) -> Iterator[State]:
    at, mine, _ = run
    intent, attempts, _, _, records, *_ = state
    if at == At.LANDED:
        ends = state if intent in DONE - {Intent.REVIEW} else _intent(state, Intent.PAID)
        yield _with(ends, _IDLE, others, stale=True)
        return
    if not _may(world, run):
        yield _with(state, _IDLE, others)
        return
    first = attempts <= 1
    if at == At.NOT_PROCESSED:
        following = Intent.READY if first else Intent.UNKNOWN
    elif at == At.FAULT and (first or world.bug == "a fault is a refusal"):
        if records and world.bug != "a fault is a refusal":
            ends = _intent(state, Intent.PAID if records == 1 else Intent.REVIEW)
            yield _with(ends, _IDLE, others, stale=True)
            return
        following = Intent.REFUSED
    elif at == At.UNCLEAR and world.bug == "no answer is a refusal":
        following = Intent.REFUSED
    else:
        following = Intent.UNKNOWN
    yield _with(_intent(state, following), (At.CLAIMED, mine, True), others, stale=True)
