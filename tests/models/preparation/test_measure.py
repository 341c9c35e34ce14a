"""Lengths of a product: measured on parts of every size, and what they make of a profile."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from models.points.fpfh import FpfhExtractor
from models.preparation.measure import measure
from models.preparation.prepare import PreparedPart, prepare
from models.preparation.roi import Roi
from models.sample import Sample, make_sample
from recipes.measured import Measured
from recipes.points import PRESETS, FpfhChoice
from recipes.preparation import LENGTHS, Preparation
from recipes.profile import Profile
from recipes.profiles import find_profile
from tests.scenes import PITCH, scene

NOISE = 0.00005
DEFAULT = find_profile("embedded")


def part(scale: float = 1.0) -> Sample:
    xyz = scene(noise=NOISE)
    return make_sample(np.full(xyz.shape, 200, np.uint8), (scale * xyz).astype(np.float32))


def resolved(*parts: Sample, profile: Profile = DEFAULT) -> tuple[Measured, Profile]:
    found = measure(parts, profile.preparation)
    assert found is not None
    return found, profile.resolved(found)


def histograms(prepared: PreparedPart, profile: Profile) -> np.ndarray:
    choice = profile.extraction.point
    assert isinstance(choice, FpfhChoice)
    (patches,) = FpfhExtractor(choice.settings, side=choice.side)([prepared])
    return patches.rows.numpy()


def test_what_is_measured() -> None:
    found, _ = resolved(part(), part())
    assert found.parts == 2
    assert found.pitch == pytest.approx(PITCH, rel=0.1)
    assert found.grid_pitch == pytest.approx(PITCH * 1.25 * 240 / 224, rel=0.2)
    assert found.noise == pytest.approx(NOISE, rel=0.1)
    assert found.field == pytest.approx(400 * PITCH, rel=0.05)
    assert found.extent == pytest.approx(0.6 * 400 * PITCH, rel=0.05)
    assert found.box == pytest.approx(0.6 * 400, abs=4)
    assert found.picture == 400


def test_a_part_that_is_out_of_range_is_measured_as_far_as_it_can_be() -> None:
    whole, far = part(), part()
    far.xyz[::9, ::7] = 1e30  # what a camera may write for no return
    found, _ = resolved(whole, far, far)
    assert found.pitch == pytest.approx(PITCH, rel=0.1)
    assert found.box == resolved(whole)[0].box
    assert resolved(far)[0].box is None


def test_a_part_of_another_size_than_the_region_of_interest_is_measured_as_far_as_it_can_be() -> None:
    whole = part()
    cut = make_sample(whole.rgb[:-50], whole.xyz[:-50])
    roi = Roi(np.full(whole.valid.shape, 3, np.uint8))
    found = measure([whole, cut], DEFAULT.preparation, roi)
    assert found is not None
    assert found.box == resolved(whole)[0].box


def test_the_window_is_a_little_larger_than_the_part_and_much_smaller_than_the_picture() -> None:
    found, profile = resolved(part(), part())
    assert found.box is not None
    assert profile.preparation.window == np.ceil(1.25 * found.box)
    prepared = prepare(part(), profile.preparation)
    assert prepared.frame.side == profile.preparation.window
    again = measure([part(), part()], profile.preparation)
    assert again is not None
    assert again.grid_pitch == found.grid_pitch == pytest.approx(PITCH * 300 / 224, rel=0.05)
    for box, window in ((30, 224), (256, 320), (257, "padded"), (1100, "padded")):
        measured = replace(found, box=box, picture=max(400, box))
        assert DEFAULT.resolved(measured).preparation.window == window
    as_prepared = find_profile("embedded", prepared=True)
    assert as_prepared.resolved(found).preparation.window == "padded"


def test_a_part_that_is_too_small_for_the_padded_grid_is_measured() -> None:
    rows, columns = np.mgrid[:1200, :1200]
    z = np.where(np.hypot(rows - 300, columns - 700) < 60, 0.48, 0.5)
    xyz = np.stack([columns * PITCH, rows * PITCH, z], axis=2).astype(np.float32)
    small = make_sample(np.full(xyz.shape, 200, np.uint8), xyz)
    profile = find_profile("embedded", changes=["preparation.min_points=4000"])
    found, profile = resolved(small, profile=profile)
    assert found.box == pytest.approx(120, abs=6)
    assert prepare(small, profile.preparation).valid.sum() > 4000


@pytest.mark.parametrize("scale", [0.03, 0.1, 10, 30])
def test_a_part_of_any_size_has_the_same_features(scale: float) -> None:
    one, other = part(), part(scale)
    measured, profile = resolved(one)
    scaled, scaled_profile = resolved(other)
    for name in ("pitch", "grid_pitch", "noise", "field", "extent"):
        assert getattr(scaled, name) == pytest.approx(scale * getattr(measured, name), rel=1e-3)
    prepared = prepare(one, profile.preparation)
    scaled_prepared = prepare(other, scaled_profile.preparation)
    for name in LENGTHS:
        length = profile.preparation.length(name)
        assert scaled_profile.preparation.length(name) == pytest.approx(scale * length, rel=5e-4)
    assert (prepared.valid != scaled_prepared.valid).sum() < 3
    expected, found = histograms(prepared, profile), histograms(scaled_prepared, scaled_profile)
    different = np.abs(found - expected).max(axis=1) > 1
    assert different.mean() < 0.001
    assert expected.any(axis=1).sum() > 400


def test_a_thin_part_stays_and_its_bent_support_goes() -> None:
    """A plate of 0.8 mm on a table that is bent by 0.2 mm."""
    rows, columns = np.mgrid[:400, :400]
    x, y = (columns - 200) * PITCH, (rows - 200) * PITCH
    plate = (np.abs(x) < 0.05) & (np.abs(y) < 0.03)
    bent = 0.0002 * (x**2 + y**2) / 0.1**2
    z = 0.5 + bent - 0.0008 * plate + np.random.default_rng(0).normal(0, NOISE, x.shape)
    xyz = np.stack([x, y, z], axis=2)
    thin = make_sample(np.full(xyz.shape, 200, np.uint8), xyz)
    _, profile = resolved(thin)
    prepared = prepare(thin, profile.preparation)
    truth = prepared.frame.mask_to_grid(plate, 224)
    assert prepared.plane_found
    assert (prepared.valid & truth).sum() > 0.98 * truth.sum()
    assert (prepared.valid & ~truth).sum() < 0.02 * truth.sum()


def test_a_product_without_a_support_is_measured_all_the_same() -> None:
    rows, columns = np.mgrid[:400, :400]
    xyz = scene(dome=False)
    xyz[..., 2] += 0.03 * np.sin((rows + columns) / 12).astype(np.float32)
    found, profile = resolved(make_sample(np.full(xyz.shape, 200, np.uint8), xyz))
    assert found.noise is None
    assert prepare(make_sample(None, xyz), profile.preparation).plane_found is False


def test_the_scale_of_images_is_measured() -> None:
    assert resolved(part())[0].image_scale is None
    height, width = part().valid.shape
    twice = replace(part(), image_size=(2 * height, 3 * width))
    assert resolved(twice)[0].image_scale == (3, 2)


def test_without_a_cloud_lengths_are_the_published_ones() -> None:
    image = make_sample(np.zeros((64, 64, 3), np.uint8), None)
    assert measure([image], DEFAULT.preparation) is None
    profile = DEFAULT.resolved(None)
    assert [profile.preparation.length(name) for name in LENGTHS] == [0.004, 0.005, 0.006]
    assert profile.resolved(None) == profile


def test_lengths_that_were_set_stay() -> None:
    profile = find_profile(
        "embedded",
        changes=["preparation.clearance=0.002", "extraction.point.settings.normal_radius=0.003"],
    )
    _, found = resolved(part(), profile=profile)
    assert found.preparation.clearance == 0.002
    assert found.preparation.plane_inlier == 0.0016
    choice = found.extraction.point
    assert isinstance(choice, FpfhChoice)
    assert choice.settings.normal_radius == 0.003
    published = find_profile("m3dm")
    assert resolved(part(), profile=published)[1] == published


def test_a_length_that_follows_the_product_prepares_nothing() -> None:
    with pytest.raises(ValueError, match="follows the product"):
        prepare(part(), DEFAULT.preparation)
    with pytest.raises(ValueError, match="clearance"):
        Preparation(clearance=0)


def test_heights_of_a_flat_part_are_stretched_as_the_noise_allows() -> None:
    flat = Measured(1, pitch=0.0002, grid_pitch=0.0005, noise=None, field=0.1, extent=0.08)
    flat = replace(flat, height=0.001, width=0.06)
    assert PRESETS["embedded"].resolved(flat).relief == 15
    assert PRESETS["embedded"].resolved(replace(flat, noise=0.00003)).relief == 2
    assert PRESETS["embedded"].resolved(replace(flat, height=0.02)).relief == 1
    assert PRESETS["btf"].resolved(flat).relief == 1
