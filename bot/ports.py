"""What the flows need from the outside, as Protocols: a clock, a store, a homeserver and a cipher.

What a transaction offers, noun by noun, stands in `bot/rows.py`.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime
from typing import Any, Protocol

from bot.core.batch import HistoryPage, Json, SyncBatch
from bot.core.megolm import (
    Audience,
    Decrypted,
    Encrypted,
    Hold,
    Refused,
    SharePlan,
    Unreadable,
    UnstoredCrisis,
)
from bot.core.olm import KeyQuestion, ToDeviceOutcome, TrustNews
from bot.rows import (
    AgendaRows,
    ChoiceRows,
    DeliveryRows,
    DeviceRows,
    Facts,
    InboxRows,
    IntentRows,
    MegolmRows,
    OlmRows,
    OutboxRows,
    PairRows,
    PromptNumberRows,
    QuestionRows,
    RecordRows,
    RoomRows,
    ScheduleRows,
    SessionRows,
    SittingRows,
)


class Clock(Protocol):
    """The time: simulated for schedules, real for keys, retries and leases (CRYPTO 33)."""

    def now(self) -> datetime: ...
    def real(self) -> datetime: ...


class Alarm(Protocol):
    """Wakes at one instant of the clock that schedules live by."""

    def set(self, at: datetime | None) -> None:
        """Ring at this instant, at once when it has passed; an earlier setting is forgotten."""

    async def wait(self) -> None:
        """Return when it has rung since the last call."""


class Meter(Protocol):
    """Counters for the operator; their names carry nothing about people."""

    def count(self, name: str, by: int = 1) -> None: ...


# --- the store -------------------------------------------------------------------------------------------------------


class Tx(Protocol):
    """One database transaction."""

    facts: Facts
    olm: OlmRows
    devices: DeviceRows
    megolm: MegolmRows
    rooms: RoomRows
    inbox: InboxRows
    outbox: OutboxRows
    pairs: PairRows
    schedules: ScheduleRows
    sessions: SessionRows
    deliveries: DeliveryRows
    sittings: SittingRows
    records: RecordRows
    prompt_numbers: PromptNumberRows
    choices: ChoiceRows
    agenda: AgendaRows
    questions: QuestionRows
    intents: IntentRows

    def savepoint(self) -> AbstractAsyncContextManager[None]:
        """Undo only what happens inside when an exception leaves it."""


class Store(Protocol):
    """The database. One transaction at a time writes; it checks the lease first (CRYPTO 27)."""

    def transaction(self) -> AbstractAsyncContextManager[Tx]: ...
    def snapshot(self) -> AbstractAsyncContextManager[Tx]:
        """For reading alone: works while nothing can be written, and is always undone."""


# --- the cipher ------------------------------------------------------------------------------------------------------


class Cipher(Protocol):
    """End-to-end encryption without network access: what arrived is put in, what has to go out is taken."""

    async def to_device(self, tx: Tx, event: Mapping[str, Any], at: datetime) -> ToDeviceOutcome:
        """Process one to-device event; malformed ones come back as `dropped`, nothing is raised."""

    async def devices_changed(self, tx: Tx, *, changed: Sequence[str], left: Sequence[str]) -> None: ...
    async def key_question(self, tx: Tx) -> KeyQuestion | None: ...
    async def key_answer(self, tx: Tx, question: KeyQuestion, answer: Json, at: datetime) -> tuple[TrustNews, ...]: ...
    async def key_counts(
        self, tx: Tx, counts: Mapping[str, int] | None, unused_fallback: Sequence[str] | None, at: datetime
    ) -> bool:
        """Note what the server holds of our one-time keys; True when an upload is due."""

    async def key_upload(self, tx: Tx, at: datetime) -> Json | None:
        """Make and publish new one-time keys and return the body of /keys/upload; never the same batch twice."""

    async def share(self, tx: Tx, audiences: Sequence[Audience], at: datetime) -> SharePlan:
        """Make or rotate the rooms' sessions as needed and queue their keys for every device that lacks them."""

    async def claimed(self, tx: Tx, wanted: Mapping[str, Mapping[str, str]], answer: Json, at: datetime) -> None:
        """Make Olm sessions from an answer of /keys/claim."""

    async def encrypt(
        self, tx: Tx, messages: Sequence[tuple[Audience, str, Mapping[str, Any]]], at: datetime
    ) -> tuple[Encrypted | Hold, ...]:
        """Encrypt each (audience, type, content), after checking members, lists, trust and shares once more."""

    async def decrypt(
        self, tx: Tx, room_id: str, event: Json, people: frozenset[str]
    ) -> Decrypted | Unreadable | Refused: ...
    async def crisis(
        self, tx: Tx, audience: Audience, user_id: str, content: Mapping[str, Any], at: datetime
    ) -> tuple[Encrypted, Mapping[str, Mapping[str, str]]]:
        """Encrypt a fixed public text under a session used once, also for this person's unsigned devices (CRYPTO 10).

        Its keys are queued for devices that have an Olm session; the second value is the claim for the others.
        """

    async def peek(
        self, tx: Tx, to_device: Sequence[Json], room_id: str, event: Json
    ) -> tuple[str, Mapping[str, Any]] | None:
        """Read an encrypted event without storing anything, with the room keys of its own batch; None if that fails."""

    async def crisis_unstored(
        self, tx: Tx, audience: Audience, user_id: str, content: Mapping[str, Any]
    ) -> UnstoredCrisis:
        """As `crisis`, with sessions that live in memory only (CRYPTO 10)."""

    async def crisis_keys(self, tx: Tx, crisis: UnstoredCrisis, answer: Json) -> Json:
        """The room keys of an unstored crisis text, user -> device -> content, from an answer of /keys/claim."""

    async def confirm(self, tx: Tx, user_id: str, fingerprint: str, at: datetime) -> bool:
        """Pin the master key that a person typed, if it is the one the server shows now (CRYPTO 4)."""

    async def backup_batch(self, tx: Tx, limit: int) -> tuple[Json, tuple[str, ...]] | None:
        """Room keys for the server-side backup, and the session ids to mark once it has them (CRYPTO 24)."""


# --- the homeserver --------------------------------------------------------------------------------------------------


class Homeserver(Protocol):
    """The Client-Server API. Raises `Refusal` for an answer of 4xx, `Unreachable` for everything worth a retry."""

    async def sync(self, since: str | None, *, timeout: float) -> SyncBatch: ...
    async def messages(self, room_id: str, *, start: str, limit: int) -> HistoryPage: ...
    async def members(self, room_id: str) -> Mapping[str, str]: ...
    async def state(self, room_id: str) -> Mapping[tuple[str, str], Json]: ...
    async def send(self, room_id: str, event_type: str, txn_id: str, content: Mapping[str, Any]) -> str: ...
    async def redact(self, room_id: str, event_id: str, txn_id: str) -> str: ...
    async def send_to_device(self, event_type: str, txn_id: str, messages: Json) -> None: ...
    async def query_keys(self, users: Sequence[str]) -> Json: ...
    async def claim_keys(self, wanted: Mapping[str, Mapping[str, str]]) -> Json: ...
    async def upload_keys(self, body: Json) -> Json: ...
    async def put_backup(self, version: str, body: Json) -> None: ...
    async def create_room(self, body: Json) -> str: ...
    async def joined_rooms(self) -> tuple[str, ...]: ...
    async def invite(self, room_id: str, user_id: str) -> None: ...
    async def kick(self, room_id: str, user_id: str) -> None: ...
    async def leave(self, room_id: str) -> None: ...
    async def display_name(self, user_id: str) -> str | None:
        """The person's display name, None when the account does not exist."""

    async def read_marker(self, room_id: str, event_id: str) -> None: ...
