"""Whoever speaks in a server, its lines are JSON."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

SPEAKERS = """
import logging, logging.config, sys, warnings
from service.watch.logs import library_logging, make_logger
logging.config.dictConfig(library_logging(sys.stderr))
logging.captureWarnings(True)
make_logger(sys.stderr).info("request", part_id="a")
warnings.warn("an old way")
logging.getLogger("uvicorn.error").warning("of %d", 3)
logging.getLogger("uvicorn").info("started")
try:
    1 / 0
except ZeroDivisionError:
    logging.getLogger("asyncio").exception("never retrieved")
    make_logger(sys.stderr).exception("internal")
"""


def test_every_line_is_json() -> None:
    root = Path(__file__).parents[3]
    done = subprocess.run(
        [sys.executable, "-c", SPEAKERS],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(root)},
    )
    own, warning, server, forgotten, internal = map(json.loads, done.stderr.splitlines())
    assert (own["event"], own["level"], own["part_id"]) == ("request", "info", "a")
    assert (warning["logger"], "an old way" in warning["event"]) == ("py.warnings", True)
    assert (server["logger"], server["event"], server["level"]) == ("uvicorn.error", "of 3", "warning")
    assert "ZeroDivisionError" in forgotten["exception"]
    assert "ZeroDivisionError" in internal["exception"]
    assert all(line["timestamp"].endswith("Z") for line in (own, warning, server, forgotten, internal))
