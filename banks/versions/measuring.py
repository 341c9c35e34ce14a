"""The lengths of a product, measured on a few of its training parts before anything is extracted."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress

from banks.versions.draft import evenly
from models.preparation.measure import measure
from models.preparation.roi import Roi, read_roi
from models.readers.product_folder import PartFile, ProductFolder
from models.sample import BadSample, Sample
from recipes.measured import Measured
from recipes.preparation import Preparation

MEASURED_PARTS = 8
"""Number of parts that are measured, evenly spread over the training parts."""


def measured_lengths(
    parts: Sequence[PartFile],
    preparation: Preparation,
    progress: Callable[[int, int], None],
    roi: Roi | None = None,
) -> Measured | None:
    """Measure some of a product's training parts. None if no part has a cloud.

    preparation: of the profile. progress: callback with the parts done and the number of parts. roi: the
    product's region of interest.
    """

    def samples() -> Iterator[Sample]:
        chosen = evenly(len(parts), min(len(parts), MEASURED_PARTS))
        for number, part in enumerate(chosen, start=1):
            with suppress(BadSample):  # the extraction tells why the part cannot be used
                yield parts[part].read()
            progress(number, len(chosen))

    return measure(samples(), preparation, roi)


def region_of_interest(folder: ProductFolder) -> Roi | None:
    """The region of interest of a folder's parts; None if the folder has none.

    Raises BadSample: roi_invalid, roi_size. OSError.
    """
    if folder.roi is None:
        return None
    for part in folder.train:
        try:
            height, width = part.read(folder.sensor).valid.shape
        except BadSample:  # the extraction tells why the part cannot be used
            continue
        return read_roi(folder.roi.read_bytes(), (height, width))
    return None
