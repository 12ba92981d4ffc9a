"""`timezone Lisbon`: the client is somewhere else; only what comes later is planned anew."""

from collections.abc import Mapping
from zoneinfo import ZoneInfo

from bot.core.command_names import CommandName
from bot.core.rule_phrases import listed, moment_in_words
from bot.core.template import say as fill
from bot.core.zones import Zone, find_zone
from bot.flows.arranging import Arranger
from bot.flows.request import Carry, Request
from bot.flows.schedules import Schedules
from bot.ports import Tx


class TimezoneCommand:
    """Changes the client's zone."""

    def __init__(self, *, schedules: Schedules, arranger: Arranger) -> None:
        self._schedules = schedules
        self._arranger = arranger

    @property
    def carriers(self) -> Mapping[CommandName, Carry]:
        """What it carries out."""
        return {CommandName.TIMEZONE: self.change}

    async def change(self, tx: Tx, request: Request) -> str:
        """Follow the client to another zone; without a place say which one it is."""
        words, place = request.words, request.command.place
        if place is None:
            here = moment_in_words(request.at.astimezone(request.zone), words)
            return fill(words.timezone_is, city=Zone(id=request.pair.timezone).city, now=here)
        found = find_zone(place)
        if not isinstance(found, Zone):
            if not found.suggestions:
                return words.timezone_unknown
            return fill(words.timezone_which, places=listed(found.suggestions, words))
        there = await self._schedules.change_zone(tx, request.pair, found.id, at=request.at)
        now = moment_in_words(request.at.astimezone(ZoneInfo(found.id)), words)
        said = fill(words.timezone_changed, city=found.city, now=now)
        following = await self._arranger.next(tx, there, at=request.at)
        if following is None:
            return said
        return f"{said} {fill(words.next_prompt, title=following[0], next=moment_in_words(following[1], words))}"
