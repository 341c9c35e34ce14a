"""The kind of a file, from its first bytes. The file's name is never used."""

from __future__ import annotations

from models.sample import UnsupportedType

_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"II*\x00", "TIFF"),
    (b"MM\x00*", "TIFF"),
    (b"II+\x00", "TIFF"),
    (b"MM\x00+", "TIFF"),
    (b"\x93NUMPY", "NPY"),
    (b"PK\x03\x04", "NPZ"),
    (b"BM", "BMP"),
    # Not accepted; listed so that the error message can name the kind.
    (b"GIF8", "GIF"),
    (b"RIFF", "WebP"),
    (b"%PDF", "PDF"),
    (b"8BPS", "Photoshop"),
    (b"SIMPLE", "FITS"),
    (b"\x1f\x8b", "gzip"),
)

_BOM = b"\xef\xbb\xbf"
"""What editors of Windows write before a text."""
_PCD_WORDS = frozenset(
    (b"VERSION", b"FIELDS", b"COLUMNS", b"SIZE", b"TYPE", b"COUNT", b"WIDTH", b"HEIGHT", b"POINTS")
)
_TEXT_BYTES = 4096
"""Comments before the first word of a PCD file that are looked over, bytes."""
_PNG_BITS = 24
"""Where a PNG says its bits for each value, bytes."""


def kind_of(data: bytes) -> str | None:
    """The kind of file `data` begins as, such as "PNG", or None if unknown."""
    return next((kind for magic, kind in _MAGIC if data.startswith(magic)), None) or _kind_of_text(data)


def _kind_of_text(data: bytes) -> str | None:
    """PLY or PCD for a text that begins as their headers do. Comments may come before PCD's first word."""
    lines = [line.strip() for line in data[:_TEXT_BYTES].removeprefix(_BOM).split(b"\n")]
    if lines[0] == b"ply":
        return "PLY"
    first = next((line for line in lines if line and not line.startswith(b"#")), b" ")
    is_pcd = lines[0].startswith(b"# .PCD") or first.partition(b" ")[0] in _PCD_WORDS
    return "PCD" if is_pcd else None


def may_have_16_bits(head: bytes) -> bool:
    """Whether an image that begins with these 32 bytes may have 16 bits for each value."""
    kind = kind_of(head)
    return kind == "TIFF" or (kind == "PNG" and head[_PNG_BITS : _PNG_BITS + 1] == b"\x10")


def refusal(data: bytes, accepted: tuple[str, ...], noun: str) -> UnsupportedType:
    """The error for bytes of a kind that is not accepted."""
    kind = kind_of(data)
    fault = f"is a {kind} file" if kind else "has an unknown format"
    kinds = " or ".join(filter(None, (", ".join(accepted[:-1]), accepted[-1])))
    return UnsupportedType(
        "unsupported_type",
        f"The {noun} {fault} (its content is checked, not its name). Send {kinds}.",
    )
