"""Background removal against what the published script does, and the square grid against torch and PIL."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from evaluation.demo_parts.keys import PartKey
from evaluation.demo_parts.part import render_part
from evaluation.demo_parts.products import PRODUCTS
from models.preparation.background import BORDER, find_pieces, off_plane, support_plane
from models.preparation.prepare import Frame, part_box, prepare
from models.readers import read_files
from models.readers.depth import unproject
from models.sample import BadSample, Sample, make_sample
from recipes.intrinsics import Intrinsics
from recipes.preparation import Preparation
from recipes.sensor import Sensor
from tests.scenes import scene

CLOUDS = Path(__file__).parents[2] / "data" / "clouds"
AS_IS = Preparation(background="none")


def dome_mask(height: int = 400, width: int = 400) -> np.ndarray:
    rows, columns = np.mgrid[:height, :width]
    radius = 0.3 * min(height, width)
    return (columns - width / 2) ** 2 + (rows - height / 2) ** 2 < radius**2


def sample(xyz: np.ndarray) -> Sample:
    return make_sample(np.full(xyz.shape, 200, np.uint8), xyz)


def cluttered() -> np.ndarray:
    """The scene with holes, and a smaller block beside the dome."""
    xyz = scene()
    xyz[np.random.default_rng(1).random(xyz.shape[:2]) < 0.05] = 0
    xyz[20:60, 20:60, 2] -= 0.03
    return xyz


def test_the_table_and_the_smaller_piece_go() -> None:
    part = prepare(sample(cluttered()), Preparation())
    picked = np.arange(224) * 400 // 224
    truth = dome_mask()[np.ix_(picked, picked)]
    assert part.plane_found
    assert not (part.valid & ~truth).any()
    assert part.valid.sum() > 0.93 * truth.sum()
    assert overlap(truth, part.frame.mask_to_grid(dome_mask(), 224)) > 0.98
    assert (part.xyz[~part.valid] == 0).all()
    assert part.rgb[5, 5].tolist() == [0, 0, 0]
    assert part.rgb[112, 112].tolist() == [200, 200, 200]


def test_the_same_part_is_always_prepared_the_same() -> None:
    one, two = (prepare(sample(cluttered()), Preparation()) for _ in range(2))
    assert one.xyz.tobytes() == two.xyz.tobytes()
    assert one.rgb.tobytes() == two.rgb.tobytes()


@pytest.mark.parametrize(("height", "width", "side"), [(400, 300, 400), (350, 420, 500), (640, 480, 700)])
def test_padding_to_the_next_hundred(height: int, width: int, side: int) -> None:
    frame = prepare(sample(scene(height, width)), Preparation()).frame
    assert (frame.side, frame.top, frame.left) == (side, (side - height) // 2, (side - width) // 2)


WINDOW = Preparation(window=264)


def moved(xyz: np.ndarray, rows: int, columns: int) -> np.ndarray:
    """The same dome elsewhere in the picture."""
    return np.roll(xyz, (rows, columns), axis=(0, 1))


def level() -> np.ndarray:
    """The scene on a level table without noise, so that a roll of the pixels moves the dome alone."""
    xyz = scene(noise=0)
    xyz[..., 2] -= 0.1 * xyz[..., 0] + 0.05 * xyz[..., 1]
    return xyz


def test_a_window_is_centred_on_the_part_and_its_pixels_mean_the_same_everywhere() -> None:
    xyz = level()
    middle, corner = (prepare(sample(moved(xyz, by, by)), WINDOW) for by in (0, 75))
    assert middle.frame.side == corner.frame.side == 264
    assert middle.frame.top - corner.frame.top == 75
    assert corner.frame.top + 400 < 264 < middle.frame.top + 400, "the window reaches beyond the picture"
    assert np.array_equal(middle.valid, corner.valid)
    np.testing.assert_array_equal(middle.rgb, corner.rgb)
    assert middle.valid.sum() > 2 * prepare(sample(xyz), Preparation()).valid.sum()


def test_a_part_larger_than_the_window_is_never_cut() -> None:
    part = prepare(sample(scene()), Preparation(window=50))
    top, bottom, left, right = part_box(dome_mask()) or (0, 0, 0, 0)
    assert abs(part.frame.side - max(bottom - top, right - left)) <= 4
    assert abs(int(part.valid.sum()) / 224**2 - np.pi / 4) < 0.03


@pytest.mark.parametrize("by", [0, 75, -79])
def test_a_window_leads_back_to_the_source(by: int) -> None:
    frame = prepare(sample(moved(level(), by, -by)), WINDOW).frame
    rows, columns = np.mgrid[:400, :400].astype(np.float32)
    sources = [[frame.source_pixel(row, column) for column in (20, 112, 200)] for row in (20, 112, 200)]
    for plane, axis in ((rows, 0), (columns, 1)):
        centre = (np.arange(224) + 0.5) * frame.side / 224 - 0.5 - (frame.top, frame.left)[axis]
        grid = np.broadcast_to(centre[:, None] if axis == 0 else centre, (224, 224))
        shown = frame.to_source(grid)
        inside = shown != 0
        assert inside.sum() == frame.mask_to_grid(np.ones((400, 400), bool), frame.side).sum()
        inner = inside & (np.abs(plane - np.median(plane[inside])) < 100)
        np.testing.assert_allclose(shown[inner], plane[inner], atol=1e-2)
        for row, line in zip((20, 112, 200), sources, strict=True):
            for column, source in zip((20, 112, 200), line, strict=True):
                assert abs(grid[row, column].clip(0, 399) - source[axis]) <= 1
    truth = moved(dome_mask(), by, -by)
    assert overlap(truth, frame.to_source(frame.mask_to_grid(truth, 224).astype(np.float32)) > 0.5) > 0.98


@pytest.mark.parametrize("side", [100, 223, 224, 225, 400, 500, 800, 900, 1000])
@pytest.mark.parametrize("size", [224, 128])
def test_grid_is_torchs_nearest_and_pils_bicubic(side: int, size: int) -> None:
    rng = np.random.default_rng(side)
    xyz = rng.uniform(0.1, 1, (side, side, 3)).astype(np.float32)
    rgb = rng.integers(0, 256, (side, side, 3), np.uint8)
    part = prepare(make_sample(rgb, xyz), Preparation("none", size, size))
    nearest = torch.nn.functional.interpolate(torch.from_numpy(xyz).permute(2, 0, 1)[None], size)[0]
    np.testing.assert_array_equal(part.xyz, nearest.permute(1, 2, 0).numpy())
    bicubic = Image.fromarray(rgb).resize((size, size), Image.Resampling.BICUBIC)
    np.testing.assert_array_equal(part.rgb, np.asarray(bicubic))


def test_colours_are_made_when_they_are_asked_for_and_once(monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []

    def counted(source: np.ndarray, *others: Any) -> np.ndarray:
        made.append(len(source))
        return source

    monkeypatch.setattr("models.preparation.prepare._colours_on_grid", counted)
    part = replace(prepare(sample(cluttered()), Preparation()), plane_found=None)
    assert not made
    assert part.area > 0
    assert part.rgb is part.rgb
    assert len(made) == 1


def test_a_prepared_part_of_224_pixels_stays_bit_for_bit() -> None:
    rng = np.random.default_rng(0)
    xyz = rng.normal(size=(224, 224, 3)).astype(np.float32)
    xyz[:50] = 0
    xyz[60, 60, 0] = 0  # background of the published Eyecandies conversion
    rgb = rng.integers(0, 256, (224, 224, 3), np.uint8)
    part = prepare(make_sample(rgb, xyz), AS_IS)
    np.testing.assert_array_equal(part.rgb, rgb)
    np.testing.assert_array_equal(part.valid, (xyz != 0).all(axis=2))
    np.testing.assert_array_equal(part.xyz[part.valid], xyz[part.valid])
    assert (part.xyz[60, 60] == 0).all()


def test_a_part_without_cloud_passes_as_it_is() -> None:
    rgb = np.full((300, 300, 3), 9, np.uint8)
    part = prepare(make_sample(rgb, None), AS_IS)
    assert not part.valid.any()
    assert (part.rgb == 9).all()
    with pytest.raises(BadSample) as refused:
        prepare(make_sample(rgb, None), Preparation())
    assert refused.value.code == "no_cloud"


def line(background: float = 0.0) -> np.ndarray:
    xyz = np.full((100, 100, 3), background, np.float32)
    xyz[..., 0] = np.arange(100) * 0.001
    xyz[..., 2] = 0.5
    return xyz


@pytest.mark.parametrize(
    ("xyz", "code"),
    [
        (np.zeros((100, 100, 3), np.float32), "no_foreground"),
        (np.full((100, 100, 3), np.nan, np.float32), "no_foreground"),
        (np.full((100, 100, 3), 0.5, np.float32), "degenerate_cloud"),
        (line(), "degenerate_cloud"),
        (scene(dome=False, noise=0), "no_object"),
        (scene(dome=False), "no_object"),
    ],
    ids=["59 zeros", "60 NaN", "66 identical", "66 collinear", "66 planar", "noisy table"],
)
def test_parts_with_nothing_usable(xyz: np.ndarray, code: str) -> None:
    with pytest.raises(BadSample) as refused:
        prepare(sample(xyz), Preparation())
    assert refused.value.code == code


def test_a_depth_map_of_a_wrong_scale_is_told_so() -> None:
    flat = np.full((100, 100), 0.5, np.float64)
    flat[40:60, 40:60] = 0.45
    for scale in (1e-6, 0.001):
        cloud, _ = unproject(flat, Intrinsics(525, 525, 50, 50, scale))
        with pytest.raises(BadSample, match="depth_scale"):
            prepare(sample(cloud), Preparation())


def test_a_declared_value_is_no_return_before_anything_is_looked_at() -> None:
    xyz = cluttered()
    xyz[:3] = 0
    xyz[50:60, 200:220] = 0
    declared = np.where((xyz == 0).all(axis=2)[..., None], np.float32(9999), xyz)
    with pytest.raises(BadSample, match="no_return"):
        prepare(sample(declared), Preparation())
    for background in ("plane", "none"):
        expected = prepare(sample(xyz), Preparation(background))
        found = prepare(sample(declared), Preparation(background, no_return=9999))
        assert np.array_equal(found.xyz, expected.xyz)
        assert np.array_equal(found.valid, expected.valid)


def test_a_declared_value_is_a_number() -> None:
    with pytest.raises(ValueError, match="always mean no return"):
        Preparation(no_return=float("nan"))


def test_too_few_points() -> None:
    xyz = scene(dome=False)
    xyz[180:200, 180:200, 2] -= 0.05
    with pytest.raises(BadSample) as refused:
        prepare(sample(xyz), Preparation())
    assert refused.value.code == "too_few_points"
    assert prepare(sample(xyz), Preparation(min_points=50)).valid.sum() > 50


def test_a_part_that_fills_the_picture_has_no_plane() -> None:
    xyz = scene(dome=False)
    rows, columns = np.mgrid[:400, :400]
    xyz[..., 2] += 0.03 * np.sin((rows + columns) / 12).astype(np.float32)
    part = prepare(sample(xyz), Preparation())
    assert part.plane_found is False
    assert part.valid.mean() > 0.99  # corners have too few neighbours, for DBSCAN as well


@pytest.mark.parametrize("margin", [0, 12, 60])
def test_the_plane_is_searched_along_the_points(margin: int) -> None:
    """Stereo cameras and Kinects have a margin without returns, and a stray return in it."""
    xyz = scene()
    seen = np.zeros((400, 400), bool)
    seen[margin : 400 - margin, margin : 380 - margin] = True
    seen[3, 3] = True
    part = prepare(sample(np.where(seen[..., None], xyz, np.nan)), Preparation())
    assert part.plane_found
    assert overlap(part.valid, part.frame.mask_to_grid(dome_mask() & seen, 224)) > 0.95


def test_duplicate_points_are_no_problem() -> None:
    xyz = scene().repeat(2, axis=0)[:400]
    assert prepare(sample(xyz), Preparation()).valid.any()


@pytest.mark.parametrize("share", [0.001, 0.05, 0.5])
def test_salt_noise_takes_bounded_time(share: float) -> None:
    """Beside what the same scene takes without it."""
    rng = np.random.default_rng(0)
    xyz = scene(800, 800)
    clean = _cpu_seconds(xyz)
    salt = rng.random((800, 800)) < share
    xyz[salt, 2] -= rng.uniform(0, 0.3, salt.sum()).astype(np.float32)
    assert _cpu_seconds(xyz) < 20 * clean
    assert prepare(sample(xyz), Preparation()).valid.sum() > 2000


@pytest.mark.slow
def test_a_cloud_of_four_megapixels_without_any_order_takes_bounded_time() -> None:
    xyz = np.random.default_rng(0).uniform(-0.1, 0.1, (2000, 2000, 3)).astype(np.float32)
    assert _cpu_seconds(xyz) < 20 * _cpu_seconds(scene(2000, 2000))


def _cpu_seconds(xyz: np.ndarray) -> float:
    begun = time.process_time()
    prepare(sample(xyz), Preparation())
    return time.process_time() - begun


def test_a_real_kinect_frame() -> None:
    part = prepare(read_files({"xyz": CLOUDS / "milk.pcd"}), Preparation())
    assert part.valid.sum() > 1152
    assert np.isfinite(part.xyz).all()


def test_source_pixels_are_those_the_grid_was_taken_from() -> None:
    xyz = scene(350, 420)
    part = prepare(sample(xyz), Preparation())
    for row, column in np.argwhere(part.valid)[::997]:
        np.testing.assert_array_equal(part.xyz[row, column], xyz[part.frame.source_pixel(row, column)])
    assert part.frame.source_pixel(0, 0) == (0, 0)
    assert part.frame.source_pixel(223, 223) == (349, 419)


def test_a_map_goes_back_to_where_it_came_from() -> None:
    frame = Frame(height=350, width=420, top=75, left=40, side=500)
    rows, columns = np.mgrid[:224, :224].astype(np.float32)
    back_rows, back_columns = frame.to_source(rows), frame.to_source(columns)
    assert back_rows.shape == (350, 420)
    centre = (np.array([100, 300]) + [75, 40] + 0.5) * 224 / 500 - 0.5
    np.testing.assert_allclose([back_rows[100, 300], back_columns[100, 300]], centre, atol=0.02)
    np.testing.assert_array_equal(frame.to_source(np.full((224, 224), 0.25)), np.full((350, 420), 0.25))


def published_mask(part: Sample, *, noise_may_win: bool = True) -> np.ndarray:
    """(H, W) bool kept by the published steps: Open3D RANSAC on the border, then DBSCAN on every point.

    noise_may_win: whether noise counts as one more cluster, as published.
    """
    o3d = pytest.importorskip("open3d")
    strips = (np.s_[:BORDER], np.s_[-BORDER:], np.s_[:, :BORDER], np.s_[:, -BORDER:])
    border = np.concatenate([part.xyz[strip].reshape(-1, 3) for strip in strips])
    border = border[(border != 0).all(axis=1)].astype(np.float64)
    o3d.utility.random.seed(0)
    cloud = o3d.geometry.PointCloud(o3d.utility.Vector3dVector(border))
    plane, _ = cloud.segment_plane(distance_threshold=0.004, ransac_n=50, num_iterations=1000)
    mask = part.valid & (np.abs(part.xyz @ plane[:3] + plane[3]) >= 0.005)
    above = o3d.geometry.PointCloud(o3d.utility.Vector3dVector(part.xyz[mask].astype(np.float64)))
    labels = np.asarray(above.cluster_dbscan(eps=0.006, min_points=30))
    names, counts = np.unique(labels if noise_may_win else labels[labels >= 0], return_counts=True)
    mask[mask] = labels == names[counts.argmax()]
    return mask


def kept_mask(part: Sample) -> np.ndarray:
    plane = support_plane(part.xyz, part.valid, 0.004)
    assert plane is not None
    pieces = find_pieces(part.xyz, off_plane(part.xyz, part.valid, plane, 0.005), 0.006)
    assert pieces is not None
    return pieces.mask(1)


def overlap(one: np.ndarray, two: np.ndarray) -> float:
    return (one & two).sum() / (one | two).sum()


@pytest.mark.slow
@pytest.mark.parametrize("step", [1, 2])
def test_the_kept_mask_is_the_published_one(step: int) -> None:
    part = sample(cluttered()[::step, ::step])
    assert overlap(kept_mask(part), published_mask(part)) >= 0.98


@pytest.mark.slow
def test_the_kept_mask_of_a_real_scene_is_dbscans_largest_cluster() -> None:
    camera = Intrinsics(525, 525, 320, 240)
    part = read_files(
        {"rgb": CLOUDS / "kinect_rgb.tiff", "depth": CLOUDS / "kinect_depth.tiff"}, Sensor(intrinsics=camera)
    )
    assert overlap(kept_mask(part), published_mask(part, noise_may_win=False)) >= 0.98
    # So coarse a scan is mostly noise to DBSCAN, and noise is what the published script would keep.
    assert overlap(kept_mask(part), published_mask(part)) < 0.01


@pytest.mark.slow
@pytest.mark.parametrize("product", ["biscuit", "carrot", "housing"])
def test_the_kept_mask_is_the_published_one_on_demo_parts(product: str) -> None:
    """A quarter of the pixels: DBSCAN takes sixteen times as long for all of them."""
    whole = PRODUCTS[product]
    small = replace(whole, rows=whole.rows // 2, cols=whole.cols // 2)
    rendered = render_part(small, PartKey(0, product, "train", "good", 0))
    part = make_sample(rendered.rgb, rendered.xyz)
    assert overlap(kept_mask(part), published_mask(part)) >= 0.98


@pytest.mark.parametrize("side", [60, 720])  # the larger one is clustered on every second pixel
def test_a_piece_that_the_part_surrounds_belongs_to_the_part(side: int) -> None:
    """A plate with a boss in a ring of no returns, as behind its shadow, and a lump beside the plate."""
    along = np.linspace(0, 0.06, side, dtype=np.float32)
    xyz = np.stack([*np.meshgrid(along, along), np.zeros((side, side), np.float32)], axis=2)
    mask = np.zeros((side, side), np.bool_)
    plate, hole, boss, lump = (
        (slice(first * side // 60, last * side // 60),) * 2
        for first, last in ((5, 45), (14, 32), (19, 27), (50, 58))
    )
    mask[plate] = True
    mask[hole] = False
    mask[boss] = mask[lump] = True
    xyz[boss] += np.array([0, 0, 0.003], np.float32)
    pieces = find_pieces(xyz, mask, 0.004)
    assert pieces is not None
    assert np.count_nonzero(pieces.sizes) == 3
    as_published, whole = pieces.mask(0.5), pieces.mask(0.5, surrounded=True)
    assert not as_published[boss].any()
    assert whole[boss].all()
    whole[boss] = False
    np.testing.assert_array_equal(whole, as_published)
    assert not as_published[lump].any()
