"""What scores the parts: how many devices, what each of them holds and does, and which of them die."""

from __future__ import annotations

from dataclasses import dataclass


class BadFleet(ValueError):
    """The fleet cannot be. The message says which number is wrong."""


@dataclass(frozen=True, slots=True)
class Fleet:
    """Devices that are alike, each with one scorer.

    Attributes:
        devices: number of devices.
        at_once: parts that a device scores side by side.
        places: parts that a device takes at most, those that wait and those that it scores. A part that
            finds no place is refused.
        memory_mb: memory of a device for banks, MB.
        load_s: seconds until a product that a device lacks is loaded.
        copies: devices that hold a product, where memory allows.
        dead: number of devices that die.
        dead_at_s: when they die, seconds since the start.
        restart_s: seconds until a dead device scores again, with empty memory.
    """

    devices: int
    at_once: int = 1
    places: int = 16
    memory_mb: float = 4096.0
    load_s: float = 1.0
    copies: int = 1
    dead: int = 0
    dead_at_s: float = 60.0
    restart_s: float = 10.0

    def __post_init__(self) -> None:
        """Raises BadFleet."""
        for name in ("devices", "at_once", "places", "memory_mb", "copies"):
            if not getattr(self, name) > 0:
                raise BadFleet(f"{name} is {getattr(self, name)}, but must be more than 0.")
        for name in ("load_s", "dead", "dead_at_s", "restart_s"):
            if not getattr(self, name) >= 0:
                raise BadFleet(f"{name} is {getattr(self, name)}, but must not be less than 0.")
        for name in ("copies", "dead"):
            if getattr(self, name) > self.devices:
                raise BadFleet(f"{name} is {getattr(self, name)}, but there are only {self.devices} devices.")
