"""Names of files: as people read them, as keys that pair files, in the order of people."""

from __future__ import annotations

import re
import unicodedata
from pathlib import Path, PurePath


def printable(name: str | Path) -> str:
    r"""A file's name for JSON, tables and logs.

    Bytes that are not UTF-8 (from an old share or a Windows zip) are escaped, as in "Geh\xe4use". Accents are
    in the form NFC.
    """
    text = str(name).encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    return unicodedata.normalize("NFC", text)


def name_key(name: str) -> str:
    """A key that is equal for names that differ only in case or in the Unicode form of their accents."""
    return unicodedata.normalize("NFC", printable(name).casefold())


def pair_key(stem: str) -> str:
    """`name_key` without leading zeros of numbers: "1" and "001" have the same key."""
    return re.sub(r"(?<!\d)0+(?=\d)", "", name_key(stem))


def word_key(name: str) -> str:
    """`name_key` without spaces, "-" and "_": "Ground Truth" and "ground_truth" have the same key."""
    return re.sub(r"[ _-]", "", name_key(name))


def stem_of(name: str) -> str:
    """A file's printable name without its ending. "000.ome.tiff" (OME-TIFF) has the stem "000"."""
    stem = printable(PurePath(name).stem)
    return stem.removesuffix(stem[-4:]) if stem.lower().endswith(".ome") and len(stem) > 4 else stem


def natural(name: str) -> tuple[tuple[tuple[int, int | str], ...], str]:
    """Sort key that puts "2" before "10". "01" and "1" differ only in zeros: their characters decide."""
    pieces = re.findall(r"\d+|\D+", name)
    return tuple((0, int(piece)) if piece.isdecimal() else (1, piece) for piece in pieces), name
