"""Compiled networks compute what torch computes, and torch takes over where one cannot be compiled."""

from __future__ import annotations

import logging
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import torch
from torch import nn

from models.numerics import compiled as module
from models.numerics.compiled import Run, compiled, runtime_of
from models.numerics.process import use_threads, use_threads_here

SHAPE = (1, 3, 20, 24)


@pytest.fixture(scope="module")
def network() -> Run:
    torch.manual_seed(0)
    layers = [nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU6(), nn.Conv2d(8, 16, 3, stride=2)]
    return nn.Sequential(*layers).eval().requires_grad_(False)


@pytest.fixture(autouse=True)
def told() -> None:
    """Nothing was told yet."""
    module._tell.cache_clear()


def images(count: int) -> list[torch.Tensor]:
    return list(torch.rand(count, *SHAPE, generator=torch.Generator().manual_seed(1)))


def test_the_same_numbers_as_torch(network: Run, caplog: pytest.LogCaptureFixture) -> None:
    fast = compiled(network, SHAPE)
    assert runtime_of(fast) == "openvino"
    assert runtime_of(network) == "torch"
    for image in images(3):
        torch.testing.assert_close(fast(image), network(image), rtol=0, atol=2e-6)
    assert caplog.records == []


def test_bitwise_the_same_on_every_thread_and_with_any_number_of_threads(network: Run) -> None:
    before = torch.get_num_threads()
    runs: list[Run] = []
    try:
        for count in (1, 2):
            use_threads(count)
            runs.append(compiled(network, SHAPE))
    finally:
        use_threads(before)
    one, two = runs
    expected = [one(image) for image in images(8)]
    with ThreadPoolExecutor(4) as pool:
        for run in runs:
            assert all(map(torch.equal, pool.map(run, images(8)), expected))
    with ThreadPoolExecutor(2, initializer=use_threads_here, initargs=(1,)) as sharing:
        assert all(map(torch.equal, sharing.map(two, images(8)), expected))
    kept = two(images(2)[0])
    two(images(2)[1])
    assert torch.equal(kept, expected[0]), "an answer is the caller's own"


def test_torch_takes_over_and_the_log_says_so_once(caplog: pytest.LogCaptureFixture) -> None:
    def cannot_be_traced(image: torch.Tensor) -> torch.Tensor:
        return torch.from_numpy(image.numpy() * 2)

    for _ in range(2):
        run = compiled(cannot_be_traced, SHAPE)
        assert runtime_of(run) == "torch"
        assert torch.equal(run(images(1)[0]), 2 * images(1)[0])
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert "torch does, more slowly" in record.message


def test_a_compiled_network_that_computes_something_else_is_not_used(
    network: Run, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(module, "_LARGEST_DIFFERENCE", 0.0)
    assert runtime_of(compiled(network, SHAPE)) == "torch"
    assert "differs from torch's by" in caplog.text


def test_where_openvino_cannot_be_imported_torch_runs_the_network() -> None:
    code = (
        "import sys; sys.modules['openvino'] = None\n"
        "import torch\n"
        "from models.numerics.compiled import compiled, runtime_of\n"
        "print(runtime_of(compiled(torch.relu, (1, 2))))"
    )
    child = subprocess.run(
        [sys.executable, "-c", code],
        cwd=Path(module.__file__).parents[2],
        capture_output=True,
        check=True,
        text=True,
    )
    assert child.stdout == "torch\n"
    assert "openvino" in child.stderr
