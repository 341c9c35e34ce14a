from __future__ import annotations

import time

import pytest

from service.engine.misses import Misses


def test_a_damaged_version_is_worth_a_try_once_its_files_change() -> None:
    files = {"v1": "damaged"}
    misses = Misses(lambda product, version: files[str(version)], again_s=0.0)
    assert misses.worth_a_try("cookie", "v1"), "it was never tried"
    misses.note("cookie", "v1", misses.stamp("cookie", "v1"), files=True)
    assert not misses.worth_a_try("cookie", "v1")
    files["v1"] = "restored"
    assert misses.worth_a_try("cookie", "v1")


@pytest.mark.parametrize(("again_s", "worth"), [(60.0, False), (0.01, True)])
def test_any_other_failure_is_worth_a_try_after_a_while(again_s: float, worth: bool) -> None:
    misses = Misses(lambda product, version: version, again_s=again_s)
    misses.note("cookie", "v1", misses.stamp("cookie", "v1"), files=False)
    time.sleep(0.02)
    assert misses.worth_a_try("cookie", "v1") == worth
