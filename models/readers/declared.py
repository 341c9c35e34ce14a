"""What is declared about a part's files, as text: the fields of an upload, or the keys of sensor.json.

Every word has the same name in an upload, in sensor.json and in `recipes.sensor.Sensor`.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from types import MappingProxyType
from typing import Any

from models.readers.intrinsics import read_intrinsics
from models.readers.limits import TEXT_BYTES
from models.sample import BadSample
from recipes.sensor import Sensor

UNDECLARED = Sensor()
NOTHING: Mapping[str, bytes] = MappingProxyType({})
WORDS = tuple(field.name for field in fields(Sensor))
"""The names of all that can be declared."""
_PITCHES = ("x_pitch", "y_pitch")
_HEIGHTS = ("z_scale", "z_offset")
_SPELLINGS = {"µm": "um", "μm": "um", "micron": "um", "in": "inch"}


def declared(sensor: Sensor, words: Mapping[str, bytes]) -> Sensor:
    """The sensor with what the words declare.

    words: by name, as text; other names are ignored. A unit other than the sensor's makes the sensor's own
    lengths meaningless, so they are dropped.

    Raises BadSample with the name of the word: sensor_invalid, intrinsics_invalid.
    """
    values = {name: _value(name, words[name]) for name in WORDS if name in words}
    if values.get("xyz_unit") not in (None, sensor.xyz_unit):
        sensor = replace(sensor, x_pitch=None, y_pitch=None, z_scale=1.0, z_offset=0.0)
    for name in values:  # one by one, so that the word at fault is known
        pair = _PITCHES if name in _PITCHES else (name,)
        missing = next(
            (other for other in pair if other not in values and getattr(sensor, other) is None), None
        )
        if missing is not None:
            raise BadSample("sensor_invalid", f"{name} is declared without {missing}. Declare both.", missing)
        try:
            sensor = replace(sensor, **{other: values.get(other, getattr(sensor, other)) for other in pair})
        except ValueError as error:
            raise BadSample("sensor_invalid", f"{error}.", name) from error
    unused = next((name for name in _HEIGHTS if name in values), None)
    if unused and sensor.x_pitch is None and (sensor.z_scale, sensor.z_offset) != (1.0, 0.0):
        raise BadSample(
            "sensor_invalid",
            "z_scale and z_offset are of height maps: declare x_pitch and y_pitch, too. A cloud that has x "
            "and y takes xyz_unit, and a depth map takes depth_scale in its intrinsics.",
            unused,
        )
    return sensor


def _value(name: str, data: bytes) -> Any:
    """The value of one word. Raises BadSample."""
    try:
        return _READ.get(name, float)(data[: TEXT_BYTES + 1])
    except BadSample as bad:
        bad.field = name
        raise
    except ValueError:
        kind = "a whole number" if name == "image_bits" else "a number"
        raise BadSample("sensor_invalid", f"{name} must be {kind}.", name) from None


def words_of(data: bytes, file: str = "sensor.json") -> dict[str, bytes]:
    """The words of a sensor.json. file: its name for messages. Raises BadSample: sensor_invalid."""
    try:
        document = json.loads(data[: TEXT_BYTES + 1])
    except (ValueError, RecursionError) as error:
        raise BadSample("sensor_invalid", f"{file} is no JSON of at most {TEXT_BYTES} bytes.") from error
    if not isinstance(document, dict):
        raise BadSample("sensor_invalid", f"{file} must hold a JSON object.")
    if unknown := [name for name in document if name not in WORDS]:
        raise BadSample(
            "sensor_invalid",
            f"{file} has the unknown key {unknown[0][:40]!r}. Known are: {', '.join(WORDS)}.",
        )
    given = {name: value for name, value in document.items() if value is not None}
    return {
        name: (value if isinstance(value, str) else json.dumps(value)).encode()
        for name, value in given.items()
    }


def _text(data: bytes) -> str:
    text = data.decode("utf-8", "replace").strip()
    return _SPELLINGS.get(text, text)


_READ: Mapping[str, Callable[[bytes], Any]] = {
    "xyz_unit": _text,
    "registration": _text,
    "intrinsics": read_intrinsics,
    "image_bits": int,
}
