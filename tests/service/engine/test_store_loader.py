from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np

from banks.methods.memory_bank.bank import MemoryBank
from banks.versions.manifest import Manifest
from banks.versions.store import BankStore
from service.engine.detectors import Size
from service.engine.store_loader import StoreLoader
from tests.conftest import SMALL


def test_the_size_is_that_of_the_rows_in_memory_whatever_the_file_holds(
    small_banks: Path, tmp_path: Path
) -> None:
    shutil.copytree(small_banks, tmp_path, dirs_exist_ok=True)
    loader = StoreLoader(BankStore(tmp_path), device="cpu", weights=tmp_path)
    whole = loader.size(SMALL, "v1")
    rows = 0
    for file in (tmp_path / SMALL / "v1").glob("*.faiss"):
        bank = MemoryBank.from_bytes(file.read_bytes())
        rows += bank.rows.nbytes
        half = MemoryBank.of(np.array(bank.rows), precision="float16").to_bytes()
        assert len(half) < 0.6 * file.stat().st_size
        file.write_bytes(half)
    assert rows < whole.banks
    assert whole.networks, "the networks count apart: products share them"
    assert loader.size(SMALL, "v1") == whole
    assert loader.size(SMALL, "v9") == Size()


def test_the_bounds_of_a_large_bank_count_where_a_processor_searches(
    small_banks: Path, tmp_path: Path
) -> None:
    shutil.copytree(small_banks, tmp_path, dirs_exist_ok=True)
    folder = tmp_path / SMALL / "v1"
    manifest = Manifest.read(folder)
    large = manifest.banks["fused"].model_copy(update={"rows": 76_518, "dimension": 1920})
    manifest.model_copy(update={"banks": {**manifest.banks, "fused": large}}).write(folder)
    on_cpu, on_gpu = (
        StoreLoader(BankStore(tmp_path), device=device, weights=tmp_path).size(SMALL, "v1")
        for device in ("cpu", "cuda")
    )
    assert on_cpu.banks - on_gpu.banks == 4 * 76_518 * 256
