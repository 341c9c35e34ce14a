"""The builder: the same parts and seed give the same version; held-out parts are held out."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
import tifffile
from PIL import Image
from safetensors.numpy import load_file

from banks.detector import Detector, PartResult
from banks.versions.builder import Builder, BuildError
from banks.versions.manifest import Manifest
from banks.versions.measuring import measured_profile
from banks.versions.reviews import PartReview, review
from banks.versions.store import BadBank, BankNotFound, BankStore
from cli.banks import print_version
from models.layout import GridLayout
from models.preparation.prepare import prepare
from models.readers import read_files
from models.readers.product_folder import ProductFolder, open_product_folder
from models.sample import Sample
from recipes.preparation import Preparation
from recipes.profiles import find_profile
from recipes.sensor import Sensor
from tests.conftest import SMALL

CLOUDS = Path(__file__).parents[2] / "data" / "clouds"


class Built(NamedTuple):
    """A version by the point bank. told: the stages as they came. foretold: as they were to come."""

    path: Path
    told: list[str]
    foretold: list[str]


def _built(folder: ProductFolder, root: Path, *changes: str) -> Built:
    store, told = BankStore(root), []
    profile = find_profile("embedded-point", changes=changes)
    builder = Builder(profile, store, progress=lambda stage, *_: told.append(stage))
    foretold = builder.stages(folder)
    builder.build(SMALL, folder)
    return Built(store.path(SMALL), list(dict.fromkeys(told)), foretold)


@pytest.fixture(scope="module")
def alone(small_product: Path, tmp_path_factory: pytest.TempPathFactory) -> Built:
    """Training parts alone, and every row kept."""
    folder = replace(open_product_folder(small_product), validation=())
    return _built(folder, tmp_path_factory.mktemp("alone"), "coreset=1")


@pytest.fixture(scope="module")
def two(small_product: Path, tmp_path_factory: pytest.TempPathFactory) -> Built:
    """Two training parts alone."""
    folder = open_product_folder(small_product)
    folder = replace(folder, train=folder.train[:2], validation=())
    return _built(folder, tmp_path_factory.mktemp("two"))


@pytest.fixture(scope="module")
def rubble(small_product: Path, tmp_path_factory: pytest.TempPathFactory) -> Built:
    """The table below one training part is covered with rubble: a plane is looked for along the border."""
    product = tmp_path_factory.mktemp("rubble") / SMALL
    shutil.copytree(small_product, product)
    path = product / "train/good/xyz/001.tiff"
    xyz = tifffile.imread(path)
    rubble = np.random.default_rng(0).uniform(-0.02, 0.02, xyz.shape[:2])
    rubble[20:-20, 20:-20] = 0
    xyz[..., 2] += np.where(xyz.any(axis=2), rubble, 0)
    tifffile.imwrite(path, xyz, photometric="rgb")
    return _built(open_product_folder(product), product.parent / "banks")


@pytest.mark.parametrize("built", ["two", "rubble"])
def test_the_stages_are_known_before_they_are_told(built: str, request: pytest.FixtureRequest) -> None:
    found: Built = request.getfixturevalue(built)
    assert found.told == found.foretold


def test_training_parts_alone_take_turns_and_calibrate_by_the_banks_without_their_own_rows(
    small_product: Path, alone: Built
) -> None:
    """Every row kept, so a part against its own rows would score 0."""
    train = open_product_folder(small_product).train
    detector = Detector.load(alone.path)
    assert _image_score(detector, train[0].read()) == 0
    calibration = detector.manifest.calibration
    assert calibration.count == len(calibration.scores) == len(train)
    assert min(calibration.scores) > 0


def test_the_manifest_tells_what_is_in_the_banks(small_banks: Path) -> None:
    path = BankStore(small_banks).path(SMALL)
    manifest = Manifest.read(path)
    assert manifest.training_parts == tuple(f"train/good/{number:03}" for number in range(5))
    assert manifest.banks["rgb"].seen == 5 * 784
    assert manifest.weights.keys() == {"efficientnet_lite1"}
    colour = manifest.profile.extraction.colour
    assert colour is not None
    assert colour.usual is not None
    assert manifest.banks["colour"].dimension == len(colour.usual) == 9
    relief = manifest.profile.extraction.relief
    assert relief is not None
    assert relief.usual is not None
    assert 0.3 < relief.least_share <= 0.7
    assert manifest.banks["relief"].dimension == len(relief.usual) == 12
    assert manifest.banks["fused"].dimension == manifest.banks["rgb"].dimension + 33
    origin = load_file(path / "provenance.safetensors")
    for name, bank in manifest.banks.items():
        part, cell = origin[f"{name}.part"], origin[f"{name}.cell"]
        assert len(part) == len(cell) == bank.rows
        assert set(np.unique(part)) <= set(range(5))
        assert bank.side is not None
        assert cell.max() < bank.side**2
        np.testing.assert_array_equal(origin[f"{name}.pixel"], GridLayout(bank.side).pixels(224)[cell])
        assert len(set(zip(part.tolist(), cell.tolist(), strict=True))) == bank.rows


def test_validation_and_left_out_training_parts_calibrate(small_product: Path, small_banks: Path) -> None:
    folder = open_product_folder(small_product)
    calibration = Manifest.read(BankStore(small_banks).path(SMALL)).calibration
    assert calibration.count + len(calibration.odd) == len(folder.validation) + len(folder.train)
    assert "held-out good parts" in calibration.statement


def _image_score(detector: Detector, sample: Sample) -> float:
    (result,) = detector.score([sample])
    assert isinstance(result, PartResult)
    return result.score


def test_a_float16_version_is_half_the_size_and_scores_the_same(
    small_product: Path, small_banks: Path, tmp_path: Path
) -> None:
    store = BankStore(tmp_path)
    folder = open_product_folder(small_product)
    Builder(find_profile("embedded", changes=["precision=float16"]), store).build(SMALL, folder)
    whole, half = BankStore(small_banks).path(SMALL), store.path(SMALL)
    assert Manifest.read(half).profile.precision == "float16"
    samples = [part.read() for part in folder.test]
    detectors = [Detector.load(path) for path in (whole, half)]
    for expected, found in zip(*(detector.score(samples) for detector in detectors), strict=True):
        assert isinstance(expected, PartResult)
        assert isinstance(found, PartResult)
        # Spreads are some percent: what moves a bank's score by 1e-4 moves its surprisal far more.
        assert found.score == pytest.approx(expected.score, rel=5e-3, abs=5e-3)
        for name, value in expected.bank_scores.items():
            # Of two rows that are as near, the other one may be found, and its local scale counts.
            assert found.bank_scores[name] == pytest.approx(value, rel=5e-3)
            theirs, ours = expected.bank_maps[name], found.bank_maps[name]
            np.testing.assert_allclose(ours, theirs, rtol=5e-3, atol=1e-3 * theirs.max())
    for name in Manifest.read(half).banks:
        sizes = [(path / f"{name}.faiss").stat().st_size for path in (half, whole)]
        assert sizes[0] == pytest.approx(sizes[1] / 2, rel=0.01)


def test_parts_without_a_support_plane_are_told_apart(
    small_product: Path, rubble: Built, capsys: pytest.CaptureFixture[str]
) -> None:
    store = BankStore(rubble.path.parents[1])
    assert Manifest.read(rubble.path).without_plane == ("train/good/001",)
    print_version(SMALL, rubble.path)
    assert "train/good/001" in capsys.readouterr().out
    more = ProductFolder(open_product_folder(small_product).validation, (), (), ())
    Builder.like(store, SMALL).build(SMALL, more, extends="v1")
    assert Manifest.read(store.path(SMALL)).without_plane == ("train/good/001",)


def test_one_part_is_too_few(small_product: Path, tmp_path: Path) -> None:
    folder = open_product_folder(small_product)
    with pytest.raises(BuildError, match="at least 2"):
        _built(ProductFolder(folder.train[:1], folder.validation, (), ()), tmp_path)


def test_a_folder_of_unusable_parts_is_refused_with_a_reason(small_product: Path, tmp_path: Path) -> None:
    folder = open_product_folder(small_product)
    colourless = tuple(replace(part, files={"rgb": part.files["rgb"]}) for part in folder.train)
    with pytest.raises(BuildError, match="train/good/000"):
        _built(ProductFolder(colourless, folder.validation, (), ()), tmp_path)
    assert BankStore(tmp_path).products() == []


def test_good_parts_in_millimetres_are_refused(small_product: Path, tmp_path: Path) -> None:
    for path in (shutil.copytree(small_product, tmp_path / SMALL)).rglob("xyz/*.tiff"):
        xyz = tifffile.imread(path)
        millimetres = np.where(xyz.any(axis=2, keepdims=True), 1000 * (xyz - [0, 0, 0.5]), np.nan)
        tifffile.imwrite(path, millimetres.astype(np.float32), photometric="rgb")
    folder = open_product_folder(tmp_path / SMALL)
    with pytest.raises(BuildError, match=r"millimetres.*xyz_unit"):
        Builder(find_profile("embedded-point"), BankStore(tmp_path / "banks")).build(SMALL, folder)


def test_a_real_kinect_frame_goes_through_a_build_and_a_score(tmp_path: Path) -> None:
    """Its outer pixels have no return. Further parts are the same frame with noise of 0.5 mm."""
    frame = read_files({"xyz": CLOUDS / "milk.pcd"})
    (tmp_path / "good").mkdir()
    for number in range(4):
        rng = np.random.default_rng(number)
        xyz = frame.xyz * np.where(frame.valid, 1 + rng.normal(0, 0.0005, frame.valid.shape), 0)[..., None]
        rgb = frame.rgb // 2 + rng.integers(0, 9, frame.rgb.shape, np.uint8)
        np.savez(tmp_path / "good" / f"{number}.npz", rgb=rgb, xyz=xyz.astype(np.float32))
    store, profile = BankStore(tmp_path / "banks"), find_profile("embedded-point", changes=["coreset=0.05"])
    Builder(profile, store).build(SMALL, open_product_folder(tmp_path / "good"))
    manifest = Manifest.read(store.path(SMALL))
    assert manifest.without_plane == ()
    assert manifest.profile.preparation.length("clearance") > 0.005, "a Kinect's noise is millimetres"
    (result,) = Detector.load(store.path(SMALL)).score([frame])
    assert isinstance(result, PartResult)
    assert result.decision == "good"


def test_one_cloud_for_all_images_is_refused_by_a_point_bank(small_product: Path, tmp_path: Path) -> None:
    folder = open_product_folder(small_product)
    cloud = folder.train[0].files["xyz"]
    same = tuple(replace(part, files={**part.files, "xyz": cloud}) for part in folder.train[:3])
    builder = Builder(find_profile("embedded-point", changes=["coreset=1"]), BankStore(tmp_path))
    with pytest.raises(BuildError, match="sees nothing"):
        builder.build(SMALL, replace(folder, train=same, validation=()))


def test_an_extended_version_is_the_build_of_all_parts_at_once(
    small_product: Path, small_banks: Path, tmp_path: Path
) -> None:
    folder = open_product_folder(small_product)
    store = BankStore(tmp_path)
    whole = Manifest.read(BankStore(small_banks).path(SMALL))
    first = Builder(whole.profile, store).build(SMALL, replace(folder, train=folder.train[:3], validation=()))
    rest = replace(folder, train=folder.train[3:])
    second = Builder.like(store, SMALL).build(SMALL, rest, extends=first, activate=False)
    assert store.current(SMALL) == first
    extended = Manifest.read(store.path(SMALL, second))
    same = {"created", "measured"}
    assert extended.model_dump(exclude=same) == whole.model_dump(exclude=same)


@pytest.mark.parametrize("name", ["embedded", "embedded-point", "embedded-rgb"])
def test_an_extended_version_keeps_what_follows_the_product_of_the_first(
    name: str, small_product: Path, tmp_path: Path
) -> None:
    folder = open_product_folder(small_product)
    store, profile = BankStore(tmp_path), find_profile(name, changes=["coreset=0.02"])
    Builder(profile, store).build(SMALL, replace(folder, train=folder.train[:2], validation=()))
    rest = replace(folder, train=folder.train[2:3], validation=())
    Builder(profile, store).build(SMALL, rest, extends="v1")
    first, second = (Manifest.read(store.path(SMALL, version)) for version in ("v1", "v2"))
    assert first.measured is not None
    assert first.measured.parts == 2
    assert (second.profile, second.measured) == (first.profile, first.measured)
    assert first.profile == profile.as_built(first.profile) != profile


def test_a_drift_of_the_cameras_gains_is_taken_back(small_product: Path, small_banks: Path) -> None:
    preparation = Manifest.read(BankStore(small_banks).path(SMALL)).profile.preparation
    part = open_product_folder(small_product).train[0].read()
    warm = np.clip(np.rint(part.rgb * np.array([1.05, 1.0, 0.95])), 0, 255).astype(np.uint8)

    def moved(settings: Preparation) -> float:
        seen = [prepare(sample, settings).rgb.astype(int) for sample in (part, replace(part, rgb=warm))]
        return float(np.abs(seen[0] - seen[1])[seen[0].any(axis=2)].mean())

    assert preparation.balance_drift == 0.05
    assert moved(preparation) < 1.5 < 3.0 < moved(replace(preparation, balance_drift=0.0))


def test_a_profile_without_colour_takes_no_drift_back(small_product: Path) -> None:
    for name, drift in (("embedded-point", 0.0), ("embedded-rgb", 0.05), ("m3dm", 0.0)):
        assert find_profile(name).preparation.balance_drift == drift
    train = open_product_folder(small_product).train[:1]
    profile, _ = measured_profile(train, Sensor(), find_profile("embedded-point"), lambda done, total: None)
    assert profile.preparation.balance is None


def test_a_part_of_a_taken_name_gets_a_number(small_product: Path, two: Built) -> None:
    store, folder = BankStore(two.path.parents[1]), open_product_folder(small_product)
    other = replace(folder.train[2], name="train/good/000")
    Builder.like(store, SMALL).build(SMALL, replace(folder, train=(other,), validation=()), extends="v1")
    assert Manifest.read(two.path).training_parts[0] == other.name
    assert Manifest.read(store.path(SMALL)).training_parts[-1] == "train/good/000~2"


def test_what_was_extracted_is_kept_and_nothing_derived(small_banks: Path) -> None:
    kept = sorted(Manifest.read(BankStore(small_banks).path(SMALL)).kept)
    assert kept == [
        f"parts/{split}/{name}"
        for split in ("train", "validation")
        for name in ("colour.f32", "parts.safetensors", "point.f32", "relief.f32", "rgb.f32")
    ]


def test_what_cannot_be_extended_is_refused(small_product: Path, tmp_path: Path) -> None:
    folder = open_product_folder(small_product)
    folder = replace(folder, train=folder.train[:2], validation=())
    store = BankStore(tmp_path)
    builder = Builder(find_profile("embedded-point"), store, keep_parts=False)
    builder.build(SMALL, folder)
    assert [entry.name for entry in store.path(SMALL).iterdir() if entry.is_dir()] == []
    with pytest.raises(BuildError, match="did not keep its parts"):
        builder.build(SMALL, folder, extends="v1")
    replace(builder, keep_parts=True).build(SMALL, folder)
    with pytest.raises(BuildError, match="another profile or seed"):
        replace(builder, seed=1).build(SMALL, folder, extends="v2")
    with pytest.raises(BankNotFound):
        builder.build(SMALL, folder, extends="v9")
    with (store.path(SMALL, "v2") / "parts/train/point.f32").open("r+b") as file:
        file.write(b"\1")
    Detector.load(store.path(SMALL, "v2"))  # scoring does not need them
    with pytest.raises(BadBank, match=r"point\.f32: changed"):
        builder.build(SMALL, folder, extends="v2")


def test_the_manifest_keeps_what_is_declared_and_parts_are_read_so(
    small_product: Path, tmp_path: Path
) -> None:
    folder = open_product_folder(small_product)
    folder = ProductFolder(folder.train[:2], (), (), ())
    stores = {unit: BankStore(tmp_path / f"banks {unit}") for unit in ("m", "mm")}
    for part in folder.train:
        (tmp_path / "mm" / "xyz").mkdir(parents=True, exist_ok=True)
        stored = tifffile.imread(part.files["xyz"]) * np.float32(1000)
        tifffile.imwrite(tmp_path / "mm" / "xyz" / part.files["xyz"].name, stored, photometric="rgb")
        (tmp_path / "mm" / "rgb").mkdir(exist_ok=True)
        shutil.copy(part.files["rgb"], tmp_path / "mm" / "rgb")
    declared = open_product_folder(tmp_path / "mm").declaring({"xyz_unit": b"mm"})
    profile = find_profile("embedded-point")
    Builder(profile, stores["m"]).build(SMALL, folder)
    Builder(profile, stores["mm"]).build(SMALL, declared)
    manifests = {unit: Manifest.read(store.path(SMALL)) for unit, store in stores.items()}
    assert manifests["mm"].sensor == Sensor(xyz_unit="mm")
    assert manifests["m"].sensor == Sensor()
    assert manifests["mm"].calibration.threshold == pytest.approx(
        manifests["m"].calibration.threshold, rel=1e-3
    )
    detector = Detector.load(stores["mm"].path(SMALL))
    own = replace(declared.train[0], declared={})
    scores = [
        _image_score(detector, sample)
        for sample in (own.read(detector.manifest.sensor), folder.train[0].read())
    ]
    # Rounded coordinates put some angles into another bin of a histogram: 34 of 3136 patches of a demo part.
    assert scores[0] == pytest.approx(scores[1], rel=0.05)


def test_a_defective_part_among_the_good_ones_is_named_and_sets_no_threshold(
    small_product: Path, small_banks: Path, tmp_path: Path
) -> None:
    product = tmp_path / "product"
    shutil.copytree(small_product, product)
    defective = product / "train" / "good" / "rgb" / "002.png"
    image = np.asarray(Image.open(defective)).copy()
    image[180:220, 180:220] = (20, 40, 200)
    Image.fromarray(image).save(defective)
    store = BankStore(tmp_path / "banks")
    Builder(find_profile("embedded"), store).build(SMALL, open_product_folder(product))
    manifest = Manifest.read(store.path(SMALL))
    clean = Manifest.read(BankStore(small_banks).path(SMALL))
    (odd,) = manifest.calibration.odd
    assert odd.name == "train/good/002"
    assert odd.score > manifest.calibration.scores[-1]
    assert manifest.calibration.count == 6
    assert manifest.calibration.threshold < odd.score
    (remark,) = manifest.remarks
    assert "1 of 7 held-out good parts score far outside the others: look at train/good/002" in remark
    assert odd.name not in {part.name for part in clean.calibration.odd}
    assert odd.area == pytest.approx(clean.coverage and clean.coverage.most_area, rel=0.1)

    store, none = (
        BankStore(tmp_path / "banks"),
        replace(open_product_folder(product), train=(), validation=()),
    )
    review(store, SMALL, "v1", [PartReview(part=odd.name, review="good")])
    good = Manifest.read(store.path(SMALL, Builder.like(store, SMALL).build(SMALL, none, extends="v1")))
    assert (good.calibration.odd, good.calibration.count) == ((), 7)
    assert good.training_parts == manifest.training_parts
    again = Builder.like(store, SMALL, "v2").build(SMALL, none, extends="v2")
    assert Manifest.read(store.path(SMALL, again)).calibration == good.calibration, "asked once"
    review(store, SMALL, "v1", [PartReview(part=odd.name, review="dropped")])
    same = replace(open_product_folder(product), validation=())
    dropped = Manifest.read(store.path(SMALL, Builder.like(store, SMALL).build(SMALL, same, extends="v1")))
    assert dropped.training_parts == tuple(name for name in manifest.training_parts if name != odd.name)
    assert (dropped.calibration.odd, dropped.calibration.count) == ((), 6)
    assert dropped.banks["rgb"].seen == 4 * 784
