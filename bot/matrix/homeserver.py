"""The homeserver as the flows know it (`bot.ports.Homeserver`), and what `init` needs beside."""

from bot.matrix.account import AccountApi
from bot.matrix.keys import KeysApi
from bot.matrix.rooms import RoomsApi
from bot.matrix.sync import SyncApi


class NioHomeserver(SyncApi, RoomsApi, KeysApi, AccountApi):
    """The Client-Server API on nio's `AsyncClient`, as one account."""
