"""Keys: device keys, one-time keys, cross-signing, to-device messages and the server-side backup."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import nio  # type: ignore[import-untyped]  # ships annotations without the marker that makes them count

from bot.core.batch import Json
from bot.errors import Refusal
from bot.matrix.transport import NO_TOKEN, Transport, path
from bot.matrix.wire import NonsenseError, mapping, required

REMOTE_MS = 10_000  # how long the homeserver may wait for other homeservers


class KeysApi(Transport):
    """Every method raises Unreachable or Refusal. Source: specification, "End-to-End Encryption"."""

    async def send_to_device(self, event_type: str, txn_id: str, messages: Json) -> None:
        """Send to-device messages: user -> device -> content."""
        await self.call(nio.Api.to_device(NO_TOKEN, event_type, {"messages": messages}, txn_id), read=mapping)

    async def query_keys(self, users: Sequence[str]) -> Json:
        """Return the whole answer of /keys/query, `failures` included (CRYPTO 21)."""
        body = {"device_keys": {user: [] for user in users}, "timeout": REMOTE_MS}
        return await self._post(body, "keys", "query")

    async def claim_keys(self, wanted: Mapping[str, Mapping[str, str]]) -> Json:
        """Claim one-time keys, user -> device -> algorithm, and return the whole answer of /keys/claim."""
        body = {"one_time_keys": {user: dict(devices) for user, devices in wanted.items()}, "timeout": REMOTE_MS}
        return await self._post(body, "keys", "claim")

    async def upload_keys(self, body: Json) -> Json:
        """Upload device, one-time and fallback keys; an empty body asks for the counts (CRYPTO 18)."""
        return await self._post(body, "keys", "upload")

    async def upload_device_signing(self, body: Json) -> None:
        """Upload the cross-signing keys; the same keys again change nothing.

        Raises Refusal with status 401 when the homeserver wants the password first, as for other keys than before.
        """
        await self._post(body, "keys", "device_signing", "upload")

    async def upload_signatures(self, body: Json) -> None:
        """Upload signatures: user -> key or device id -> signed object; raises Refusal when one is not accepted."""
        answer = await self._post(body, "keys", "signatures", "upload")
        for user_id, by_key in mapping(answer.get("failures")).items():
            for key_id, failure in mapping(by_key).items():
                raise Refusal(400, "M_INVALID_SIGNATURE", f"{user_id} {key_id}: {mapping(failure).get('error')}"[:200])

    async def create_backup(self, body: Json) -> str:
        """Create a version of the key backup from its algorithm and auth data, and return its version."""
        return await self.call(("POST", path("room_keys", "version"), json.dumps(body)), read=required("version"))

    async def backup_info(self) -> Json | None:
        """Return the newest version of the key backup, None when there is none."""
        try:
            return await self.call(("GET", path("room_keys", "version")), read=_object)
        except Refusal as refusal:
            if refusal.errcode == "M_NOT_FOUND":
                return None
            raise

    async def put_backup(self, version: str, body: Json) -> None:
        """Add room keys to a version of the key backup, which has to be the newest (CRYPTO 24)."""
        target = path("room_keys", "keys", query={"version": version})
        await self.call(("PUT", target, json.dumps(body)), read=mapping)

    async def _post(self, body: Json, *segments: str) -> Json:
        return await self.call(("POST", path(*segments), json.dumps(body)), read=_object)


def _object(answer: Any) -> Json:
    if not isinstance(answer, dict):
        raise NonsenseError("no object in the answer")
    return answer
