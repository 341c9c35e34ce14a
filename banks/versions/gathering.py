"""Good parts become features, one split after the other. Each recording counts once."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from banks.feature_store import FeatureStore
from banks.pipeline import Pipeline
from banks.versions.good_parts import GoodParts
from banks.versions.progress import Progress
from models.contents import Contents, contents_of
from models.readers.folder_layout import Split
from models.readers.product_folder import PartFile
from models.sample import BadSample
from recipes.sensor import Sensor

STAGES: Mapping[Split, str] = {"train": "training parts", "validation": "validation parts"}
"""The progress stage of each split."""
_MOST_SKIPPED = 0.1  # a folder with more unusable parts than this is a mistake, not bad luck


class BuildError(ValueError):
    """The good parts cannot make a bank; the message says what to do."""


@dataclass
class Gathering:
    """Gathers the good parts of one version.

    folder: where the features go. kept: where the parts of an extended version lie. sensor: what is declared
    about the files. dropped: names of kept parts that a person called no good parts.
    """

    pipeline: Pipeline
    sensor: Sensor
    folder: Path
    kept: Path | None
    progress: Progress
    dropped: Collection[str] = ()
    _originals: dict[Contents, str] = field(default_factory=dict)

    def split(self, split: Split, parts: Sequence[PartFile]) -> GoodParts:
        """The parts of a split: first the kept parts of an extended version, then the new parts.

        Only new parts are extracted. A copy of an earlier part, of this split or another, is left out: a copy
        adds nothing to a bank, and a part whose copy is in the bank is not held out. Raises BuildError where
        too many parts cannot be used, or all have the same image.
        """
        place = self.folder / split
        kept = self.kept
        found = GoodParts(FeatureStore(place))
        if kept is not None:
            found = GoodParts.copied(kept / split, place, self.dropped)
        self._originals |= zip(found.contents, found.names, strict=True)
        stage = STAGES[split]
        for number, part in enumerate(parts, start=1):
            try:
                self._add(part, found)
            except BadSample as error:
                found.skipped[part.name] = str(error)
            self.progress(stage, number, len(parts))
        if len(found.skipped) > max(1, _MOST_SKIPPED * len(parts)):
            name, reason = next(iter(found.skipped.items()))
            raise BuildError(f"{len(found.skipped)} of {len(parts)} {stage} cannot be used. {name}: {reason}")
        images = {contents.rgb for contents in found.contents}
        if len(found) > 1 and len(images) == 1 and "" not in images:
            raise BuildError(
                f"The image of all {len(found)} {stage} is the same, but their clouds differ. Was the camera "
                "frozen? Record each part anew."
            )
        return found

    def _add(self, part: PartFile, found: GoodParts) -> None:
        """Raises BadSample."""
        sample = part.read(self.sensor)
        contents = contents_of(sample)
        if any(contents) and contents in self._originals:
            found.copies[part.name] = self._originals[contents]
            return
        prepared, features, _ = self.pipeline(sample)
        found.add(part.name, sample, contents, features, prepared)
        self._originals[contents] = found.names[-1]
