"""The JSON forms in which tools write the camera of a depth map."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from models.readers.limits import TEXT_BYTES
from models.sample import BadSample
from recipes.intrinsics import Intrinsics, is_number, number_fault

_FORMS = (
    "Give fx, fy, cx, cy (or RealSense's ppx, ppy), Open3D's intrinsic_matrix or ROS's K; depth_scale, "
    "width and height are optional"
)

_NUMBERS: Mapping[str, str] = {
    "fx": "fx",
    "fy": "fy",
    "cx": "cx",
    "cy": "cy",
    "ppx": "cx",
    "ppy": "cy",
    "depth_scale": "depth_scale",
    "width": "width",
    "height": "height",
}
"""Keys that hold one number, and the field of each key."""
_MATRICES: Mapping[str, tuple[str, str, Mapping[str, int], Mapping[int, int]]] = {
    key: (
        order,
        example,
        {"fx": 0, "fy": 4, "cx": centre[0], "cy": centre[1]},
        {1: 0, 3: 0, 8: 1} | {at: 0 for at in (2, 5, 6, 7) if at not in centre},
    )
    for key, order, example, centre in (
        ("intrinsic_matrix", "column by column", "fx, 0, 0, 0, fy, 0, cx, cy, 1", (6, 7)),
        ("K", "row by row", "fx, 0, cx, 0, fy, cy, 0, 0, 1", (2, 5)),
        ("k", "row by row", "fx, 0, cx, 0, fy, cy, 0, 0, 1", (2, 5)),
    )
}
"""Keys that hold the nine numbers of the camera matrix: the order, an example, the position of each field,
and the value that the other positions must have."""
_DISTORTION = frozenset({"coeffs", "D", "d"})
_BINNING = frozenset({"binning_x", "binning_y"})
_IGNORED = frozenset(
    {"model", "distortion_model", "header", "R", "r", "P", "p"}
    | {"class_name", "extrinsic", "version_major", "version_minor"}
)
"""Keys of RealSense, ROS and Open3D that change nothing for a camera without distortion."""


def read_intrinsics(data: bytes) -> Intrinsics:
    """Parse {"fx": ..., "fy": ..., "cx": ..., "cy": ...}; depth_scale, width and height are optional.

    Also accepted: RealSense's ppx, ppy, model, coeffs; Open3D's intrinsic_matrix, also inside
    "intrinsic"; the fields of ROS's CameraInfo. Raises BadSample intrinsics_invalid with the name of the
    wrong key. Distortion other than 0 is wrong too.
    """
    camera: dict[str, Any] = {}
    unknown: list[str] = []
    for key, value in _values(data).items():
        if key in _NUMBERS:
            _check_number(key, _NUMBERS[key], value)
            _add(camera, {_NUMBERS[key]: value}, key)
        elif key in _MATRICES:
            _add(camera, _of_matrix(key, value), key)
        elif key in _DISTORTION:
            _check_undistorted(key, value)
        elif key in _BINNING or key == "roi":
            _check_whole_picture(key, value)
        elif key not in _IGNORED:
            unknown.append(key)
    if unknown:
        shown = ", ".join(repr(key[:40]) for key in unknown[:5])
        raise _invalid(f"The intrinsics have unknown keys: {shown}. Remove them. {_FORMS}.")
    if missing := [name for name in ("fx", "fy", "cx", "cy") if name not in camera]:
        raise _invalid(f"The intrinsics lack {', '.join(missing)}. {_FORMS}.")
    return intrinsics_of(**camera)


def intrinsics_of(**numbers: Any) -> Intrinsics:
    """The camera of these numbers. Raises BadSample intrinsics_invalid."""
    try:
        return Intrinsics(**numbers)
    except ValueError as error:
        raise _invalid(str(error)) from error


def _invalid(message: str) -> BadSample:
    return BadSample("intrinsics_invalid", message)


def _values(data: bytes) -> dict[str, Any]:
    """The JSON object. Keys that Open3D nests in "intrinsic" are moved to the top."""
    if len(data) > TEXT_BYTES:
        raise _invalid(f"The intrinsics have more than {TEXT_BYTES} bytes of JSON. {_FORMS}.")
    try:
        values = json.loads(data)
    except (ValueError, RecursionError) as error:
        raise _invalid("The intrinsics are not JSON.") from error
    if not isinstance(values, dict):
        raise _invalid(f"The intrinsics must be a JSON object. {_FORMS}.")
    if "intrinsic" not in values:
        return values
    inner = values.pop("intrinsic")
    if not isinstance(inner, dict) or inner.keys() & values.keys():
        raise _invalid("intrinsic must be a JSON object, and its keys must not occur outside it too.")
    return values | inner


def _add(camera: dict[str, Any], more: Mapping[str, Any], key: str) -> None:
    if twice := sorted(camera.keys() & more.keys()):
        raise _invalid(f"{key} gives {', '.join(twice)} a second time. Give the camera in one form only.")
    camera.update(more)


def _check_number(key: str, field: str, value: object) -> None:
    """Check the number under `key` for a field of Intrinsics."""
    if fault := number_fault(key, field, value):
        raise _invalid(fault)


def _of_matrix(key: str, value: object) -> dict[str, Any]:
    order, example, places, constants = _MATRICES[key]
    if not isinstance(value, list) or len(value) != 9 or not all(map(is_number, value)):
        raise _invalid(f"{key} must be nine finite numbers below 1e6, {order}: {example}.")
    if any(value[at] != number for at, number in constants.items()):
        raise _invalid(f"{key} must be a camera matrix without skew, {order}: {example}.")
    camera = {field: value[at] for field, at in places.items()}
    for field, number in camera.items():
        _check_number(f"{field} in {key}", field, number)
    return camera


def _check_undistorted(key: str, value: object) -> None:
    if not isinstance(value, list) or not all(map(is_number, value)):
        raise _invalid(f"{key} must be a list of finite numbers below 1e6: the distortion coefficients.")
    if any(value):
        raise _invalid(
            f"{key} holds distortion other than 0, but the depth map must have none. Undistort the depth map "
            f"and the image, and give the camera of the undistorted images with all numbers of {key} 0. "
            f"If the images are undistorted already (ROS calls them rectified), only set {key} to 0."
        )


def _check_whole_picture(key: str, value: object) -> None:
    """Refuse ROS's binning and roi: the camera matrix is valid for the whole image, without either."""
    if key in _BINNING and (value == 0 or value == 1):
        return
    if key == "roi" and isinstance(value, dict) and not value.get("x_offset") and not value.get("y_offset"):
        return
    raise _invalid(
        f"{key} says that the depth map is a cut-out of the camera's image, or binned. Give fx, fy, cx, cy "
        f"for the depth map itself, without {key}."
    )
