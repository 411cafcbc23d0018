"""Calculators read no clock, no file, no network and draw nothing: what they know is passed in."""

import ast
from pathlib import Path

import pytest

import runway_calcs

ROOM = Path(runway_calcs.__file__).parent
MODULES = sorted(ROOM.glob("**/*.py"))
LEAST_MODULES = 80
"""The whole package, not one of its folders: fewer modules than these and the check has lost its subject."""
ALLOWED_IMPORTS = {
    "calendar",
    "collections",
    "dataclasses",
    "datetime",
    "decimal",
    "enum",
    "functools",
    "hashlib",
    "highspy",
    "itertools",
    "numbers",
    "numpy",
    "pandas",
    "runway_calcs",
    "scipy",
    "typing",
    "zlib",
}
"""`hashlib` and `zlib` make seeds of names; what they read is passed in."""
IMPURE_NAMES = {"open", "print", "input", "eval", "exec", "compile", "__import__", "globals", "breakpoint"}
IMPURE_ATTRIBUTES = {"now", "today", "utcnow", "fromtimestamp", "random", "default_rng", "sample", "eval", "query"}
IMPURE_PREFIXES = (
    "read_",
    "to_csv",
    "to_parquet",
    "to_pickle",
    "to_sql",
    "to_json",
    "to_excel",
    "load",
    "save",
    "from_file",
)


def impurities(source: str) -> list[str]:
    """What a module does that a calculator may not."""
    found = []
    tree = ast.parse(source)
    # A draw that is given its seed is no randomness of its own: `model.sample(items, draws=..., seed=...)`.
    seeded = {
        id(node.func)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and any(keyword.arg == "seed" for keyword in node.keywords)
    } | _seeded_numpy(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names if alias.name.split(".")[0] not in ALLOWED_IMPORTS]
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            if node.level or module.split(".")[0] not in ALLOWED_IMPORTS:
                found.append(module)
        elif isinstance(node, ast.Name) and node.id in IMPURE_NAMES:
            found.append(node.id)
        elif (
            isinstance(node, ast.Attribute)
            and id(node) not in seeded
            and (node.attr in IMPURE_ATTRIBUTES or node.attr.startswith(IMPURE_PREFIXES))
        ):
            found.append(node.attr)
    return found


def _seeded_numpy(tree: ast.AST) -> set[int]:
    """Attributes of numpy's generators that are given a seed, name a type, or draw from a generator called `rng`."""
    fine: set[int] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "default_rng":
            if node.args:
                fine |= {id(node.func), id(node.func.value)}
        elif isinstance(node, ast.Attribute) and node.attr in ("Generator", "SeedSequence"):
            fine.add(id(node.value))
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "rng":
            fine.add(id(node))
    return fine


def test_every_module_of_the_package_is_looked_at() -> None:
    assert len(MODULES) > LEAST_MODULES
    assert {path.relative_to(ROOM).parts[0] for path in MODULES} >= {"bills", "books", "forecast", "timing"}


@pytest.mark.parametrize("path", [pytest.param(path, id=str(path.relative_to(ROOM))) for path in MODULES])
def test_the_module_is_pure(path: Path) -> None:
    assert impurities(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "source",
    [
        pytest.param("from datetime import datetime\ndatetime.now()", id="clock"),
        pytest.param("from datetime import date\ndate.today()", id="today"),
        pytest.param("import pandas as pd\npd.Timestamp.now()", id="pandas clock"),
        pytest.param("import time", id="time"),
        pytest.param("open('x')", id="file"),
        pytest.param("from pathlib import Path", id="path"),
        pytest.param("import os", id="environment"),
        pytest.param("import pandas as pd\npd.read_csv('x')", id="pandas reading"),
        pytest.param("import random", id="random"),
        pytest.param("import numpy as np\nnp.random.default_rng()", id="numpy random"),
        pytest.param("import numpy as np\nnp.random.random(3)", id="numpy's own generator"),
        pytest.param("frame.sample(3)", id="draw without a seed"),
        pytest.param("import httpx", id="network"),
        pytest.param("from resources.clock import SystemClock", id="another room"),
    ],
)
def test_the_check_sees_impurity(source: str) -> None:
    assert impurities(source)


def test_a_draw_from_a_seed_that_is_passed_in_is_pure() -> None:
    assert impurities("import numpy as np\ndef f(rng: np.random.Generator): return rng.random(3)") == []
    assert impurities("import numpy as np\nnp.random.default_rng([seed, 7])") == []
