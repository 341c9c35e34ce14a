"""Code, libraries and machine of a result, which are recorded with the result."""

from __future__ import annotations

import os
import platform
import resource
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from banks.versions.manifest import library_versions
from models.numerics.process import decided

_ROOT = Path(__file__).parents[2]


def environment(device: str) -> dict[str, Any]:
    """Code, libraries and machine, as JSON types.

    commit: None outside a git checkout; it ends with "+changed" if files differ from the commit.
    memory_gb: of the machine.
    """
    import torch

    facts: dict[str, Any] = {
        "commit": commit(),
        "libraries": library_versions(),
        "system": platform.platform(),
        "processor": processor(),
        "cores": os.cpu_count(),
        "threads": decided().threads,
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1),
        "device": device,
    }
    if torch.device(device).type == "cuda":
        facts["gpu"] = torch.cuda.get_device_name(device)
    return facts


def in_words(facts: Mapping[str, Any]) -> str:
    """The environment in one line, for the foot of a table."""
    versions = facts["libraries"]
    libraries = ", ".join(f"{name} {versions[name]}" for name in ("python", "torch") if name in versions)
    where = facts.get("gpu", facts["processor"])
    return (
        f"commit {facts['commit'] or 'unknown'}; {libraries}; {where}, {facts['cores']} cores, "
        f"{facts['threads']} threads, {facts['memory_gb']} GB"
    )


def commit() -> str | None:
    """The short git commit of this code, as in `environment`."""
    head = _git("rev-parse", "--short=12", "HEAD")
    return head and head + ("+changed" if _git("status", "--porcelain", "--untracked-files=no") else "")


def peak_memory_mb() -> float:
    """Largest resident memory of this process since its start, MB."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(peak / (1e6 if sys.platform == "darwin" else 1e3), 1)


def processor() -> str:
    """The processor's name."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next(
        (line.partition(":")[2].strip() for line in lines if "model name" in line), platform.machine()
    )


def _git(*arguments: str) -> str | None:
    """Output of a git command about this checkout; None outside a checkout or if the command fails."""
    if not (_ROOT / ".git").exists():
        return None
    try:
        done = subprocess.run(
            ["git", "-C", str(_ROOT), *arguments], capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.strip()
