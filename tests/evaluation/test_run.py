"""Draws of training parts, and what makes two runs the same."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import pytest

from evaluation.run import MOST_MIXED, Run, drawn_folder, fingerprint
from models.readers.folder_layout import GOOD
from models.readers.product_folder import open_product_folder
from recipes.profiles import find_profile


def test_draws_are_seeded_nested_and_leave_validation_out(small_product: Path) -> None:
    folder = open_product_folder(small_product)
    run = Run("biscuit", "embedded", seed=1, shots=3)
    three = drawn_folder(folder, run)
    assert len(three.train) == 3
    assert three.validation == ()
    assert three.test == folder.test
    assert drawn_folder(folder, run) == three
    two = drawn_folder(folder, replace(run, shots=2))
    assert {part.name for part in two.train} < {part.name for part in three.train}
    others = {str(drawn_folder(folder, replace(run, draw=draw)).train) for draw in range(5)}
    assert len(others) > 1
    assert drawn_folder(folder, replace(run, shots=None)) == folder
    with pytest.raises(ValueError, match="5 training parts, not 50"):
        drawn_folder(folder, replace(run, shots=50))


def test_a_fingerprint_changes_with_all_that_decides_a_result(small_product: Path) -> None:
    folder = open_product_folder(small_product)
    run, profile = Run("biscuit", "embedded"), find_profile("embedded")
    first = fingerprint(run, profile, {}, folder)
    assert fingerprint(run, profile, {}, open_product_folder(small_product)) == first
    changed = [
        fingerprint(replace(run, seed=1), profile, {}, folder),
        fingerprint(run, find_profile("embedded", changes=["coreset=0.2"]), {}, folder),
        fingerprint(run, profile, {"efficientnet_lite1": "00"}, folder),
        fingerprint(run, profile, {}, drawn_folder(folder, replace(run, shots=3))),
        fingerprint(run, profile, {}, folder.declaring({"invalid": b"9999"})),
        fingerprint(run, profile, {}, replace(folder, roi=folder.train[0].files["rgb"])),
        fingerprint(run, profile, {}, folder, {"stain": "colour"}),
    ]
    path = folder.train[0].files["xyz"]
    facts = path.stat()
    os.utime(path, ns=(facts.st_atime_ns, facts.st_mtime_ns + 1))
    changed.append(fingerprint(run, profile, {}, folder))
    os.utime(path, ns=(facts.st_atime_ns, facts.st_mtime_ns))
    assert len({first, *changed}) == 9


def test_defective_test_parts_are_mixed_into_the_training_parts(small_product: Path) -> None:
    folder = open_product_folder(small_product)
    run = Run("biscuit", "embedded", mixed=0.0)
    clean, mixed = drawn_folder(folder, run), drawn_folder(folder, replace(run, mixed=MOST_MIXED))
    assert clean.train == folder.train
    assert clean.test == mixed.test
    *good, defective = mixed.train
    assert tuple(good) == clean.train
    assert defective.defect != GOOD
    assert [part for part in folder.test if part not in clean.test] == [defective]
    assert fingerprint(run, find_profile("embedded"), {}, clean) != fingerprint(
        replace(run, mixed=None), find_profile("embedded"), {}, clean
    )
    with pytest.raises(ValueError, match="mixed"):
        drawn_folder(folder, replace(run, mixed=0.5))
