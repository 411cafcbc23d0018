"""Generated companies of the local QuickBooks as the calculators see them, with what is true of them and hidden.

Belongs here: spec -> connect -> SmartSync over HTTP -> the frames of the ledger; the point of view of any past Friday;
the truth (cash of every day from the sandbox's own journal, payment dates, habits, defects).
Does not: expectations, and anything a calculator of ours has to find out by itself.

A company ends on its `as_of` morning. What its last days brought may not be keyed in yet, so the truth is complete up to
`GeneratedBooks.true_until`; `GeneratedBooks.fridays` gives the Fridays whose horizon ends by then.
"""

import hashlib
import os
import pickle
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from itertools import count
from pathlib import Path
from random import Random
from typing import Any, Literal
from zoneinfo import ZoneInfo

import pandas as pd

from assets.books import home_currency, make_ledger
from assets.desk import Desk, newest_desk
from migrations.chain import upgrade
from resources.clock import FixedClock
from resources.installation import Installation, RunWeek
from resources.settings import Settings
from resources.store import RECONSTRUCTED_AT
from resources.tenants import tenant_id
from runway_calcs.books.as_of import AsOf
from runway_calcs.books.cash import CashPosition, cash_position
from runway_calcs.books.movements import cash_movements
from runway_calcs.books.open_items import Side, open_items
from runway_calcs.policy import CashPolicy
from tests.consent import connect
from tests.sandbox import Sandbox, start_sandbox

Industry = Literal["marketing_agency", "construction", "professional_services", "e_commerce", "consulting"]
Size = Literal["micro", "small", "medium"]
Opening = Literal["covered", "drawn"]

INDUSTRIES: tuple[Industry, ...] = (
    "marketing_agency",
    "construction",
    "professional_services",
    "e_commerce",
    "consulting",
)
FRIDAY = date(2026, 11, 20)
HORIZON_DAYS = 91
CACHE_VARIABLE = "RUNWAY_GENERATED_BOOKS"
"""Names a folder that keeps companies between runs, for whoever calibrates; unset, every company is read anew."""

_KEYED_WITHIN = timedelta(days=8)
"""Every movement of cash is keyed in within so many days of its date."""
_FRAMES = ("documents", "applications", "postings", "accounts", "parties", "terms", "bill_lines")
_ROOT = Path(__file__).parent.parent
_REALMS = count(9_130_390_000_000_001)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """Which company: the same spec gives the same books."""

    industry: Industry
    size: Size = "micro"
    seed: int = 1
    as_of: date = FRIDAY
    zone: str = "America/New_York"
    opening: Opening = "covered"
    """`drawn`: the cash it opens with knows nothing of what follows, so that a forecast can be judged by what follows."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Habit:
    """A customer's hidden paying habit (docs/generated-companies.md)."""

    kind: str
    typical_days_late: float
    spread_days: float
    tail_chance: float
    tail_days: float
    dispute_chance: float
    weekday: int | None
    stops_on: date | None
    contact_response_days: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Defect:
    """Something that is wrong in the books on purpose; of a pair the original comes first."""

    kind: str
    entity: str
    ids: tuple[str, ...]


@dataclass(frozen=True, kw_only=True)
class GeneratedBooks:
    """One company: the frames of `assets/schemas.py` and home currency as a Friday run has them, and the truth."""

    spec: Spec
    documents: pd.DataFrame
    applications: pd.DataFrame
    postings: pd.DataFrame
    accounts: pd.DataFrame
    parties: pd.DataFrame
    terms: pd.DataFrame
    bill_lines: pd.DataFrame
    home_currency: str
    first_known_at: datetime
    cash_by_day: pd.Series = field(repr=False)
    """Truth: cash in int64 cents at the end of every day (index: midnights) up to `true_until`, by date of transaction."""
    habits: Mapping[str, Habit] = field(repr=False)
    """Truth: by customer id."""
    defects: tuple[Defect, ...] = field(repr=False)

    @property
    def true_until(self) -> date:
        """The last day whose cash and payments are known completely."""
        return self.spec.as_of - _KEYED_WITHIN

    def fridays(self, *, weeks: int, horizon_days: int = HORIZON_DAYS) -> list[date]:
        """The last so many Fridays, oldest first, whose horizon lies within the truth."""
        last = self.true_until - timedelta(days=horizon_days)
        last -= timedelta(days=(last.weekday() - FRIDAY.weekday()) % 7)
        return [last - timedelta(weeks=back) for back in reversed(range(weeks))]

    def at(self, friday: date) -> AsOf:
        """The point of view of a past Friday: reconstructed, cut at 05:00 local; of the company's last day: its sync."""
        cut = datetime.combine(friday, RECONSTRUCTED_AT, tzinfo=ZoneInfo(self.spec.zone)).astimezone(UTC)
        known_until = self.first_known_at if friday >= self.spec.as_of else cut
        return AsOf.at(
            as_of=friday,
            known_until=known_until,
            first_known_at=self.first_known_at,
            newest_known_at=self.first_known_at,
        )

    def open_items(self, friday: date, *, side: Side) -> pd.DataFrame:
        """What was open that Friday, as `runway_calcs.books.open_items` says."""
        return open_items(self.documents, self.applications, side=side, at=self.at(friday))

    def position(self, friday: date, *, policy: CashPolicy | None = None) -> CashPosition:
        """The cash position of that Friday."""
        return cash_position(
            self.accounts,
            self.postings,
            at=self.at(friday),
            home_currency=self.home_currency,
            policy=policy or CashPolicy(),
        )

    def movements(self, friday: date, *, policy: CashPolicy | None = None) -> pd.DataFrame:
        """The cash movements known that Friday."""
        policy = policy or CashPolicy()
        position = self.position(friday, policy=policy)
        return cash_movements(self.postings, self.accounts, position=position, at=self.at(friday), policy=policy)

    def future_cash(self, friday: date, *, days: int = HORIZON_DAYS) -> pd.Series:
        """Truth: cash at the end of each of the next so many days, index 1..days (offsets from that Friday)."""
        if friday + timedelta(days=days) > self.true_until:
            raise ValueError(f"the truth of {self.spec} ends on {self.true_until}, {friday} + {days} days is later")
        found = self.cash_by_day.reindex(pd.date_range(friday + timedelta(days=1), periods=days))
        return found.set_axis(range(1, days + 1)).astype("int64")

    @cached_property
    def paid_on(self) -> pd.Series:
        """Truth: the day each bill and invoice was settled (date of the last application), NaT while it is open.

        Index (txn_type, qbo_id); datetime64. Of documents whose payment is dated by `true_until` none is missing.
        """
        owed = self.documents[self.documents["txn_type"].isin(["Bill", "Invoice"]) & ~self.documents["is_deleted"]]
        last = self.applications.groupby(["target_type", "target_id"])["txn_date"].max()
        keys = pd.MultiIndex.from_frame(owed[["txn_type", "qbo_id"]])
        settled = pd.Series(last.reindex(keys).to_numpy(), index=keys, name="paid_on")
        return settled.where((owed["open_cents"] == 0).to_numpy())


class Generator:
    """Reads companies from one running local QuickBooks through one installation."""

    def __init__(self, installation: Installation, sandbox: Sandbox) -> None:
        self._installation = installation
        self._sandbox = sandbox
        self._read: dict[Spec, GeneratedBooks] = {}
        if not installation.registry.firms():
            installation.registry.add_firm("generated", name="Generated books")

    def books(self, spec: Spec, *, keep: bool = False) -> GeneratedBooks:
        """A company's books; read anew unless kept by this generator or in the folder of `CACHE_VARIABLE`."""
        if spec not in self._read:
            found = _cached(spec) or self._sync(spec)
            if not keep:
                return found
            self._read[spec] = found
        return self._read[spec]

    def _sync(self, spec: Spec) -> GeneratedBooks:
        realm = self._sandbox.add_company(
            realm_id=str(next(_REALMS)),
            name="Generated books",
            industry=spec.industry,
            size=spec.size,
            seed=spec.seed,
            as_of=spec.as_of.isoformat(),
            zone=spec.zone,
            opening=spec.opening,
        )
        tenant = tenant_id(f"books-{realm}")
        self._installation.registry.add_tenant(tenant, firm_id="generated", name=tenant, zone=spec.zone)
        connect(self._installation, tenant, realm)
        try:
            self._installation.smart_sync.sync(tenant)
            week = RunWeek(week_ending=spec.as_of, started_at=self._installation.clock.now())
            with newest_desk(tenant, installation=self._installation, week=week) as desk:
                make_ledger(desk)
                found = _books(spec, desk, truth=_Truth(self._sandbox, realm))
        finally:
            # Neither side needs the company again: hundreds of them would fill the memory and the disk.
            self._sandbox.control.delete(f"/__sandbox__/companies/{realm}").raise_for_status()
            shutil.rmtree(self._installation.settings.lake_root / tenant, ignore_errors=True)
        _cache(found)
        return found


class _Truth:
    """What the sandbox tells of a company beside its API."""

    def __init__(self, sandbox: Sandbox, realm: str) -> None:
        self._control = sandbox.control
        self._realm = realm

    def read(self, what: str) -> Any:  # noqa: ANN401, RUF100 - JSON
        answer = self._control.get(f"/__sandbox__/realms/{self._realm}/{what}")
        answer.raise_for_status()
        return answer.json()


def _books(spec: Spec, desk: Desk, *, truth: _Truth) -> GeneratedBooks:
    cash: Mapping[str, int] = truth.read("cash")
    moved = pd.Series(cash, dtype="int64")
    moved.index = pd.to_datetime(moved.index)
    every_day = pd.date_range(moved.index[0], spec.as_of - _KEYED_WITHIN)
    habits = {
        customer: Habit(**{**one, "stops_on": one["stops_on"] and date.fromisoformat(one["stops_on"])})
        for customer, one in truth.read("habits").items()
    }
    defects = tuple(
        Defect(kind=one["kind"], entity=one["entity"], ids=tuple(one["ids"])) for one in truth.read("defects")
    )
    return GeneratedBooks(
        spec=spec,
        **{noun: desk.frame(f"books/{noun}") for noun in _FRAMES},
        home_currency=home_currency(desk),
        first_known_at=desk.at.first_known_at,
        cash_by_day=moved.reindex(every_day, method="ffill"),
        habits=habits,
        defects=defects,
    )


def companies(
    number: int,
    *,
    seed: int,
    industries: Sequence[Industry] = INDUSTRIES,
    sizes: Mapping[Size, int] | None = None,
    opening: Opening = "covered",
) -> list[Spec]:
    """So many different companies, the industries in turn and the sizes in these proportions (default: all micro)."""
    dice = Random(f"generated companies {seed}")  # noqa: S311 - reproducible, no secret
    weights: Mapping[Size, int] = sizes or {"micro": 1}
    drawn = dice.sample(range(1, 1_000_000), number)
    return [
        Spec(
            industry=industries[index % len(industries)],
            size=dice.choices(list(weights), weights=list(weights.values()))[0],
            seed=own_seed,
            opening=opening,
        )
        for index, own_seed in enumerate(drawn)
    ]


@contextmanager
def reading(folder: Path, sandbox: Sandbox, *, at: datetime | None = None) -> Iterator[Generator]:
    """A generator on a running sandbox; its installation lives in the folder and its clock on the Friday's morning."""
    now = at or datetime.combine(FRIDAY, RECONSTRUCTED_AT, tzinfo=UTC) + timedelta(hours=18)
    settings = Settings(data_dir=folder, qbo_local_url=sandbox.url, qbo_retry_seconds=0.0)
    installation = Installation(settings, clock=FixedClock(now))
    upgrade(installation.database)
    try:
        yield Generator(installation, sandbox)
    finally:
        installation.close()


@contextmanager
def generating(folder: Path) -> Iterator[Generator]:
    """A generator with a sandbox of its own, for scripts."""
    state = folder / "sandbox"
    state.mkdir(parents=True)
    with start_sandbox(state) as sandbox, reading(folder / "installation", sandbox) as generator:
        yield generator


def _cached(spec: Spec) -> GeneratedBooks | None:
    path = _cache_path(spec)
    if path is None or not path.exists():
        return None
    found = pickle.loads(path.read_bytes())  # noqa: S301 - a file that this module wrote
    return found if isinstance(found, GeneratedBooks) else None


def _cache(found: GeneratedBooks) -> None:
    path = _cache_path(found.spec)
    if path is not None:
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_suffix(f".{os.getpid()}")
        part.write_bytes(pickle.dumps(found))
        part.replace(path)


def _cache_path(spec: Spec) -> Path | None:
    folder = os.environ.get(CACHE_VARIABLE)
    if not folder:
        return None
    return Path(folder) / _sources() / hashlib.sha256(repr(spec).encode()).hexdigest()


def _sources() -> str:
    """A digest of the code that makes and reads the books: what changes it makes them anew."""
    digest = hashlib.sha256()
    for part in ("qbo_sandbox/generate", "resources/qbo", "tests/generated_books.py"):
        place = _ROOT / part
        for path in [place] if place.is_file() else sorted(place.glob("*.py")):
            digest.update(path.read_bytes())
    return digest.hexdigest()[:16]
