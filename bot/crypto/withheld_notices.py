"""What others say about keys that they did not send (`m.room_key.withheld`): it changes wording alone (CRYPTO 36)."""

import json
from collections.abc import Mapping
from typing import Any

from bot.crypto.untrusted_json import is_name
from bot.ports import Tx

_CODES = frozenset({"m.blacklisted", "m.unverified", "m.unauthorised", "m.unavailable", "m.no_olm"})
_KEPT = 50  # per room: the notices come in clear, so that anybody at the server can make them up


async def note_notice(tx: Tx, sender: str, content: Mapping[str, Any]) -> bool:
    """Note a notice about one session of a room that the sender is in; False for any other."""
    room_id, session_id, code = content.get("room_id"), content.get("session_id"), content.get("code")
    if not (isinstance(room_id, str) and isinstance(session_id, str) and is_name(session_id)):
        return False
    if not isinstance(code, str) or code not in _CODES:
        return False
    if sender not in (await tx.rooms.members([room_id])).get(room_id, {}):
        return False
    notices = await _read(tx, room_id)
    notices.pop(session_id, None)
    newest = [*notices.items(), (session_id, code)][-_KEPT:]
    await tx.facts.write(_fact(room_id), json.dumps(dict(newest)))
    return True


async def withheld_code(tx: Tx, room_id: str, session_id: str) -> str | None:
    """The code with which a key was withheld from this bot, None without a notice."""
    return (await _read(tx, room_id)).get(session_id)


async def _read(tx: Tx, room_id: str) -> dict[str, str]:
    notices: dict[str, str] = json.loads(await tx.facts.read(_fact(room_id)) or "{}")
    return notices


def _fact(room_id: str) -> str:
    return f"withheld:{room_id}"
