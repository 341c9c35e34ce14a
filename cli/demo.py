"""`tribank demo`: from good parts to scored parts, with the commands that a user would type."""

from __future__ import annotations

import json
import shlex
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from cli.steps import StepFailed, free_port, serving, tribank

if TYPE_CHECKING:
    from models.readers.product_folder import PartFile

CURL = "curl -sS -F rgb=@{rgb} -F xyz=@{xyz} {url}/v1/products/{product}/score"
"""The README's command. With `-H 'Accept: image/png' -o FILE`, the command fetches the heatmap."""

_console = Console()


def demo(
    out: Annotated[Path, typer.Option(help="Folder for parts, banks and heatmaps.")] = Path("out"),
    product: Annotated[
        str, typer.Option(help="A demo product. 'tribank demo-parts --help' lists all.")
    ] = "biscuit",
    serve: Annotated[bool, typer.Option("--serve", help="Keep the server running until Ctrl-C.")] = False,
    port: Annotated[int, typer.Option(help="Port of the server; 0 chooses a free port.")] = 0,
) -> None:
    """Render demo parts, build banks, start a server, and score a good and a defective part with curl."""
    parts, banks = out / "parts", out / "banks"
    _run("demo-parts", str(parts), "--product", product)
    if not (banks / product / "current").exists():
        _run("build", product, str(parts / product), "--banks", str(banks))
    port = port or free_port()
    _say("serve", "--banks", str(banks), "--state", str(out / "state"), "--port", str(port), "&")
    with serving(banks, out / "state", port) as url:
        _score_two(url, product, parts / product, out / "heatmaps")
        if serve:
            _console.print(f"Serving on {url} (API: {url}/openapi.json). Ctrl-C stops the server.")
            with _interruptible():
                signal.pause()


def _run(*arguments: str) -> None:
    _say(*arguments)
    if subprocess.run(tribank(*arguments), check=False).returncode:
        raise StepFailed(f"'tribank {shlex.join(arguments)}' failed. Its message is above.")


def _say(*arguments: str) -> None:
    words = " ".join(word if word == "&" else shlex.quote(word) for word in arguments)
    _console.print(f"[bold]$ tribank {escape(words)}[/bold]", soft_wrap=True)


def _score_two(url: str, product: str, folder: Path, heatmaps: Path) -> None:
    from models.readers.product_folder import open_product_folder

    test = open_product_folder(folder).test
    chosen = [next(part for part in test if part.defect == "good"), _plain_defect(test)]
    heatmaps.mkdir(parents=True, exist_ok=True)
    table = Table("part", "score", "threshold", "decision", "ms")
    pictures = []
    for part in chosen:
        files = {name: shlex.quote(str(path)) for name, path in part.files.items()}
        command = CURL.format(**files, url=url, product=product)
        _console.print(f"[bold]$ {escape(command)}[/bold]", soft_wrap=True)
        _curl(command)  # the first request is slower because caches are cold
        start = time.perf_counter()
        answer = json.loads(_curl(command))
        milliseconds = 1000 * (time.perf_counter() - start)
        if "score" not in answer:
            raise StepFailed(f"The server refused {part.name}: {answer.get('detail', answer)}")
        picture = heatmaps / f"{part.name.replace('/', '_')}.png"
        _curl(f"{command} -H 'Accept: image/png' -o {shlex.quote(str(picture))}")
        pictures.append(picture)
        table.add_row(
            part.name,
            f"{answer['score']:.3f}",
            f"{answer['threshold']:.3f}",
            answer["decision"],
            f"{milliseconds:.0f}",
        )
    _console.print(table)
    _console.print("Heatmaps:", *map(str, pictures), sep="\n  ", soft_wrap=True, markup=False)


def _plain_defect(test: tuple[PartFile, ...]) -> PartFile:
    """The first part with a hole, or else the first defective part."""
    defective = [part for part in test if part.defect != "good"]
    return next((part for part in defective if part.defect == "hole"), defective[0])


def _curl(command: str) -> bytes:
    done = subprocess.run(shlex.split(command), capture_output=True, check=False)
    if done.returncode:
        raise StepFailed(f"curl failed: {done.stderr.decode().strip()}")
    return done.stdout


@contextmanager
def _interruptible() -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        _console.print("Stopping.")
