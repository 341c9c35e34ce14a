"""How many cores this process may use: by its affinity, and by the quota of its container or service."""

from __future__ import annotations

import math
import os
from contextlib import suppress
from pathlib import Path

_GROUPS = Path("/sys/fs/cgroup")
_OWN = Path("/proc/self/cgroup")


def allowed_cores(groups: Path = _GROUPS, own: Path = _OWN) -> int:
    """At least 1. A quota of two and a half cores counts as three.

    groups: where the control groups are mounted, version 1 or 2. own: names the groups of this process.
    """
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return max(1, min([usable, *(math.ceil(quota) for quota in _quotas(groups, own))]))


def _quotas(groups: Path, own: Path) -> list[float]:
    """Cores that each group of this process grants, from its own to the outermost."""
    names = [""]  # inside a container, the outermost group is the container's
    with suppress(OSError):
        names += [line.rpartition(":")[2].strip("/") for line in own.read_text().splitlines()]
    folders = {
        folder
        for name in names
        for start in (groups / name, groups / "cpu" / name)
        for folder in (start, *start.parents)
        if folder.is_relative_to(groups)
    }
    found = []
    for folder in folders:
        with suppress(OSError, ValueError):
            quota, period = (folder / "cpu.max").read_text().split()
            found.append(float(quota) / float(period))  # "max" is no number
        with suppress(OSError, ValueError):
            quota, period = ((folder / f"cpu.cfs_{of}_us").read_text() for of in ("quota", "period"))
            found.append(float(quota) / float(period))
    return [cores for cores in found if cores > 0]  # version 1 says -1 for no quota
