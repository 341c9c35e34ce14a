"""The steps before the columns, the same for training parts and scored parts."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, TypeAlias

from models.extraction import Extractor
from models.features import PartFeatures
from models.fusion.fusion import Fusion
from models.preparation.prepare import PreparedPart, prepare
from models.preparation.roi import BANK_BITS, Roi
from models.sample import BadSample, Sample
from models.weights.store import WeightStore
from recipes.extraction import Modality
from recipes.preparation import Preparation
from recipes.profile import Profile


class PartExtractor(Protocol):
    """What a pipeline needs of an extractor, such as `models.extraction.Extractor`."""

    @property
    def weights(self) -> Mapping[str, str]:
        """sha256 of the weights of every network, by their registered name."""
        ...

    @property
    def needs(self) -> Sequence[Modality]:
        """What a part must have been recorded with: an image, a cloud, or both."""
        ...

    def __call__(self, part: PreparedPart) -> tuple[PartFeatures, dict[str, float]]:
        """Patches of one part by bank, and the milliseconds of each extraction."""
        ...


@dataclass(frozen=True, slots=True)
class Pipeline:
    """Preparation, extraction and fusion.

    fusion: None for a profile without one, or before it is fitted.
    pitch: of the good parts' clouds, metres; None where it is not known.
    roi: the product's region of interest. Patches outside it are rows of 0.
    """

    preparation: Preparation
    extractor: PartExtractor
    fusion: Fusion | None = None
    pitch: float | None = None
    roi: Roi | None = None

    def __call__(self, sample: Sample) -> tuple[PreparedPart, PartFeatures, dict[str, float]]:
        """The prepared part, its patches by bank, and the milliseconds of each stage. Raises BadSample."""
        if sample.missing is not None and sample.missing in self.extractor.needs:
            raise _refusal(sample.missing)
        start = time.perf_counter()
        prepared = prepare(sample, self.preparation, self.roi, pitch=self.pitch)
        timings = {"prepare": 1000 * (time.perf_counter() - start)}
        features, milliseconds = self.extract(prepared)
        return prepared, features, timings | milliseconds

    def extract(self, prepared: PreparedPart) -> tuple[PartFeatures, dict[str, float]]:
        """Patches of a prepared part by bank, with the fused patches, and the milliseconds of each stage."""
        features, timings = self.extractor(prepared)
        if (look := prepared.look) is not None:
            features = {
                bank: patches.within(look & BANK_BITS[bank] > 0) for bank, patches in features.items()
            }
        if self.fusion is None:
            return features, timings
        start = time.perf_counter()
        fused = self.fusion(features["rgb"], features["point"])
        milliseconds = 1000 * (time.perf_counter() - start)
        return {**features, "fused": fused}, {**timings, "fusion": milliseconds}


def _refusal(missing: Modality) -> BadSample:
    if missing == "rgb":
        return BadSample(
            "no_image",
            "The part was recorded without an image, which these banks need. Send an image, or build with a "
            "profile of the point bank alone ('tribank profiles' lists them).",
        )
    return BadSample(
        "no_cloud",
        "The part was recorded without a cloud, which these banks need. Send a cloud, or build with a "
        "profile of the RGB bank alone ('tribank profiles' lists them).",
    )


PipelineMaker: TypeAlias = Callable[[Profile, Path, str], Pipeline]
"""`make_pipeline` or a replacement of it: takes (profile, weights_dir, device)."""


def make_pipeline(profile: Profile, weights_dir: Path, device: str) -> Pipeline:
    """The pipeline of a profile before its fusion is fitted."""
    extractor = Extractor(
        profile.extraction,
        WeightStore(weights_dir),
        rgb_size=profile.preparation.rgb_size,
        device=device,
    )
    return Pipeline(profile.preparation, extractor)
