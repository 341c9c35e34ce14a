"""An extractor with a cache on disk, so that ten profiles with the same extractor extract once."""

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
"""Increase this number if the content for a key changes although nothing in the key changes."""
_LIBRARIES = ("torch", "timm", "openvino", "llvmlite", "numpy")


class CachedExtractor:
    """`models.extraction.Extractor` with a cache.

    The key consists of the prepared part's content, the extractor's settings, the sha256 of its weights, the
    library versions and the kind of device. Networks are loaded only if a part is not in the cache. Reported
    milliseconds are the time of the extraction when it was computed.
    """

    def __init__(self, profile: Profile, weights_dir: Path, device: str, cache: FeatureCache) -> None:
        """Networks are not loaded yet. Raises `models.weights.store.MissingWeights`."""
        extraction = profile.extraction
        self._store = WeightStore(weights_dir)
        self.weights = {name: self._store.describe(name).sha256 for name in extraction.weights()}
        self.needs = extraction.needs()
        self._rgb_size = profile.preparation.rgb_size
        self._device = device
        self._cache = cache
        self._by_bank = {
            bank: settings
            for bank, settings in (
                ("rgb", Extraction(rgb=extraction.rgb)),
                ("point", Extraction(point=extraction.point)),
                ("normals", Extraction(normals=extraction.normals)),
                ("relief", Extraction(relief=extraction.relief)),
                ("colour", Extraction(colour=extraction.colour)),
                ("picture", Extraction(picture=extraction.picture)),
            )
            if settings.banks()
        }
        self._digests = {bank: self._digest(settings) for bank, settings in self._by_bank.items()}
        self._loaded: dict[str, Extractor] = {}

    def __call__(self, part: PreparedPart) -> tuple[PartFeatures, dict[str, float]]:
        """Patches of one part by bank, and the milliseconds of each extraction."""
        entries = {bank: self._patches(bank, part) for bank in self._by_bank}
        return (
            {bank: entry.patches for bank, entry in entries.items()},
            {bank: entry.milliseconds for bank, entry in entries.items()},
        )

    def _patches(self, bank: str, part: PreparedPart) -> CachedPatches:
        digest = self._digests[bank].copy()
        every = (part.rgb, part.xyz, part.valid)
        seen = {"rgb": (part.rgb,), "relief": every, "colour": (part.rgb, part.valid), "picture": every}
        for array in seen.get(bank, (part.xyz, part.valid)):
            digest.update(str(array.shape).encode())
            digest.update(array.tobytes())
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
                self._by_bank[bank], self._store, rgb_size=self._rgb_size, device=self._device
            )
        return self._loaded[bank]

    def _digest(self, settings: Extraction) -> hashlib._Hash:
        """Digest of everything in the key except the part."""
        versions = library_versions()
        ingredients = {
            "format": FORMAT,
            "settings": asdict(settings),
            "rgb_size": self._rgb_size if settings.rgb or settings.normals or settings.relief else None,
            "weights": {name: self.weights[name] for name in settings.weights()},
            "libraries": {name: versions.get(name) for name in _LIBRARIES},
            "device": torch.device(self._device).type,
        }
        return hashlib.sha256(json.dumps(ingredients, sort_keys=True).encode())


def cached_pipelines(cache: FeatureCache) -> PipelineMaker:
    """A replacement for `banks.pipeline.make_pipeline` whose extractors use the cache."""

    def make(profile: Profile, weights_dir: Path, device: str) -> Pipeline:
        return Pipeline(profile.preparation, CachedExtractor(profile, weights_dir, device, cache))

    return make
