"""Extraction: the extractors of a profile turn prepared parts into patches."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace

from models.cells import CellsExtractor
from models.colour.extractor import ColourExtractor
from models.features import PartFeatures, Patches
from models.normals.extractor import NormalsExtractor
from models.numerics.process import full_precision, helpers, small_products_in_one_thread, threads_in_use
from models.picture import PictureExtractor
from models.points.extractor import PointExtractor
from models.points.fpfh import FpfhExtractor
from models.preparation.prepare import PreparedPart
from models.relief.extractor import ReliefExtractor
from models.rgb.coloured import ColouredExtractor
from models.rgb.extractor import RgbExtractor
from models.weights.networks import shared
from models.weights.store import WeightStore
from recipes.extraction import Extraction
from recipes.picture import CellsChoice, PictureChoice
from recipes.points import FpfhChoice, PointChoice, PointNetwork
from recipes.rgb import RgbChoice


class Extractor:
    """The loaded extractors of one `Extraction`, without its fusion, which is fitted on good parts."""

    def __init__(
        self, settings: Extraction, weights: WeightStore, *, rgb_size: int, device: str = "cpu"
    ) -> None:
        """Load the networks.

        settings: which extractors.
        weights: where the networks' weights lie.
        rgb_size: side of the prepared RGB images in pixels.
        device: where the networks run.
        Raises `MissingWeights` where a network's weights are absent; the message says what to do.
        """
        small_products_in_one_thread()
        self.weights = {name: weights.describe(name).sha256 for name in settings.weights()}
        """sha256 of the weights of every network, by their registered name."""
        self.needs = settings.needs()
        self._extractors: dict[str, Callable[[Sequence[PreparedPart]], list[Patches]]] = {}
        rgb, point, normals, picture = settings.rgb, settings.point, settings.normals, settings.picture

        def image_network(choice: RgbChoice) -> RgbExtractor:
            plain = replace(choice, colour=0.0)  # networks are shared whatever colour follows them
            key = (plain, rgb_size, self.weights[choice.weights], device)
            return shared(key, lambda: image_network_of(plain, weights, device, size=rgb_size))

        if rgb is not None:
            self._extractors["rgb"] = coloured(rgb, image_network(rgb))
        if normals is not None:
            self._extractors["normals"] = NormalsExtractor(normals, image_network(normals.network))
        if settings.relief is not None:
            self._extractors["relief"] = ReliefExtractor(settings.relief, device)
        if settings.colour is not None:
            self._extractors["colour"] = ColourExtractor(settings.colour, device)
        if isinstance(picture, PictureChoice):
            self._extractors["picture"] = PictureExtractor(picture, device)
        if isinstance(picture, CellsChoice):
            network = None if picture.image is None else image_network(picture.image)
            self._extractors["picture"] = CellsExtractor(picture, network, device)
        if point is not None:
            key = (point, self.weights[point.kind] if isinstance(point, PointNetwork) else None, device)
            self._extractors["point"] = shared(key, lambda: point_extractor(point, weights, device))

    def __call__(self, part: PreparedPart) -> tuple[PartFeatures, dict[str, float]]:
        """Patches of one part by bank, and the milliseconds of each extraction.

        Histograms of points, relief and colour need one core. Where there are more, they run beside the other
        extractors. Their milliseconds are then those that they took longer.
        """
        features: dict[str, Patches] = {}
        milliseconds: dict[str, float] = {}
        side_by_side = threads_in_use() > 1 and len(self._extractors) > 1
        beside = {
            bank: helpers().submit(extract, [part])
            for bank, extract in reversed(self._extractors.items())  # points first: they need no image
            if side_by_side and isinstance(extract, FpfhExtractor | ReliefExtractor | ColourExtractor)
        }
        for bank, extract in self._extractors.items():
            start = time.perf_counter()
            (features[bank],) = beside[bank].result() if bank in beside else extract([part])
            milliseconds[bank] = 1000 * (time.perf_counter() - start)
        return features, milliseconds


def rgb_extractor(
    choice: RgbChoice, weights: WeightStore, device: str, *, size: int
) -> RgbExtractor | ColouredExtractor:
    """The loaded RGB extractor of a choice, for parts that are prepared at `size` pixels."""
    return coloured(choice, image_network_of(choice, weights, device, size=size))


def coloured(choice: RgbChoice, network: RgbExtractor) -> RgbExtractor | ColouredExtractor:
    """The network with the plain colour of the choice. A factor that still follows the product is 1."""
    factor = 1.0 if choice.colour is None else choice.colour
    return ColouredExtractor(network, factor) if factor else network


def image_network_of(choice: RgbChoice, weights: WeightStore, device: str, *, size: int) -> RgbExtractor:
    """The loaded network of a choice, without plain colour."""
    full_precision()
    return RgbExtractor.load(
        choice.backbone,
        weights,
        device,
        constants=choice.constants,
        size=size,
        stages=choice.stages,
        side=choice.side,
        averaged=choice.averaged,
    )


def point_extractor(choice: PointChoice, weights: WeightStore, device: str) -> FpfhExtractor | PointExtractor:
    """The loaded point extractor of a choice."""
    full_precision()
    if isinstance(choice, FpfhChoice):
        return FpfhExtractor(choice.settings, side=choice.side, overlap=choice.overlap, device=device)
    return PointExtractor.load(choice, weights.load(choice.kind), device)
