"""Structured logging, set up once by the two `__main__` files."""

import logging
import re
import sys

import structlog

# What GitHub, our own attempt secrets and the common model providers hand out; values of these shapes never reach a log.
SECRET_SHAPES = re.compile(
    r"gh[pousr]_[\w.-]{16,}|github_pat_\w{20,}|shoal_secret_[\w-]{16,}|sk-[\w-]{16,}|AIza[\w-]{30,}"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]*?-----END [A-Z ]*PRIVATE KEY-----|(?i:authorization: *(?:basic|bearer|token) +)\S+"
)


def redact(text: str) -> str:
    """`text` with everything that looks like a credential replaced."""
    return SECRET_SHAPES.sub("[redacted]", text)


def set_up(level: str = "INFO", *, as_json: bool = False) -> None:
    """Sends events to stderr: stdout belongs to results."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            _redact_values,
            structlog.processors.JSONRenderer() if as_json else structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty()),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(logging.getLevelNamesMapping()[level.upper()]),
        logger_factory=structlog.PrintLoggerFactory(file=sys.stderr),
        cache_logger_on_first_use=True,
    )


def _redact_values(_logger: object, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    return {key: redact(value) if isinstance(value, str) else value for key, value in event.items()}
