"""Logs as JSON lines: ids and actions, never content; to stderr and to a file that only the bot's user may read."""

import io
import logging
import logging.handlers
import os
import sys
import traceback
from collections.abc import MutableMapping
from pathlib import Path
from types import TracebackType
from typing import Any

import structlog

from bot.errors import InterludeError

FILE = "interlude.log"
FILE_BYTES = 10_000_000
FILES_KEPT = 5
# They speak of people's events and requests at lower levels.
QUIET = ("nio", "aiohttp", "apscheduler", "sqlalchemy", "alembic", "aiosqlite", "asyncio", "asyncpg", "peewee")

Event = MutableMapping[str, Any]


class PrivateFileHandler(logging.handlers.RotatingFileHandler):
    """A rotating log file with mode 0600."""

    def _open(self) -> io.TextIOWrapper:
        descriptor = os.open(self.baseFilename, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        return io.TextIOWrapper(os.fdopen(descriptor, "ab"), encoding="utf-8", line_buffering=True)


def set_up_logs(data_dir: Path | None, *, to_stderr: bool) -> None:
    """Send all logs of this process to `logs/` in the data directory and, if wanted, to stderr.

    Without a data directory nothing is written to disk. The stdlib's loggers pass the same way, from WARNING up.
    """
    handlers: list[logging.Handler] = []
    if data_dir is not None and data_dir.is_dir():
        handlers.append(_file(data_dir / "logs"))
    if to_stderr:
        handlers.append(logging.StreamHandler(sys.stderr))
    formatter = structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=_COMMON,
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, structlog.processors.JSONRenderer()],
    )
    for handler in handlers or [logging.NullHandler()]:
        handler.setFormatter(formatter)
    root = logging.getLogger()
    for old in root.handlers[:]:
        if getattr(old, "interlude", False):
            root.removeHandler(old)
            old.close()
    for handler in handlers or [logging.NullHandler()]:
        handler.interlude = True  # type: ignore[attr-defined]  # so that a second call replaces ours and no other
        root.addHandler(handler)
    root.setLevel(logging.INFO)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_COMMON,
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,  # tests set up more than once
    )


def _file(directory: Path) -> logging.Handler:
    directory.mkdir(mode=0o700, exist_ok=True)
    return PrivateFileHandler(directory / FILE, maxBytes=FILE_BYTES, backupCount=FILES_KEPT, encoding="utf-8")


def where_it_failed(_: object, __: str, event: Event) -> Event:
    """Replace an exception by the code places that it passed; its message only where it is one of ours.

    Foreign messages quote the values that did not fit, and those may be somebody's words (DESIGN promise 1).
    """
    given = event.pop("exc_info", None)
    if not given:
        return event
    error = given if isinstance(given, BaseException) else given[1] if isinstance(given, tuple) else sys.exc_info()[1]
    if error is None:
        return event
    event["error"] = _chain(error)
    event["trace"] = _places(error.__traceback__)
    return event


def _chain(error: BaseException) -> str:
    names: list[str] = []
    current: BaseException | None = error
    while current is not None and len(names) < 5:
        name = type(current).__name__
        names.append(f"{name}: {current}" if isinstance(current, InterludeError) else name)
        current = current.__cause__ or current.__context__
    return " < ".join(names)


def _places(trace: TracebackType | None) -> list[str]:
    return [f"{Path(frame.filename).name}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(trace)[-20:]]


def _no_positional_values(_: object, __: str, event: Event) -> Event:
    """Keep a foreign logger's sentence without the values that it wants to fill in."""
    record = event.get("_record")
    if isinstance(record, logging.LogRecord) and not event.get("_from_structlog"):
        event["event"] = record.msg if isinstance(record.msg, str) else type(record.msg).__name__
    return event


_COMMON: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    _no_positional_values,
    where_it_failed,
]
