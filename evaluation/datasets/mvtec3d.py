"""MVTec 3D-AD: the counts of the official archive, and signs that a folder was changed."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from models.readers.folder_layout import GOOD
from models.readers.product_folder import ProductFolder

ARCHIVE = "mvtec_3d_anomaly_detection.tar.xz"


@dataclass(frozen=True, slots=True)
class Category:
    """Counts of one category.

    regions: number of 8-connected defect regions. size: sides in pixels, the shorter first, because no source
    says which side is the height.
    """

    train: int
    validation: int
    test_good: int
    test_defective: int
    defect_types: int
    regions: int
    size: tuple[int, int]


CATEGORIES = {
    "bagel": Category(244, 22, 22, 88, 4, 112, (800, 800)),
    "cable_gland": Category(223, 23, 21, 87, 4, 90, (400, 400)),
    "carrot": Category(286, 29, 27, 132, 5, 159, (800, 800)),
    "cookie": Category(210, 22, 28, 103, 4, 128, (500, 500)),
    "dowel": Category(288, 34, 26, 104, 4, 131, (400, 400)),
    "foam": Category(236, 27, 20, 80, 4, 115, (900, 900)),
    "peach": Category(361, 42, 26, 106, 5, 131, (600, 600)),
    "potato": Category(300, 33, 22, 92, 4, 115, (800, 800)),
    "rope": Category(298, 33, 32, 69, 3, 72, (400, 900)),
    "tire": Category(210, 29, 25, 87, 4, 95, (600, 800)),
}
"""From Bergmann et al., VISAPP 2022, in the order of all published tables."""


def count_findings(name: str, folder: ProductFolder) -> Iterator[str]:
    """One message for each count that differs from the official archive. No message for other products."""
    official = CATEGORIES.get(name)
    if official is None:
        return
    defects = Counter(part.defect for part in folder.test)
    counts = {
        "training parts": (len(folder.train), official.train),
        "validation parts": (len(folder.validation), official.validation),
        "good test parts": (defects[GOOD], official.test_good),
        "defective test parts": (len(folder.test) - defects[GOOD], official.test_defective),
        "defect types": (len(defects.keys() - {GOOD}), official.defect_types),
    }
    for noun, (count, expected) in counts.items():
        if count != expected:
            yield f"{count} {noun}, but the official archive has {expected}."


def size_findings(name: str, image: tuple[int, int] | None, cloud: tuple[int, int] | None) -> Iterator[str]:
    """Signs of earlier preprocessing in the (height, width) of a part's image and cloud.

    The published scripts change the data set in place: they remove the background and pad to a square. M3DM's
    script of March to September 2023 saved only the cloud, so image and mask do not fit the cloud.
    """
    official = CATEGORIES.get(name)
    if image and cloud and image != cloud:
        sizes = f"The image is {_size(image)} and the cloud is {_size(cloud)} pixels (height x width)"
        yield (
            f"{sizes}: a part of two sizes is refused unless its registration is declared."
            if official is None
            else f"{sizes}: a preprocessing script that saves only the cloud was run here (M3DM's of March "
            f"to September 2023). Unpack {ARCHIVE} again."
        )
        return
    size = cloud or image
    if official is None or size is None or tuple(sorted(size)) == official.size:
        return
    if size[0] == size[1] == official.size[1]:
        yield (
            "The parts are padded to a square, because the published preprocessing was run in this folder. "
            "Use --prepared."
        )
    else:
        yield f"The parts are {_size(size)}, but the official archive has {_size(official.size)}."


def _size(size: tuple[int, int]) -> str:
    return f"{size[0]} x {size[1]}"
