"""A bit flips in a version's files, or one is cut short, or two stretches of it change places."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from pathlib import Path

from banks.detector import PartResult
from banks.versions.store import BankStore
from banks.versions.thresholds import MovedThreshold, move_threshold
from models.weights.folder import DEFAULT_WEIGHTS
from service.engine.store_loader import StoreLoader
from service.refusals import Refusal
from tests.faults.bench import Bench
from tests.faults.case import Case, Outcome
from tests.faults.scene import PRODUCT, VERSIONS, make_scene

VERSION = VERSIONS[0]
SHARES = {"served": 0.94, "kept": 0.02, "beside": 0.04}
"""Of the faults: in what scoring reads, in the kept features that it does not, and in the files beside the
version. What is not refused costs a score, so the latter two get less."""
PROFILE = "embedded"  # of several banks: it has every kind of file
Said = tuple[str, float, float, str]


class Subject:
    """A product on disk, and what its active version says of a part."""

    def __init__(self, bench: Bench) -> None:
        self.scene = make_scene(bench.fresh("flips"), PROFILE, bench.scene.parts)
        self.store = BankStore(self.scene.banks)
        self.folder = self.scene.banks / PRODUCT
        self.store.set_shadow(PRODUCT, VERSIONS[1])
        moved = MovedThreshold(threshold=self.scene.scores[VERSION] * 1.01, rate=None)
        move_threshold(self.store, PRODUCT, VERSION, moved)
        self.truth = self.said(None)
        version = self.folder / VERSION
        self.files = {
            "served": _files(version, "*"),
            "kept": [path for path in _files(version, "**/*") if path.parent != version],
            "beside": [path for path in _files(self.folder, "*") if not path.name.startswith(".")],
        }

    def said(self, version: str | None) -> Said | None:
        """Version, score, threshold and decision by the service's own loader, or None where it refuses."""
        loader = StoreLoader(self.store, device="cpu", weights=DEFAULT_WEIGHTS)
        try:
            loaded = loader.load(PRODUCT, version)
            loader.shadow(PRODUCT)
        except Refusal:
            return None
        detector = loaded.detector
        detector.calibration = loader.calibration(detector)
        (result,) = detector.score([self.scene.sample])
        assert isinstance(result, PartResult)
        return detector.version, result.score, result.threshold, result.decision


def _files(folder: Path, pattern: str) -> list[Path]:
    return sorted(path for path in folder.glob(pattern) if path.is_file())


def damaged(content: bytes, draw: random.Random) -> tuple[str, bytes]:
    """What was done, and the content after it."""
    kind = draw.choices(("flip", "cut", "swap", "zeros"), (6, 2, 1, 1))[0]
    if kind == "flip":
        at = draw.randrange(8 * len(content))
        changed = bytearray(content)
        changed[at // 8] ^= 1 << at % 8
        return f"bit {at} flipped", bytes(changed)
    if kind == "cut":
        at = draw.randrange(len(content))
        return f"cut at {at}", content[:at]
    size = min(draw.choice((1, 8, 512)), len(content) // 2)
    first = draw.randrange(len(content) - 2 * size + 1)
    if kind == "zeros":
        return f"{size} zeros at {first}", content[:first] + bytes(size) + content[first + size :]
    second = draw.randrange(first + size, len(content) - size + 1)
    changed = bytearray(content)
    changed[first : first + size], changed[second : second + size] = (
        content[second : second + size],
        content[first : first + size],
    )
    return f"{size} bytes at {first} and {second} swapped", bytes(changed)


def run(bench: Bench, numbers: Sequence[int]) -> Iterator[Outcome]:
    """Each fault, what the service's loader makes of it, and the file restored."""
    subject = Subject(bench)
    for number in numbers:
        draw = random.Random(number)
        path = draw.choice(subject.files[draw.choices(list(SHARES), list(SHARES.values()))[0]])
        name = str(path.relative_to(subject.folder))
        content = path.read_bytes()
        what, changed = damaged(content, draw)
        if changed == content:
            yield Outcome(number, "nothing changed", True)
            continue
        path.write_bytes(changed)
        try:
            kind, good = _judged(subject, path)
        except Exception as error:
            kind, good, what = "a crash", False, f"{what}: {type(error).__name__}: {error}"
        finally:
            path.write_bytes(content)
        yield Outcome(number, kind, good, f"{name}: {what}")


def _judged(subject: Subject, path: Path) -> tuple[str, bool]:
    """In a word what the service makes of a damaged file, and whether it may."""
    version = subject.folder / VERSION
    inside = path.is_relative_to(version)
    told = subject.store.verify(PRODUCT, VERSION) if inside else []
    said = subject.said(VERSION if inside else None)
    if said is not None and said != subject.truth:
        return "another answer", False
    if inside and not any(str(path.relative_to(version)) in problem for problem in told):
        return "not named by verify", False
    return ("the same answer", True) if said else ("refused", True)


CASE = Case(
    "flips",
    "bits flipped, files cut, stretches swapped or zeroed, in every file of a version and beside it",
    10_000,
    run,
    "R3",
)
