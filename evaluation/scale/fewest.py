"""The fewest devices that answer in time."""

from __future__ import annotations

import math
from collections.abc import Callable

from evaluation.scale.fleet import Fleet
from evaluation.scale.load import Load
from evaluation.scale.outcome import Outcome
from evaluation.scale.service_times import ServiceTimes

MISSED = 0.01
"""The share of parts that may be refused or late: p99 is within the takt."""
_MOST = 4096


class TooFewDevices(ValueError):
    """No number of devices is enough. The message says what to change."""


def least(load: Load, fleet: Fleet, times: ServiceTimes) -> int:
    """Devices that can keep up with the load in the long run, however long parts wait; as many as the fleet
    has, or more."""
    offered = load.parts_per_s * times.mean_s / fleet.at_once
    return max(fleet.devices, math.ceil(offered))


def fewest(start: int, simulated: Callable[[int], Outcome]) -> int:
    """The fewest devices for which at least 99 % of the parts are answered within the takt.

    start: devices that are needed in any case. simulated: the outcome with so many devices. Raises
    TooFewDevices.
    """
    few, enough = start - 1, start
    while simulated(enough).missed_share > MISSED:
        few, enough = enough, 2 * enough
        if enough > _MOST:
            raise TooFewDevices(
                f"Not even {few} devices answer 99 % of the parts within the takt. Give them more places, "
                "memory or copies, or set a longer takt."
            )
    while enough - few > 1:
        middle = (few + enough) // 2
        if simulated(middle).missed_share > MISSED:
            few = middle
        else:
            enough = middle
    return enough
