"""scripts/setup: what it is told, without running it to its end."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

from service.settings import Settings

SETUP = Path(__file__).parents[1] / "scripts" / "setup"


def test_hardware_that_it_does_not_know_is_refused_with_a_sentence() -> None:
    environment = {**os.environ, "TRIBANK_HARDWARE": "tpu"}
    done = subprocess.run([SETUP], env=environment, capture_output=True, text=True)
    assert done.returncode == 1
    assert done.stderr == ("TRIBANK_HARDWARE is 'tpu'. Use cpu or gpu, or unset it to detect the hardware.\n")


def test_no_name_that_it_reads_means_something_else_to_the_server() -> None:
    read = set(re.findall(r"TRIBANK_[A-Z_]+", SETUP.read_text()))
    assert read == {"TRIBANK_HARDWARE", "TRIBANK_PYTHON", "TRIBANK_FOR", "TRIBANK_WITH"}
    assert not read & {f"TRIBANK_{name.upper()}" for name in Settings.model_fields}
