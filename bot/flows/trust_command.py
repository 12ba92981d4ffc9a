"""`trust @user:server fingerprint` in the console: a therapist confirms a client's new key (CRYPTO 4)."""

from collections.abc import Mapping

from bot.core.command_names import CommandName
from bot.core.template import say as fill
from bot.core.trust import fingerprint_groups
from bot.flows.request import Carry, Request
from bot.ports import Cipher, Clock, Tx


class TrustCommand:
    """Confirms keys."""

    def __init__(self, *, cipher: Cipher, clock: Clock) -> None:
        self._cipher = cipher
        self._clock = clock

    @property
    def carriers(self) -> Mapping[CommandName, Carry]:
        """What it carries out."""
        return {CommandName.TRUST: self.trust}

    async def trust(self, tx: Tx, request: Request) -> str:
        """Confirm a client's new key; a therapist's own only the operator confirms."""
        words = request.words
        user, fingerprint = request.command.user or "", request.command.fingerprint or ""
        pair = next((each for each in await tx.pairs.of_person(user) if each.client == user), None)
        if pair is None or pair.therapist != request.place.room.therapist:
            return words.console_trust_not_here
        if not await self._cipher.confirm(tx, user, fingerprint, self._clock.real()):
            return fill(words.console_trust_wrong, person=pair.client_name, user=user)
        shown = fingerprint_groups("".join(fingerprint.split()))
        return fill(words.console_trusted, person=pair.client_name, fingerprint=shown)
