"""Entry point of the code location; decides nothing."""

import dagster as dg

from pipelines.build import build_defs


@dg.definitions
def runway() -> dg.Definitions:
    """What `workspace.yaml` loads."""
    return build_defs()
