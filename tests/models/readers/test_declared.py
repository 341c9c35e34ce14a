"""What is declared about files: words of an upload or of sensor.json."""

from __future__ import annotations

import pytest

from models.readers.declared import UNDECLARED, declared, words_of
from models.sample import BadSample
from recipes.intrinsics import Intrinsics
from recipes.sensor import Sensor


def test_the_words_of_a_sensor_json_make_a_sensor() -> None:
    words = words_of(
        b'{"xyz_unit": "mm", "x_pitch": 0.1, "y_pitch": 0.2, "z_scale": -0.01, "z_offset": 3, "invalid": 0,'
        b'"intrinsics": {"fx": 500, "fy": 510, "cx": 1, "cy": 2}, "image_bits": 12, "registration": "scaled"}'
    )
    camera = Intrinsics(500, 510, 1, 2)
    assert declared(UNDECLARED, words) == Sensor("mm", 0.1, 0.2, -0.01, 3.0, 0.0, camera, 12, "scaled")


def test_words_override_the_product_and_another_unit_drops_its_lengths() -> None:
    product = Sensor("mm", 0.1, 0.1, 0.01, 5.0, -32768.0)
    assert declared(product, {"z_scale": b"2"}).z_scale == 2
    assert declared(UNDECLARED, {"z_scale": b"1", "z_offset": b"0"}) == UNDECLARED
    assert declared(product, {"invalid": b"0"}) == Sensor("mm", 0.1, 0.1, 0.01, 5.0, 0.0)
    assert declared(product, {"xyz_unit": b"um"}) == Sensor("um", invalid=-32768.0)
    assert declared(product, {"xyz_unit": "µm".encode(), "x_pitch": b"3", "y_pitch": b"3"}).x_pitch == 3


@pytest.mark.parametrize(
    ("words", "field"),
    [
        ({"xyz_unit": b"cm"}, "xyz_unit"),
        ({"xyz_unit": b"\xff"}, "xyz_unit"),
        ({"x_pitch": b"0.1"}, "y_pitch"),
        ({"x_pitch": b"0", "y_pitch": b"1"}, "x_pitch"),
        ({"z_scale": b"0"}, "z_scale"),
        ({"z_offset": b"nan"}, "z_offset"),
        ({"z_scale": b"0.001"}, "z_scale"),
        ({"z_offset": b"3"}, "z_offset"),
        ({"invalid": b"none"}, "invalid"),
        ({"image_bits": b"7"}, "image_bits"),
        ({"image_bits": b"12.5"}, "image_bits"),
        ({"registration": b"both"}, "registration"),
        ({"intrinsics": b"{}"}, "intrinsics"),
    ],
)
def test_a_wrong_word_is_named(words: dict[str, bytes], field: str) -> None:
    with pytest.raises(BadSample) as refused:
        declared(UNDECLARED, words)
    assert refused.value.field == field
    assert refused.value.code == ("intrinsics_invalid" if field == "intrinsics" else "sensor_invalid")


@pytest.mark.parametrize("text", [b"", b"[]", b'{"unit": "mm"}', b'{"a":' * 4000])
def test_a_sensor_json_that_cannot_be_used(text: bytes) -> None:
    with pytest.raises(BadSample) as refused:
        words_of(text, "camera-7.json")
    assert refused.value.code == "sensor_invalid"
    assert "camera-7.json" in str(refused.value)
