"""What a person should know about the good parts of a version, in sentences."""

from __future__ import annotations

from collections.abc import Sequence

from banks.decision.calibration import Calibration
from banks.versions.good_parts import GoodParts
from models.preparation.axes import OTHER_AXES
from models.preparation.far_value import WAY_OUT

_NAMED = 5
"""Parts that a sentence names."""


def remarks(splits: Sequence[GoodParts], calibration: Calibration) -> tuple[str, ...]:
    """The sentences about all good parts; none where there is nothing to tell."""
    dark = [name for split in splits for name in split.dark]
    clouds = {contents.xyz for split in splits for contents in split.contents}
    found: list[str] = []
    if dark:
        found.append(
            f"The image of {len(dark)} good parts is nearly black: {named(dark)}. Check the exposure. If the "
            "camera writes fewer than 16 bits into 16-bit files, declare image_bits."
        )
    if far := {name: z for split in splits for name, z in split.far.items()}:
        found.append(
            f"Many points of {len(far)} good parts ({named(list(far))}) have exactly the z "
            f"{next(iter(far.values()))}, {WAY_OUT}"
        )
    if sideways := [name for split in splits for name in split.sideways]:
        found.append(f"In {len(sideways)} good parts ({named(sideways)}) {OTHER_AXES}")
    if len(clouds) == 1 and "" not in clouds:
        found.append(
            "The cloud of all good parts is the same, so it tells nothing about a part. Was the camera "
            "frozen?"
        )
    if calibration.odd:
        found.append(about_odd(calibration))
    return tuple(found)


def about_odd(calibration: Calibration) -> str:
    """A sentence on the parts that score far outside the others. There must be one."""
    parts = [f"{part.name} ({part.score:.3g})" for part in calibration.odd]
    them, they = ("it", "It does") if len(parts) == 1 else ("them", "They do")
    return (
        f"{len(parts)} of {calibration.count + len(parts)} held-out good parts score far outside the others: "
        f"look at {named(parts)}. All others score {calibration.scores[-1]:.3g} at most. {they} not set the "
        f"threshold. If they are good, count {them} again: tribank banks odd PRODUCT --good NAME. If not, "
        f"take {them} out of the folder, build again, and drop {them} until then: --drop NAME."
    )


def named(parts: Sequence[str]) -> str:
    """The names of a few parts, for a sentence."""
    return ", ".join(parts[:_NAMED]) + (" and others" if len(parts) > _NAMED else "")
