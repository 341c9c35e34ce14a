"""Command-line options that several commands share, so they read the same everywhere."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Product = Annotated[str, typer.Argument(help="The product's name: a-z, 0-9, '-' and '_'.")]
Banks = Annotated[
    Path,
    typer.Option(
        "--banks", "--bank", envvar="TRIBANK_BANKS", help="Directory that holds the products' bank versions."
    ),
]
Weights = Annotated[
    Path,
    typer.Option(
        "--weights-dir",
        envvar="TRIBANK_WEIGHTS",
        help="Directory of network weights, for profiles that need some. See 'tribank weights list'.",
    ),
]
Device = Annotated[
    str,
    typer.Option(envvar="TRIBANK_DEVICE", help="Where to compute: auto, cpu or cuda (auto: cuda if there)."),
]
ProfileName = Annotated[str, typer.Option("--profile", help="The recipe. See 'tribank profiles'.")]
Prepared = Annotated[
    bool, typer.Option("--prepared", help="The background is out already: only resize the parts.")
]
Change = Annotated[
    list[str] | None,
    typer.Option("--set", help="Change a field of the profile, such as coreset=0.05; repeat for more."),
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON instead of a table.")]

State = Annotated[
    Path,
    typer.Option(envvar="TRIBANK_STATE", help="Directory for what the service keeps, such as its jobs."),
]


def chosen_device(device: str) -> str:
    """ "cpu" or "cuda" for what the user said. Raises BadParameter for anything else, and for a GPU that is
    asked for and is not there: computing elsewhere must not go unnoticed."""
    if device not in ("auto", "cpu", "cuda"):
        raise typer.BadParameter(f"'{device}' is no device: say auto, cpu or cuda", param_hint="--device")
    if device == "cpu":
        return device
    import torch

    if torch.cuda.is_available():
        return "cuda"
    if device == "cuda":
        raise typer.BadParameter(
            "cuda is asked for, and torch finds no GPU; 'tribank doctor' says more", param_hint="--device"
        )
    return "cpu"
