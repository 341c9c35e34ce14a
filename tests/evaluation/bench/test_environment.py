"""What is recorded with a result about its code."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from evaluation.bench.environment import commit, environment, in_words

ROOT = Path(__file__).parents[3]


@pytest.mark.skipif(not (ROOT / ".git").exists(), reason="this is no git checkout")
def test_the_commit_of_the_code_is_recorded() -> None:
    head = subprocess.run(
        ["git", "-C", str(ROOT), "rev-parse", "HEAD"], capture_output=True, text=True, check=True
    ).stdout.strip()
    recorded = commit()
    assert recorded is not None
    assert head.startswith(recorded.removesuffix("+changed"))
    assert in_words(environment("cpu")).startswith(f"commit {recorded};")
