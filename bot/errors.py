"""Every error that a person may meet: its docstring is the message when none is given."""


class InterludeError(Exception):
    """Something went wrong in Interlude."""

    def __init__(self, message: str | None = None) -> None:
        super().__init__(message or (type(self).__doc__ or "").strip())


class ConfigurationError(InterludeError):
    """A setting is missing or wrong."""


class PackError(InterludeError):
    """A prompt pack has a mistake."""


class ScheduleError(InterludeError):
    """A schedule rule cannot be understood."""


class SealingError(InterludeError):
    """A sealed value cannot be opened: wrong master key, moved row or damaged file."""


class KeyMismatch(InterludeError):
    """The homeserver shows other keys for the bot than the ones in its database."""


class LeaseLost(InterludeError):
    """Another process has taken over this bot's device; this one sends nothing more."""


class PairError(InterludeError):
    """A pair cannot be changed in the way that was asked."""


class StaleRow(InterludeError):
    """A row was changed by somebody else since it was read; the transaction is undone."""


class Unreachable(InterludeError):
    """The homeserver cannot be reached, or asks for a pause; worth another try."""

    def __init__(self, message: str | None = None, *, retry_after: float | None = None) -> None:
        super().__init__(message)
        self.retry_after = retry_after  # seconds, where the server named them


class Refusal(InterludeError):
    """The homeserver refuses a request for good."""

    def __init__(self, status: int, errcode: str, message: str) -> None:
        super().__init__(f"{status} {errcode}: {message}")
        self.status = status
        self.errcode = errcode


class GoalError(InterludeError):
    """A goal cannot be understood."""


class HomeserverError(InterludeError):
    """The local homeserver does not run, or refuses what was asked of it."""


class NodeError(InterludeError):
    """The example client cannot be run: Node or its packages are missing."""


class PersonError(InterludeError):
    """A client of the demo or of a test could not do what it was asked."""


class StoreRefused(InterludeError):
    """The database refuses to read or write: it is full, read-only, locked or out of reach."""


class SchemaTooNew(InterludeError):
    """The database was written by a newer version of Interlude; this one does not touch it."""
