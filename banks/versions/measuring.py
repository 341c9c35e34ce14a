"""What follows the product is measured on a few of its training parts before anything is extracted."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress

from banks.evenly import evenly
from banks.versions.gathering import BuildError
from models.colour.extractor import usual_colour
from models.preparation.measure import measure
from models.preparation.pitch import MOST_PITCH, in_millimetres
from models.preparation.prepare import PreparedPart, in_balance, prepare
from models.preparation.roi import Roi, read_roi
from models.preparation.white_balance import usual_balance
from models.readers.product_folder import PartFile, ProductFolder
from models.relief.extractor import usual_relief
from models.sample import BadSample, Sample
from recipes.measured import Measured
from recipes.preparation import Preparation
from recipes.profile import Profile
from recipes.sensor import Sensor

MEASURED_PARTS = 8
"""Number of parts that are measured, evenly spread over the training parts."""


def measured_profile(
    parts: Sequence[PartFile],
    sensor: Sensor,
    profile: Profile,
    progress: Callable[[int, int], None],
    roi: Roi | None = None,
) -> tuple[Profile, Measured | None]:
    """Measure some of a product's training parts. Returns the profile with a number for everything that
    follows the product, and the lengths; None for these if no part has a cloud.

    sensor: of the parts, with the bits of their images. progress: callback with the parts done and the number
    of parts. roi: the product's region of interest.
    """
    samples: list[Sample] = []
    chosen = evenly(len(parts), min(len(parts), MEASURED_PARTS))
    for number, part in enumerate(chosen, start=1):
        with suppress(BadSample):  # the extraction tells why the part cannot be used
            samples.append(parts[part].read(sensor))
        progress(number, len(chosen))
    measured = measure(samples, profile.preparation, roi)
    profile = profile.resolved(measured)
    balances = profile.preparation.balance_drift and profile.preparation.balance is None
    extraction = profile.extraction
    usual = extraction.follows_relief or extraction.follows_usual_colour
    prepared = list(_prepared(samples, profile.preparation, roi)) if balances or usual else []
    if balances:
        profile = profile.balanced(usual_balance(part.rgb for part in prepared))
        prepared = [in_balance(part, profile.preparation) for part in prepared]
    if extraction.relief is not None and extraction.follows_relief:
        profile = profile.with_relief(usual_relief(extraction.relief, prepared))
    if extraction.colour is not None and extraction.follows_usual_colour:
        profile = profile.with_usual_colour(usual_colour(extraction.colour, prepared))
    return profile, measured


def _prepared(samples: Sequence[Sample], preparation: Preparation, roi: Roi | None) -> Iterator[PreparedPart]:
    for sample in samples:
        with suppress(BadSample):
            yield prepare(sample, preparation, roi)


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


def check_unit(measured: Measured | None) -> None:
    """Raise BuildError where the good parts cannot be in metres."""
    if measured is not None and measured.pitch > MOST_PITCH:
        raise BuildError(
            f"The field of view is {measured.field:.3g} m wide, and neighbouring points are "
            f"{in_millimetres(measured.pitch)} mm apart. No camera that inspects parts is so coarse: these "
            "look like millimetres. Declare the unit (xyz_unit), or convert the clouds to metres."
        )
