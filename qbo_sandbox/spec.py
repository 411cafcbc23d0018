"""What identifies a generated company: the same spec always gives the same books.

Belongs here: the spec, its reading from JSON and its checks. Does not: how books are made from it (``generate``).
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import date
from typing import Literal, cast, get_args
from zoneinfo import ZoneInfo

Industry = Literal["marketing_agency", "construction", "professional_services", "e_commerce", "consulting"]
Size = Literal["micro", "small", "medium"]
Opening = Literal["covered", "drawn"]
"""How much cash a company opens with: as much as its whole history asks for, or an amount drawn before any of it."""

INDUSTRIES: tuple[Industry, ...] = get_args(Industry)
SIZES: tuple[Size, ...] = get_args(Size)
OPENINGS: tuple[Opening, ...] = get_args(Opening)
MAX_REALM_DIGITS = 20


class BadSpecError(ValueError):
    """A company spec that cannot be generated; the text names the field."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CompanySpec:
    """One company to generate; ``as_of`` is the last day of its history in its own ``zone``."""

    realm_id: str
    name: str
    industry: Industry
    size: Size
    seed: int
    as_of: date
    zone: str
    opening: Opening = "covered"

    def to_json(self) -> dict[str, str | int]:
        """The object that ``spec_from_json`` reads back."""
        return {**asdict(self), "as_of": self.as_of.isoformat()}


def spec_from_json(raw: Mapping[str, object]) -> CompanySpec:
    """Read one spec; raises ``BadSpecError`` naming what is wrong."""
    names = {field.name for field in fields(CompanySpec)}
    if set(raw) | {"opening"} != names:
        raise BadSpecError(f"a company spec has exactly the fields {sorted(names)}; got {sorted(raw)}")
    realm_id = _text(raw, "realm_id")
    if not realm_id.isascii() or not realm_id.isdigit() or len(realm_id) > MAX_REALM_DIGITS:
        raise BadSpecError(f"realm_id is a decimal text of up to {MAX_REALM_DIGITS} digits; got {realm_id!r}")
    seed = raw["seed"]
    if not isinstance(seed, int) or isinstance(seed, bool):
        raise BadSpecError(f"seed is a whole number; got {seed!r}")
    return CompanySpec(
        realm_id=realm_id,
        name=_text(raw, "name"),
        industry=cast("Industry", _one_of(raw, "industry", INDUSTRIES)),
        size=cast("Size", _one_of(raw, "size", SIZES)),
        seed=seed,
        as_of=_day(raw, "as_of"),
        zone=_zone(raw),
        opening=cast("Opening", _one_of(raw, "opening", OPENINGS)) if "opening" in raw else "covered",
    )


def _text(raw: Mapping[str, object], name: str) -> str:
    value = raw[name]
    if not isinstance(value, str) or not value.strip():
        raise BadSpecError(f"{name} is a text; got {value!r}")
    return value


def _one_of(raw: Mapping[str, object], name: str, known: tuple[str, ...]) -> str:
    value = _text(raw, name)
    if value not in known:
        raise BadSpecError(f"{name} is one of {', '.join(known)}; got {value!r}")
    return value


def _day(raw: Mapping[str, object], name: str) -> date:
    value = _text(raw, name)
    try:
        return date.fromisoformat(value)
    except ValueError as error:
        raise BadSpecError(f"{name} is a day YYYY-MM-DD; got {value!r}") from error


def _zone(raw: Mapping[str, object]) -> str:
    value = _text(raw, "zone")
    try:
        ZoneInfo(value)
    except (KeyError, ValueError) as error:
        raise BadSpecError(f"zone is an IANA time zone; got {value!r}") from error
    return value
