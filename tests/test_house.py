"""The rules of the house that no linter checks: size of modules, place of tests, what is never loaded."""

from __future__ import annotations

import ast
from pathlib import Path

ROOT = Path(__file__).parents[1]
ROOMS = ("recipes", "models", "banks", "service", "evaluation", "cli")
MODULES = sorted(path for room in ROOMS for path in (ROOT / room).rglob("*.py"))
MOST_LINES = 400
TESTS = sorted((ROOT / "tests").rglob("*.py"))
SHARED_SUBJECTS = {"golden", "hostile", "readers"}


def test_modules_are_one_noun_each() -> None:
    """Which room may import which is a contract of import-linter (pyproject.toml), not of this test."""
    large = [str(path.relative_to(ROOT)) for path in MODULES if path.read_text().count("\n") > MOST_LINES]
    nameless = [path for path in MODULES if path.stem in {"utils", "common", "helpers", "misc"}]
    assert (large, nameless) == ([], []), "a module that outgrows this is two nouns"


def test_only_the_weight_reader_loads_torch_files_and_it_executes_nothing() -> None:
    for path in MODULES:
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
                continue
            if ast.unparse(node.func) == "torch.load":
                assert path.relative_to(ROOT).as_posix() == "models/weights/store.py"
                assert any(k.arg == "weights_only" and ast.unparse(k.value) == "True" for k in node.keywords)
            for keyword in node.keywords:
                assert (keyword.arg, ast.unparse(keyword.value)) != ("allow_pickle", "True")


def test_modules_mirror_their_tests() -> None:
    """A test file lies in the folder of its module and begins with the module's name, or with that of a
    subject that several modules of the folder share."""
    stray = []
    for room in ROOMS:
        for test in sorted((ROOT / "tests" / room).rglob("test_*.py")):
            folder = ROOT / test.parent.relative_to(ROOT / "tests")
            names = {path.stem for path in folder.glob("*.py")} | {
                path.name for path in folder.glob("*/") if path.is_dir()
            }
            noun = test.stem.removeprefix("test_")
            if not any(noun.startswith(name) for name in names | SHARED_SUBJECTS):
                stray.append(str(test.relative_to(ROOT)))
    assert stray == []


def _waits(loop: ast.While) -> bool:
    """Whether a loop only passes time: it sleeps, does nothing, or goes on for ever and is no generator."""
    calls = {
        node.func.attr
        for node in ast.walk(loop)
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
    }
    for_ever = isinstance(loop.test, ast.Constant) and not any(
        isinstance(n, ast.Yield) for n in ast.walk(loop)
    )
    return "sleep" in calls or all(isinstance(node, ast.Pass) for node in loop.body) or for_ever


def test_no_test_waits_without_an_end() -> None:
    """Only tests/waiting.py waits in a loop; another loop may if it looks at the clock."""
    endless = [
        f"{path.relative_to(ROOT)}:{loop.lineno}"
        for path in TESTS
        for loop in ast.walk(ast.parse(path.read_text()))
        if isinstance(loop, ast.While) and _waits(loop) and "monotonic()" not in ast.unparse(loop)
    ]
    assert endless == [], "use tests.waiting.until"
