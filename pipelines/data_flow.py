"""`docs/data-flow.md`, written from the asset graph: what feeds what, from QuickBooks to what people read.

Belongs here: the tables of that page. Does not: prose about the rooms (`docs/architecture.md`).

    python -m pipelines.data_flow > docs/data-flow.md
"""

import sys
from collections.abc import Iterable, Iterator

import dagster as dg

from pipelines.build import build_defs

#: The layers in the order in which a run goes through them; a group that is no layer stands after them.
LAYERS = ("raw_qbo", "published", "books", "runway", "priority", "backtest", "digest", "test_drive", "fleet")
#: What people read; nothing in these groups may look further back than the calculators.
EXPERIENCE_GROUPS = ("digest", "test_drive", "fleet")

_HEAD = """# Data flow

Written from the asset graph by `python -m pipelines.data_flow > docs/data-flow.md`; a test compares the two. One pull from
QuickBooks feeds everything: an experience reads calculators and books, never a raw asset, and computes no number itself.
"""


def data_flow(definitions: dg.Definitions) -> str:
    """The page as Markdown."""
    flow = _Flow(definitions)
    parts = [
        _HEAD,
        "## What each experience is made of\n",
        *(flow.experience(key) for key in flow.keys if flow.group(key) in EXPERIENCE_GROUPS),
        "## Which experience a calculator feeds\n",
        _table(("calculator", "feeds"), flow.fed_experiences()),
        "## Every asset\n",
        _table(("asset", "what it is", "made from"), flow.assets()),
    ]
    return "\n".join(parts)


class _Flow:
    """The asset graph, asked for what the page says."""

    def __init__(self, definitions: dg.Definitions) -> None:
        self._graph = definitions.resolve_asset_graph()
        order = {group: number for number, group in enumerate(LAYERS)}
        found = self._graph.get_all_asset_keys()
        self.keys = sorted(found, key=lambda key: (order.get(self.group(key), len(order)), key.path))

    def group(self, key: dg.AssetKey) -> str:
        """The layer of an asset."""
        return self._graph.get(key).group_name or ""

    def parents(self, key: dg.AssetKey) -> list[str]:
        """What an asset is made from."""
        return sorted(_name(parent) for parent in self._graph.get(key).parent_keys)

    def experience(self, key: dg.AssetKey) -> str:
        """One experience: what it says it is, and what it reads by layer."""
        by_layer: dict[str, list[str]] = {}
        for parent in sorted(self._graph.get(key).parent_keys):
            by_layer.setdefault(self.group(parent), []).append(_name(parent))
        rows = [(layer, ", ".join(names)) for layer, names in sorted(by_layer.items(), key=_by_layer)]
        return f"### `{_name(key)}`\n\n{self._description(key)}\n\n{_table(('layer', 'reads'), rows)}"

    def fed_experiences(self) -> Iterator[tuple[str, str]]:
        """Each calculator with the experiences that are made from it, directly or through others."""
        for key in self.keys:
            if self.group(key) in EXPERIENCE_GROUPS or self.group(key) in ("raw_qbo", "published", "books"):
                continue
            below = self._below(key)
            fed = [_name(one) for one in self.keys if one in below and self.group(one) in EXPERIENCE_GROUPS]
            yield _name(key), ", ".join(fed) or "seen in the Dagster UI"

    def assets(self) -> Iterator[tuple[str, str, str]]:
        """Every asset with its description and parents."""
        for key in self.keys:
            yield _name(key), self._description(key), ", ".join(self.parents(key)) or "QuickBooks"

    def _description(self, key: dg.AssetKey) -> str:
        return " ".join((self._graph.get(key).description or "").split())

    def _below(self, key: dg.AssetKey) -> set[dg.AssetKey]:
        found: set[dg.AssetKey] = set()
        waiting = [key]
        while waiting:
            for child in self._graph.get(waiting.pop()).child_keys - found:
                found.add(child)
                waiting.append(child)
        return found


def _name(key: dg.AssetKey) -> str:
    return key.to_user_string()


def _by_layer(row: tuple[str, list[str]]) -> int:
    return LAYERS.index(row[0]) if row[0] in LAYERS else len(LAYERS)


def _table(heads: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [heads, tuple("---" for _ in heads), *rows]
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(data_flow(build_defs()))
