"""One command on its way to be carried out: who wrote it, where, and which pair it is about."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from bot.core.commands import Command
from bot.core.inbox import InboxEvent
from bot.core.people import Pair
from bot.core.permissions import Role, Where
from bot.core.wording import Wording
from bot.flows.places import Place
from bot.ports import Tx


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """A command with all that belongs to it."""

    place: Place  # where it was written
    role: Role
    command: Command
    event: InboxEvent
    at: datetime
    words: Wording  # of the place
    about: Pair | None  # the room's pair, or the client that was named in the console or is the only one

    @property
    def where(self) -> Where:
        """Where it was written, as permissions go."""
        return Where.ROOM if self.place.pair else Where.CONSOLE

    @property
    def pair(self) -> Pair:
        """The pair that the command is about; there is one for every command that needs one."""
        if self.about is None:
            raise ValueError("This command is about no pair.")
        return self.about

    @property
    def zone(self) -> ZoneInfo:
        """The client's zone, in which all times are meant and shown."""
        return ZoneInfo(self.pair.timezone)

    @property
    def by_client(self) -> bool:
        """Whether the client wrote it."""
        return self.role == "client"


# What carries a command out. It returns what to say: "" for nothing, None when there is nothing to act on, so that the
# words may be conversation.
Carry = Callable[[Tx, Request], Awaitable[str | None]]
