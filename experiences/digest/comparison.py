"""What a digest says of the last forecast: what changed since, and what became of its first week.

Belongs here: the shape of both, the rules their facts keep. Does not: the rest of the document (``document.py``), wording.
"""

from dataclasses import dataclass
from datetime import date

from runway_calcs.flow_kinds import FlowKind
from runway_calcs.forecast.change import ChangeCause, ChangeState
from runway_calcs.forecast.score import MissCause, ScoreState

MAX_CAUSES = 3
MAX_MISSES = 4


def require(holds: bool, rule: str) -> None:  # noqa: FBT001 - reads as a sentence: require that, or else this rule
    """Refuse facts that are no digest."""
    if not holds:
        raise ValueError(f"Not a digest: {rule}.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """A forecast figure with its band."""

    expected_cents: int
    p10_cents: int
    p90_cents: int

    def __post_init__(self) -> None:
        require(self.p10_cents <= self.p90_cents, "a band has its lower end below")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cause:
    """One cause of the change; positive is longer, or more cash."""

    cause: ChangeCause
    days: int
    low_cents: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """The change since the last forecast, on the days that both cover."""

    state: ChangeState
    reason: str
    last_as_of: date | None
    days: int
    is_open_ended: bool
    low_cents: int
    causes: tuple[Cause, ...]
    """At most three; they sum to the change of each figure."""

    def __post_init__(self) -> None:
        compared = self.state is ChangeState.COMPARED
        require(bool(self.causes) == compared, "a change has causes exactly when there is one to speak of")
        require(len(self.causes) <= MAX_CAUSES, "a change has at most three causes")
        require(sum(one.days for one in self.causes) == self.days, "the causes sum to the change in days")
        require(sum(one.low_cents for one in self.causes) == self.low_cents, "the causes sum to the change in cents")
        require(not compared or self.last_as_of is not None, "a change is since a day")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One figure of the last forecast's first week and what it came to."""

    forecast: Estimate
    actual_cents: int

    @property
    def is_inside(self) -> bool:
        """Whether what happened lies within the band."""
        return self.forecast.p10_cents <= self.actual_cents <= self.forecast.p90_cents


@dataclass(frozen=True, slots=True, kw_only=True)
class MissLine:
    """One difference: actual less expected, signed as cash."""

    label: str
    kind: FlowKind
    cents: int
    cause: MissCause


@dataclass(frozen=True, slots=True, kw_only=True)
class LastForecast:
    """The last forecast against what happened."""

    state: ScoreState
    reason: str
    last_as_of: date | None
    receipts: Outcome | None
    disbursements: Outcome | None
    closing: Outcome | None
    timing_cents: int
    permanent_cents: int
    corrected_cents: int
    misses: tuple[MissLine, ...]
    """The largest first."""
    inside_count: int
    """Of the last so many weeks, those whose closing balance lay within the band."""
    scored_count: int

    def __post_init__(self) -> None:
        scored = self.state is ScoreState.SCORED
        for outcome in (self.receipts, self.disbursements, self.closing):
            require((outcome is not None) == scored, "a forecast that is scored has outcomes, and no other")
        require(len(self.misses) <= MAX_MISSES, "only the largest misses are named")
        require(0 <= self.inside_count <= self.scored_count, "the weeks inside are among those scored")
        if self.closing is not None:
            parts = self.timing_cents + self.permanent_cents + self.corrected_cents
            missed = self.closing.actual_cents - self.closing.forecast.expected_cents
            require(parts == missed, "timing, permanent and corrected differences sum to the miss")
