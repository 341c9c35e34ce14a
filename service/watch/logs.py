"""The log: JSON lines on one stream, one line a part and a request.

The lines hold no pixels, no keys and no file names of clients. The log lines of libraries, warnings and
uncaught exceptions get the same form, so that a log collector can parse every line.
"""

from __future__ import annotations

import logging
from io import TextIOBase
from typing import Any, TextIO, cast

import structlog
from structlog.typing import FilteringBoundLogger, Processor

_STAMP: list[Processor] = [
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]


def make_logger(stream: TextIO | TextIOBase) -> FilteringBoundLogger:
    """A logger that writes JSON lines to `stream`."""
    logger = structlog.wrap_logger(
        structlog.WriteLogger(cast(TextIO, stream)),
        processors=[*_STAMP, structlog.processors.format_exc_info, structlog.processors.JSONRenderer()],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
    )
    return cast(FilteringBoundLogger, logger)


def library_logging(stream: TextIO | TextIOBase) -> dict[str, Any]:
    """A logging configuration that writes the log lines of libraries to `stream`, from level WARNING on.

    The field `logger` names the library. Python's warnings are included if logging.captureWarnings is on.
    """
    chain: list[Processor] = [
        structlog.stdlib.add_logger_name,
        *_STAMP,
        structlog.stdlib.ProcessorFormatter.remove_processors_meta,
        structlog.processors.format_exc_info,
        structlog.processors.JSONRenderer(),
    ]
    formatter = {"()": structlog.stdlib.ProcessorFormatter, "processors": chain}
    handler = {"class": "logging.StreamHandler", "formatter": "json", "stream": stream}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"json": formatter},
        "handlers": {"lines": handler},
        "root": {"handlers": ["lines"], "level": "WARNING"},
        "loggers": {"uvicorn": {"level": "WARNING"}},  # otherwise uvicorn logs its start and its end
    }
