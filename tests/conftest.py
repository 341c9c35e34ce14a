"""Small real inputs that many tests share: a rendered product and a bank built from it."""

from __future__ import annotations

import fcntl
import gc
import os
import shutil
import socket
import uuid
from collections.abc import Callable, Iterator, Mapping
from functools import cache, lru_cache
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pytest
import typer.main
import typer.testing

from models.numerics.process import prepare_process
from tests.faults.warm import Warm, default_networks
from tests.s3_server import S3Server, s3_server

if TYPE_CHECKING:
    from numpy.typing import NDArray

pytest_plugins = ("tests.data_sets",)
os.environ["XDG_STATE_HOME"] = "/nonexistent"  # no command of a test writes to the record of a person
os.environ.setdefault("OMP_NUM_THREADS", "1")  # tests run side by side, one process a core
# FAISS searches in a test as fast as in a server: this file imports no numpy, which would load before this.
prepare_process(searches=True)
# The tree of commands is the same each time, and making it takes longer than most of the commands.
setattr(typer.testing, "_get_command", cache(typer.main.get_command))  # noqa: B010
gc.disable()  # while tests are imported, it would look at every module again and again


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files with slow tests come first: a worker that got one of them last would run it alone."""
    slow = {item.path for item in items if item.get_closest_marker("slow")}
    items.sort(key=lambda item: item.path not in slow)


def pytest_collection_finish() -> None:
    """What was imported stays: no garbage collection looks at it again."""
    gc.freeze()
    gc.enable()


SMALL = "biscuit"
"""The product of `small_product`."""


def _of_all_workers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run's folder, whichever worker of pytest-xdist asks."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


MadeOnce = Callable[[str, Callable[[Path], None]], Path]
"""`made_once(name, make)`: the folder of this name. `make` fills the folder."""


@pytest.fixture(scope="session")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> MadeOnce:
    """Makes a folder once a run. The first worker of pytest-xdist that asks makes the folder, the others
    wait. No test may write into such a folder: other tests read the folder at the same time."""
    shared = _of_all_workers(tmp_path_factory) / "made-once"
    shared.mkdir(exist_ok=True)

    def folder(name: str, make: Callable[[Path], None]) -> Path:
        whole, place = shared / f"{name}.whole", shared / name
        with (shared / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not whole.exists():
                shutil.rmtree(place, ignore_errors=True)
                place.mkdir()
                make(place)
                whole.touch()
        return place

    return folder


@pytest.fixture(scope="session")
def small_product(made_once: MadeOnce) -> Path:
    """A demo product of 5 training, 2 validation and 3 test parts."""
    from evaluation.demo_parts.writer import write_demo_parts

    def make(out: Path) -> None:
        write_demo_parts(out, products=[SMALL], train=5, validation=2, test=3)

    return made_once("parts", make) / SMALL


FEW = ("train/good/*/000.*", "train/good/*/001.*", "validation/good/*/000.*", "test/good", "test/stain")
"""What `few_parts` has of the small product."""


@pytest.fixture(scope="session")
def few_parts(small_product: Path, made_once: MadeOnce) -> Path:
    """Of the small product two training parts, one validation part, one good and one stained test part."""

    def make(out: Path) -> None:
        for path in (path for pattern in (*FEW, "parts.json") for path in small_product.glob(pattern)):
            place = out / SMALL / path.relative_to(small_product)
            place.parent.mkdir(parents=True, exist_ok=True)
            (shutil.copytree if path.is_dir() else shutil.copy)(path, place)

    return made_once("few", make) / SMALL


@pytest.fixture(scope="session")
def small_banks(small_product: Path, made_once: MadeOnce) -> Path:
    """Bank root with version v1 of `small_product`, built by the default profile."""
    from banks.versions.builder import Builder
    from banks.versions.store import BankStore
    from models.readers.product_folder import open_product_folder
    from recipes.profiles import DEFAULT_PROFILE, find_profile

    def make(root: Path) -> None:
        builder = Builder(find_profile(DEFAULT_PROFILE), BankStore(root))
        assert builder.build(SMALL, open_product_folder(small_product)) == "v1"

    return made_once("banks", make)


@pytest.fixture(scope="session")
def declared_product(few_parts: Path, made_once: MadeOnce) -> Path:
    """The few parts by a sensor that writes 9999 where it sees nothing."""
    import tifffile

    def make(out: Path) -> None:
        shutil.copytree(few_parts, out / SMALL)
        for path in out.rglob("xyz/*.tiff"):
            xyz = tifffile.imread(path)
            xyz[~xyz.any(axis=2)] = 9999
            tifffile.imwrite(path, xyz, photometric="rgb")

    return made_once("declared", make) / SMALL


@pytest.fixture(scope="session")
def warm(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Warm]:
    """Starts `tribank` commands, each in a process of its own, without the seconds that imports cost."""
    folder = _of_all_workers(tmp_path_factory) / "warm"
    folder.mkdir(exist_ok=True)
    with Warm(folder) as warm:
        yield warm


@pytest.fixture(scope="session", autouse=True)
def networks() -> object:
    """The default profile's networks stay in memory: reading them takes longer than a small bank."""
    return default_networks()


Tribank = Callable[..., None]


@pytest.fixture(scope="session")
def tribank(warm: Warm) -> Tribank:
    """`tribank(*arguments)` runs the command to a good end."""

    def run(*arguments: str | Path) -> None:
        status, said = warm.run(*arguments)
        assert status == 0, said

    return run


@pytest.fixture
def free_port() -> int:
    """A port of the loopback interface that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


GOLDEN = Path(__file__).parent / "data" / "golden"


def load_recipe() -> ModuleType:
    """The golden set's recipe: `sample(i)` a part, `fill(state_dict, seed)` weights."""
    spec = spec_from_file_location("golden_recipe", GOLDEN / "recipe.py")
    assert spec is not None
    assert spec.loader is not None
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def recipe() -> ModuleType:
    """See `load_recipe`. What was drawn for a network is kept for the next test of this network."""
    from torch import Tensor, empty

    recipe = load_recipe()
    fill = recipe.fill

    @lru_cache(maxsize=4)
    def drawn(shapes: tuple[tuple[str, tuple[int, ...]], ...], seed: int) -> dict[str, Tensor]:
        return fill({name: empty(shape, device="meta") for name, shape in shapes}, seed)

    def filled(state: Mapping[str, Tensor], seed: int) -> dict[str, Tensor]:
        shapes = tuple((name, tuple(tensor.shape)) for name, tensor in state.items())
        return {name: tensor.clone() for name, tensor in drawn(shapes, seed).items()}

    vars(recipe)["fill"] = filled
    return recipe


@pytest.fixture(scope="session")
def golden() -> Mapping[str, NDArray[Any]]:
    """What the authors' code computes, by key (tests/data/golden/README.md)."""
    import numpy as np

    with np.load(GOLDEN / "golden_7.npz", allow_pickle=False) as file:
        return {key: file[key] for key in file}


@pytest.fixture(scope="session")
def s3_of_all_tests() -> Iterator[S3Server]:
    """A server of S3, one a worker."""
    with s3_server() as server:
        yield server


@pytest.fixture
def s3(s3_of_all_tests: S3Server, monkeypatch: pytest.MonkeyPatch) -> str:
    """The URL of an empty place in S3, for this process and the processes that it starts."""
    import fsspec

    for name, value in s3_of_all_tests.environment.items():
        monkeypatch.setenv(name, value)
    bucket = f"tribank-{uuid.uuid4().hex}"
    fsspec.filesystem("s3").mkdir(bucket)  # one client for all tests: a client costs more than a bucket
    return f"s3://{bucket}/lines/one"


@pytest.fixture(params=["memory", "file", "s3"])
def any_store(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """The URL of an empty object store of each kind."""
    if request.param == "s3":
        return request.getfixturevalue("s3")
    return {"memory": f"memory://{uuid.uuid4().hex}", "file": f"file://{tmp_path}/store"}[request.param]
