from __future__ import annotations

from importlib.util import find_spec

import pytest

from evaluation.bench import versus_anomalib


@pytest.mark.skipif(find_spec("anomalib") is not None, reason="anomalib is installed here")
def test_without_anomalib_it_says_what_to_install() -> None:
    with pytest.raises(SystemExit, match="pip install anomalib"):
        versus_anomalib.compare(rows=1, images=1)
