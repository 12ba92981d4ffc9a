"""The command line: `interlude`."""

from bot.cli.app import main

__all__ = ["main"]
