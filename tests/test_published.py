"""The second opinion is sound: it computes what the authors' own code computed."""

from __future__ import annotations

from types import ModuleType

import pytest

from tests.golden_values import Arrays, Yardstick, compare_scores, compare_stages


@pytest.mark.slow

