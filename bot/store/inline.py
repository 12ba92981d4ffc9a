"""SQLite on the event loop's own thread, except for what waits for the disk or for another process.

The driver hands every call to a thread, four a statement, which costs many times what the statement itself does: ours
take microseconds. What can take longer goes to the thread: BEGIN waits for a lock, COMMIT for the disk.
"""

import sqlite3
from collections.abc import Callable
from functools import partial
from typing import Any

import aiosqlite

_SLOW_STATEMENTS = ("BEGIN", "COMMIT", "ROLLBACK", "PRAGMA", "VACUUM")
_ROWS_AT_A_TIME = 64  # the driver's own default for iteration


class InlineConnection(aiosqlite.Connection):
    """A connection whose quick calls never leave the loop's thread; one task at a time may use it."""

    async def _execute(self, fn: Callable[..., Any], *args: Any, **kwargs: Any) -> Any:
        if _slow(fn, args):
            return await super()._execute(fn, *args, **kwargs)  # type: ignore[no-untyped-call]  # aiosqlite's is bare
        if not self._running or not self._connection:
            raise ValueError("Connection closed")
        return fn(*args, **kwargs)


def connect(file: str, *, timeout: float) -> InlineConnection:
    """Make a connection, to be awaited; `timeout` in seconds for the locks of others.

    It is used from two threads, but never from both at once.
    """
    connector = partial(sqlite3.connect, file, isolation_level=None, timeout=timeout, check_same_thread=False)
    connection = InlineConnection(connector, _ROWS_AT_A_TIME)
    connection._thread.daemon = True  # noqa: SLF001 - as SQLAlchemy does: a process that gives up is not to hang on it
    return connection


def _slow(fn: Callable[..., Any], args: tuple[Any, ...]) -> bool:
    """Whether a call may wait: what concerns the connection as a whole, and the statements that begin and end."""
    if not isinstance(getattr(fn, "__self__", None), sqlite3.Cursor):
        return fn.__name__ != "cursor"
    return fn.__name__ == "execute" and str(args[0]).startswith(_SLOW_STATEMENTS)
