"""What may keep a Tribank from working on this machine: each check says what is wrong, and how to mend it.

A check never raises: what it cannot look at is a finding too. Heavy libraries are imported by the checks that
are about them, so that one that does not load is told and not met.
"""

from __future__ import annotations

import ctypes
import re
import shutil
import socket
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, requires, version
from pathlib import Path
from typing import Literal
from urllib.error import URLError
from urllib.request import urlopen

from models.numerics.process import decided
from service.settings import MIB, Settings

State = Literal["ok", "warn", "bad"]
SYSTEM_LIBRARIES = {
    "libusb-1.0.so.0": "libusb-1.0-0",
    "libGL.so.1": "libgl1",
    "libEGL.so.1": "libegl1",
    "libX11.so.6": "libx11-6",
    "libgomp.so.1": "libgomp1",
}
"""What Open3D's wheel does not bring along, by Debian's and Ubuntu's package."""
CONSTRAINTS = Path(__file__).parents[1] / "constraints"
LITTLE_DISK = 2048 * MIB
NO_DISK = 200 * MIB


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report. bad: it will not work; warn: it works, but look at it. mend: what to do."""

    check: str
    state: State
    said: str
    mend: str = ""


def examine(settings: Settings) -> Iterator[Finding]:
    """All checks for a server of these settings, one after another."""
    checks: tuple[Callable[[Settings], Iterator[Finding]], ...] = (
        system_libraries,
        libraries,
        versions,
        device,
        weights,
        banks,
        folders,
        port,
        access,
    )
    for check in checks:
        name = check.__name__.replace("_", " ")
        try:
            yield from check(settings)
        except Exception as error:
            yield Finding(
                name, "bad", f"{type(error).__name__}: {error}", "Tell us: this check failed itself."
            )


def system_libraries(settings: Settings) -> Iterator[Finding]:
    """Shared libraries of the system."""
    missing = [package for library, package in SYSTEM_LIBRARIES.items() if not _loads(library)]
    if missing:
        wanted = " ".join(missing)
        said = f"Open3D needs what the system lacks: {wanted}."
        yield Finding("system libraries", "bad", said, f"sudo apt-get install {wanted}")
    else:
        yield Finding("system libraries", "ok", "those that Open3D needs are here")


def libraries(settings: Settings) -> Iterator[Finding]:
    """Whether what the models and banks stand on can be imported."""
    from models.torchvision_schemas import declare_torchvision_schemas

    stands_in = declare_torchvision_schemas()
    for name in ("torch", "torchvision", "timm", "faiss", "sklearn", "open3d"):
        try:
            __import__(name)
        except Exception as error:
            mend = "Install again by constraints: scripts/setup, or pip install -c constraints/cpu.txt"
            yield Finding(name, "bad", f"cannot be imported: {error}", mend)
    if stands_in:
        said = "its compiled part does not load beside this torch; Tribank stands in for it (it needs none)"
        yield Finding("torchvision", "ok", said)
    numerics = decided()
    kernel = numerics.blas_kernel or "FAISS's default"
    message = f"BLAS kernel {kernel}, {numerics.threads} threads, OpenMP wait policy {numerics.wait_policy}"
    yield Finding("numerics", "ok", message)


def versions(settings: Settings) -> Iterator[Finding]:
    """Installed versions against the constraints, and what is missing."""
    needed = {_package(line) for line in requires("tribank") or () if "extra ==" not in line}
    missing = sorted(name for name in needed if _installed(name) is None)
    if missing:
        mend = f"pip install -c constraints/cpu.txt {' '.join(missing)}"
        yield Finding("versions", "bad", f"not installed: {', '.join(missing)}", mend)
    kind = "gpu" if _installed("faiss-gpu") else "cpu"
    file = CONSTRAINTS / f"{kind}.txt"
    if not file.is_file():
        yield Finding("versions", "ok", "no constraints beside this installation to compare with")
        return
    wanted = dict(re.findall(r"^([\w.-]+)==(\S+)", file.read_text(), re.MULTILINE))
    here = {name: _installed(name) for name in wanted}
    other = {
        n: found
        for n, found in here.items()
        if found and found.partition("+")[0] != wanted[n].partition("+")[0]
    }
    for name, found in other.items():
        mend = f"pip install --no-deps {name}=={wanted[name]}"
        yield Finding("versions", "warn", f"{name} is {found}, not {wanted[name]} as tested", mend)
    if not other and not missing:
        yield Finding("versions", "ok", f"all as in constraints/{kind}.txt")


def device(settings: Settings) -> Iterator[Finding]:
    """The GPU, where one is asked for, and one that is here and cannot be used."""
    import faiss
    import torch

    wheels = "the wheels of constraints/gpu.txt (TRIBANK_HARDWARE=gpu scripts/setup): docs/gpu.md"
    wanted = settings.device != "cpu"
    if torch.cuda.is_available():
        free, total = torch.cuda.mem_get_info()
        said = f"{torch.cuda.get_device_name()}, {free / 1e9:.1f} of {total / 1e9:.1f} GB free"
        yield Finding("device", "ok", said + ("" if wanted else "; --device cuda would use it"))
        if not hasattr(faiss, "StandardGpuResources"):
            said = "torch sees the GPU, and this FAISS cannot search on it: faiss-cpu in place of faiss-gpu"
            yield Finding("device", "bad" if wanted else "warn", said, f"Install {wheels}")
    elif settings.device == "cuda":
        mend = f"Install the driver (nvidia-smi must work) and {wheels}"
        yield Finding("device", "bad", "cuda is asked for, and torch finds no GPU", mend)
    elif wanted and _has_driver():
        said = "an NVIDIA driver is here, and torch sees no GPU: the CPU computes"
        yield Finding("device", "warn", said, f"Install {wheels}. To stay with the CPU: --device cpu")
    else:
        yield Finding("device", "ok", "the CPU computes" if _has_driver() else "no GPU; the CPU computes")


def weights(settings: Settings) -> Iterator[Finding]:
    """Every network's weights that are here: whole, and as published."""
    from models.weights.catalogue import WEIGHTS
    from models.weights.store import BadWeights, WeightStore

    store = WeightStore(settings.weights)
    absent = [name for name in WEIGHTS if store.find(name) is None]
    for name in WEIGHTS:
        if name in absent:
            continue
        try:
            stored = store.verify(name)
        except BadWeights as error:
            yield Finding("weights", "bad", str(error), f"Fetch them again: tribank weights fetch {name}")
        else:
            if not stored.checksum:
                said = f"{name}: no checksum, so damage to the file would not be noticed"
                yield Finding(
                    "weights", "warn", said, "Convert it again: tribank weights add FILE, or fetch it"
                )
                continue
            published = {True: "as published", False: "not the published file", None: "none published"}
            said = f"{name}: whole, sha256 {stored.sha256[:12]} ({published[stored.official]})"
            yield Finding("weights", "warn" if stored.official is False else "ok", said)
    if absent:
        said = f"not here, for profiles that need them: {', '.join(absent)}"
        yield Finding("weights", "ok", said)


def banks(settings: Settings) -> Iterator[Finding]:
    """Every product, and every version of it."""
    from banks.versions.store import BadBank, BankStore
    from banks.versions.verification import product_problems

    store = BankStore(settings.banks)
    products = store.products()
    if not products:
        mend = "Build one: tribank build PRODUCT FOLDER --banks DIR"
        yield Finding("banks", "warn", f"{settings.banks} holds no product", mend)
    for product in products:
        problems = product_problems(store, product)
        for problem in problems:
            mend = "Restore it from the backup, activate a version again, or build one."
            yield Finding("banks", "bad", f"{product}: {problem}", mend)
        try:
            active, names = store.current(product), store.versions(product)
        except BadBank:
            continue  # one of the problems
        for name in names:
            yield _version(settings, product, name, active=name == active)


def _version(settings: Settings, product: str, name: str, *, active: bool) -> Finding:
    from banks.versions.files import other_weights
    from banks.versions.manifest import Manifest
    from banks.versions.store import BankStore
    from models.weights.store import BadWeights, MissingWeights, WeightStore
    from recipes.profiles import PROFILES

    store = BankStore(settings.banks)
    what = f"{product} {name}{' (active)' if active else ''}"
    problems = store.verify(product, name)
    if problems:
        mend = "Restore it from the backup, roll back, or build it again."
        return Finding("banks", "bad" if active else "warn", f"{what}: {'; '.join(problems)}", mend)
    manifest = Manifest.read(store.path(product, name))
    here: dict[str, str] = {}
    for network in manifest.weights:
        try:
            here[network] = WeightStore(settings.weights).describe(network).sha256
        except (MissingWeights, BadWeights) as error:
            return Finding("banks", "bad" if active else "warn", f"{what} needs {network}", str(error))
    others = other_weights(manifest.weights, here)
    if others:
        mend = "Bring the weights back, or build it again."
        return Finding("banks", "bad" if active else "warn", f"{what}: {'; '.join(others)}", mend)
    if manifest.probe is None:
        said = f"{what}: whole, but no probe: nothing shows that this machine scores as the one that built it"
        return Finding("banks", "warn", said, "Build it again to have one.")
    if manifest.profile.name not in PROFILES:
        said = f"{what}: whole, but its profile {manifest.profile.name} is not one of this Tribank"
        return Finding(
            "banks", "warn", said, "It is served as its manifest says; a new build needs a profile."
        )
    return Finding("banks", "ok", f"{what}: whole, profile {manifest.profile.name}")


def folders(settings: Settings) -> Iterator[Finding]:
    """Room for, and access to, what the service writes."""
    for name, folder in (("banks", settings.banks), ("state", settings.state)):
        there = next(place for place in (folder, *folder.absolute().parents) if place.exists())
        free = shutil.disk_usage(there).free
        writable = _writable(there)
        said = f"{name} ({folder}): {free / 1e9:.1f} GB free"
        if not writable and name == "state":
            yield Finding(
                "disk", "bad", f"{said}; cannot be written", f"Give this user {there}, or set --state"
            )
        elif not writable:
            yield Finding("disk", "warn", f"{said}; read-only: parts are scored, nothing is built")
        elif free < LITTLE_DISK:
            state: State = "bad" if free < NO_DISK else "warn"
            yield Finding("disk", state, said, "Delete versions that nobody needs, or enlarge the disk.")
        else:
            yield Finding("disk", "ok", f"{said}, can be written")


def port(settings: Settings) -> Iterator[Finding]:
    """Whether the address can be listened on."""
    place = f"{settings.host}:{settings.port}"
    try:
        found = socket.getaddrinfo(settings.host or None, settings.port, type=socket.SOCK_STREAM)
        family, kind, protocol, _, address = found[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        if _is_tribank(settings):
            yield Finding("port", "ok", f"a Tribank answers at {place}")
            return
        mend = "Stop what listens there (ss -ltnp), or choose another: --port, TRIBANK_PORT"
        yield Finding("port", "bad", f"{place}: {error.strerror or error}", mend)
    else:
        yield Finding("port", "ok", f"{place} is free")


def access(settings: Settings) -> Iterator[Finding]:
    """Keys, where others can reach the server."""
    from service.http.access import check_access
    from service.http.keys import BadKeys

    try:
        check_access(settings)
    except BadKeys as error:
        yield Finding("keys", "bad", str(error), "tribank keys add NAME --role manage")
    else:
        yield Finding(
            "keys", "ok", "nobody gets in who should not" if not settings.open_access else "open to all"
        )


def _has_driver() -> bool:
    """Whether NVIDIA's driver works, by its own word."""
    try:
        return subprocess.run(["nvidia-smi", "-L"], capture_output=True, timeout=20).returncode == 0
    except (OSError, subprocess.TimeoutExpired):
        return False


def _loads(library: str) -> bool:
    try:
        ctypes.CDLL(library)
    except OSError:
        return False
    return True


def _installed(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None


def _package(requirement: str) -> str:
    found = re.match(r"[\w.-]+", requirement)
    assert found is not None
    return found.group()


def _writable(folder: Path) -> bool:
    try:
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def _is_tribank(settings: Settings) -> bool:
    host = settings.host if settings.host not in ("", "0.0.0.0", "::") else "127.0.0.1"  # noqa: S104
    try:
        with urlopen(f"http://{host}:{settings.port}/healthz", timeout=2) as answer:
            return answer.read() == b'{"status":"alive"}'
    except (URLError, OSError, ValueError):
        return False
