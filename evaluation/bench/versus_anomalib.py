"""Tribank beside anomalib's PatchCore: one image after the other, the same network, weights and bank rows.

anomalib is no dependency. It fits beside Tribank's packages, so it goes into a copy of its environment:

    cp -a .venv ../anomalib-venv
    ../anomalib-venv/bin/python -m pip install -c constraints/cpu.txt anomalib==2.7.0
    ../anomalib-venv/bin/python -m evaluation.bench.versus_anomalib

Weights and rows are drawn at random: times are true, scores mean nothing. Tribank's own WideResNet-50 repeats
the coarser map's cells, as BTF does; with `--interpolated` it interpolates them, as anomalib does.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable, Mapping
from importlib import import_module
from typing import TYPE_CHECKING, Any

from models.numerics.process import prepare_process

if TYPE_CHECKING:
    import torch

_NETWORK = "wide_resnet50_2"
_SIZE = 224
_WARM = 3


def compare(rows: int, images: int, *, interpolated: bool = False) -> dict[str, Any]:
    """Score `images` images with both, alternating. Returns the spread of each in ms, of wall time and of
    processor time, and the ratio of the p50s.

    rows: of the bank, 1536 channels each. interpolated: whether Tribank spreads the coarser map as anomalib
    does.
    """
    import numpy as np
    import torch

    from banks.decision.score_map import score_map
    from banks.methods.memory_bank.bank import MemoryBank
    from evaluation.bench.spread import spread
    from models.layout import GridLayout
    from models.rgb.backbones import rgb_backbone
    from models.rgb.extractor import RgbExtractor
    from recipes.banks import Reweighting

    theirs = _patchcore().eval()
    backbone = rgb_backbone(f"timm:{_NETWORK}.tv_in1k" if interpolated else _NETWORK)
    ours = RgbExtractor(backbone, _same_network(theirs), size=_SIZE)
    draw = np.random.default_rng(0)
    seen = _patches(ours, torch.from_numpy(draw.random((1, 3, _SIZE, _SIZE), np.float32))).numpy()
    kept = seen[draw.integers(len(seen), size=rows)] + draw.normal(0, 0.1, (rows, seen.shape[1]))
    library = np.ascontiguousarray(kept, np.float32)
    bank, layout = MemoryBank.of(library), GridLayout(ours.side)
    reweighting = Reweighting(neighbours=theirs.num_neighbors)
    theirs.memory_bank = torch.from_numpy(library)
    mean, std = (torch.tensor(of).view(1, 3, 1, 1) for of in ours.backbone.constants)

    def own(image: torch.Tensor) -> object:
        found = bank.score(_patches(ours, image), reweighting)
        return found.image_score, score_map(found.distances, layout, _SIZE)

    def other(image: torch.Tensor) -> object:
        with torch.no_grad():
            found = theirs((image - mean) / std)
        return float(found.pred_score), found.anomaly_map.numpy()

    runs: Mapping[str, Callable[[torch.Tensor], object]] = {"tribank": own, "anomalib": other}
    wall: dict[str, list[float]] = {name: [] for name in runs}
    processor: dict[str, list[float]] = {name: [] for name in runs}
    for number in range(_WARM + images):
        image = torch.from_numpy(draw.random((1, 3, _SIZE, _SIZE), np.float32))
        for name, run in runs.items():
            start, busy = time.perf_counter(), time.process_time()
            run(image)
            if number >= _WARM:
                wall[name].append(1000 * (time.perf_counter() - start))
                processor[name].append(1000 * (time.process_time() - busy))
    spreads, busy_spreads = ({name: spread(of[name]) for name in runs} for of in (wall, processor))
    return {
        "rows": rows,
        "images": images,
        "interpolated": interpolated,
        "ms": spreads,
        "processor_ms": busy_spreads,
        "anomalib_over_tribank": spreads["anomalib"]["p50"] / spreads["tribank"]["p50"],
        "anomalib_over_tribank_processor": busy_spreads["anomalib"]["p50"] / busy_spreads["tribank"]["p50"],
    }


def _patches(network: Any, image: torch.Tensor) -> torch.Tensor:
    """(784, 1536) float32, row-major on the image."""
    return network.grid(image)[0].flatten(1).T.contiguous()


def _patchcore() -> Any:
    """anomalib's model with drawn weights, always the same."""
    import torch

    try:
        module = import_module("anomalib.models.image.patchcore.torch_model")
    except ImportError as error:
        raise SystemExit(
            f"anomalib cannot be imported ({error}). Install it: pip install anomalib==2.7.0"
        ) from error
    torch.manual_seed(0)
    return module.PatchcoreModel(layers=["layer2", "layer3"], backbone=_NETWORK, pre_trained=False)


def _same_network(theirs: Any) -> Any:
    """timm's whole network with the weights of anomalib's, which keeps the first stages alone."""
    from models.rgb.backbones import timm

    network = timm.create_model(_NETWORK, pretrained=False)
    kept = theirs.feature_extractor.feature_extractor.state_dict()
    missing = network.load_state_dict(kept, strict=False)
    if missing.unexpected_keys:
        raise RuntimeError(f"anomalib's network has other weights: {missing.unexpected_keys[:3]}")
    return network


def main() -> None:
    """Compare as the command line asks, and print JSON."""
    prepare_process(searches=True)
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rows", type=int, nargs="+", default=[3136, 16464])
    parser.add_argument("--images", type=int, default=20)
    parser.add_argument("--threads", type=int, help="CPU threads. Default: all")
    parser.add_argument(
        "--interpolated", action="store_true", help="Spread the coarser map as anomalib does."
    )
    asked = parser.parse_args()
    load = os.getloadavg()[0]

    from evaluation.bench.environment import environment
    from models.numerics.process import use_threads

    if asked.threads:
        use_threads(asked.threads)
    found = [compare(rows, asked.images, interpolated=asked.interpolated) for rows in asked.rows]
    print(json.dumps({"environment": environment("cpu"), "load_average": load, "runs": found}, indent=1))


if __name__ == "__main__":
    main()
