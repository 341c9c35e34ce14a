"""JSON lines on one stream: one line a request, without pixels, file names or paths of the client."""

from __future__ import annotations

import logging
from typing import Any, TextIO, cast

import structlog
from structlog.typing import FilteringBoundLogger, Processor

_STAMP: list[Processor] = [
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
]


def make_logger(stream: TextIO) -> FilteringBoundLogger:
    """A logger that writes JSON lines to `stream`."""
    logger = structlog.wrap_logger(
        structlog.PrintLogger(stream),
        processors=[*_STAMP, structlog.processors.format_exc_info, structlog.processors.JSONRenderer()],
        wrapper_class=structlog.make_filtering_bound_logger(logging.INFO),
    )
    return cast(FilteringBoundLogger, logger)


def uvicorn_logging(stream: TextIO) -> dict[str, Any]:
    """A logging configuration that brings what uvicorn itself has to say into the same stream and form."""
    chain = [
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
        "loggers": {"uvicorn": {"handlers": ["lines"], "level": "WARNING", "propagate": False}},
    }
