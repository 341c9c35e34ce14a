"""The rules of the house: which room may import which, how long a module may be, and no pickle."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
MAY_IMPORT = {
    "recipes": {"recipes"},
    "models": {"models", "recipes"},
    "banks": {"banks", "models", "recipes"},
    "service": {"service", "banks", "models", "recipes"},
    "evaluation": {"evaluation", "banks", "models", "recipes"},
    "cli": {"cli", "service", "evaluation", "banks", "models", "recipes"},
}
COMPUTING = {"torch", "torchvision", "timm", "faiss", "open3d", "numpy", "scipy", "sklearn"}
MODULES = sorted(path for room in MAY_IMPORT for path in (ROOT / room).rglob("*.py"))
MOST_LINES = 400
TESTS = sorted((ROOT / "tests").rglob("*.py"))
SHARED_SUBJECTS = {"golden", "hostile", "readers"}
PICKLING = {"pickle", "cPickle", "dill", "joblib", "cloudpickle", "shelve", "marshal"}


def _imports(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            only_errors = all(alias.name.endswith("Error") for alias in node.names)
            yield from () if only_errors else (node.module,)  # naming an error loads nothing


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_module_keeps_the_rules(path: Path) -> None:
    source = path.read_text()
    tree = ast.parse(source)
    room = path.relative_to(ROOT).parts[0]
    roots = {name.partition(".")[0] for name in _imports(tree)}
    assert roots & set(MAY_IMPORT) <= MAY_IMPORT[room], "recipes <- models <- banks <- service"
    assert room != "recipes" or not roots & COMPUTING, "recipes are data: reading them loads nothing heavy"
    assert not roots & PICKLING, "no pickle, on disk or over the wire"
    assert source.count("\n") <= MOST_LINES, "a module that outgrows this is two nouns"
    assert path.stem not in {"utils", "common", "helpers"}


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
    for room in MAY_IMPORT:
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
