"""Settings that are lists: words, and a number for each product."""

from __future__ import annotations

import math
import re
from urllib.parse import urlsplit

_ADDRESS = re.compile(r"https?://[\w.-]+(:\d+)?(/[\w./-]*)?\Z", re.ASCII)


def words(text: str) -> list[str]:
    """The parts of a setting that are separated by commas or blanks."""
    return text.replace(",", " ").split()


def origins(text: str) -> tuple[str, ...]:
    """Origins of web pages, sorted. Raises ValueError."""
    found = sorted(set(words(text)))
    for origin in found:
        parts = urlsplit(origin)
        if parts.scheme not in ("http", "https") or f"{parts.scheme}://{parts.netloc}" != origin:
            raise ValueError(f"{origin} is no origin. Write it as https://mes.example")
    return tuple(found)


def servers(text: str) -> dict[str, str]:
    """The address of each server by its name, as in line-1=https://line1:8000; it ends with a slash.

    The address becomes part of a header, so only plain hosts and paths are taken. Raises ValueError.
    """
    found: dict[str, str] = {}
    for word in words(text):
        name, _, address = word.partition("=")
        if not name or name in found or not _ADDRESS.match(address):
            raise ValueError(f"{word} is no server of its own name. Write it as line-1=https://line1:8000")
        found[name] = address.rstrip("/") + "/"
    return found


def seconds_by_product(text: str) -> dict[str, float]:
    """Seconds of each product, as in cookie:2.5,tile:1. Raises ValueError."""
    found: dict[str, float] = {}
    for word in words(text):
        product, _, seconds = word.partition(":")
        try:
            found[product] = float(seconds)
        except ValueError:
            found[product] = 0.0
        if not product or not 0 < found[product] < math.inf:
            raise ValueError(f"{word} is no takt. Write it as cookie:2.5")
    return found


def copies_by_product(text: str) -> dict[str, int]:
    """The number of scorers of each product, as in cookie:3,*:2 (* is every other one). Raises ValueError."""
    found: dict[str, int] = {}
    for word in words(text):
        product, _, copies = word.partition(":")
        if not product or not copies.isdecimal() or int(copies) < 1:
            raise ValueError(f"{word} is no number of scorers. Write it as cookie:2")
        found[product] = int(copies)
    return found


LISTS = {"takts": seconds_by_product, "copies": copies_by_product, "origins": origins, "servers": servers}
"""What reads the settings that are lists."""
