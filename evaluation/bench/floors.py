"""What a part takes at least on this machine, stage by stage: operations and bytes over measured rates.

The rates are those of the library that runs the stage, measured in the same run. A floor counts products of
matrices and convolutions, or the bytes that a stage must read and write. Stages whose work is neither, such
as the search for neighbours of points, have no floor.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass

import faiss
import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from banks.columns import Columns
from banks.methods.memory_bank.column import MemoryBankColumn
from models.features import PartFeatures
from models.libraries import without_compiler
from models.numerics.compiled import compiled
from models.points.network import PointTransformer
from models.preparation.prepare import PreparedPart
from models.rgb.extractor import unfilled_network
from models.sample import Sample
from models.unfilled import unfilled
from recipes.extraction import Extraction
from recipes.points import PointNetwork
from recipes.rgb import RgbChoice

_REPEATS = 5


@dataclass(frozen=True, slots=True)
class Rates:
    """What this machine does at best.

    networks: matrix products of the library that runs image networks on a CPU, GFLOP/s.
    search: FAISS's search with many queries, GFLOP/s.
    copy: bytes read and written by a copy of a large array, GB/s.
    """

    networks: float
    search: float
    copy: float

    @classmethod
    def measured(cls) -> Rates:
        """The fastest of five runs each."""
        draw = np.random.default_rng(0)
        side = 1024
        weight = torch.from_numpy(draw.standard_normal((side, side), np.float32))
        product = compiled(lambda value: value @ weight, (side, side))
        index = faiss.IndexFlatL2(256)
        index.add(draw.standard_normal((8192, 256), np.float32))
        queries = draw.standard_normal((1024, 256), np.float32)
        large = np.ones(1 << 24, np.float32)
        room = np.empty_like(large)
        return cls(
            networks=2e-9 * side**3 / _fastest(lambda: product(weight)),
            search=2e-9 * len(queries) * index.ntotal * index.d / _fastest(lambda: index.search(queries, 1)),
            copy=2e-9 * large.nbytes / _fastest(lambda: np.copyto(room, large)),
        )


@dataclass(frozen=True, slots=True)
class Floor:
    """The least work of one stage. gflop: multiplications and additions. megabytes: read and written."""

    gflop: float
    megabytes: float
    ms: float

    @classmethod
    def of(cls, *, operations: float = 0.0, rate: float = 1.0, nbytes: float = 0.0, copy: float) -> Floor:
        """The longer of both, as arithmetic and memory can go on at once."""
        ms = max(1e-6 * operations / rate, 1e-6 * nbytes / copy)
        return cls(1e-9 * operations, 1e-6 * nbytes, ms)


def floors(
    rates: Rates,
    extraction: Extraction,
    sample: Sample,
    prepared: PreparedPart,
    features: PartFeatures,
    columns: Columns,
) -> dict[str, Floor]:
    """The floor of each stage that has one, for one part."""
    recorded = sample.rgb.nbytes + sample.xyz.nbytes
    grid = prepared.rgb.nbytes + prepared.xyz.nbytes
    rows = {name: 4.0 * patches.rows.numel() for name, patches in features.items()}
    kept = [column for column in columns.columns.values() if isinstance(column, MemoryBankColumn)]
    searched = sum(4.0 * column.rows * column.dimension for column in kept)
    found = {
        "prepare": Floor.of(nbytes=recorded + grid, copy=rates.copy),
        "search": Floor.of(
            operations=_search_operations(columns, features),
            rate=rates.search,
            nbytes=searched + sum(rows.values()),
            copy=rates.copy,
        ),
    }
    normals = extraction.normals
    for bank, choice in (("rgb", extraction.rgb), ("normals", normals and normals.network)):
        if choice is not None:
            found[bank] = Floor.of(
                operations=network_operations(choice, prepared.rgb.shape[0]),
                rate=rates.networks,
                nbytes=prepared.rgb.nbytes + rows[bank],
                copy=rates.copy,
            )
    if isinstance(point := extraction.point, PointNetwork):
        found["point"] = Floor.of(
            operations=point_operations(point, int(prepared.valid.sum())),
            rate=rates.networks,
            nbytes=prepared.xyz.nbytes + rows["point"],
            copy=rates.copy,
        )
    if "fused" in features:
        trained = extraction.fusion in ("uff", "uff_trained")
        found["fusion"] = Floor.of(
            operations=_fusion_operations(features) if trained else 0.0,
            rate=rates.networks,
            nbytes=sum(rows.values()),
            copy=rates.copy,
        )
    return found


def network_operations(choice: RgbChoice, size: int) -> float:
    """Multiplications and additions of the network of an `RgbChoice` for one image of size x size pixels."""
    run = unfilled_network(choice.backbone, size=size, stages=choice.stages, side=choice.side)
    return _counted(lambda: run(torch.empty(1, 3, size, size, device="meta")))


def point_operations(choice: PointNetwork, points: int) -> float:
    """Multiplications and additions of the point transformer for a cloud of so many points."""
    with unfilled():
        run = PointTransformer(choice.kind, choice.batch_norm).eval()
        groups = torch.empty(min(choice.groups, points), choice.group_size, 3)
    return _counted(lambda: run(groups, groups[:, 0]))


def _counted(run: Callable[[], object]) -> float:
    """Multiplications and additions of whatever this function computes by torch."""
    with without_compiler(), FlopCounterMode(display=False) as counter, torch.no_grad():
        run()
    return float(counter.get_total_flops())


def _fusion_operations(features: PartFeatures) -> float:
    """Of UFF: two layers a branch, four times as wide inside. Empty point patches are one row."""
    rgb, point = features["rgb"].rows, features["point"].rows
    distinct = int(point.any(1).sum()) + 1
    return 16.0 * (rgb.shape[0] * rgb.shape[1] ** 2 + distinct * point.shape[1] ** 2)


def _search_operations(columns: Columns, features: PartFeatures) -> float:
    return float(
        sum(
            column.bank.operations(column.normaliser(column.bank.take(features[name].rows)))
            for name, column in columns.columns.items()
            if isinstance(column, MemoryBankColumn)
        )
    )


def beside_floors(
    stages: Mapping[str, Mapping[str, float]], found: Mapping[str, Floor]
) -> dict[str, dict[str, float]]:
    """Floor and ratio (p50 over floor) of each stage that has a floor, and of "total": all floors one after
    the other."""
    floors = list(found.values())
    whole = Floor(*(sum(getattr(floor, of) for floor in floors) for of in ("gflop", "megabytes", "ms")))
    return {
        stage: {**asdict(floor), "ratio": stages[stage]["p50"] / floor.ms}
        for stage, floor in {**found, "total": whole}.items()
        if stage in stages
    }


def _fastest(run: Callable[[], object]) -> float:
    """Seconds of the fastest of five runs."""
    seconds = []
    for _ in range(_REPEATS + 1):
        start = time.perf_counter()
        run()
        seconds.append(time.perf_counter() - start)
    return min(seconds[1:])
