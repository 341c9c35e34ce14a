"""Tribank beside anomalib's PatchCore: one image after the other, the same network, weights and bank rows.

anomalib is no dependency: install it where this script shall run (`pip install anomalib`). Weights and rows
are drawn at random: times are true, scores mean nothing.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable, Mapping
from importlib import import_module
from types import ModuleType
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from banks.decision.score_map import score_map
from banks.methods.memory_bank.bank import MemoryBank
from evaluation.bench.environment import environment
from models.layout import GridLayout
from models.numerics.process import use_threads
from models.rgb.backbones import rgb_backbone, timm
from models.rgb.extractor import RgbExtractor

_NETWORK = "wide_resnet50_2"
_SIZE = 224
_WARM = 3


def compare(rows: int, images: int) -> dict[str, Any]:
    """Score `images` images with both, alternating. Returns p50 and p90 of each in ms, and their ratio.

    rows: of the bank, 1536 channels each.
    """
    torch.manual_seed(0)
    theirs: Any = (
        _anomalib().PatchcoreModel(layers=["layer2", "layer3"], backbone=_NETWORK, pre_trained=False).eval()
    )
    ours = RgbExtractor(rgb_backbone(_NETWORK), _same_network(theirs), size=_SIZE)
    draw = np.random.default_rng(0)
    picture = draw.random((1, 3, _SIZE, _SIZE), np.float32)
    seen = _patches(ours, picture).numpy()
    kept = seen[draw.integers(len(seen), size=rows)] + draw.normal(0, 0.1, (rows, seen.shape[1]))
    library = np.ascontiguousarray(kept, np.float32)
    bank = MemoryBank.of(library)
    theirs.memory_bank = torch.from_numpy(library)
    layout = GridLayout(ours.side)

    def own(image: NDArray[np.float32]) -> NDArray[np.float32]:
        return score_map(bank.score(_patches(ours, image)).distances, layout, _SIZE)

    def other(image: NDArray[np.float32]) -> NDArray[np.float32]:
        with torch.no_grad():
            return theirs((torch.from_numpy(image) - mean) / std).anomaly_map.numpy()

    mean, std = (torch.tensor(of).view(1, 3, 1, 1) for of in ours.backbone.constants)
    runs: Mapping[str, Callable[[NDArray[np.float32]], object]] = {"tribank": own, "anomalib": other}
    times: dict[str, list[float]] = {name: [] for name in runs}
    for number in range(_WARM + images):
        image = draw.random((1, 3, _SIZE, _SIZE), np.float32)
        for name, run in runs.items():
            start = time.perf_counter()
            run(image)
            if number >= _WARM:
                times[name].append(1000 * (time.perf_counter() - start))
    spread = {
        name: dict(zip(("p50", "p90"), np.quantile(of, (0.5, 0.9)).tolist(), strict=True))
        for name, of in times.items()
    }
    ratio = spread["anomalib"]["p50"] / spread["tribank"]["p50"]
    return {"rows": rows, "images": images, "ms": spread, "anomalib_over_tribank": ratio}


def _patches(network: RgbExtractor, image: NDArray[np.float32]) -> torch.Tensor:
    """(784, 1536) float32, row-major on the image."""
    return network.grid(torch.from_numpy(image))[0].flatten(1).T.contiguous()


def _anomalib() -> ModuleType:
    try:
        return import_module("anomalib.models.image.patchcore.torch_model")
    except ImportError as error:
        raise SystemExit(
            f"anomalib cannot be imported ({error}). Install it: pip install anomalib"
        ) from error


def _same_network(theirs: Any) -> Any:
    """timm's whole network with the weights of anomalib's, which keeps the first stages alone."""
    network = timm.create_model(_NETWORK, pretrained=False)
    kept = theirs.feature_extractor.feature_extractor.state_dict()
    missing = network.load_state_dict(kept, strict=False)
    if missing.unexpected_keys:
        raise RuntimeError(f"anomalib's network has other weights: {missing.unexpected_keys[:3]}")
    return network


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", type=int, nargs="+", default=[3136, 16464])
    parser.add_argument("--images", type=int, default=20)
    parser.add_argument("--threads", type=int, default=torch.get_num_threads())
    asked = parser.parse_args()
    use_threads(asked.threads)
    found = [compare(rows, asked.images) for rows in asked.rows]
    print(json.dumps({"environment": environment("cpu"), "runs": found}, indent=1))
