"""The cipher as the flows see it: one object that hands each question to the part that knows the answer."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from bot.core.batch import Json
from bot.core.megolm import Audience, Decrypted, Encrypted, Hold, Refused, SharePlan, Unreadable, UnstoredCrisis
from bot.core.olm import KeyQuestion, ToDeviceOutcome, TrustNews
from bot.crypto.account import OwnAccount
from bot.crypto.crisis import CrisisText
from bot.crypto.crisis_unstored import UnstoredCrisisText
from bot.crypto.device_lists import DeviceLists
from bot.crypto.key_backup import backup_batch
from bot.crypto.key_requests import KeyRequests
from bot.crypto.megolm_in import RoomKeys
from bot.crypto.megolm_out import MegolmOut
from bot.crypto.olm import OlmChannel
from bot.crypto.one_time_keys import OneTimeKeys
from bot.crypto.sharing import Sharing
from bot.crypto.to_device import ToDeviceIntake
from bot.ports import Tx


class RoomCipher:
    """Implements `ports.Cipher`; what each method does is said there and in the part that it calls."""

    def __init__(self, own: OwnAccount) -> None:
        channel = OlmChannel(own)
        self._room_keys = RoomKeys(own.user_id)
        self._intake = ToDeviceIntake(own, channel, self._room_keys, KeyRequests(channel))
        self._device_lists = DeviceLists(own)
        self._one_time_keys = OneTimeKeys(own)
        self._sharing = Sharing(own, channel)
        self._out = MegolmOut(own)
        self._crisis = CrisisText(own, channel)
        self._unstored = UnstoredCrisisText(own, channel, self._room_keys)

    async def to_device(self, tx: Tx, event: Mapping[str, Any], at: datetime) -> ToDeviceOutcome:
        """See `ToDeviceIntake.take`."""
        return await self._intake.take(tx, event, at)

    async def devices_changed(self, tx: Tx, *, changed: Sequence[str], left: Sequence[str]) -> None:
        """See `DeviceLists.changed`."""
        await self._device_lists.changed(tx, changed=changed, left=left)

    async def key_question(self, tx: Tx) -> KeyQuestion | None:
        """See `DeviceLists.question`."""
        return await self._device_lists.question(tx)

    async def key_answer(self, tx: Tx, question: KeyQuestion, answer: Json, at: datetime) -> tuple[TrustNews, ...]:
        """See `DeviceLists.answer`."""
        return await self._device_lists.answer(tx, question, answer, at)

    async def key_counts(
        self, tx: Tx, counts: Mapping[str, int] | None, unused_fallback: Sequence[str] | None, at: datetime
    ) -> bool:
        """See `OneTimeKeys.counts`."""
        return await self._one_time_keys.counts(tx, counts, unused_fallback, at)

    async def key_upload(self, tx: Tx, at: datetime) -> Json | None:
        """See `OneTimeKeys.upload`."""
        return await self._one_time_keys.upload(tx, at)

    async def share(self, tx: Tx, audiences: Sequence[Audience], at: datetime) -> SharePlan:
        """See `Sharing.share`."""
        return await self._sharing.share(tx, audiences, at)

    async def claimed(self, tx: Tx, wanted: Mapping[str, Mapping[str, str]], answer: Json, at: datetime) -> None:
        """See `Sharing.claimed` and `CrisisText.claimed`."""
        await self._sharing.claimed(tx, wanted, answer, at)
        await self._crisis.claimed(tx, wanted)

    async def encrypt(
        self, tx: Tx, messages: Sequence[tuple[Audience, str, Mapping[str, Any]]], at: datetime
    ) -> tuple[Encrypted | Hold, ...]:
        """See `MegolmOut.encrypt`."""
        return await self._out.encrypt(tx, messages, at)

    async def decrypt(
        self, tx: Tx, room_id: str, event: Json, people: frozenset[str]
    ) -> Decrypted | Unreadable | Refused:
        """See `RoomKeys.decrypt`."""
        return await self._room_keys.decrypt(tx, room_id, event, people)

    async def crisis(
        self, tx: Tx, audience: Audience, user_id: str, content: Mapping[str, Any], at: datetime
    ) -> tuple[Encrypted, Mapping[str, Mapping[str, str]]]:
        """See `CrisisText.encrypt`."""
        return await self._crisis.encrypt(tx, audience, user_id, content, at)

    async def peek(
        self, tx: Tx, to_device: Sequence[Json], room_id: str, event: Json
    ) -> tuple[str, Mapping[str, Any]] | None:
        """See `UnstoredCrisisText.read`."""
        return await self._unstored.read(tx, to_device, room_id, event)

    async def crisis_unstored(
        self, tx: Tx, audience: Audience, user_id: str, content: Mapping[str, Any]
    ) -> UnstoredCrisis:
        """See `UnstoredCrisisText.encrypt`."""
        return await self._unstored.encrypt(tx, audience, user_id, content)

    async def crisis_keys(self, tx: Tx, crisis: UnstoredCrisis, answer: Json) -> Json:
        """See `UnstoredCrisisText.keys`."""
        return await self._unstored.keys(tx, crisis, answer)

    async def confirm(self, tx: Tx, user_id: str, fingerprint: str, at: datetime) -> bool:
        """See `Sharing.confirm`."""
        return await self._sharing.confirm(tx, user_id, fingerprint, at)

    async def backup_batch(self, tx: Tx, limit: int) -> tuple[Json, tuple[str, ...]] | None:
        """See `key_backup.backup_batch`."""
        return await backup_batch(tx, limit)


def build_cipher(user_id: str, device_id: str) -> RoomCipher:
    """The cipher of one bot account and its one device."""
    return RoomCipher(OwnAccount(user_id, device_id))
