"""An extractor that remembers on disk what it computed, for ten profiles to extract once."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict
from pathlib import Path

import torch

from banks.pipeline import Pipeline, PipelineMaker
from banks.versions.manifest import library_versions
from evaluation.feature_cache import CachedPatches, FeatureCache
from models.extraction import Extractor
from models.features import PartFeatures, Patches
from models.preparation.prepare import PreparedPart
from models.weights.store import WeightStore
from recipes.extraction import Extraction
from recipes.profile import Profile

FORMAT = 1
"""Raised when what is stored for a key changes without any of its ingredients changing."""
_LIBRARIES = ("torch", "timm", "open3d-cpu", "numpy")


class CachedExtractor:
    """`models.extraction.Extractor` in front of a cache.

    A key is the content of the prepared part that its extractor sees (which the input's bytes and the
    preparation decide), the extractor's settings, the sha256 of its weights, the libraries and the kind of
    device. Networks are loaded when the first part is not in the cache. Reported milliseconds are those of
    the extraction, whenever it was done.
    """

    def __init__(self, profile: Profile, weights_dir: Path, device: str, cache: FeatureCache) -> None:
        """Raises `models.weights.store.MissingWeights`."""
        extraction = profile.extraction
        self._store = WeightStore(weights_dir)
        self.weights = {name: self._store.describe(name).sha256 for name in extraction.weights()}
        self.needs = extraction.needs()
        self._rgb_size = profile.preparation.rgb_size
        self._device = device
        self._cache = cache
        self._alone = {
            bank: one
            for bank, one in (
                ("rgb", Extraction(rgb=extraction.rgb)),
                ("point", Extraction(point=extraction.point)),
            )
            if one.banks()
        }
        self._settings = {bank: self._digest(one) for bank, one in self._alone.items()}
        self._loaded: dict[str, Extractor] = {}

    def __call__(self, part: PreparedPart) -> tuple[PartFeatures, dict[str, float]]:
        """Patches of one part, and the milliseconds each took."""
        found = {bank: self._patches(bank, part) for bank in self._alone}
        return (
            {bank: entry.patches for bank, entry in found.items()},
            {bank: entry.milliseconds for bank, entry in found.items()},
        )

    def _patches(self, bank: str, part: PreparedPart) -> CachedPatches:
        digest = self._settings[bank].copy()
        for seen in (part.rgb,) if bank == "rgb" else (part.xyz, part.valid):
            digest.update(str(seen.shape).encode())
            digest.update(seen.tobytes())
        key = digest.hexdigest()
        entry = self._cache.get(key)
        if entry is None:
            features, milliseconds = self._extractor(bank)(part)
            entry = CachedPatches(features[bank], milliseconds[bank])
            self._cache.put(key, entry)
            return entry
        patches = Patches(entry.patches.rows.to(self._device), entry.patches.layout)
        return CachedPatches(patches, entry.milliseconds)

    def _extractor(self, bank: str) -> Extractor:
        if bank not in self._loaded:
            self._loaded[bank] = Extractor(
                self._alone[bank], self._store, rgb_size=self._rgb_size, device=self._device
            )
        return self._loaded[bank]

    def _digest(self, one: Extraction) -> hashlib._Hash:
        versions = library_versions()
        ingredients = {
            "format": FORMAT,
            "settings": asdict(one),
            "rgb_size": self._rgb_size if one.rgb else None,
            "weights": {name: self.weights[name] for name in one.weights()},
            "libraries": {name: versions.get(name) for name in _LIBRARIES},
            "device": torch.device(self._device).type,
        }
        return hashlib.sha256(json.dumps(ingredients, sort_keys=True).encode())


def cached_pipelines(cache: FeatureCache) -> PipelineMaker:
    """What stands in the place of `banks.pipeline.make_pipeline`, with a cache behind it."""

    def make(profile: Profile, weights_dir: Path, device: str) -> Pipeline:
        return Pipeline(profile.preparation, CachedExtractor(profile, weights_dir, device, cache))

    return make
