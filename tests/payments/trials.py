"""What happens in one trial of sending: drawn from a seed, or walked through every point.

Belongs here: the plan of a trial, and whether any net is left in it. Does not: playing it (`campaign.py`).
"""

from dataclasses import dataclass, replace
from random import Random

from payments.sending.points import SEND_POINTS

REQUEST_IDS = ("honoured", "forgotten", "ignored", "answers_600", "answers_6000")
POST_FAULTS = (
    "http_500",
    "http_503",
    "throttle_storm",
    "drop_before",
    "html_body",
    "unauthorized",
    "http_500_after",
    "http_503_after",
    "drop_after",
    "truncated_json",
    "double_delivery",
    "slow_then_commit",
)
POINTS = tuple(SEND_POINTS)
#: Points that only a payment whose answer was lost, refused or not processed passes, and what brings that about.
NEEDS = {
    "unknown.in": "drop_after",
    "unknown.after": "drop_before",
    "backoff.in": "unauthorized",
    "adopt.in": "drop_after",
}
#: The ends of a run: whoever meets them has gone through all payments.
_LAST = ("close.in", "close.after")
#: What a run passes once, or only where it was brought about.
_ONCE = frozenset({*NEEDS, *_LAST})
_A_TRIAL = 9
#: The share of trials with few deaths before the end of a run: after many a batch has settled before.
_ENDINGS = 0.15
#: The shares of drawn trials with a storm, and with a vendor that is made inactive.
_THROTTLED, _VENDOR_GOES = 0.02, 0.05
#: Requests in a row that are too many.
_STORM = 50
#: What a death does: the process ends, or it stands still until everything else is over.
KILL, STOP = "kill", "stop"
Death = tuple[str, int, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """What happens in one trial."""

    seed: int
    request_ids: str = "honoured"
    duplicate_doc_number: str = "accept"
    overpaying_line: str = "refuse"
    #: Whole amounts of the bills and what is paid of each, in cents.
    bills: tuple[tuple[int, int], ...] = ((10_000, 10_000),)
    #: What QuickBooks does to the writes, with how many pass first.
    faults: tuple[tuple[str, int], ...] = ()
    #: How late `slow_then_commit` is; a hasty client has given up by then.
    slow_seconds: float = 0.6
    #: What happens to the runs, one after another: point, passage, kill or stop.
    deaths: tuple[Death, ...] = ()
    #: What QuickBooks does right before the run of each death; nothing where that is empty or missing.
    brought: tuple[str, ...] = ()
    #: The books are closed for the run of this death alone.
    closes_for: int | None = None
    #: A person pays as much of the first bill in QuickBooks after the batch was sealed.
    paid_by_hand: bool = False
    #: The books are closed for the day, so QuickBooks refuses every payment.
    closed_books: bool = False
    #: Two runs at once at the beginning.
    doubled: bool = False
    #: QuickBooks answers so many requests with 429, whatever they are.
    throttled: int = 0
    #: Somebody makes the vendor inactive when the first payment was looked at and has not left.
    vendor_goes: bool = False

    @property
    def has_no_net(self) -> bool:
        """Whether some payment may be recorded twice whatever a client does: the sole case in which it may."""
        return any(self.leaves_no_net(whole, paid) for whole, paid in self.bills)

    def leaves_no_net(self, whole: int, paid: int) -> bool:
        """Whether that may be so of a payment of so much of a bill: it is, if it is the one that is carried out twice."""
        twice = any(kind == "double_delivery" for kind, _ in self.faults) or any(
            point == "send.before" and action == STOP for point, _, action in self.deaths
        )
        return self.takes_twice(whole, paid) and twice

    def takes_twice(self, whole: int, paid: int) -> bool:
        """Whether QuickBooks records a payment of so much of a bill a second time if it is asked to."""
        forgets = self.request_ids in ("forgotten", "ignored")
        accepts = self.overpaying_line == "cap" or 2 * paid <= whole
        return forgets and accepts and self.duplicate_doc_number == "accept"


def drawn(seed: int) -> Trial:
    """A trial in which anything may happen, and seldom much."""
    dice = Random(seed)  # noqa: S311 - a reproducible plan
    bills = _bills(dice, dice.choice((1, 1, 2, 3)))
    faults = [(dice.choice(POST_FAULTS), dice.randrange(2)) for _ in range(dice.choice((0, 0, 1, 1, 2)))]
    deaths = [_death(dice, KILL if dice.random() < 0.7 else STOP) for _ in range(dice.choice((0, 1, 1, 2, 3)))]
    trial = Trial(
        seed=seed,
        **_quickbooks(dice),
        bills=bills,
        faults=tuple(faults),
        deaths=tuple(deaths),
        doubled=dice.random() < 0.15,
        closed_books=dice.random() < 0.1,
    )
    also = dice.random()
    if also < _THROTTLED:
        return replace(trial, throttled=_STORM, closed_books=False)
    if also < _THROTTLED + _VENDOR_GOES:
        return replace(trial, vendor_goes=True, faults=(), deaths=(), doubled=False, closed_books=False)
    return trial


def deadly(seed: int, *, action: str) -> Trial:
    """A trial in which run after run dies, each point in its turn: the trials of a release count deaths."""
    dice = Random(seed)  # noqa: S311 - a reproducible plan
    first = [point for point in POINTS if point not in _LAST and point != "adopt.in"]
    points = [first[(seed * _A_TRIAL + number) % len(first)] for number in range(_A_TRIAL)]
    dice.shuffle(points)
    if dice.random() < _ENDINGS:
        points = points[:1]
    else:
        # A payment is adopted whose run died when it had landed.
        points[_A_TRIAL // 2 : _A_TRIAL // 2] = [dice.choice(("send.after_bytes", "answer.before_record")), "adopt.in"]
    points += _LAST
    return Trial(
        seed=seed,
        **_quickbooks(dice),
        bills=_bills(dice, dice.choice((3, 4, 5))),
        faults=tuple((dice.choice(POST_FAULTS), dice.randrange(3)) for _ in range(dice.choice((0, 1, 1, 2)))),
        deaths=tuple((point, dice.choice((1, 1, 1, 2)) if point not in _ONCE else 1, action) for point in points),
        brought=tuple(NEEDS.get(point, "") for point in points),
        closes_for=points.index("refuse.in") if "refuse.in" in points else None,
    )


def walked(number: int) -> Trial:
    """The trials that reach each point once, by number: killed, then stopped."""
    point = POINTS[number % len(POINTS)]
    action = (KILL, STOP)[number // len(POINTS) % 2]
    needs = NEEDS.get(point)
    faults = ((needs, 0),) if needs else ()
    return Trial(seed=-number - 1, faults=faults, deaths=((point, 1, action),), closed_books=point == "refuse.in")


def _bills(dice: Random, count: int) -> tuple[tuple[int, int], ...]:
    wholes = [dice.randrange(2_000, 90_000) for _ in range(count)]
    return tuple((whole, dice.choice((whole, whole, whole // 3))) for whole in wholes)


def _quickbooks(dice: Random) -> dict[str, str]:
    return {
        "request_ids": dice.choice(REQUEST_IDS),
        "duplicate_doc_number": dice.choice(("accept", "accept", "refuse")),
        "overpaying_line": dice.choice(("refuse", "refuse", "cap")),
    }


def _death(dice: Random, action: str) -> Death:
    return dice.choice(POINTS), dice.choice((1, 1, 2, 3)), action
