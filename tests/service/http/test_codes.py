from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from service.http.codes import CODES

ROOT = Path(__file__).parents[3]
AT = {"Refusal": 1, "NotReady": 0, "BadSample": 0, "UnsupportedType": 0, "TooLarge": 0}
"""The classes that carry a code, and the place of the code among their arguments."""
ROLES = ("rgb", "xyz")
"""What stands for {role} in the code of a TIFF's fault."""


def calls(tree: ast.AST, base: str = "") -> Iterator[tuple[str, list[ast.expr]]]:
    """Each class that is called, with its arguments; `super().__init__` is a call of the class's base."""
    for node in ast.iter_child_nodes(tree):
        inner = base
        if isinstance(node, ast.ClassDef):
            inner = ast.unparse(node.bases[0]) if node.bases else ""
        if isinstance(node, ast.Call):
            name = ast.unparse(node.func)
            yield base if name == "super().__init__" else name, node.args
        yield from calls(node, inner)


def raised() -> Iterator[str]:
    for room in ("models", "banks", "service"):
        for path in (ROOT / room).rglob("*.py"):
            for name, given in calls(ast.parse(path.read_text())):
                if name in AT and len(given) > AT[name]:
                    yield from literal(given[AT[name]])


def literal(argument: ast.expr) -> Iterator[str]:
    if isinstance(argument, ast.Constant):
        yield str(argument.value)
    elif isinstance(argument, ast.JoinedStr):
        yield from (ast.unparse(argument)[2:-1].replace("{role}", role) for role in ROLES)


def test_every_code_that_is_raised_is_in_the_table() -> None:
    found = set(raised())
    assert len(found) > 90
    assert found <= CODES.keys()


def test_every_code_of_the_table_is_raised_somewhere() -> None:
    source = "".join(path.read_text() for path in (ROOT / "service").rglob("*.py") if path.name != "codes.py")
    assert [code for code in CODES.keys() - set(raised()) if f'"{code}"' not in source] == []
