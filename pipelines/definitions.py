"""Entry point of the code location; decides nothing."""

import atexit
import gc
from collections.abc import Iterator
from contextlib import contextmanager

import dagster as dg


@dg.definitions
def runway() -> dg.Definitions:
    """What `workspace.yaml` loads; each run does so in a process of its own."""
    with _loaded_to_stay():
        from pipelines.build import build_defs  # noqa: PLC0415 - loading is most of what a short run does

        return build_defs()


@contextmanager
def _loaded_to_stay() -> Iterator[None]:
    """Loads without collecting garbage: what is loaded stays, and looking through it on the way is an eighth of the time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        atexit.register(gc.unfreeze)  # libraries tell what is left at the end
        if was_enabled:
            gc.enable()
