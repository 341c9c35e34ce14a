"""Good parts become features, one split after the other. Each recording counts once."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TypeAlias

from banks.feature_store import FeatureStore
from banks.pipeline import Pipeline
from banks.versions.good_parts import GoodParts, contents_in
from banks.versions.progress import Progress
from models.contents import Contents, contents_of
from models.features import PartFeatures
from models.numerics.process import threads_in_use, use_threads_here
from models.preparation.axes import is_z_sideways
from models.preparation.far_value import far_value
from models.preparation.prepare import PreparedPart
from models.readers.folder_layout import Split
from models.readers.product_folder import PartFile
from models.sample import BadSample, Sample, without_returns
from recipes.sensor import Sensor

STAGES: Mapping[Split, str] = {"train": "training parts", "validation": "validation parts"}
"""The progress stage of each split."""
_Extracted: TypeAlias = tuple[Sample, Contents, tuple[PreparedPart, PartFeatures] | None]
"""A part, and what the pipeline made of it; None for a copy of an earlier part."""
_MOST_SKIPPED = 0.1  # a folder with more unusable parts than this is a mistake, not bad luck


class BuildError(ValueError):
    """The good parts cannot make a bank; the message says what to do."""


@dataclass
class Gathering:
    """Gathers the good parts of one version.

    folder: where the features go. kept: where the parts of an extended version lie. sensor: what is declared
    about the files. dropped: names of kept parts that a person called no good parts. at_once: parts that are
    extracted side by side, each by its share of the cores. The features do not depend on it.
    """

    pipeline: Pipeline
    sensor: Sensor
    folder: Path
    kept: Path | None
    progress: Progress
    dropped: Collection[str] = ()
    at_once: int = 1
    _originals: dict[Contents, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.kept is None:
            return
        for split in STAGES:
            for contents, name in contents_in(self.kept / split).items():
                dropped = ", which a person dropped" if name in self.dropped else ""
                self._originals[contents] = f"{name}{dropped}"

    def split(self, split: Split, parts: Sequence[PartFile]) -> GoodParts:
        """The parts of a split: first the kept parts of an extended version, then the new parts.

        Only new parts are extracted. A copy of an earlier part, of this split or another, is left out: a copy
        adds nothing to a bank, and a part whose copy is in the bank is not held out. All kept parts come
        before the new ones, and a copy of a dropped part is left out, too. Raises BuildError where too many
        parts cannot be used, or all have the same image.
        """
        place = self.folder / split
        kept = self.kept
        found = GoodParts(FeatureStore(place))
        if kept is not None:
            found = GoodParts.copied(kept / split, place, self.dropped)
        stage = STAGES[split]
        for number, (part, extracted) in enumerate(zip(parts, self._in_order(parts), strict=True), start=1):
            try:
                self._add(part.name, extracted(), found)
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

    def _in_order(self, parts: Sequence[PartFile]) -> Iterator[Callable[[], _Extracted]]:
        """What gives each part extracted, in order; a call raises BadSample."""
        if self.at_once == 1:
            yield from (partial(self._extract, part) for part in parts)
            return
        begin = partial(use_threads_here, max(1, threads_in_use() // self.at_once))
        waiting: deque[Future[_Extracted]] = deque()
        with ThreadPoolExecutor(self.at_once, "tribank-extract", begin) as pool:
            try:
                for part in parts:
                    waiting.append(pool.submit(self._extract, part))
                    if len(waiting) > self.at_once:  # so few are in memory
                        yield waiting.popleft().result
                while waiting:
                    yield waiting.popleft().result
            finally:
                pool.shutdown(wait=False, cancel_futures=True)

    def _extract(self, part: PartFile) -> _Extracted:
        """Raises BadSample."""
        sample = part.read(self.sensor)
        contents = contents_of(sample)
        if any(contents) and contents in self._originals:
            return sample, contents, None
        prepared, features, _ = self.pipeline(sample)
        return sample, contents, (prepared, features)

    def _add(self, name: str, extracted: _Extracted, found: GoodParts) -> None:
        """Add a part, unless it is a copy."""
        sample, contents, made = extracted
        if made is None or (any(contents) and contents in self._originals):
            found.copies[name] = self._originals[contents]
            return
        prepared, features = made
        found.add(name, sample, contents, features, prepared)
        self._originals[contents] = found.names[-1]
        if is_z_sideways(sample):
            found.sideways.append(found.names[-1])
        preparation = self.pipeline.preparation
        if preparation.background == "none":
            return
        far = far_value(without_returns(sample, preparation.no_return))
        if far is not None:
            found.far[found.names[-1]] = far
