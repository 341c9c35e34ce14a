"""Labels of a part: what the client says of where and when it was made, such as station, lot and shift."""

from __future__ import annotations

import re
from collections.abc import Mapping

from service.refusals import Refusal

MOST_LABELS = 8
MOST_TEXT = 1000
EXAMPLE = "station:7,lot:A-113,shift:night"
_LABEL = re.compile(r"([a-z][a-z0-9_]{0,31}):([^,:]{1,64})\Z")


def labels_of(text: str | None) -> Mapping[str, str]:
    """Labels by name, sorted by name. text: as in EXAMPLE, or None.

    A name has a-z, 0-9 and `_`. A value has 1 to 64 printable characters without comma and colon. Raises
    Refusal.
    """
    if text is None:
        return {}
    found = [_LABEL.match(label.strip()) for label in text.split(",")]
    labels = {match[1]: match[2].strip() for match in found if match}
    sound = len(labels) == len(found) <= MOST_LABELS and text.isprintable() and all(labels.values())
    if not sound:
        detail = (
            f"The labels must look like {EXAMPLE}: at most {MOST_LABELS}, each name once; names of a-z, 0-9 "
            "and _, values of 1 to 64 printable characters without comma and colon."
        )
        raise Refusal(422, "invalid_labels", detail)
    return dict(sorted(labels.items()))


def label_text(labels: Mapping[str, str]) -> str:
    """Labels as a client writes them."""
    return ",".join(f"{name}:{value}" for name, value in labels.items())
