"""The checks of `tribank doctor`: each check says what is wrong on this machine and how to fix it.

A check never raises: an error in a check is a finding too. Each check imports heavy libraries itself, so that
a library that does not load becomes a finding.
"""

from __future__ import annotations

import ctypes
import re
import shutil
import socket
import ssl
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
from service.disk_faults import RecordsError
from service.settings import MIB, Settings, database_uri

State = Literal["ok", "warn", "bad"]
SYSTEM_LIBRARIES = {
    "libusb-1.0.so.0": "libusb-1.0-0",
    "libGL.so.1": "libgl1",
    "libEGL.so.1": "libegl1",
    "libX11.so.6": "libx11-6",
    "libgomp.so.1": "libgomp1",
}
"""Libraries that Open3D needs and its wheel lacks, with their packages in Debian and Ubuntu."""
CONSTRAINTS = Path(__file__).parents[1] / "constraints"
LITTLE_DISK = 2048 * MIB
NO_DISK = 200 * MIB


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report.

    Attributes:
        check: name of the check.
        state: "ok"; "warn": Tribank works, but look at this; "bad": Tribank will not work.
        message: what the check found.
        fix: what to do; "" if nothing.
    """

    check: str
    state: State
    message: str
    fix: str = ""


def examine(settings: Settings) -> Iterator[Finding]:
    """Run all checks for a server with these settings."""
    checks: tuple[Callable[[Settings], Iterator[Finding]], ...] = (
        system_libraries,
        libraries,
        versions,
        device,
        weights,
        banks,
        folders,
        database,
        port,
        access,
    )
    for check in checks:
        name = check.__name__.replace("_", " ")
        try:
            yield from check(settings)
        except Exception as error:
            yield Finding(
                name,
                "bad",
                f"{type(error).__name__}: {error}",
                "This check crashed. Please report the error.",
            )


def system_libraries(settings: Settings) -> Iterator[Finding]:
    """Check the shared libraries of the system."""
    missing = [package for library, package in SYSTEM_LIBRARIES.items() if not _loads(library)]
    if missing:
        packages = " ".join(missing)
        message = f"Open3D needs system packages that are not installed: {packages}"
        yield Finding("system libraries", "bad", message, f"sudo apt-get install {packages}")
    else:
        yield Finding("system libraries", "ok", "all that Open3D needs are installed")


def libraries(settings: Settings) -> Iterator[Finding]:
    """Check that the libraries can be imported, and report the numeric settings."""
    from models.torchvision_schemas import declare_torchvision_schemas

    declared = declare_torchvision_schemas()
    for name in ("torch", "torchvision", "timm", "faiss", "sklearn", "llvmlite", "open3d"):
        try:
            __import__(name)
        except Exception as error:
            fix = "Install the pinned versions again: scripts/setup, or pip install -c constraints/cpu.txt"
            yield Finding(name, "bad", f"cannot be imported: {error}", fix)
    if declared:
        message = "its compiled part does not load with this torch; Tribank does not need it"
        yield Finding("torchvision", "ok", message)
    numerics = decided()
    kernel = numerics.blas_kernel or "FAISS's default"
    message = (
        f"convolutional networks by {numerics.networks}, BLAS kernel {kernel}, {numerics.threads} threads, "
        f"OpenMP wait policy {numerics.wait_policy}"
    )
    yield Finding("numerics", "ok", message)


def versions(settings: Settings) -> Iterator[Finding]:
    """Compare installed versions with the constraints, and find missing packages."""
    needed = {_package(line) for line in requires("tribank") or () if "extra ==" not in line}
    missing = sorted(name for name in needed if _installed(name) is None)
    if missing:
        fix = f"pip install -c constraints/cpu.txt {' '.join(missing)}"
        yield Finding("versions", "bad", f"not installed: {', '.join(missing)}", fix)
    kind = "gpu" if _installed("faiss-gpu") else "cpu"
    file = CONSTRAINTS / f"{kind}.txt"
    if not file.is_file():
        yield Finding(
            "versions", "ok", "this installation has no constraints file, so versions were not compared"
        )
        return
    tested = dict(re.findall(r"^([\w.-]+)==(\S+)", file.read_text(), re.MULTILINE))
    installed = {name: _installed(name) for name in tested}
    different = {
        name: number
        for name, number in installed.items()
        if number and number.partition("+")[0] != tested[name].partition("+")[0]
    }
    for name, number in different.items():
        fix = f"pip install --no-deps {name}=={tested[name]}"
        yield Finding("versions", "warn", f"{name} is {number}; tested with {tested[name]}", fix)
    if not different and not missing:
        yield Finding("versions", "ok", f"all as in constraints/{kind}.txt")


def device(settings: Settings) -> Iterator[Finding]:
    """Check that a requested GPU works, and find a GPU that cannot be used."""
    import faiss
    import torch

    wheels = "the wheels of constraints/gpu.txt (TRIBANK_HARDWARE=gpu scripts/setup): docs/gpu.md"
    gpu_allowed = settings.device != "cpu"
    if torch.cuda.is_available():
        free, total = torch.cuda.mem_get_info()
        message = f"{torch.cuda.get_device_name()}, {free / 1e9:.1f} of {total / 1e9:.1f} GB free"
        yield Finding("device", "ok", message + ("" if gpu_allowed else "; not used (--device cpu)"))
        if not hasattr(faiss, "StandardGpuResources"):
            message = "torch can use the GPU, but FAISS cannot: faiss-cpu is installed instead of faiss-gpu"
            yield Finding("device", "bad" if gpu_allowed else "warn", message, f"Install {wheels}")
    elif settings.device == "cuda":
        fix = f"Install the driver (nvidia-smi must work) and {wheels}"
        yield Finding("device", "bad", "--device cuda needs a GPU, but torch sees no GPU", fix)
    elif gpu_allowed and _has_driver():
        message = "an NVIDIA driver is installed, but torch sees no GPU, so the CPU is used"
        yield Finding("device", "warn", message, f"Install {wheels}. To use the CPU: --device cpu")
    else:
        yield Finding("device", "ok", "CPU" if _has_driver() else "CPU; this machine has no GPU")


def weights(settings: Settings) -> Iterator[Finding]:
    """Check that installed weights are complete and the published files."""
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
            yield Finding("weights", "bad", str(error), f"Download them again: tribank weights fetch {name}")
        else:
            if not stored.checksum:
                message = f"{name}: no checksum, so damage to the file would not be detected"
                fix = "Convert the official file again with tribank weights add FILE, or use weights fetch"
                yield Finding("weights", "warn", message, fix)
                continue
            published = {True: "as published", False: "not the published file", None: "no sha256 published"}
            message = f"{name}: complete, sha256 {stored.sha256[:12]} ({published[stored.official]})"
            yield Finding("weights", "warn" if stored.official is False else "ok", message)
    if absent:
        message = f"not installed (needed only by some profiles): {', '.join(absent)}"
        yield Finding("weights", "ok", message)


def banks(settings: Settings) -> Iterator[Finding]:
    """Check every product and each of its versions."""
    from banks.versions.store import BadBank, BankStore
    from banks.versions.verification import product_problems

    store = BankStore(settings.banks)
    products = store.products()
    if not products:
        fix = "Build a product: tribank build PRODUCT FOLDER --banks DIR"
        yield Finding("banks", "warn", f"{settings.banks} has no product", fix)
    for product in products:
        problems = product_problems(store, product)
        for problem in problems:
            fix = "Restore the product from the backup, activate a version again, or build a new version."
            yield Finding("banks", "bad", f"{product}: {problem}", fix)
        try:
            active, names = store.current(product), store.versions(product)
        except BadBank:
            continue  # already reported as a problem
        for name in names:
            yield _version(settings, product, name, active=name == active)


def _version(settings: Settings, product: str, name: str, *, active: bool) -> Finding:
    from banks.versions.files import other_weights
    from banks.versions.manifest import Manifest
    from banks.versions.store import BankStore
    from models.weights.store import BadWeights, MissingWeights, WeightStore
    from recipes.profiles import PROFILES

    store = BankStore(settings.banks)
    version_name = f"{product} {name}{' (active)' if active else ''}"
    failed: State = "bad" if active else "warn"
    problems = store.verify(product, name)
    if problems:
        fix = "Restore the version from the backup, roll back, or build it again."
        return Finding("banks", failed, f"{version_name}: {'; '.join(problems)}", fix)
    manifest = Manifest.read(store.path(product, name))
    installed: dict[str, str] = {}
    for network in manifest.weights:
        try:
            installed[network] = WeightStore(settings.weights).describe(network).sha256
        except (MissingWeights, BadWeights) as error:
            return Finding("banks", failed, f"{version_name} needs the weights {network}", str(error))
    others = other_weights(manifest.weights, installed)
    if others:
        fix = "Restore the weights, or build the version again."
        return Finding("banks", failed, f"{version_name}: {'; '.join(others)}", fix)
    if manifest.probe is None:
        message = (
            f"{version_name}: complete, but without a probe, so its scores cannot be checked on this machine"
        )
        return Finding("banks", "warn", message, "Build the version again: a new version has a probe.")
    if manifest.profile.name not in PROFILES:
        message = f"{version_name}: complete, but this Tribank has no profile {manifest.profile.name}"
        fix = (
            "The version is served with the profile in its manifest. For a new build, choose another profile."
        )
        return Finding("banks", "warn", message, fix)
    return Finding("banks", "ok", f"{version_name}: complete, profile {manifest.profile.name}")


def folders(settings: Settings) -> Iterator[Finding]:
    """Check free space and write access of the folders that the server writes."""
    places = {"banks": settings.banks, "state": settings.state}
    for name, folder in (places | ({"cache": settings.cache} if settings.cache else {})).items():
        existing = next(place for place in (folder, *folder.absolute().parents) if place.exists())
        free = shutil.disk_usage(existing).free
        writable = _writable(existing)
        message = f"{name} ({folder}): {free / 1e9:.1f} GB free"
        if not writable and name == "state":
            fix = f"Give this user write access to {existing}, or choose another folder with --state"
            yield Finding("disk", "bad", f"{message}; not writable", fix)
        elif not writable:
            lost = {"banks": "parts can be scored but banks not built", "cache": "no version is copied there"}
            yield Finding("disk", "warn", f"{message}; read-only, so {lost[name]}")
        elif free < LITTLE_DISK:
            state: State = "bad" if free < NO_DISK else "warn"
            yield Finding("disk", state, message, "Delete unused versions, or enlarge the disk.")
        else:
            yield Finding("disk", "ok", f"{message}, writable")


def port(settings: Settings) -> Iterator[Finding]:
    """Check that the server can listen on its address."""
    place = f"{settings.host}:{settings.port}"
    try:
        addresses = socket.getaddrinfo(settings.host or None, settings.port, type=socket.SOCK_STREAM)
        family, kind, protocol, _, address = addresses[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
    except OSError as error:
        if _is_tribank(settings):
            yield Finding("port", "ok", f"a Tribank server already runs at {place}")
            return
        fix = "Stop the program that uses the port (ss -ltnp), or choose another: --port or TRIBANK_PORT"
        yield Finding("port", "bad", f"{place}: {error.strerror or error}", fix)
    else:
        yield Finding("port", "ok", f"{place} is free")


def access(settings: Settings) -> Iterator[Finding]:
    """Check that the server has API keys if other computers can reach it."""
    from service.http.access import check_access
    from service.http.keys import BadKeys, Keys

    try:
        check_access(settings)
    except BadKeys as error:
        yield Finding("keys", "bad", str(error), "tribank keys add NAME --role manage")
    else:
        count = len(Keys(settings.state).all())
        yield Finding("keys", "ok", _access_message(settings, count))


def database(settings: Settings) -> Iterator[Finding]:
    """Check that the database of PostgreSQL answers, if the records are kept in one."""
    uri = database_uri(settings)
    if uri is None:
        return
    try:
        from service.records.postgres import server_version

        yield Finding("database", "ok", f"PostgreSQL {server_version(uri)} keeps the records")
    except ImportError:
        fix = "Install the driver: pip install 'tribank[postgresql]'"
        yield Finding("database", "bad", "TRIBANK_DATABASE needs psycopg", fix)
    except RecordsError as error:
        fix = "Start PostgreSQL, or correct TRIBANK_DATABASE. Parts are scored meanwhile, without a record"
        yield Finding("database", "bad", str(error), fix)


def _access_message(settings: Settings, keys: int) -> str:
    """Who can use the server, in one phrase."""
    if settings.open_access:
        return "no key is needed (TRIBANK_OPEN_ACCESS)"
    return f"{keys} API keys" if keys else "no API key, so only this computer is served"


def _has_driver() -> bool:
    """Whether nvidia-smi works."""
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
    """Name of the package in a requirement such as "numpy>=2"."""
    name = re.match(r"[\w.-]+", requirement)
    assert name is not None
    return name.group()


def _writable(folder: Path) -> bool:
    try:
        with tempfile.TemporaryFile(dir=folder):
            return True
    except OSError:
        return False


def _is_tribank(settings: Settings) -> bool:
    host = settings.host if settings.host not in ("", "0.0.0.0", "::") else "127.0.0.1"  # noqa: S104
    try:
        scheme, context = "http", None
        if settings.tls_cert is not None:  # the certificate is for the server's name, not for this address
            scheme, context = "https", ssl._create_unverified_context()  # noqa: S323 - nothing is sent
        url = f"{scheme}://{host}:{settings.port}/healthz"
        with urlopen(url, timeout=2, context=context) as answer:  # noqa: S310 - one of two schemes
            return answer.read() == b'{"status":"alive"}'
    except (URLError, OSError, ValueError):
        return False
