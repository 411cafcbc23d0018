"""Trials in which the machine's clock is set while payments are under way: forward and back, by seconds and by hours.

Belongs here: plans, playing them. Does not: judging. QuickBooks' own time goes on, and so do requests that are under way.

Whatever the clock shows, a look counts only when the settling time has passed, and nothing is sent long after it was decided.
"""

from dataclasses import dataclass
from datetime import timedelta
from random import Random

from tests.payments.judging import judge_batches
from tests.payments.scene import Scene
from tests.payments.trials import KILL, STOP, Trial

#: In seconds: past a lease, past the settling time and still within what two clocks may differ, an hour of summer time.
_JUMPS = (-3_600, -290, -130, -15, 15, 130, 290, 3_600)
_POINTS = (
    "look.after",
    "intent.after",
    "send.before",
    "send.after_bytes",
    "answer.before_record",
    "confirm.in",
    "close.in",
)
_STANDS_STILL = 0.4
_SLOW = 1.2


@dataclass(frozen=True, slots=True, kw_only=True)
class JumpTrial:
    """What happens: a death, or a request that takes long, with the clock set before and after the next run."""

    seed: int
    point: str
    action: str
    #: QuickBooks carries the first payment out when its sender has given up.
    is_slow: bool
    jumps: tuple[int, int, int]
    trial: Trial


def drawn_jumps(seed: int) -> JumpTrial:
    """The trial of a seed."""
    dice = Random(seed)  # noqa: S311 - a reproducible plan
    is_slow = dice.random() < 0.4
    point = dice.choice(_POINTS)
    action = STOP if dice.random() < _STANDS_STILL and not point.endswith(".in") else KILL
    whole = dice.randrange(9_000, 60_000)
    trial = Trial(
        seed=seed,
        request_ids=dice.choice(("ignored", "ignored", "forgotten", "honoured", "answers_6000")),
        duplicate_doc_number=dice.choice(("accept", "accept", "refuse")),
        bills=((whole, dice.choice((whole, whole // 3, whole // 3))),) * dice.choice((1, 2)),
        deaths=() if is_slow else ((point, 1, action),),
    )
    jumps = (dice.choice(_JUMPS), dice.choice(_JUMPS), dice.choice(_JUMPS))
    return JumpTrial(seed=seed, point=point, action=action, is_slow=is_slow, jumps=jumps, trial=trial)


def play_jumps(scene: Scene, seed: int) -> None:
    """The trial of a seed, judged."""
    play_jump_trial(scene, drawn_jumps(seed))


def play_jump_trial(scene: Scene, plan: JumpTrial) -> None:
    """One trial, judged."""
    since, office, trial = scene.server_time(), scene.begin(), plan.trial
    scene.company.settings(request_ids=trial.request_ids, duplicate_doc_number=trial.duplicate_doc_number)
    bills = office.enter(*(f"{whole / 100:.2f}" for whole, _ in trial.bills))
    paid = dict(zip(bills, trial.bills, strict=True))
    batch = office.batch(*bills, amounts={bill: cents for bill, (_, cents) in paid.items()})
    timeout = scene.timeout(*(["slow_then_commit"] if plan.is_slow else []))
    if plan.is_slow:
        scene.misbehave("slow_then_commit", slow_seconds=_SLOW)
    what = {"batch_id": batch, "timeout": timeout}
    pid = scene.zygote.start(**what, deaths=trial.deaths)
    ended = scene.zygote.wait(pid)
    scene.note(ended, death=trial.deaths[0] if trial.deaths else None)
    for jump in plan.jumps[:2]:
        scene.clock.set_by_hand(timedelta(seconds=jump))
        scene.note(scene.zygote.run(**what))
    scene.pass_time(batch)
    scene.note(scene.zygote.run(**what))
    scene.clock.set_by_hand(timedelta(seconds=plan.jumps[2]))
    if ended == "stopped":
        # As if no time had passed: the clock shows when it was stopped.
        scene.zygote.go_on(pid)
        scene.note(scene.zygote.wait(pid))
    # A clock that was set back shows an hour more than passed.
    scene.settle(batch, is_timed=False, timeout=timeout)
    judge_batches(
        scene,
        batch,
        trial=f"jumps {plan.seed}",
        takes_twice=lambda bill: trial.takes_twice(*paid[bill]),
        since=since,
        may_be_reviewed=bool(trial.deaths) or trial.request_ids == "answers_6000",
    )
    scene.counts.more["clock jumps"] += len(plan.jumps)
    scene.end()
