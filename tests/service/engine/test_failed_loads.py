from __future__ import annotations

import time

import pytest

from service.engine.failed_loads import FailedLoads


def test_a_damaged_version_is_loaded_again_when_its_files_change() -> None:
    files = {"v1": "damaged"}
    failed = FailedLoads(lambda product, version: files[str(version)], retry_s=0.0)
    assert failed.should_retry("cookie", "v1"), "it was never tried"
    failed.add("cookie", "v1", failed.stamp("cookie", "v1"), files_at_fault=True)
    assert not failed.should_retry("cookie", "v1")
    files["v1"] = "restored"
    assert failed.should_retry("cookie", "v1")


@pytest.mark.parametrize(("retry_s", "retried"), [(60.0, False), (0.01, True)])
def test_any_other_failed_load_is_tried_again_after_a_while(retry_s: float, retried: bool) -> None:
    failed = FailedLoads(lambda product, version: version, retry_s=retry_s)
    failed.add("cookie", "v1", failed.stamp("cookie", "v1"), files_at_fault=False)
    time.sleep(0.02)
    assert failed.should_retry("cookie", "v1") == retried
