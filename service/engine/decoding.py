"""Decoding the fields of an upload into a Sample. The work is heavy: call `decode` on the decode pool."""

from __future__ import annotations

from collections.abc import Mapping

from models.readers import ReadLimits, read_part
from models.readers.declared import WORDS
from models.sample import BadSample, Sample
from recipes.sensor import Sensor
from service.refusals import Refusal, from_bad_sample

MAX_PART_ID = 128
_FORMS = (
    frozenset({"sample"}),
    frozenset({"rgb", "xyz"}),
    frozenset({"xyz"}),
    frozenset({"rgb", "depth"}),
    frozenset({"rgb", "x", "y", "z"}),
    frozenset({"rgb", "z"}),
)
_ACCEPTED = (
    "Send rgb and xyz; or rgb, depth and intrinsics; or rgb, x, y and z; or sample (NPZ); or a coloured "
    "point cloud as xyz alone."
)


def check_fields(fields: Mapping[str, bytes]) -> None:
    """Check that the fields make one part. Raises Refusal."""
    given = frozenset(fields) - {"part_id", *WORDS}
    if given in _FORMS:
        return
    wanted = next((form for form in _FORMS if given < form), None)
    if wanted is None:
        raise Refusal(400, "conflicting_fields", f"These fields cannot be combined. {_ACCEPTED}")
    missing = sorted(wanted - given)[0]
    raise Refusal(422, "missing_field", f"The field {missing} is missing. {_ACCEPTED}", part=missing)


def part_id_of(fields: Mapping[str, bytes], given: str | None = None) -> str | None:
    """The client's name for the part, unchecked.

    fields: of the form.
    given: the name in the query, if any.

    Raises Refusal.
    """
    if "part_id" in fields:
        if given is not None:
            detail = "The part_id is in the form and in the query. Send the part_id once."
            raise Refusal(400, "repeated_field", detail, part="part_id")
        try:
            given = fields["part_id"].decode("utf-8")
        except UnicodeDecodeError:
            given = ""
    return given


def add_word(fields: dict[str, bytes], name: str, value: str | None) -> None:
    """Add what the query declares about the files. Raises Refusal if the form declares it too."""
    if value is None:
        return
    if name in fields:
        detail = f"The {name} is in the form and in the query. Send the {name} once."
        raise Refusal(400, "repeated_field", detail, part=name)
    fields[name] = value.encode()


def checked_part_id(given: str) -> str:
    """The part's name without the spaces around the name. Raises Refusal."""
    part_id = given.strip()
    if not 1 <= len(part_id) <= MAX_PART_ID or not part_id.isprintable():
        detail = f"The part_id must be 1 to {MAX_PART_ID} printable characters in UTF-8."
        raise Refusal(422, "invalid_part_id", detail, part="part_id")
    return part_id


def decode(fields: dict[str, bytes], limits: ReadLimits, sensor: Sensor) -> Sample:
    """Decode a part and empty `fields`.

    fields: fields that `check_fields` accepted.
    sensor: what is declared for the product.

    Raises Refusal with the name of the field at fault.
    """
    try:
        sample = read_part(fields, sensor, limits)
    except BadSample as error:
        raise from_bad_sample(error) from error
    else:
        if sample.missing == "rgb" and "sample" not in fields:
            raise Refusal(
                422,
                "missing_field",
                "The point cloud has no colour. Send the image as the field rgb.",
                part="rgb",
            )
        return sample
    finally:
        fields.clear()
