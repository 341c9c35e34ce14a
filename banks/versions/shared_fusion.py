"""One fusion network for many products: patches of all their good parts, then training (paper sec. 3.3)."""

from __future__ import annotations

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from pydantic import TypeAdapter
from safetensors.torch import load_file

from banks.pipeline import Pipeline
from banks.versions.image_bits import with_image_bits
from banks.versions.measuring import measured_profile, region_of_interest
from banks.versions.progress import Progress, silent
from models.atomic_file import write_atomically
from models.extraction import Extractor
from models.fusion.uff_training import Pair, train_uff
from models.lazy_sequence import LazySequence
from models.readers.product_folder import PartFile, ProductFolder
from models.sample import BadSample
from models.training import with_remaining, write_tensors
from models.weights.folder import DEFAULT_WEIGHTS
from models.weights.store import WeightStore
from recipes.extraction import Extraction
from recipes.preparation import Preparation
from recipes.profile import Profile
from recipes.sensor import Sensor

RUN = "run.json"


class TrainingRefused(ValueError):
    """The parts cannot train a fusion network, or the folder holds another run. The message says why."""


@dataclass
class SharedFusion:
    """Trains the fusion network that profiles name "uff" on the good parts of several products.

    profile: its preparation, its extractors and `extraction.training` are used; its banks and its fusion are
        not.
    folder: of the run. It holds every part's patches (24 MB a part for M3DM) and the checkpoint, so that a
        stopped run can continue. It is removed when the network is written.
    weights_dir: where the extractors' weights lie.
    device: where the networks run.
    progress: called while each stage runs.
    """

    profile: Profile
    folder: Path
    weights_dir: Path = DEFAULT_WEIGHTS
    device: str = "cpu"
    progress: Progress = silent

    def train(self, products: Mapping[str, ProductFolder], out: Path) -> dict[str, str]:
        """Train a network and return the parts that could not be used, with the reasons.

        products: by name.
        out: the safetensors file to write, with the official keys.
        Raises TrainingRefused, MissingWeights where an extractor's weights are absent.
        """
        extraction = self.profile.extraction
        if extraction.rgb is None or extraction.point is None or extraction.point.side is None:
            raise TrainingRefused(
                f"Profile {self.profile.name} has nothing to fuse. A fusion takes RGB and points on one grid."
            )
        weights = WeightStore(self.weights_dir)
        extraction = replace(extraction, fusion=None)  # the fusion network is still to be trained
        parts = [(name, part) for name, product in products.items() for part in product.train]
        digests = {name: weights.describe(name).sha256 for name in extraction.weights()}
        rois = {name: product.roi for name, product in products.items() if product.roi is not None}
        self._claim(_identity(self.profile.preparation, extraction, digests, parts, rois))
        trained_on = {name: product for name, product in products.items() if product.train}
        sensors = {name: with_image_bits(one.sensor, one.train) for name, one in trained_on.items()}
        pipelines = {
            name: self._pipeline(product, sensors[name], extraction, weights)
            for name, product in trained_on.items()
        }
        pairs, skipped = self._pairs(pipelines, sensors, parts)
        if not pairs:
            reason = next(iter(skipped.values()), "the folders hold no training parts")
            raise TrainingRefused(f"No part can train the fusion network: {reason}")
        trained = train_uff(
            LazySequence(len(pairs), lambda part: _stored_pair(pairs[part])),
            extraction.training,
            self.folder,
            with_remaining(partial(self.progress, "training")),
            device=self.device,
        )
        out.parent.mkdir(parents=True, exist_ok=True)
        facts = {
            "profile": self.profile.name,
            "products": " ".join(products),
            "parts": str(len(pairs)),
            "training": TypeAdapter(type(extraction.training)).dump_json(extraction.training).decode(),
        }
        write_tensors(trained, out, facts)
        shutil.rmtree(self.folder)
        return skipped

    def _pipeline(
        self, product: ProductFolder, sensor: Sensor, extraction: Extraction, weights: WeightStore
    ) -> Pipeline:
        """The pipeline of a product's own banks: its lengths follow the product."""
        told = partial(self.progress, "measuring")
        roi = region_of_interest(product)
        profile = self.profile.model_copy(update={"extraction": extraction})
        profile, _ = measured_profile(product.train, sensor, profile, told, roi)
        rgb_size = profile.preparation.rgb_size
        extractor = Extractor(profile.extraction, weights, rgb_size=rgb_size, device=self.device)
        return Pipeline(profile.preparation, extractor, roi=roi)

    def _claim(self, identity: str) -> None:
        """Begin a run in the folder, or continue the same run."""
        self.folder.mkdir(parents=True, exist_ok=True)
        record = self.folder / RUN
        if record.exists() and record.read_text() != identity:
            raise TrainingRefused(
                f"{self.folder} holds a stopped run with other parts, weights or settings: "
                "remove the folder, or choose another file to write."
            )
        write_atomically(record, identity)

    def _pairs(
        self,
        pipelines: Mapping[str, Pipeline],
        sensors: Mapping[str, Sensor],
        parts: Sequence[tuple[str, PartFile]],
    ) -> tuple[list[Path], dict[str, str]]:
        """The file of patches of every usable part, and why the other parts cannot be used."""
        files, skipped = [], {}
        for number, (product, part) in enumerate(parts):
            name = f"{product}/{part.name}"
            file = self.folder / f"part-{number:05}.safetensors"
            if not file.exists():
                try:
                    _, features, _ = pipelines[product](part.read(sensors[product]))
                except BadSample as error:
                    skipped[name] = str(error)
                else:
                    rows = {bank: patches.rows.cpu() for bank, patches in features.items()}
                    write_tensors(rows, file, {"part": name})
            if file.exists():
                files.append(file)
            self.progress("parts", number + 1, len(parts))
        return files, skipped


def _stored_pair(file: Path) -> Pair:
    """RGB and point rows of one part."""
    rows = load_file(file)
    return rows["rgb"], rows["point"]


def _identity(
    preparation: Preparation,
    extraction: Extraction,
    weights: Mapping[str, str],
    parts: Sequence[tuple[str, PartFile]],
    rois: Mapping[str, Path],
) -> str:
    """Everything that the stored patches and the training depend on, as JSON. rois: by product."""
    files = [
        [
            f"{product}/{part.name}",
            *map(_facts, part.files.values()),
            sorted((name, word.decode("utf-8", "replace")) for name, word in part.declared.items()),
        ]
        for product, part in parts
    ]
    files += [[product, _facts(roi)] for product, roi in rois.items()]
    recipe = [TypeAdapter(type(it)).dump_python(it, mode="json") for it in (preparation, extraction)]
    return json.dumps({"recipe": recipe, "weights": dict(weights), "parts": files})


def _facts(file: Path) -> tuple[str, int]:
    return str(file.resolve()), file.stat().st_mtime_ns
