"""One fusion network for several products: trained, stopped and resumed, refused, and used by a build."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import load_file

from banks.versions.builder import Builder
from banks.versions.manifest import Manifest
from banks.versions.shared_fusion import SharedFusion, TrainingRefused
from banks.versions.store import BankStore
from models.readers.product_folder import ProductFolder, open_product_folder
from recipes.profile import Profile
from recipes.profiles import find_profile
from tests.banks.versions.test_gathering import good_parts, grey, twelve_bits

STEPS = 4


class Stopped(Exception):
    pass


def tiny(**training: int) -> Profile:
    """Extractors of image and histograms with a short training, one part a step."""
    settings = {"steps": STEPS, "warm_up": 2, "batch": 1, "checkpoint_every": 2} | training
    changes = [f"extraction.training.{name}={value}" for name, value in settings.items()]
    return find_profile("embedded-three", changes=changes)


@pytest.fixture(scope="module")
def products(small_product: Path) -> dict[str, ProductFolder]:
    """Two products of two parts each."""
    folder = open_product_folder(small_product)
    split = {"one": folder.train[:2], "two": folder.train[2:4]}
    return {name: ProductFolder(parts, folder.validation, (), ()) for name, parts in split.items()}


@pytest.fixture(scope="module")
def trained(products: dict[str, ProductFolder], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A weights folder with the network that was trained without a stop."""
    folder = tmp_path_factory.mktemp("weights")
    assert SharedFusion(tiny(), folder / "run").train(products, folder / "uff.safetensors") == {}
    return folder


def test_the_file_says_what_it_was_trained_on(trained: Path) -> None:
    assert [file.name for file in trained.iterdir()] == ["uff.safetensors"]
    with safe_open(trained / "uff.safetensors", "pt") as file:
        facts = file.metadata()
    assert facts["products"] == "one two"
    assert facts["parts"] == "4"
    assert facts["profile"] == "embedded-three"


@pytest.mark.parametrize("stage", ["parts", "training"])
def test_a_stopped_run_goes_on(
    stage: str, products: dict[str, ProductFolder], trained: Path, tmp_path: Path
) -> None:
    def stop(name: str, done: int, total: int, note: str = "") -> None:
        if (name, done) == (stage, 3):
            raise Stopped

    seen: list[tuple[str, str]] = []
    run, out = tmp_path / "run", tmp_path / "uff.safetensors"
    with pytest.raises(Stopped):
        SharedFusion(tiny(), run, progress=stop).train(products, out)
    kept = {file: file.stat().st_mtime_ns for file in run.glob("part-*")}
    assert len(kept) >= 3
    assert not out.exists()
    with pytest.raises(TrainingRefused, match="other parts, weights or settings"):
        SharedFusion(tiny(seed=1), run).train(products, out)
    one = products["one"]
    for other in (one.declaring({"invalid": b"9999"}), replace(one, roi=one.train[0].files["rgb"])):
        with pytest.raises(TrainingRefused, match="other parts, weights or settings"):
            SharedFusion(tiny(), run, progress=stop).train(products | {"one": other}, out)

    def tell(name: str, done: int, total: int, note: str = "") -> None:
        seen.append((name, note))
        if name == "training":
            assert all(file.stat().st_mtime_ns == time for file, time in kept.items())

    SharedFusion(tiny(), run, progress=tell).train(products, out)
    losses = [note for name, note in seen if name == "training"]
    assert len(losses) == (STEPS if stage == "parts" else STEPS - 2)
    assert all(note.startswith("loss ") for note in losses)
    whole, resumed = load_file(trained / "uff.safetensors"), load_file(out)
    assert all(torch.equal(whole[name], resumed[name]) for name in whole)
    assert not run.exists()


def test_a_build_uses_it_and_the_manifest_records_it(
    products: dict[str, ProductFolder], trained: Path, tmp_path: Path
) -> None:
    profile = find_profile("embedded-three", changes=["extraction.fusion=uff", "coreset=0.02"])
    store = BankStore(tmp_path)
    Builder(profile, store, weights_dir=trained).build("part", products["one"])
    path = store.path("part")
    manifest = Manifest.read(path)
    assert set(manifest.weights) == {"efficientnet_lite1", "uff"}
    kept, shared = load_file(path / "fusion.safetensors"), load_file(trained / "uff.safetensors")
    assert all(torch.equal(tensor, shared[name]) for name, tensor in kept.items())
    rgb, point = manifest.banks["rgb"].dimension, manifest.banks["point"].dimension
    assert manifest.banks["fused"].dimension == rgb + point


def test_profiles_without_two_kinds_of_patch_and_unusable_parts_are_refused(
    products: dict[str, ProductFolder], tmp_path: Path
) -> None:
    with pytest.raises(TrainingRefused, match="nothing to fuse"):
        SharedFusion(find_profile("fpfh"), tmp_path / "run").train(products, tmp_path / "uff.safetensors")
    empty = {"none": ProductFolder((), (), (), ())}
    with pytest.raises(TrainingRefused, match="no training parts"):
        SharedFusion(tiny(), tmp_path / "run").train(empty, tmp_path / "uff.safetensors")
    shutil.rmtree(tmp_path / "run")


def test_the_bits_of_images_are_found(small_product: Path, tmp_path: Path) -> None:
    def stop(name: str, done: int, total: int, note: str = "") -> None:
        if name == "parts" and done == total:
            raise Stopped

    rows = []
    for name, change in (("grey", grey), ("deep", twelve_bits)):
        folder = open_product_folder(good_parts(small_product, tmp_path / name, 0, change=change))
        with pytest.raises(Stopped):
            SharedFusion(tiny(), tmp_path / f"{name}-run", progress=stop).train(
                {"one": folder}, tmp_path / "uff"
            )
        (file,) = (tmp_path / f"{name}-run").glob("part-*")
        rows.append(load_file(file)["rgb"])
    assert torch.equal(*rows)
