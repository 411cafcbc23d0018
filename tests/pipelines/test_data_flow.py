"""What feeds what: the page says what the graph is, and people read nothing that fetches."""

from pathlib import Path

from pipelines.build import build_defs
from pipelines.data_flow import EXPERIENCE_GROUPS, LAYERS, data_flow

PAGE = Path(__file__).parents[2] / "docs" / "data-flow.md"


def test_the_page_is_the_graph() -> None:
    """To accept a change: python -m pipelines.data_flow > docs/data-flow.md."""
    assert PAGE.read_text(encoding="utf-8") == data_flow(build_defs())


def test_no_experience_is_made_from_a_raw_asset() -> None:
    graph = build_defs().resolve_asset_graph()
    experiences = [key for key in graph.get_all_asset_keys() if graph.get(key).group_name in EXPERIENCE_GROUPS]
    assert experiences
    for key in experiences:
        assert {graph.get(parent).group_name for parent in graph.get(key).parent_keys}.isdisjoint({"raw_qbo"}), key


def test_every_layer_of_the_graph_has_its_place_on_the_page() -> None:
    graph = build_defs().resolve_asset_graph()
    assert {graph.get(key).group_name for key in graph.get_all_asset_keys()} <= set(LAYERS)
