"""The commands that only look things up start at once: they load nothing that computes."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

import tribank
from cli.demo_parts import NAMES
from cli.main import app
from evaluation.demo_parts.generators import GENERATORS
from tests.faults.warm import Warm
from tests.waiting import until

ROOT = Path(__file__).parents[1]
HEAVY = {
    "torch",
    "torchvision",
    "timm",
    "faiss",
    "open3d",
    "llvmlite",
    "scipy",
    "sklearn",
    "numpy",
    "sqlalchemy",
    "alembic",
}
_RUN = """
import sys, tribank
sys.argv = ["tribank", *sys.argv[1:]]
code = None
try:
    tribank.main()
except SystemExit as ended:
    code = ended.code
loaded = sorted({name.partition(".")[0] for name in sys.modules})
print("loaded", code, *loaded, file=sys.stderr)
"""
LIGHT = [
    ("--help",),
    ("build", "--help"),
    ("evaluate", "--help"),
    ("banks", "list"),
    ("keys", "list"),
    ("profiles", "--json"),
    ("weights", "list"),
    ("simulate", "--mean-ms", "400", "--minutes", "1"),
]


def _loaded(arguments: tuple[str, ...], folder: Path) -> tuple[str, set[str]]:
    """Exit status and the modules that the command loaded."""
    places = {"TRIBANK_BANKS": str(folder / "banks"), "TRIBANK_STATE": str(folder / "state")}
    ended = subprocess.run(
        [sys.executable, "-c", _RUN, *arguments],
        cwd="/proc",  # where nobody can write, whoever runs the tests
        env={
            "PATH": "/usr/bin:/bin",
            "HOME": str(folder),
            "PYTHONPATH": str(ROOT),
            "PYTHONWARNINGS": "error",
            "TMPDIR": "/nonexistent",
            **places,
        },
        capture_output=True,
        text=True,
        timeout=200,
    )
    name, code, *loaded = ended.stderr.splitlines()[-1].split()
    assert name == "loaded", ended.stderr
    return code, set(loaded)


@pytest.mark.parametrize("arguments", LIGHT, ids=" ".join)
def test_what_only_looks_things_up_loads_nothing_heavy(arguments: tuple[str, ...], tmp_path: Path) -> None:
    code, loaded = _loaded(arguments, tmp_path)
    assert code in ("0", "None")
    assert loaded & HEAVY == set()
    assert not (tmp_path / ".cache").exists(), "nor are BLAS kernels measured"


def test_a_data_set_is_checked_without_what_computes(tmp_path: Path) -> None:
    Image.new("RGB", (40, 40)).save(tmp_path / "1.png")
    code, loaded = _loaded(("data", "check", str(tmp_path)), tmp_path)
    assert code in ("0", "None")
    assert loaded & {"torch", "torchvision", "timm", "faiss", "open3d", "sklearn"} == set()


def test_ctrl_c_ends_a_command_with_a_sentence_and_status_130(
    small_product: Path, tmp_path: Path, warm: Warm
) -> None:
    build = ["build", "cookie", str(small_product), "--json", "--banks", str(tmp_path / "banks")]
    said, errors = tmp_path / "said", tmp_path / "errors"
    command = warm.start(build, said, errors=errors)
    until(lambda: "stages" in said.read_text(), "the first line")
    command.signal(signal.SIGINT)
    assert command.wait() == 130
    assert errors.read_text().splitlines()[-1].startswith("tribank: ")
    assert "Traceback" not in errors.read_text()
    assert not list(tmp_path.rglob("manifest.json"))


def test_reading_a_manifest_loads_nothing_heavy(small_banks: Path) -> None:
    code = "import sys; from banks.versions.manifest import Manifest; from pathlib import Path; "
    code += "Manifest.read(Path(sys.argv[1])); import json; print(json.dumps(sorted(sys.modules)))"
    folder = small_banks / "biscuit" / "v1"
    command = [sys.executable, "-c", code, str(folder)]
    found = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, timeout=200)
    assert HEAVY & set(json.loads(found.stdout)) == set()


def test_commands_that_are_said_to_search_no_bank_exist() -> None:
    names = {group.name for group in app.registered_groups}
    commands = list(app.registered_commands)
    names |= {command.name or getattr(command.callback, "__name__", "") for command in commands}
    assert names >= tribank._NO_SEARCH


def test_the_demo_products_that_help_names_are_those_there_are() -> None:
    assert {name: tuple(one.products) for name, one in GENERATORS.items()} == NAMES
