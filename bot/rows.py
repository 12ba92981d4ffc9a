"""The tables as the flows see them, as Protocols, one a noun.

Every method belongs to one bot account and runs inside the transaction that it was got from. Values come and go in
clear; sealing at rest is the store's business.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import date, datetime
from typing import Any, Protocol

from bot.core.agenda import AgendaItem
from bot.core.choices import Choice
from bot.core.deliveries import Delivery, FirstPost
from bot.core.goals import Goal
from bot.core.inbox import InboxEvent, InboxState, TimelinePosition
from bot.core.megolm import (
    InboundSession,
    OutboundSession,
    Share,
)
from bot.core.olm import OlmSession, ToDeviceMessage
from bot.core.outbox import OutboxEvent
from bot.core.people import BookedSeries, Draw, Intent, ManagedRoom, Pair, Schedule
from bot.core.questions import Question
from bot.core.records import Record
from bot.core.sittings import Sitting
from bot.core.trust import Device, Identity


class Facts(Protocol):
    """Single values of the account, all of them sealed: sync token, seeds, access token, counters."""

    async def read(self, name: str) -> str | None: ...
    async def beginning(self, prefix: str) -> Mapping[str, str]:
        """The values whose names begin like this, by the rest of the name."""

    async def write(self, name: str, value: str | None) -> None: ...
    async def increment(self, name: str) -> int: ...
    async def once(self, key: str, at: datetime, *, every_seconds: int) -> bool:
        """Say whether `key` was not noted within the last `every_seconds` (0: ever), and note it."""


class OlmRows(Protocol):
    """The account's own Olm account, its sessions, replay hashes and the to-device outbox."""

    async def account(self) -> tuple[bytes, int]: ...
    async def save_account(self, pickle: bytes, version: int) -> None:
        """Store the pickle as version + 1 where it is still `version`, else raise `StaleRow`."""

    async def sessions(self, peer_keys: Sequence[str]) -> Mapping[str, tuple[OlmSession, ...]]:
        """Sessions by peer key, the one that last decrypted something first."""

    async def save_sessions(self, sessions: Sequence[OlmSession]) -> None: ...
    async def drop_sessions(self, peer_keys: Sequence[str]) -> None: ...
    async def first_sight(self, ciphertext_hash: str, at: datetime) -> bool:
        """Note the hash of an Olm ciphertext; False when it was processed before (CRYPTO 16)."""

    async def forget_sights(self, before: datetime) -> None:
        """Drop the hashes of ciphertexts that were processed before an instant."""

    async def queue(self, messages: Sequence[ToDeviceMessage]) -> None: ...
    async def unsent(self, limit: int) -> tuple[ToDeviceMessage, ...]: ...
    async def put_in_wave(self, wave: str, message_ids: Sequence[str]) -> None: ...
    async def acknowledge(self, message_ids: Sequence[str]) -> None:
        """Drop sent messages and mark the shares that they carried as acknowledged."""


class DeviceRows(Protocol):
    """Other people's identities and devices, and which lists are out of date."""

    async def track(self, users: Iterable[str]) -> None:
        """Follow these users' device lists; new ones start out of date."""

    async def untrack(self, users: Iterable[str]) -> None: ...
    async def tracked(self) -> frozenset[str]: ...
    async def mark_outdated(self, users: Iterable[str]) -> None:
        """Give each tracked user of these a new, higher mark."""

    async def outdated(self) -> Mapping[str, int]: ...
    async def clear_outdated(self, marks: Mapping[str, int]) -> None:
        """Clear a user's mark where it is not higher than the one given (CRYPTO 21)."""

    async def identities(self, users: Iterable[str]) -> Mapping[str, Identity]: ...
    async def save_identity(self, identity: Identity) -> None: ...
    async def devices(self, users: Iterable[str]) -> Mapping[str, tuple[Device, ...]]:
        """All devices ever seen of these users, removed ones too."""

    async def save_devices(self, devices: Sequence[Device]) -> None: ...
    async def by_curve(self, curve25519: str) -> Device | None: ...
    async def wedges(self, users: Iterable[str]) -> Mapping[tuple[str, str], int]:
        """Wedge counters by (user, device); absent means 0 (CRYPTO 17)."""

    async def raise_wedge(self, user_id: str, device_id: str) -> None: ...


class MegolmRows(Protocol):
    """Room keys, who has them, and the replay ledger."""

    async def outbound(self, room_ids: Iterable[str]) -> Mapping[str, OutboundSession]: ...
    async def save_outbound(self, sessions: Sequence[OutboundSession]) -> None:
        """Store each as version + 1 where it is still at its version, else raise `StaleRow` (CRYPTO 26)."""

    async def drop_outbound(self, room_ids: Iterable[str]) -> None:
        """Forget the rooms' current sessions, so that the next message makes new ones."""

    async def shares(self, session_ids: Iterable[str]) -> tuple[Share, ...]: ...
    async def save_shares(self, shares: Sequence[Share]) -> None: ...
    async def share_of(self, session_id: str, user_id: str, device_id: str) -> Share | None: ...
    async def withheld_index(self, session_id: str, user_id: str, device_id: str) -> int | None:
        """The message index at which a withheld notice was first sent to this device for this session."""

    async def note_withheld(self, session_id: str, user_id: str, device_id: str, code: str, index: int) -> bool:
        """Note a withheld notice; False when this code was sent before."""

    async def inbound(self, room_id: str, session_id: str) -> InboundSession | None: ...
    async def save_inbound(self, sessions: Sequence[InboundSession]) -> None: ...
    async def not_backed_up(self, limit: int) -> tuple[InboundSession, ...]: ...
    async def mark_backed_up(self, session_ids: Sequence[str]) -> None: ...
    async def reset_backed_up(self) -> None: ...
    async def claim_index(self, session_id: str, index: int, event_id: str) -> str:
        """Note which event used this index of this session, and return the event that used it first."""


class RoomRows(Protocol):
    """Managed rooms, their members as the server reports them, and gaps in their timelines."""

    async def add(self, room: ManagedRoom) -> None: ...
    async def get(self, room_id: str) -> ManagedRoom | None: ...
    async def among(self, room_ids: Iterable[str]) -> tuple[ManagedRoom, ...]:
        """Those of these rooms that the bot manages."""

    async def every(self) -> tuple[ManagedRoom, ...]: ...
    async def hold(self, room_id: str, reason: str | None) -> None: ...
    async def set_encryption(self, room_id: str, content: Mapping[str, Any]) -> None: ...
    async def members(self, room_ids: Iterable[str]) -> Mapping[str, Mapping[str, str]]:
        """Room -> user -> membership (invite, join, leave, ban)."""

    async def set_members(self, room_id: str, members: Mapping[str, str]) -> None:
        """Store the room's members in place of all former ones."""

    async def set_member(self, room_id: str, user_id: str, membership: str) -> None: ...
    async def open_gap(self, room_id: str, *, prev_batch: str, last_known: str | None, batch: int) -> None: ...
    async def gaps(self) -> tuple[tuple[str, str, str | None, int, int], ...]:
        """Open gaps: room, token to go on from, last known event, batch, events found so far."""

    async def move_gap(self, room_id: str, batch: int, *, prev_batch: str, found: int) -> None: ...
    async def close_gap(self, room_id: str, batch: int) -> None: ...


class InboxRows(Protocol):
    """Room events that have arrived."""

    async def next_batch(self) -> int: ...
    async def add(self, event: InboxEvent) -> bool:
        """Store an event; False when its event id is known already."""

    async def add_all(self, events: Sequence[InboxEvent]) -> None: ...
    async def get(self, event_id: str) -> InboxEvent | None: ...
    async def settle(self, event: InboxEvent) -> None:
        """Store the event's new state; `DONE` and `REFUSED` empty its content."""

    async def waiting(
        self,
        state: InboxState,
        *,
        room_id: str | None = None,
        session_ids: Sequence[str] | None = None,
        limit: int = 500,
    ) -> tuple[InboxEvent, ...]:
        """Events in a state, in timeline order."""

    async def last_known(self, room_id: str) -> str | None:
        """Event id of the newest event of the room that is stored."""

    async def positions(self, event_ids: Iterable[str]) -> Mapping[str, TimelinePosition]: ...
    async def last_talk(self, room_id: str, sender: str, before: TimelinePosition) -> TimelinePosition | None:
        """Where this person's newest noted message before a position stands in the room."""

    async def note_talk(self, event: InboxEvent) -> None:
        """Note that this event is something that its sender said to the other person."""

    async def trim_unreadable(self, room_id: str, keep: int) -> int: ...


class OutboxRows(Protocol):
    """Events on their way into rooms."""

    async def add(self, event: OutboxEvent) -> None: ...
    async def add_all(self, events: Sequence[OutboxEvent]) -> None: ...
    async def get(self, outbox_id: str) -> OutboxEvent | None: ...
    async def some(self, outbox_ids: Iterable[str]) -> tuple[OutboxEvent, ...]: ...
    async def by_event(self, event_id: str) -> OutboxEvent | None: ...
    async def heads(self, limit: int, *, skip_rooms: Iterable[str] = ()) -> tuple[OutboxEvent, ...]:
        """The first unsent event of each room, oldest first; parked, dropped and urgent ones do not count."""

    async def urgent(self) -> tuple[OutboxEvent, ...]:
        """Unsent answers to `crisis`: they wait for nothing else in their room."""

    async def queued(self, room_id: str) -> tuple[OutboxEvent, ...]: ...
    async def update(self, events: Sequence[OutboxEvent]) -> None: ...
    async def encrypted(self, events: Sequence[OutboxEvent]) -> None:
        """Store the ciphertexts of queued events."""

    async def sent(self, event_ids: Mapping[str, str]) -> None:
        """Note the event ids that the homeserver gave, by outbox id; rows that are gone stay gone."""

    async def of_deliveries(self, delivery_ids: Iterable[str]) -> tuple[OutboxEvent, ...]: ...
    async def of_record(self, record_id: str) -> tuple[OutboxEvent, ...]: ...
    async def of_purpose(self, room_id: str, purpose: str) -> tuple[OutboxEvent, ...]: ...
    async def by_session(self, room_id: str, ciphertext: str) -> OutboxEvent | None:
        """The encrypted row with this Megolm ciphertext (a resent or echoed own event, CRYPTO 30)."""

    async def counts(self) -> Mapping[str, int]: ...


class PairRows(Protocol):
    """Pairs and goals."""

    async def add(self, pair: Pair) -> Pair:
        """Store a new pair and return it with its number."""

    async def save(self, pair: Pair) -> None: ...
    async def get(self, pair_id: str) -> Pair | None: ...
    async def of_room(self, room_id: str) -> Pair | None: ...
    async def of_rooms(self, room_ids: Iterable[str]) -> tuple[Pair, ...]: ...
    async def every(self) -> tuple[Pair, ...]: ...
    async def some(self, pair_ids: Iterable[str]) -> Mapping[str, Pair]: ...
    async def pauses_over(self, at: datetime) -> tuple[Pair, ...]:
        """The pairs whose pause was to last until now."""

    async def next_pause_end(self) -> datetime | None: ...
    async def of_person(self, user_id: str) -> tuple[Pair, ...]: ...
    async def add_goal(self, pair_id: str, goal: Goal) -> Goal: ...
    async def goals(self, pair_id: str) -> tuple[Goal, ...]: ...


class ScheduleRows(Protocol):
    """When prompts come: what is due is found without reading the rest."""

    async def add(self, schedule: Schedule) -> Schedule: ...
    async def save(self, schedule: Schedule) -> None: ...
    async def plan(self, planned: Sequence[Schedule]) -> None:
        """Store of each schedule up to when it is decided, when it is due next, and whether it waits."""

    async def replan(self, pair_id: str) -> None:
        """Have all schedules of a pair planned anew at once: what they go by has changed."""

    async def remove(self, schedule_id: str) -> None: ...
    async def get(self, schedule_id: str) -> Schedule | None: ...
    async def of_pair(self, pair_id: str) -> tuple[Schedule, ...]: ...
    async def every(self) -> tuple[Schedule, ...]: ...
    async def due(self, at: datetime, *, limit: int) -> tuple[Schedule, ...]:
        """The schedules that are due by an instant or are not planned yet, at most so many."""

    async def between(self, *, after: datetime, until: datetime) -> tuple[Schedule, ...]:
        """The schedules that are due next within a span."""

    async def next_due(self, after: datetime) -> datetime | None: ...
    async def draws(
        self, schedule_ids: Iterable[str], *, since: date
    ) -> Mapping[str, Mapping[date, tuple[datetime, ...]]]: ...
    async def keep_draws(self, drawn: Sequence[Draw]) -> None:
        """Store draws; a day that has been drawn keeps what it has."""

    async def forget_draws(self, schedule_ids: Iterable[str], *, before: date) -> None: ...


class SessionRows(Protocol):
    """Therapy sessions."""

    async def add(self, booked: BookedSeries) -> BookedSeries: ...
    async def save(self, booked: BookedSeries) -> None: ...
    async def remove(self, series_id: str) -> None: ...
    async def of_pair(self, pair_id: str) -> tuple[BookedSeries, ...]: ...
    async def of_pairs(self, pair_ids: Iterable[str]) -> Mapping[str, tuple[BookedSeries, ...]]: ...


class DeliveryRows(Protocol):
    """Prompts by occurrence."""

    async def add(self, delivery: Delivery) -> Delivery | None:
        """Store a new delivery with its number; None when (schedule, occurrence) is taken already."""

    async def save(self, delivery: Delivery) -> None: ...
    async def posted(self, delivery_ids: Iterable[str], *, at: datetime) -> None:
        """Note that those of these prompts that are due stand in their rooms."""

    async def get(self, delivery_id: str) -> Delivery | None: ...
    async def recent(self, pair_id: str, limit: int = 20) -> tuple[Delivery, ...]:
        """The pair's newest deliveries, newest first."""

    async def of_schedule(self, schedule_id: str, limit: int = 20) -> tuple[Delivery, ...]:
        """The newest deliveries of a schedule, the one that was due last first."""

    async def first_posts(self, pair_ids: Iterable[str], *, since: datetime) -> tuple[FirstPost, ...]:
        """What was due since an instant and was not skipped: scheduled prompts, and those sent by hand."""

    async def unanswered(self, schedule_ids: Iterable[str]) -> Mapping[str, int]:
        """Of how many occurrences of each schedule, since the last answered one, the prompts stand unanswered."""

    async def to_remind(self, at: datetime, *, limit: int) -> tuple[Delivery, ...]: ...
    async def next_reminder(self) -> datetime | None: ...


class SittingRows(Protocol):
    """The conversations about prompts."""

    async def add_all(self, sittings: Sequence[Sitting]) -> None: ...
    async def save(self, sitting: Sitting) -> None:
        """Store a sitting, in place of what is there."""

    async def of_deliveries(self, delivery_ids: Iterable[str]) -> Mapping[str, Sitting]: ...
    async def open_of(self, pair_ids: Iterable[str], *, answered_after: datetime) -> tuple[Sitting, ...]:
        """The sittings of these pairs that go on and had something said to them later than an instant."""

    async def waking(self, *, until: datetime, limit: int = 500) -> tuple[Sitting, ...]:
        """Sittings whose `wake_at` has come, the earliest first."""

    async def next_wake(self, *, after: datetime) -> datetime | None: ...


class RecordRows(Protocol):
    """What is on record."""

    async def add(self, record: Record) -> None: ...
    async def save(self, record: Record) -> None: ...
    async def get(self, record_id: str) -> Record | None: ...
    async def of_deliveries(self, delivery_ids: Iterable[str]) -> Mapping[str, Record]: ...
    async def of_source(self, event_id: str) -> Record | None: ...
    async def newest(self, pair_id: str, limit: int = 200) -> tuple[Record, ...]: ...
    async def open_journals(self, pair_id: str | None = None) -> tuple[Record, ...]: ...


class PromptNumberRows(Protocol):
    """The numbers by which people name prompts."""

    async def of(self, prompt_ids: Iterable[str]) -> Mapping[str, int]:
        """Each prompt's number; one that has none gets the next free one, in the order given."""


class ChoiceRows(Protocol):
    """What clients have decided about prompts, for good."""

    async def of_pair(self, pair_id: str) -> Mapping[str, Choice]: ...
    async def save(self, choice: Choice) -> None: ...


class AgendaRows(Protocol):
    """What is to come up in the next session."""

    async def add(self, item: AgendaItem) -> AgendaItem: ...
    async def save(self, item: AgendaItem) -> None: ...
    async def shown(self, item_ids: Iterable[str], *, at: datetime) -> None: ...
    async def done(self, item_ids: Iterable[str], *, at: datetime) -> None: ...
    async def remove(self, item_id: str) -> None: ...
    async def open_of(self, pair_id: str) -> tuple[AgendaItem, ...]: ...
    async def of_source(self, event_id: str) -> AgendaItem | None: ...
    async def pairs(self) -> tuple[str, ...]:
        """The pairs that have something to talk about."""


class QuestionRows(Protocol):
    """Questions whether a schedule still fits."""

    async def save(self, question: Question) -> None: ...
    async def of_pair(self, pair_id: str, limit: int = 10) -> tuple[Question, ...]:
        """The newest questions of a pair, newest first."""

    async def open(self) -> tuple[Question, ...]:
        """The questions that are planned, or whose polls have not been ended."""

    async def posted(self, *, after: datetime, until: datetime) -> tuple[str, ...]:
        """The ids of the schedules that posted something within a span."""


class IntentRows(Protocol):
    """What the command line asks of the running bot."""

    async def add(self, intent: Intent) -> None: ...
    async def save(self, intent: Intent) -> None: ...
    async def get(self, intent_id: str) -> Intent | None: ...
    async def queued(self) -> tuple[Intent, ...]: ...
