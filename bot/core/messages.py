"""What a decrypted room event says, as far as the bot looks at it: words, media, a vote, an edit."""

import re
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from bot.core.answers import Incoming, IncomingKind
from bot.core.events import Media
from bot.core.inbox import InboxEvent

MESSAGE = "m.room.message"
REDACTION = "m.room.redaction"
# Clients send the unstable type; the stable one is read as well (DESIGN §7).
VOTES = {"org.matrix.msc3381.poll.response": "org.matrix.msc3381.poll.response", "m.poll.response": "m.selections"}
MEDIA_KINDS = {"m.image": "image", "m.audio": "audio", "m.video": "video", "m.file": "file"}
WORDS = frozenset({"m.text", "m.emote"})
EDIT = "edit"  # noted as the reason of an inbox event that replaces another one
LONGEST = 60_000  # characters; no event is longer

_QUOTED = re.compile(r"\A(?:> [^\n]*\n)+\n?")


def incoming(event: InboxEvent, *, from_client: bool) -> Incoming | None:
    """Read a message or a vote; None for anything that is neither."""
    content, relation = event.event.get("content"), event.event.get("relates_to")
    if not isinstance(content, Mapping):
        return None
    relation = relation if isinstance(relation, Mapping) else {}
    if event.event_type in VOTES:
        return _vote(event, content, relation, from_client=from_client)
    if event.event_type != MESSAGE:
        return None
    return _message(event.event_id, content, relation, event.position.order, from_client=from_client)


def edit(event: InboxEvent, *, from_client: bool) -> tuple[str, Incoming] | None:
    """Read an edit: the event that it changes, and what that says now (CRYPTO 13); None when it is no edit."""
    content, relation = event.event.get("content"), event.event.get("relates_to")
    if event.event_type != MESSAGE or not isinstance(relation, Mapping) or not isinstance(content, Mapping):
        return None
    target, new = relation.get("event_id"), content.get("m.new_content")
    if relation.get("rel_type") != "m.replace" or not isinstance(target, str) or not isinstance(new, Mapping):
        return None
    said = _message(target, new, {}, event.position.order, from_client=from_client)
    return (target, said) if said else None


def is_edit(event: InboxEvent) -> bool:
    """Say whether an event claims to replace another one."""
    relation = event.event.get("relates_to")
    return isinstance(relation, Mapping) and relation.get("rel_type") == "m.replace"


def _message(
    event_id: str, content: Mapping[str, Any], relation: Mapping[str, Any], order: int, *, from_client: bool
) -> Incoming | None:
    msgtype, body = content.get("msgtype"), content.get("body")
    reply = _reply_to(relation)
    if isinstance(body, str) and isinstance(msgtype, str) and msgtype in WORDS:
        text = _QUOTED.sub("", body) if reply and body.startswith("> ") else body
        return Incoming(
            event_id=event_id,
            from_client=from_client,
            kind=IncomingKind.TEXT,
            text=text[:LONGEST],
            reply_to=reply,
            order=order,
        )
    media = _media(event_id, content)
    if media is None:
        return None
    return Incoming(
        event_id=event_id,
        from_client=from_client,
        kind=IncomingKind.MEDIA,
        text=media.caption or "",
        media=media,
        reply_to=reply,
        order=order,
    )


def _reply_to(relation: Mapping[str, Any]) -> str | None:
    reply = relation.get("m.in_reply_to")
    target = reply.get("event_id") if isinstance(reply, Mapping) else None
    # In a thread the reply is a fallback for clients without threads; what the thread hangs on is meant.
    if relation.get("rel_type") == "m.thread" and relation.get("is_falling_back") is True:
        target = relation.get("event_id")
    return target if isinstance(target, str) else None


def _media(event_id: str, content: Mapping[str, Any]) -> Media | None:
    kind = MEDIA_KINDS.get(str(content.get("msgtype")))
    if kind is None:
        return None
    file, info = content.get("file"), content.get("info")
    mxc = file.get("url") if isinstance(file, Mapping) else content.get("url")
    info = info if isinstance(info, Mapping) else {}
    body, name = content.get("body"), content.get("filename")
    if kind == "audio" and ("org.matrix.msc3245.voice" in content or "m.voice" in content):
        kind = "voice"
    captioned = isinstance(name, str) and isinstance(body, str) and body != name
    try:
        return Media.model_validate(
            {
                "kind": kind,
                "mxc": mxc,
                "mimetype": _short(info.get("mimetype"), 200),
                "size": _whole(info.get("size")),
                "duration_ms": _whole(info.get("duration")),
                "caption": str(body)[:LONGEST] if captioned else None,
                "name": _short(name if isinstance(name, str) else body, 500),
                "source": event_id,
            }
        )
    except ValidationError:
        return None


def _vote(
    event: InboxEvent, content: Mapping[str, Any], relation: Mapping[str, Any], *, from_client: bool
) -> Incoming | None:
    block = content.get("org.matrix.msc3381.poll.response")
    answers = block.get("answers") if isinstance(block, Mapping) else content.get("m.selections")
    poll = relation.get("event_id")
    if not isinstance(answers, list) or not isinstance(poll, str):
        return None
    return Incoming(
        event_id=event.event_id,
        from_client=from_client,
        kind=IncomingKind.VOTE,
        poll_event=poll,
        chosen=tuple(each for each in answers[:20] if isinstance(each, str)),
        order=event.position.order,
    )


def _short(value: object, longest: int) -> str | None:
    return value[:longest] if isinstance(value, str) else None


def _whole(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**53 else None
