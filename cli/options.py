"""Command-line options that several commands share."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

Product = Annotated[str, typer.Argument(help="The product's name: a-z, 0-9, '-' and '_'.")]
Banks = Annotated[
    Path,
    typer.Option("--banks", "--bank", envvar="TRIBANK_BANKS", help="Folder of the products' bank versions."),
]
Weights = Annotated[
    Path,
    typer.Option(
        "--weights-dir",
        envvar="TRIBANK_WEIGHTS",
        help="Folder of network weights, which some profiles need. See 'tribank weights list'.",
    ),
]
Device = Annotated[
    str,
    typer.Option(envvar="TRIBANK_DEVICE", help="auto, cpu or cuda. auto uses cuda if there is a GPU."),
]
ProfileName = Annotated[str, typer.Option("--profile", help="The profile. See 'tribank profiles'.")]
Prepared = Annotated[
    bool, typer.Option("--prepared", help="The background is already removed: only resize the parts.")
]
Change = Annotated[
    list[str] | None,
    typer.Option("--set", help="Change a field of the profile, such as coreset=0.05. Repeatable."),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]

Rgb = Annotated[Path, typer.Argument(help="The part's image: PNG, JPEG, TIFF or BMP.")]
Xyz = Annotated[
    list[Path],
    typer.Argument(
        help="The part's organised cloud or height map: TIFF, PLY, PCD, NPY or PNG; or three files with the "
        "planes x, y and z of the cloud, in this order."
    ),
]
XyzUnit = Annotated[
    str | None,
    typer.Option(
        "--xyz-unit",
        help="Unit of the coordinates in the files: m, mm, um or inch. [default: the unit that the file "
        "names, else m]",
    ),
]
SensorFile = Annotated[
    Path | None,
    typer.Option(
        "--sensor", help="JSON file that says more about the files, such as x_pitch; see docs/cameras.md."
    ),
]

State = Annotated[
    Path,
    typer.Option(envvar="TRIBANK_STATE", help="Folder for the server's data: keys, jobs and results."),
]


def files_of(rgb: Path, xyz: Sequence[Path], intrinsics: Path | None = None) -> dict[str, Path]:
    """The files of one part by field, as in an upload.

    xyz: one file, or three planes. intrinsics: of the camera, if `xyz` is a depth map. Raises BadParameter.
    """
    if len(xyz) == 3 and intrinsics is None:
        return {"rgb": rgb, **dict(zip("xyz", xyz, strict=True))}
    if len(xyz) != 1:
        raise typer.BadParameter(
            f"name one file of the cloud, or three files with its planes x, y and z, not {len(xyz)} files. "
            "A depth map is one file.",
            param_hint="XYZ",
        )
    if intrinsics is None:
        return {"rgb": rgb, "xyz": xyz[0]}
    return {"rgb": rgb, "depth": xyz[0], "intrinsics": intrinsics}


def words_about_files(sensor: Path | None, xyz_unit: str | None) -> dict[str, bytes]:
    """What the options --sensor and --xyz-unit declare, as fields of a part. Raises BadSample, OSError."""
    from models.readers.declared import words_of

    words = {} if sensor is None else words_of(sensor.read_bytes(), str(sensor))
    return words if xyz_unit is None else {**words, "xyz_unit": xyz_unit.encode()}


def check_folder(folder: Path, option: str) -> None:
    """Raises FileNotFoundError unless there is such a folder. option: the option that names the folder."""
    if not folder.is_dir():
        raise FileNotFoundError(f"There is no folder {folder} ({option}).")


def is_given(context: typer.Context, parameter: str) -> bool:
    """Whether this option was typed, or set by its environment variable."""
    return _source(context, parameter) != "DEFAULT"


def is_typed(context: typer.Context, parameter: str) -> bool:
    """Whether this option was typed: no default and no environment variable, whose folder may come later."""
    return _source(context, parameter) == "COMMANDLINE"


def _source(context: typer.Context, parameter: str) -> str:
    source = context.get_parameter_source(parameter)
    return "DEFAULT" if source is None else source.name


def chosen_device(device: str) -> str:
    """Resolve the option to "cpu" or "cuda".

    Raises BadParameter for another word, and for cuda without a GPU, because computing on the CPU instead
    must not go unnoticed.
    """
    if device not in ("auto", "cpu", "cuda"):
        raise typer.BadParameter(f"unknown device '{device}'. Use auto, cpu or cuda.", param_hint="--device")
    if device == "cpu":
        return device
    import torch

    if torch.cuda.is_available():
        return "cuda"
    if device == "cuda":
        raise typer.BadParameter(
            "cuda needs a GPU, but torch sees no GPU. Run 'tribank doctor' for the reason.",
            param_hint="--device",
        )
    return "cpu"
