"""What was found out about the books of a sync, kept so that a later sync which brought nothing new need not find it out again.

Belongs here: when two syncs have the same books, keeping what was found. Does not: finding it out (`assets/published.py`).

Reading and typing all living objects is most of what a sync costs beside the reading from QuickBooks; on a quiet night nothing
of it would come out differently. The same books are: the same kept versions, the same unreadable objects, the same day, the same
thresholds, the same program.
"""

import hashlib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import assets
import resources
import runway_calcs
from resources.commits import Sync
from resources.documents import Document
from resources.installation import Installation
from resources.published_balances import PublishedBalances
from resources.settings import Thresholds
from resources.tenants import Tenant
from runway_calcs.books.reconciliation import Agreement, Comparison, Difference

_KIND, _KEY = "reconciliation", "newest"


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundOut:
    """What the newest publication came to, beside the balances themselves."""

    cash_state: str
    comparisons: tuple[Comparison, ...]


def books_mark(tenant: Tenant, sync: Sync, *, thresholds: Thresholds, installation: Installation) -> str:
    """A text that is the same for two syncs exactly if everything found out about their books is."""
    commits = installation.commits
    histories = commits.histories(sync.tenant_id, up_to=sync)
    parts = {
        "segments": sorted(
            segment.segment_id for segments in histories.values() for segment in segments if segment.rows
        ),
        "unread": sorted(Counter(one.entity for one in commits.quarantined(sync)).items()),
        "day": tenant.local_date(sync.data_as_of).isoformat(),
        "thresholds": thresholds.model_dump(mode="json"),
        "program": _program(),
    }
    return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


@cache
def _program() -> str:
    """A digest of the code that could make something else of the same books; any change of it counts, which costs one reading."""
    code = hashlib.sha256()
    for room in (assets, resources, runway_calcs):
        for folder in room.__path__:
            for path in sorted(Path(folder).rglob("*.py")):
                code.update(path.read_bytes())
    return code.hexdigest()


def keep(found: FoundOut, *, mark: str, sync: Sync, installation: Installation) -> None:
    """Keep what was found out about a sync's books, whose balances are published, in place of what was kept before."""
    body = {
        "mark": mark,
        "balances": _digest(installation.published_balances.read(sync.tenant_id)),
        "cash_state": found.cash_state,
        "comparisons": [asdict(one) for one in found.comparisons],
    }
    installation.documents.publish(
        Document(
            tenant_id=sync.tenant_id,
            kind=_KIND,
            key=_KEY,
            title="Do the books agree with themselves?",
            body=json.dumps(body, sort_keys=True),
            html="",
            text="\n".join(f"{one.name}: {one.agreement.value}" for one in found.comparisons),
            data_as_of=sync.data_as_of,
        )
    )


def kept(
    tenant: Tenant, *, mark: str, published: PublishedBalances | None, installation: Installation
) -> FoundOut | None:
    """What was found out about the same books before, if their balances are the published ones; None otherwise."""
    document = installation.documents.read(tenant.tenant_id, kind=_KIND, key=_KEY)
    if document is None:
        return None
    body: Mapping[str, Any] = json.loads(document.body)
    if published is None or (body["mark"], body["balances"]) != (mark, _digest(published)):
        return None
    return FoundOut(cash_state=body["cash_state"], comparisons=_comparisons(body["comparisons"]))


def _digest(published: PublishedBalances | None) -> str:
    """Of the balances alone, whichever sync they are of."""
    return "" if published is None else hashlib.sha256(repr((published.cash, published.bills)).encode()).hexdigest()


def _comparisons(listed: Sequence[Mapping[str, Any]]) -> tuple[Comparison, ...]:
    return tuple(
        Comparison(
            name=one["name"],
            agreement=Agreement(one["agreement"]),
            stated_cents=one["stated_cents"],
            derived_cents=one["derived_cents"],
            differences=tuple(Difference(**difference) for difference in one["differences"]),
            reason=one["reason"],
        )
        for one in listed
    )
