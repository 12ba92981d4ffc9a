"""Values to store, complete by default, each field changeable."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from bot.core.agenda import AgendaItem, AgendaKind
from bot.core.deliveries import Delivery, DeliveryState
from bot.core.goals import Goal
from bot.core.inbox import InboxEvent, InboxState, TimelinePosition
from bot.core.megolm import InboundSession, OutboundSession, Share
from bot.core.olm import OlmSession, ToDeviceMessage
from bot.core.outbox import OutboxEvent
from bot.core.pairs import PairState
from bot.core.people import BookedSeries, Intent, ManagedRoom, Pair, Purpose, Schedule
from bot.core.questions import Fit, Question
from bot.core.records import Piece, Record, RecordKind, RecordState
from bot.core.sessions import SessionPlan, SessionSeries
from bot.core.sittings import Sitting
from bot.core.trust import Device

AT = datetime(2026, 11, 23, 7, 30, 15, 250_000, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
CLIENT, THERAPIST = "@client:hs", "@therapist:hs"


def room(room_id: str = "!pair:hs", pair_id: str | None = "p1", **changes: Any) -> ManagedRoom:
    """A pair's room; without a pair a console room."""
    purpose = Purpose.CONSOLE if pair_id is None else Purpose.PAIR
    value = ManagedRoom(room_id=room_id, purpose=purpose, pair_id=pair_id, therapist=THERAPIST)
    return replace(value, **changes)


def olm_session(session_id: str = "s1", peer_key: str = "peer", **changes: Any) -> OlmSession:
    """A session that is not stored yet."""
    value = OlmSession(session_id=session_id, peer_key=peer_key, pickle=b"olm pickle", last_received=0, version=0)
    return replace(value, **changes)


def to_device(message_id: str = "m1", **changes: Any) -> ToDeviceMessage:
    """A room key on its way."""
    value = ToDeviceMessage(
        message_id=message_id,
        event_type="m.room.encrypted",
        user_id=CLIENT,
        device_id="PHONE",
        content={"body": "sealed letter"},
        session_id="megolm1",
        wave=None,
    )
    return replace(value, **changes)


def device(user_id: str = CLIENT, device_id: str = "PHONE", **changes: Any) -> Device:
    """A signed device."""
    value = Device(user_id=user_id, device_id=device_id, ed25519="ed", curve25519="curve", signed=True, first_seen=AT)
    return replace(value, **changes)


def outbound(room_id: str = "!pair:hs", **changes: Any) -> OutboundSession:
    """A session that is not stored yet."""
    value = OutboundSession(
        room_id=room_id, session_id="megolm1", pickle=b"outbound pickle", created_at=AT, messages=0, version=0
    )
    return replace(value, **changes)


def inbound(room_id: str = "!pair:hs", session_id: str = "megolm1", **changes: Any) -> InboundSession:
    """The client's session."""
    value = InboundSession(
        room_id=room_id,
        session_id=session_id,
        sender=CLIENT,
        sender_key="curve",
        sender_ed25519="ed",
        first_index=0,
        pickle=b"inbound pickle",
        own=False,
    )
    return replace(value, **changes)


def share(session_id: str = "megolm1", device_id: str = "PHONE", **changes: Any) -> Share:
    """The client's phone was given a key, unacknowledged."""
    value = Share(
        session_id=session_id,
        user_id=CLIENT,
        device_id=device_id,
        curve25519="curve",
        index=0,
        wedge=0,
        acknowledged=False,
    )
    return replace(value, **changes)


def position(batch: int = 1, part: int = 1, index: int = 0) -> TimelinePosition:
    """A place in a timeline."""
    return TimelinePosition(batch=batch, part=part, index=index)


def inbox_event(event_id: str = "$in", room_id: str = "!pair:hs", **changes: Any) -> InboxEvent:
    """An answer that waits for its effects."""
    value = InboxEvent(
        event_id=event_id,
        room_id=room_id,
        sender=CLIENT,
        event_type="m.room.message",
        position=position(),
        state=InboxState.PENDING,
        event={"type": "m.room.message", "content": {"body": "an answer"}},
        session_id="megolm1",
        index=3,
        verdict="trusted",
        reason="gap",
    )
    return replace(value, **changes)


def outbox_event(outbox_id: str = "out1", room_id: str = "!pair:hs", **changes: Any) -> OutboxEvent:
    """A prompt on its way, every field set."""
    value = OutboxEvent(
        outbox_id=outbox_id,
        room_id=room_id,
        event_type="m.room.message",
        content={"body": "How was today?"},
        purpose="prompt",
        created_at=AT,
        addressed=CLIENT,
        delivery_id="d1",
        record_id="r1",
        not_after=AT + MINUTE,
        relates_row="out0",
        rel_type="m.reference",
        hold="outdated",
        media={"url": "mxc://hs/photo"},
    )
    return replace(value, **changes)


def pair(pair_id: str = "p1", **changes: Any) -> Pair:
    """A pair in its room."""
    value = Pair(
        pair_id=pair_id,
        number=0,
        client=CLIENT,
        therapist=THERAPIST,
        client_name="Clara Client",
        therapist_name="Theo Therapist",
        timezone="Europe/Berlin",
        language="de",
        country="DE",
        word="heron",
        state=PairState.ACTIVE,
        paused=False,
        therapist_gone=False,
        created_at=AT,
        invited_at=AT + MINUTE,
        room_id="!pair:hs",
        console_id="!console:hs",
    )
    return replace(value, **changes)


def goal(goal_id: str = "g1", **changes: Any) -> Goal:
    """A goal on a scale from 0 to 10."""
    value = Goal(goal_id=goal_id, number=0, title="Walk more", low=0, high=10, rhythm="fri 18:00", revision=1, since=AT)
    return replace(value, **changes)


def schedule(schedule_id: str = "s1", pair_id: str = "p1", **changes: Any) -> Schedule:
    """A daily schedule."""
    value = Schedule(
        schedule_id=schedule_id,
        number=0,
        pair_id=pair_id,
        prompt_id="mood",
        rule="daily 20:00",
        timezone=None,
        goal_id="g1",
        created_at=AT,
        after=AT,
    )
    return replace(value, **changes)


def booked(series_id: str = "a1", pair_id: str = "p1", **changes: Any) -> BookedSeries:
    """A weekly session with a moved and a cancelled date."""
    series = SessionSeries(
        series_id=series_id,
        plan=SessionPlan(first=datetime(2026, 12, 1, 10), weeks=1),  # noqa: DTZ001 - a wall time
        zone="Europe/Berlin",
        moved=((date(2026, 12, 8), datetime(2026, 12, 9, 11, 30)),),  # noqa: DTZ001 - a wall time
        cancelled=frozenset({date(2026, 12, 15)}),
    )
    return BookedSeries(pair_id=pair_id, number=0, series=replace(series, **changes), created_at=AT)


def delivery(delivery_id: str = "d1", **changes: Any) -> Delivery:
    """A prompt that is due, every field set."""
    value = Delivery(
        delivery_id=delivery_id,
        pair_id="p1",
        prompt_id="mood",
        prompt_version=2,
        occurrence="2026-11-23T20:00",
        schedule_id="s1",
        goal_id="g1",
        due=AT,
        expires_at=AT + 60 * MINUTE,
        state=DeliveryState.DUE,
        asked={"text": "Was 7 for Walk?"},
    )
    return replace(value, **changes)


def sitting(delivery_id: str = "d1", **changes: Any) -> Sitting:
    """A sitting in the middle of it, every field set."""
    value = Sitting(
        delivery_id=delivery_id,
        pair_id="p1",
        expires_at=AT + 60 * MINUTE,
        steps=5,
        step="belief",
        asked=("situation", "belief"),
        skipped=frozenset({"situation"}),
        replaces=True,
        row="situation",
        row_since=AT,
        ask_next_at=AT + MINUTE,
        last_answered_at=AT,
        later_at=AT + 2 * MINUTE,
        later_used=True,
        polls={"out1": None, "out2": AT + 10 * MINUTE},
    )
    return replace(value, **changes)


def record(record_id: str = "r1", **changes: Any) -> Record:
    """An entry made from one message."""
    piece = Piece(
        source="$in", step="belief", value=7, text="slept badly", media={"url": "mxc://hs/a"}, session_id="megolm1",
        index=3, late=True,
    )  # fmt: skip
    value = Record(
        record_id=record_id,
        pair_id="p1",
        kind=RecordKind.ENTRY,
        state=RecordState.RECORDED,
        revision=1,
        content={"value": 7, "note": "slept badly"},
        sources=("$in",),
        delivery_id="d1",
        goal_id="g1",
        first_at=AT,
        changed_at=AT + MINUTE,
        late=True,
        confirmation="out2",
        pieces=(piece,),
        undo=(),
    )
    return replace(value, **changes)


def agenda_item(item_id: str = "ag1", pair_id: str = "p1", **changes: Any) -> AgendaItem:
    """A topic of the client's."""
    value = AgendaItem(
        item_id=item_id,
        pair_id=pair_id,
        number=0,
        kind=AgendaKind.BRING,
        text="The talk with my sister",
        by_client=True,
        source=f"$said-{item_id}",
        room_id="!pair:hs",
        created_at=AT,
    )
    return replace(value, **changes)


def question(question_id: str = "q1", pair_id: str = "p1", **changes: Any) -> Question:
    """A question whether a schedule fits, answered."""
    value = Question(
        question_id=question_id,
        pair_id=pair_id,
        schedule_id="s1",
        outbox_id="out1",
        asked_at=AT,
        options={"xK3": Fit.KEEP, "pQ7": Fit.STOP},
        answer=Fit.STOP,
    )
    return replace(value, **changes)


def intent(intent_id: str = "i1", **changes: Any) -> Intent:
    """Something the command line asks."""
    value = Intent(
        intent_id=intent_id,
        kind="pair.add",
        payload={"client_name": "Clara"},
        state="queued",
        result={},
        error="",
        created_at=AT,
    )
    return replace(value, **changes)
