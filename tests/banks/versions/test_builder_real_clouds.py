"""Frames of real sensors go all the way: from files as the sensor's software wrote them to a score."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import tifffile
from PIL import Image

from banks.detector import Detector, PartResult
from banks.versions.builder import Builder
from banks.versions.manifest import Manifest
from banks.versions.store import BankStore
from models.readers import read_files
from models.readers.product_folder import open_product_folder
from recipes.profiles import find_profile

CLOUDS = Path(__file__).parents[2] / "data" / "clouds"
CROPS = tuple((np.s_[4 * n : 228 + 4 * n], np.s_[4 * n : 308 + 4 * n]) for n in range(4))
"""Windows of a frame that differ by a few pixels: the sensor is not quite where it was."""


def _coloured_cloud(folder: Path) -> None:
    """An organised PCD with colour, binary_compressed."""
    frame = read_files({"xyz": CLOUDS / "milk.pcd"})
    for number, crop in enumerate(CROPS):
        Image.fromarray(frame.rgb[crop]).save(folder / f"{number}_rgb.png")
        np.save(folder / f"{number}_xyz.npy", frame.xyz[crop])


def _depth_map(folder: Path) -> None:
    """A Kinect's depth map in millimetres, with its image and intrinsics."""
    depth, image = (tifffile.imread(CLOUDS / f"kinect_{kind}.tiff")[120:, 160:] for kind in ("depth", "rgb"))
    for name, pixels in (("depth", depth), ("rgb", image)):
        (folder / name).mkdir()
        for number, crop in enumerate(CROPS):
            tifffile.imwrite(folder / name / f"{number}.tiff", pixels[crop])
    camera = {"fx": 525, "fy": 525, "cx": 160, "cy": 120, "depth_scale": 0.001}
    (folder / "intrinsics.json").write_text(json.dumps(camera))


@pytest.mark.parametrize(("write", "place"), [(_coloured_cloud, (63, 247)), (_depth_map, (173, 225))])
def test_a_real_frame_is_built_and_scored(
    tmp_path: Path, write: Callable[[Path], None], place: tuple[int, int]
) -> None:
    """place: row and column of a pixel on an object, where a bump is added."""
    folder = tmp_path / "parts"
    folder.mkdir()
    write(folder)
    product = open_product_folder(folder)
    assert (len(product.train), product.skipped) == (4, ())
    store = BankStore(tmp_path / "banks")
    Builder(find_profile("embedded-point"), store).build("real", product)
    measured = Manifest.read(store.path("real")).measured
    assert measured is not None
    assert 1e-3 < measured.pitch < 5e-3, "a Kinect's points are 1 to 5 mm apart"
    part = product.train[1].read()
    raised = part.xyz.copy()
    rows, columns = np.mgrid[: raised.shape[0], : raised.shape[1]]
    raised[np.hypot(rows - place[0], columns - place[1]) < 8, 2] -= 0.03
    good, bump = Detector.load(store.path("real")).score([part, replace(part, xyz=raised)])
    assert isinstance(good, PartResult)
    assert isinstance(bump, PartResult)
    assert good.decision == "good"
    assert bump.score > good.score
