"""What a file is, by its first bytes; its name is never asked."""

from __future__ import annotations

from models.sample import UnsupportedType

_MAGIC: tuple[tuple[bytes, str], ...] = (
    (b"\x89PNG\r\n\x1a\n", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"II*\x00", "TIFF"),
    (b"MM\x00*", "TIFF"),
    (b"II+\x00", "TIFF"),
    (b"MM\x00+", "TIFF"),
    (b"ply\n", "PLY"),
    (b"ply\r\n", "PLY"),
    (b"# .PCD", "PCD"),
    (b"VERSION ", "PCD"),
    (b"\x93NUMPY", "NPY"),
    (b"PK\x03\x04", "NPZ"),
    # Known only to be named in the refusal.
    (b"GIF8", "GIF"),
    (b"BM", "BMP"),
    (b"RIFF", "WebP"),
    (b"%PDF", "PDF"),
    (b"8BPS", "Photoshop"),
    (b"SIMPLE", "FITS"),
    (b"\x1f\x8b", "gzip"),
)


def kind_of(data: bytes) -> str | None:
    """The kind of file `data` begins as, such as "PNG", or None if unknown."""
    return next((kind for magic, kind in _MAGIC if data.startswith(magic)), None)


def refusal(data: bytes, accepted: tuple[str, ...], noun: str) -> UnsupportedType:
    """What to raise for bytes of a kind that is not accepted here."""
    kind = kind_of(data)
    seen = f"a {kind} file" if kind else "of no kind known here"
    return UnsupportedType(
        "unsupported_type",
        f"The {noun} is {seen}; accepted are {', '.join(accepted)}. The content counts, not the file's name.",
    )
