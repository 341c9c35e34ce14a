"""Write constraints/cpu.lock, gpu.lock and cluster.lock: the images' packages with the hashes of their files.

    .venv/bin/python scripts/lock_packages.py [cpu|gpu|cluster]

An image installs exactly what its lock lists (`pip install --no-deps --require-hashes`). pip chooses the
versions by constraints/cpu.txt and constraints/gpu.txt. Packages that only a desktop needs are left out. Run
this after a version or a dependency has changed, on Linux with Python 3.11, as in the images. For the GPU pip
downloads about 3 GB. cluster.lock has what the extra `cluster` needs beside either of the other two, so it is
written after them.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
DESKTOP = {"configargparse", "dash", "flask", "ipywidgets", "nbformat", "werkzeug"}
"""What Open3D asks for, and only its viewer imports."""
OWN_INDEX = {"cpu": {"torch", "torchvision"}, "gpu": set[str]()}
"""CPU builds of these come from PyTorch's own index. scripts/setup installs them first, by version."""
HEADER = """\
# {what}: CPython 3.11, Linux, x86_64.
# Written by scripts/lock_packages.py. Do not edit.
"""


@dataclass(frozen=True, slots=True)
class Package:
    """A package that pip chose. sha256: of its wheel. needs: names of the packages that it needs."""

    name: str
    version: str
    sha256: str
    needs: frozenset[str]

    @classmethod
    def of(cls, reported: dict[str, Any]) -> Package:
        metadata = reported["metadata"]
        asked = map(Requirement, metadata.get("requires_dist", ()))
        extras = ("", *reported.get("requested_extras", ()))
        return cls(
            canonicalize_name(metadata["name"]),
            metadata["version"],
            reported["download_info"]["archive_info"]["hashes"]["sha256"],
            frozenset(
                canonicalize_name(one.name)
                for one in asked
                if one.marker is None or any(one.marker.evaluate({"extra": extra}) for extra in extras)
            ),
        )

    @property
    def lines(self) -> str:
        return f"{self.name}=={self.version} \\\n    --hash=sha256:{self.sha256}\n"


def lock_hardware(hardware: str) -> None:
    """Write the lock of an image, cpu or gpu."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    wanted = [*project["dependencies"], *extras[hardware], "setuptools"]
    wanted += [*extras["telemetry"], *extras["postgresql"], *extras["object-store"]]
    chosen = choose(wanted, hardware)
    names = needed({canonicalize_name(Requirement(text).name) for text in wanted}, chosen)
    write(
        hardware, f"Packages of the {hardware} image", [chosen[name] for name in names - OWN_INDEX[hardware]]
    )


def lock_cluster() -> None:
    """Write the lock of the extra `cluster`: what it needs and an image, cpu or gpu, does not have."""
    wanted = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"][
        "cluster"
    ]
    chosen = choose(wanted, "cpu")
    names = needed({canonicalize_name(Requirement(text).name) for text in wanted}, chosen)
    listed = [
        set(re.findall(r"^(\S+)==(\S+) ", (ROOT / "constraints" / f"{hardware}.lock").read_text(), re.M))
        for hardware in ("cpu", "gpu")
    ]
    missing = [
        chosen[name] for name in names if (name, chosen[name].version) not in set.intersection(*listed)
    ]
    write("cluster", "What a cluster needs beside the packages of an image", missing)


def write(name: str, what: str, packages: list[Package]) -> None:
    """Write a lock, the packages by name."""
    lock = ROOT / "constraints" / f"{name}.lock"
    lines = [package.lines for package in sorted(packages, key=lambda package: package.name)]
    lock.write_text(HEADER.format(what=what) + "".join(lines))
    print(f"{lock.relative_to(ROOT)}: {len(lines)} packages")


def choose(wanted: list[str], hardware: str) -> dict[str, Package]:
    """What pip would install for these requirements, by name."""
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--dry-run", "--ignore-installed"]
    pip += ["--only-binary=:all:", "--report=-", "-c", str(ROOT / "constraints" / f"{hardware}.txt")]
    report = subprocess.run([*pip, *wanted], check=True, stdout=subprocess.PIPE).stdout
    packages = map(Package.of, json.loads(report)["install"])
    return {package.name: package for package in packages}


def needed(names: set[str], chosen: dict[str, Package]) -> set[str]:
    """These packages and all that they need, without what only a desktop needs."""
    found: set[str] = set()
    waiting = set(names)
    while waiting:
        found |= waiting
        waiting = set().union(*(chosen[name].needs for name in waiting)) - found - DESKTOP
    return found


if __name__ == "__main__":
    for each in sys.argv[1:] or ("cpu", "gpu", "cluster"):
        lock_cluster() if each == "cluster" else lock_hardware(each)
