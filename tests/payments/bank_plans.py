"""What happens in one trial of a batch that a bank pays: drawn from a seed.

Belongs here: the plan of a trial, and whether any net is left on each of its two legs. Does not: playing it (`bank_trials.py`).
"""

from dataclasses import dataclass, replace
from random import Random

from tests.payments.trials import KILL, NEEDS, POST_FAULTS, REQUEST_IDS, STOP, Trial

#: The two legs of a payment: the bank moves money, QuickBooks records it.
RAIL, BOOK = "rail", "book"
#: What the bank does to a look for an instruction; to an instruction it does all that QuickBooks does to a payment.
_LOOK_FAULTS = ("http_503", "drop_before", "html_body", "truncated_json", "throttle_storm")
_BOOK_FAULTS = ("drop_before", "drop_after", "http_503_after", "throttle_storm", "unauthorized", "double_delivery")
#: Points of one payment on one leg, in the order in which they are met.
_OF_A_PAYMENT = (
    "look.before",
    "bill.after_get",
    "look.after",
    "intent.in",
    "intent.after",
    "send.before",
    "send.after_bytes",
    "answer.before_record",
    "confirm.in",
    "confirm.after",
)
#: What has to happen for a point is told by `NEEDS`.
_BROUGHT = ("unknown.in", "unknown.after", "backoff.in", "adopt.in")
#: A bank that will not have an instruction; `refuse.in` is met by nothing else.
REFUSAL = "refused"
_BEGINNING, _END = ("run.start", "claim.in", "claim.after"), ("close.in", "close.after")
#: Where a payment dies whose money has moved and that nobody else knows of: half of the deaths.
_CRITICAL = ("send.before", "send.after_bytes", "answer.before_record", "confirm.in", "confirm.after", "adopt.in")
_STANDS_STILL, _RETURNS, _DOUBLED, _REFUSES = 0.2, 0.2, 0.1, 0.03


@dataclass(frozen=True, slots=True, kw_only=True)
class BankDeath:
    """What happens to one run: on which leg, at which point and passage, kill or stop."""

    leg: str
    point: str
    passage: int
    action: str

    @property
    def name(self) -> str:
        """The point on its leg; those of a whole run are on none."""
        return self.point if self.point in (*_BEGINNING, *_END) else f"{self.leg} {self.point}"

    @property
    def needs(self) -> str:
        """The fault that brings the point about; empty if none has to."""
        return REFUSAL if self.point == "refuse.in" else NEEDS.get(self.point, "")


@dataclass(frozen=True, slots=True, kw_only=True)
class GivesBack:
    """The bank returns the money of one payment."""

    #: After so many deaths; once the batch is settled if those do not come, or nothing was instructed by then.
    after: int
    #: Whether the night's look at all instructed money comes before the next run.
    is_followed: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class BankTrial:
    """What happens in one trial."""

    seed: int
    #: Of the keys of both: QuickBooks' and the bank's.
    request_ids: str = "honoured"
    duplicate_doc_number: str = "accept"
    overpaying_line: str = "refuse"
    #: Whole amounts of the bills and what is paid of each, in cents.
    bills: tuple[tuple[int, int], ...] = ((10_000, 10_000),)
    #: What the bank does to instructions and to looks, QuickBooks to records, with how many pass first.
    bank_faults: tuple[tuple[str, int], ...] = ()
    look_faults: tuple[tuple[str, int], ...] = ()
    book_faults: tuple[tuple[str, int], ...] = ()
    slow_seconds: float = 0.6
    deaths: tuple[BankDeath, ...] = ()
    #: Two runs at once at the beginning.
    doubled: bool = False
    gives_back: GivesBack | None = None

    @property
    def books(self) -> Trial:
        """The trial as QuickBooks meets it: what its nets are is told there."""
        return Trial(
            seed=self.seed,
            request_ids=self.request_ids,
            duplicate_doc_number=self.duplicate_doc_number,
            overpaying_line=self.overpaying_line,
            bills=self.bills,
            faults=self.book_faults,
            deaths=tuple((one.point, one.passage, one.action) for one in self.deaths),
        )

    @property
    def bank_forgets(self) -> bool:
        """Whether the bank breaks its promise about keys: it carries out twice what arrives twice."""
        return self.request_ids in ("forgotten", "ignored")

    @property
    def refuses(self) -> bool:
        """Whether the bank refuses an instruction for good."""
        return any(one.needs == REFUSAL for one in self.deaths)


def drawn_bank(seed: int) -> BankTrial:
    """The trial of a seed: run after run dies, at the bank first, then at the books."""
    dice = Random(seed)  # noqa: S311 - a reproducible plan
    wholes = [dice.randrange(6_000, 90_000) for _ in range(dice.choice((1, 2, 2, 3, 4)))]
    action = STOP if dice.random() < _STANDS_STILL else KILL
    trial = BankTrial(
        seed=seed,
        request_ids=dice.choice(REQUEST_IDS),
        duplicate_doc_number=dice.choice(("accept", "accept", "refuse")),
        overpaying_line=dice.choice(("refuse", "refuse", "cap")),
        bills=tuple((whole, dice.choice((whole, whole, whole // 3))) for whole in wholes),
        bank_faults=_faults(dice, POST_FAULTS, (0, 1, 1, 2)),
        look_faults=_faults(dice, _LOOK_FAULTS, (0, 0, 1)),
        book_faults=_faults(dice, _BOOK_FAULTS, (0, 0, 1)),
        deaths=(
            *_deaths(dice, RAIL, dice.choice((2, 3, 4)), action=action),
            *_deaths(dice, BOOK, dice.choice((2, 3)), action=action),
        ),
        doubled=dice.random() < _DOUBLED,
    )
    if dice.random() < _RETURNS:
        after = dice.randrange(1, len(trial.deaths) + 2)
        return replace(trial, gives_back=GivesBack(after=after, is_followed=dice.random() < 0.5))
    return trial


def _faults(dice: Random, kinds: tuple[str, ...], counts: tuple[int, ...]) -> tuple[tuple[str, int], ...]:
    return tuple((dice.choice(kinds), dice.randrange(3)) for _ in range(dice.choice(counts)))


def _deaths(dice: Random, leg: str, count: int, *, action: str) -> tuple[BankDeath, ...]:
    all_points = (*_OF_A_PAYMENT, *_BROUGHT, *(_BEGINNING if leg == RAIL else _END))
    points = [dice.choice(dice.choice((_CRITICAL, all_points))) for _ in range(count)]
    if leg == RAIL and dice.random() < _REFUSES:
        points[0] = "refuse.in"
    return tuple(BankDeath(leg=leg, point=point, passage=_passage(dice, point), action=action) for point in points)


def _passage(dice: Random, point: str) -> int:
    return dice.choice((1, 2, 3, 4)) if point in _OF_A_PAYMENT else 1
