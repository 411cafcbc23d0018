"""What each value of an approval policy may be, whoever sets it and from wherever it comes.

Belongs here: the checks of values as JSON has them, named by their field. Does not: what a policy demands (`policies.py`).

A value of the wrong type is refused and never made fit: a rule that fits no payment, or lets one approval do for two, is worse than
none.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from payments.controls.people import MAY
from payments.errors import BadRequest
from payments.store.bill_tables import RAILS

#: Instants this far from now still exist, and these amounts fit every sum of them.
_MOST_DAYS = 36_500
_MOST_CENTS = 10**15
_SHOWN = 80

_MAY_APPROVE = tuple(sorted(role for role, verbs in MAY.items() if "approve" in verbs))


@dataclass(frozen=True, slots=True)
class _Expected:
    """What a value may be, in words and as a check."""

    words: str
    holds: Callable[[Any], bool]

    def or_none(self, meaning: str) -> "_Expected":
        """The same, or null."""
        return _Expected(f"{self.words}, or null for {meaning}", lambda value: value is None or self.holds(value))


@dataclass(frozen=True, slots=True)
class _Wrong:
    """A value that cannot be: where it is, what it may be, and what came."""

    field: str
    expected: str
    came: Any

    def __str__(self) -> str:
        told = json.dumps(self.came, default=str)
        return (
            f"{self.field} is {told if len(told) <= _SHOWN else told[:_SHOWN] + ' ...'}, but has to be {self.expected}"
        )


def refuse_wrong_values(values: Mapping[str, Any]) -> None:
    """`BadRequest` names every field of a whole policy whose value cannot be; a rule is a mapping of its fields."""
    wrong = [*_wrong(values, _POLICY, at=""), *_wrong_rules(values["rules"])]
    if wrong:
        raise BadRequest(
            what=f"This makes no policy: {'; '.join(map(str, wrong))}.",
            next_step="Nothing was changed.",
            wrong=[{"field": one.field, "expected": one.expected} for one in wrong],
        )


def _whole(what: str, *, least: int, most: int) -> _Expected:
    # A truth value is a whole number to Python, and none to whoever wrote it.
    return _Expected(
        f"a whole number of {what} from {least} to {most}", lambda value: type(value) is int and least <= value <= most
    )


def _one_of(*words: str) -> _Expected:
    return _Expected(f"one of {', '.join(words)}", lambda value: isinstance(value, str) and value in words)


def _list_of(what: str, holds: Callable[[str], bool]) -> _Expected:
    return _Expected(
        f"a list of {what}",
        lambda value: isinstance(value, list | tuple) and all(isinstance(one, str) and holds(one) for one in value),
    )


_CENTS = _whole("cents", least=0, most=_MOST_CENTS)
_LIMIT = _whole("cents", least=1, most=_MOST_CENTS).or_none("no limit")
_SECONDS = _whole("seconds", least=1, most=_MOST_DAYS * 24 * 3600)
_DAYS = _whole("days", least=0, most=_MOST_DAYS)
_TRUTH = _Expected("true or false", lambda value: isinstance(value, bool))

_POLICY: Mapping[str, _Expected] = {
    "separation_above_cents": _CENTS,
    "per_payment_cents": _LIMIT,
    "per_batch_cents": _LIMIT,
    "per_vendor_day_cents": _LIMIT,
    "per_tenant_day_cents": _LIMIT,
    "rules": _Expected("a list of rules", lambda value: isinstance(value, list | tuple)),
    "snapshot_max_age_seconds": _SECONDS,
    "due_snapshot_max_age_seconds": _SECONDS,
    "soft_hold_seconds": _SECONDS,
    "payee_watch_days": _DAYS,
    "schedule_holds": _one_of("now", "at_due"),
    "promote_days_before": _DAYS,
    "rail": _one_of(*RAILS),
    "group_by_vendor": _TRUTH,
}

_RULE: Mapping[str, _Expected] = {
    "above_cents": _CENTS,
    "up_to_cents": _LIMIT,
    "vendor_ids": _list_of("ids of vendors", lambda text: bool(text.strip())),
    "only_watched_vendors": _TRUTH,
    "approvals": _whole("people", least=1, most=100),
    "roles": _list_of(f"roles that may approve ({', '.join(_MAY_APPROVE)})", lambda text: text in _MAY_APPROVE),
    "in_sequence": _TRUTH,
}
_A_RULE = f"an object with some of {', '.join(_RULE)}"


def _wrong(values: Mapping[str, Any], expected: Mapping[str, _Expected], *, at: str) -> list[_Wrong]:
    return [
        _Wrong(f"{at}{name}", one.words, values[name])
        for name, one in expected.items()
        if name in values and not one.holds(values[name])
    ]


def _wrong_rules(rules: Any) -> Iterator[_Wrong]:
    for number, rule in enumerate(rules if isinstance(rules, list | tuple) else ()):
        at = f"rules[{number}]"
        if not isinstance(rule, Mapping) or rule.keys() - _RULE.keys():
            yield _Wrong(at, _A_RULE, rule)
        elif wrong := _wrong(rule, _RULE, at=f"{at}."):
            yield from wrong
        else:
            yield from _at_odds(rule, at=at)


def _at_odds(rule: Mapping[str, Any], *, at: str) -> Iterator[_Wrong]:
    """Values that are right each and together leave the rule without effect."""
    above, up_to = rule.get("above_cents", 0), rule.get("up_to_cents")
    if up_to is not None and up_to <= above:
        yield _Wrong(f"{at}.up_to_cents", f"more than above_cents, which is {above}: this rule fits no payment", up_to)
    roles, approvals = rule.get("roles", ()), rule.get("approvals", 1)
    if rule.get("in_sequence", False) and len(roles) < approvals:
        yield _Wrong(f"{at}.roles", f"a role for each of the {approvals} approvals in sequence", roles)
