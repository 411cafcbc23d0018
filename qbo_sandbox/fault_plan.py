"""Misbehaviour on demand: which faults hit a request.

Belongs here: kinds of faults, schedules, seeded chance. Does not: carrying them out
(``misbehaviour.py``).
"""

import itertools
from dataclasses import dataclass, field
from datetime import datetime
from random import Random
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

FaultKind = Literal[
    "latency",  # the answer waits; a client that has gone meanwhile gets nothing done
    "slow_then_commit",  # the request waits and is then carried out, whether or not the client is still there
    "http_500",  # refused before anything happened
    "http_503",
    "throttle_storm",  # 429 whatever the rate
    "drop_before",  # the connection ends before the request is carried out
    "html_body",  # an HTML page in place of the answer, before anything happened
    "unauthorized",  # 401 although the token is good
    "http_500_after",  # carried out, then answered as failed
    "http_503_after",
    "drop_after",  # carried out, then the connection ends without an answer
    "truncated_json",  # carried out, half of the answer arrives
    "double_delivery",  # carried out twice
]
BEFORE: tuple[FaultKind, ...] = (
    "http_500",
    "http_503",
    "throttle_storm",
    "drop_before",
    "html_body",
    "unauthorized",
)
AFTER: tuple[FaultKind, ...] = ("http_500_after", "http_503_after", "drop_after", "truncated_json")
EVERY_REALM = "*"
AUTHORISATION_SERVER = "oauth"  # in place of a realm: the token endpoint serves them all


class FaultSpec(BaseModel):
    """One planned fault: what, to which requests, how often, when."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: FaultKind
    seconds: float = Field(default=0.0, ge=0)  # how long latency and slow_then_commit wait, in real time
    probability: float = Field(default=1.0, ge=0, le=1)
    seed: int = 0
    skip: int = Field(default=0, ge=0)  # matching requests that pass first
    times: int | None = Field(default=None, ge=1)  # None: for ever
    methods: frozenset[str] = frozenset()  # empty: every method
    path_contains: str = ""
    query_contains: str = ""
    starts: AwareDatetime | None = None  # in the sandbox's own time
    ends: AwareDatetime | None = None
    status: int = Field(default=502, ge=200, le=599)  # of html_body


@dataclass(slots=True, kw_only=True)
class PlannedFault:
    """A fault and how often it has matched and hit."""

    id: int
    spec: FaultSpec
    matched: int = 0
    hits: int = 0
    _chance: Random = field(init=False, repr=False)

    def __post_init__(self) -> None:
        self._chance = Random(self.spec.seed)  # noqa: S311 - a reproducible schedule, not a secret

    def strikes(self, *, method: str, path: str, query: str, now: datetime) -> bool:
        """Whether the fault hits this request; asking counts."""
        spec = self.spec
        if spec.methods and method not in spec.methods:
            return False
        if spec.path_contains not in path or spec.query_contains not in query:
            return False
        if (spec.starts and now < spec.starts) or (spec.ends and now >= spec.ends):
            return False
        self.matched += 1
        if self.matched <= spec.skip or (spec.times is not None and self.hits >= spec.times):
            return False
        # The draw is made for every match, so that a seed gives the same schedule whatever else is planned.
        if self._chance.random() >= spec.probability:
            return False
        self.hits += 1
        return True


class FaultPlan:
    """The planned faults of every realm."""

    def __init__(self) -> None:
        self._planned: dict[str, list[PlannedFault]] = {}
        self._ids = itertools.count(1)

    def add(self, realm: str, spec: FaultSpec) -> PlannedFault:
        """Plan a fault for a realm, or for every realm with ``*``."""
        fault = PlannedFault(id=next(self._ids), spec=spec)
        self._planned.setdefault(realm, []).append(fault)
        return fault

    def clear(self, realm: str) -> None:
        """Forget the faults of a realm."""
        self._planned.pop(realm, None)

    def of(self, realm: str) -> list[PlannedFault]:
        """The faults planned for exactly this realm."""
        return list(self._planned.get(realm, ()))

    def striking(self, realm: str, *, method: str, path: str, query: str, now: datetime) -> list[FaultSpec]:
        """The faults that hit a request, in the order they were planned."""
        planned = [*self._planned.get(EVERY_REALM, ()), *self._planned.get(realm, ())]
        return [fault.spec for fault in planned if fault.strikes(method=method, path=path, query=query, now=now)]

    def striking_tokens(self, *, method: str, path: str, now: datetime) -> list[FaultSpec]:
        """The faults that hit a request to the token endpoint; those of every realm do not."""
        planned = self._planned.get(AUTHORISATION_SERVER, ())
        return [fault.spec for fault in planned if fault.strikes(method=method, path=path, query="", now=now)]
