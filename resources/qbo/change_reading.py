"""What changed in a company since an instant, kind by kind, from the cheapest answer that is certainly whole.

Belongs here: one call for all kinds, what to do when its answer may be cut, documents that a merge moved. Does not: what
becomes of the objects (`differences.py`), the calls (`company_line.py`).

QuickBooks cuts the answer off at 1,000 objects and says neither so nor whether it counts by answer or by kind. So an answer
that may be full is asked for again one kind at a time, and a kind that fills an answer alone is queried by the instant of
change. A query does not tell what was deleted: whether anything was, is for the caller to find out.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from resources.qbo import query
from resources.qbo.company_line import CompanyLine
from resources.qbo.differences import latest_of_each
from resources.qbo.entities import Deleted
from resources.qbo.fields import QboObject
from resources.qbo.kind_work import KeptBooks, KindWork
from resources.qbo.kinds import ENTITIES, KINDS, Kind
from resources.qbo.merged_parties import names_party, vanished
from resources.qbo.paging import ReadObject, read_changed, read_object
from resources.qbo.patience import Tally

_TRANSACTIONS = tuple(kind for kind in ENTITIES if kind.is_transaction)
_PARTIES = (KINDS["Vendor"], KINDS["Customer"])
#: Ids that fit into one statement of a sane length.
_MOST_IDS = 300


@dataclass(slots=True, kw_only=True)
class KindChanges:
    """One kind's changed objects, each once; of a kind that came by query, without the deleted ones."""

    kind: Kind
    rows: list[ReadObject]
    is_cut: bool = False
    tally: Tally = field(default_factory=Tally)


@dataclass(frozen=True, slots=True, kw_only=True)
class FoundChanges:
    """What changed; `time` is QuickBooks' clock in the first answer: whatever changed later has to be asked for again."""

    kinds: Mapping[Kind, KindChanges]
    time: datetime | None


class ChangeReader:
    """Reads one company's changes during one sync."""

    def __init__(self, *, line: CompanyLine, books: KeptBooks, most_changes: int, page_rows: int) -> None:
        self._line = line
        self._books = books
        self._most_changes = most_changes
        self._page_rows = page_rows
        self.shared = Tally()

    def read(self, kinds: Sequence[Kind], *, since: datetime, works: Mapping[Kind, KindWork]) -> FoundChanges:
        """What changed of these kinds, and the documents of parties that vanished."""
        together = self._line.changes(kinds, since=since, tally=self.shared)
        if together.size < self._most_changes:
            found = {kind: _changes(kind, together.objects[kind.entity]) for kind in kinds}
        else:
            found = {kind: self._alone(kind, since=since) for kind in kinds}
        for changes in found.values():
            self._ask_after_gone(changes, work=works.get(changes.kind))
        self._add_moved(found, works=works)
        return FoundChanges(kinds=found, time=together.time)

    def _alone(self, kind: Kind, *, since: datetime) -> KindChanges:
        tally = Tally()
        answer = self._line.changes([kind], since=since, tally=tally)
        if answer.size < self._most_changes:
            changes = _changes(kind, answer.objects[kind.entity])
            changes.tally = tally
            return changes
        rows = read_changed(
            kind,
            since=since,
            fetch=lambda statement: self._line.query(statement, tally),
            page_rows=self._page_rows,
        )
        return KindChanges(kind=kind, rows=rows, is_cut=True, tally=tally)

    def _ask_after_gone(self, changes: KindChanges, *, work: KindWork | None) -> None:
        """Of what is told to be deleted and kept as living: QuickBooks is known to say so of objects that only changed."""
        told = [row.key for row in changes.rows if isinstance(row.found, Deleted)]
        if told:
            living = self._books.living(changes.kind, told, work=work)
            there = {row.key: row for row in self._by_id(changes.kind, living, changes.tally)}
            changes.rows = [there.get(row.key, row) for row in changes.rows]

    def _add_moved(self, found: dict[Kind, KindChanges], *, works: Mapping[Kind, KindWork]) -> None:
        for party in self._vanished(found, works=works):
            for kind, ids in self._documents_of(party.id, found=found, works=works):
                tally = found[kind].tally
                if not isinstance(party, Deleted) and self._still_name(party.id, kind, ids[:1], tally):
                    break  # made inactive and no more: a merge moves every document
                found[kind].rows += self._by_id(kind, ids, tally)

    def _vanished(self, found: Mapping[Kind, KindChanges], *, works: Mapping[Kind, KindWork]) -> list[QboObject]:
        return [
            row.found
            for kind in _PARTIES
            for row in found[kind].rows
            if isinstance(row.found, QboObject)
            and vanished(row.found)
            and not self._books.is_kept(kind, row, work=works.get(kind))
        ]

    def _documents_of(
        self, party_id: str, *, found: Mapping[Kind, KindChanges], works: Mapping[Kind, KindWork]
    ) -> Iterator[tuple[Kind, list[str]]]:
        """The kept documents that name a party and are not among the changes, by kind."""
        for kind in _TRANSACTIONS:
            came = {row.key for row in found[kind].rows}
            texts = self._books.living_texts(kind, containing=f'"{party_id}"', work=works.get(kind))
            ids = [qbo_id for qbo_id, text in texts.items() if qbo_id not in came and names_party(text, party_id)]
            if ids:
                yield kind, ids

    def _still_name(self, party_id: str, kind: Kind, ids: Sequence[str], tally: Tally) -> bool:
        return any(names_party(row.text, party_id) for row in self._by_id(kind, ids, tally))

    def _by_id(self, kind: Kind, ids: Sequence[str], tally: Tally) -> list[ReadObject]:
        rows: list[ReadObject] = []
        for first in range(0, len(ids), _MOST_IDS):
            where = [query.one_of("Id", ids[first : first + _MOST_IDS])]
            page = self._line.query(query.select(kind.entity, where=where, order_by=("Id",)), tally)
            rows += [read_object(kind, text) for text in page.objects]
        return rows


def _changes(kind: Kind, texts: Sequence[str]) -> KindChanges:
    return KindChanges(kind=kind, rows=latest_of_each(read_object(kind, text) for text in texts))
