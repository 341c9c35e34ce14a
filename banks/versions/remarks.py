"""What a person should know about the good parts of a version, in sentences."""

from __future__ import annotations

from collections.abc import Sequence

from banks.versions.good_parts import GoodParts

_NAMED = 5
"""Parts that a sentence names."""


def remarks(splits: Sequence[GoodParts]) -> tuple[str, ...]:
    """The sentences about all good parts; none where nothing is odd."""
    dark = [name for split in splits for name in split.dark]
    clouds = {contents.xyz for split in splits for contents in split.contents}
    found: list[str] = []
    if dark:
        found.append(
            f"The image of {len(dark)} good parts is nearly black: {named(dark)}. Check the exposure. If the "
            "camera writes fewer than 16 bits into 16-bit files, declare image_bits."
        )
    if len(clouds) == 1 and "" not in clouds:
        found.append(
            "The cloud of all good parts is the same, so it tells nothing about a part. Was the camera "
            "frozen?"
        )
    return tuple(found)


def named(parts: Sequence[str]) -> str:
    """The names of a few parts, for a sentence."""
    return ", ".join(parts[:_NAMED]) + (" and others" if len(parts) > _NAMED else "")
