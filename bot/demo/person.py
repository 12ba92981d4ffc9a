"""The people of the demo and of the tests: clients on matrix-js-sdk, all hosted by one Node process."""

from base64 import b64decode, b64encode
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

from bot.demo.node import CALL_DEADLINE_S, NodeProcess

Event = dict[str, Any]
"""What a client makes of one event; the keys are those that `describe` in timeline.mjs writes."""

Isolation = Literal["onlySignedDevices", "all"]
MediaKind = Literal["image", "voice", "audio", "video", "file"]

GRACE_S = 5.0  # a wait ends in the client first, with the better message


class People:
    """One Node process and the people logged in there; an async context manager.

    `client` is the path that `prepare_client` returned, `on_event` hears each event as a person's client reads it
    (with `who`), and `output` is a file for what the client says beside the protocol.
    """

    def __init__(
        self, client: Path, *, on_event: Callable[[Event], None] | None = None, output: Path | None = None
    ) -> None:
        self._node = NodeProcess(client, on_event=on_event, output=output)

    async def start(self) -> None:
        """Start Node and wait until the client takes requests; PersonError when it does not."""
        await self._node.start()

    async def stop(self) -> None:
        """End the process, by force after five seconds; nobody is logged out."""
        await self._node.stop()

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.stop()

    async def login(
        self,
        who: str,
        *,
        url: str,
        user: str,
        password: str,
        device_id: str | None = None,
        device_name: str | None = None,
        isolation: Isolation = "onlySignedDevices",
    ) -> "Person":
        """Log in on a new device and sync; `who` names this device within the process and must be unused.

        A person with two devices is two of them ("anna", "anna's phone"). `isolation` is the mode of
        `set_device_isolation` from the first event on.
        """
        account = {"url": url, "user": user, "password": password}
        device = {"device_id": device_id, "device_name": device_name, "isolation": isolation}
        ids = await self.call(who, "login", {**account, **device})
        return Person(self, who, user_id=ids["user_id"], device_id=ids["device_id"])

    async def call(
        self, who: str, method: str, params: dict[str, Any] | None = None, *, deadline: float = CALL_DEADLINE_S
    ) -> Any:
        """Let the client of `who` perform `method`; PersonError with its message on failure or after `deadline` s."""
        given = {name: value for name, value in (params or {}).items() if value is not None}
        return await self._node.call({"who": who, "method": method, "params": given}, deadline=deadline)


class Person:
    """Somebody on one device; every method raises PersonError with the client's message."""

    def __init__(self, people: People, who: str, *, user_id: str, device_id: str) -> None:
        self.people = people
        self.who = who
        self.user_id = user_id
        self.device_id = device_id

    async def call(self, method: str, params: dict[str, Any] | None = None) -> Any:
        """Perform a method of the client by its JavaScript name."""
        return await self.people.call(self.who, method, params)

    async def _wait(self, method: str, timeout: float, params: dict[str, Any] | None = None) -> Any:
        patient = {**(params or {}), "timeout": timeout}
        return await self.people.call(self.who, method, patient, deadline=timeout + GRACE_S)

    # Identity

    async def bootstrap(self) -> str:
        """Set up cross-signing, secret storage and key backup; return the recovery key."""
        return str(await self.call("bootstrap"))

    async def open_with_recovery_key(self, recovery_key: str) -> dict[str, int]:
        """Sign this new device and restore the key backup; return how many of how many keys came back."""
        counts: dict[str, int] = await self.call("openWithRecoveryKey", {"recovery_key": recovery_key})
        return counts

    async def reset_identity(self) -> str:
        """Throw the cross-signing identity away for a new one; return the new recovery key."""
        return str(await self.call("resetIdentity"))

    async def set_device_isolation(self, mode: Isolation) -> None:
        """Share keys with, and read, only devices that their owners have signed (MSC4153), or all."""
        await self.call("setDeviceIsolation", {"mode": mode})

    async def own_fingerprint(self) -> str:
        """Return this person's public master key, unpadded base64."""
        return str(await self.call("ownFingerprint"))

    async def fingerprint_of(self, user: str) -> str | None:
        """Return the master key that this client sees for `user`."""
        found: str | None = await self.call("fingerprintOf", {"user": user})
        return found

    async def devices(self, user: str) -> list[dict[str, Any]]:
        """Return a user's devices: device_id, name, ed25519, curve25519, signed_by_owner."""
        found: list[dict[str, Any]] = await self.call("devices", {"user": user})
        return found

    async def wait_for_backup(self, *, timeout: float = 20.0) -> int:
        """Put every room key of this device into the server's backup; return how many it holds then."""
        return int(await self._wait("waitForBackup", timeout))

    async def prepare_to_encrypt(self, room: str) -> None:
        """Share the room's keys ahead of the first message."""
        await self.call("prepareToEncrypt", {"room": room})

    async def discard_session(self, room: str) -> None:
        """Encrypt the next message of the room under a new Megolm session."""
        await self.call("discardSession", {"room": room})

    # Rooms

    async def create_room(self, *, invite: list[str], name: str | None = None) -> str:
        """Create an encrypted private room and return its id."""
        return str(await self.call("createRoom", {"invite": invite, "name": name}))

    async def joined_rooms(self) -> list[dict[str, Any]]:
        """Return the joined rooms: room, name."""
        found: list[dict[str, Any]] = await self.call("joinedRooms")
        return found

    async def invitations(self) -> list[dict[str, Any]]:
        """Return the open invitations: room, name, inviter."""
        found: list[dict[str, Any]] = await self.call("invitations")
        return found

    async def wait_for_invitation(
        self, *, inviter: str | None = None, room: str | None = None, timeout: float = 20.0
    ) -> str:
        """Wait for an invitation (from `inviter`, to `room`) and return its room."""
        return str(await self._wait("waitForInvitation", timeout, {"inviter": inviter, "room": room}))

    async def wait_for_member(self, room: str, user: str, membership: str = "join", *, timeout: float = 20.0) -> None:
        """Wait until this client knows `user` to have `membership` in `room`."""
        await self._wait("waitForMember", timeout, {"room": room, "user": user, "membership": membership})

    async def members(self, room: str) -> dict[str, str]:
        """Return user id -> membership."""
        found: dict[str, str] = await self.call("members", {"room": room})
        return found

    async def join(self, room: str) -> None:
        """Join, and wait until the client has the room."""
        await self.call("join", {"room": room})

    async def leave(self, room: str) -> None:
        """Leave the room or decline its invitation."""
        await self.call("leave", {"room": room})

    async def invite(self, room: str, user: str) -> None:
        """Invite `user`."""
        await self.call("invite", {"room": room, "user": user})

    async def kick(self, room: str, user: str, *, reason: str | None = None) -> None:
        """Remove `user`."""
        await self.call("kick", {"room": room, "user": user, "reason": reason})

    # Sending

    async def send_text(self, room: str, body: str, *, reply_to: str | None = None) -> str:
        """Send an m.text and return its event id."""
        return str(await self.call("sendText", {"room": room, "body": body, "reply_to": reply_to}))

    async def send_notice(self, room: str, body: str, *, reply_to: str | None = None) -> str:
        """Send an m.notice and return its event id."""
        return str(await self.call("sendNotice", {"room": room, "body": body, "reply_to": reply_to}))

    async def edit(self, room: str, event_id: str, body: str) -> str:
        """Replace the text of an own message; return the edit's event id."""
        return str(await self.call("edit", {"room": room, "event_id": event_id, "body": body}))

    async def redact(self, room: str, event_id: str, *, reason: str | None = None) -> str:
        """Delete an event; return the redaction's event id."""
        return str(await self.call("redact", {"room": room, "event_id": event_id, "reason": reason}))

    async def send_poll(self, room: str, question: str, answers: list[tuple[str, str]]) -> str:
        """Start a disclosed poll of (answer id, label) pairs; return its event id."""
        return str(await self.call("sendPoll", {"room": room, "question": question, "answers": answers}))

    async def send_poll_response(self, room: str, poll: str, answers: list[str], *, stable: bool = False) -> str:
        """Vote with answer ids, in the form that clients send today or in the `stable` one; return the event id."""
        return str(
            await self.call("sendPollResponse", {"room": room, "poll": poll, "answers": answers, "stable": stable})
        )

    async def send_media(
        self,
        room: str,
        kind: MediaKind,
        data: bytes,
        *,
        mimetype: str,
        filename: str,
        caption: str | None = None,
        info: dict[str, Any] | None = None,
        reply_to: str | None = None,
    ) -> str:
        """Encrypt and upload `data` and send it; `info` adds w, h, duration (ms) and the like; return the event id."""
        description = {"mimetype": mimetype, "filename": filename, "caption": caption, "info": info}
        encoded = b64encode(data).decode()
        return str(
            await self.call(
                "sendMedia", {"room": room, "kind": kind, "data": encoded, "reply_to": reply_to, **description}
            )
        )

    async def read_media(self, room: str, event_id: str) -> bytes:
        """Download an event's file, check its hash and return it decrypted."""
        return b64decode(await self.call("readMedia", {"room": room, "event_id": event_id}))

    async def send_raw(self, room: str, type_: str, content: dict[str, Any]) -> str:
        """Send any event type through the client's encryption; return the event id."""
        return str(await self.call("sendRaw", {"room": room, "type": type_, "content": content}))

    async def send_raw_plain(self, room: str, type_: str, content: dict[str, Any]) -> str:
        """Send an event past the client's encryption, in clear; return the event id."""
        return str(await self.call("sendRawPlain", {"room": room, "type": type_, "content": content}))

    async def send_state(self, room: str, type_: str, content: dict[str, Any], *, state_key: str = "") -> str:
        """Set room state; return the event id."""
        return str(
            await self.call("sendState", {"room": room, "type": type_, "content": content, "state_key": state_key})
        )

    async def send_to_device_plain(self, type_: str, user: str, device: str, content: dict[str, Any]) -> None:
        """Send a to-device message without encryption; `device` may be "*"."""
        await self.call("sendToDevicePlain", {"type": type_, "user": user, "device": device, "content": content})

    # Reading

    async def timeline(self, room: str) -> list[Event]:
        """Return everything in the room that this person may see, oldest first, history fetched as needed."""
        found: list[Event] = await self.call("timeline", {"room": room})
        return found

    async def wait_for(  # noqa: PLR0913 - each is one way to name the event; callers give one or two
        self,
        room: str,
        *,
        type: str | None = None,  # noqa: A002 - it is what Matrix calls it
        sender: str | None = None,
        contains: str | None = None,
        relates_to: str | None = None,
        event_id: str | None = None,
        failure: str | None = None,
        since: str | None = None,
        timeout: float = 20.0,
    ) -> Event:
        """Return the first event of the room that fits, waiting for it up to `timeout` seconds.

        `contains` is looked for in every string of the decrypted content, `since` is the event id after which to look
        (from the person's login on when None), and `failure` asks for an event that cannot be read for that reason
        (the SDK's DecryptionFailureCode); without it only readable events fit.
        """
        wanted = {"type": type, "sender": sender, "contains": contains, "relates_to": relates_to, "failure": failure}
        event: Event = await self._wait(
            "waitFor", timeout, {"room": room, "since": since, "event_id": event_id, **wanted}
        )
        return event

    async def wait_for_redaction(self, room: str, event_id: str, *, timeout: float = 20.0) -> None:
        """Wait until this client sees `event_id` as deleted."""
        await self._wait("waitForRedaction", timeout, {"room": room, "event_id": event_id})

    async def withheld(self) -> list[dict[str, str]]:
        """Return the m.room_key.withheld notices that this device got: sender, room, session_id, code."""
        found: list[dict[str, str]] = await self.call("withheld")
        return found

    async def to_device(self) -> list[dict[str, Any]]:
        """Return all to-device messages since login: type, sender, encrypted, content (of unencrypted ones)."""
        found: list[dict[str, Any]] = await self.call("toDevice")
        return found

    async def wait_for_to_device(self, type_: str, *, code: str | None = None, timeout: float = 20.0) -> dict[str, Any]:
        """Wait for a to-device message of a type, and of a withheld or cancel `code`."""
        found: dict[str, Any] = await self._wait("waitForToDevice", timeout, {"type": type_, "code": code})
        return found

    # The device

    async def set_display_name(self, name: str) -> None:
        """Set the display name of the account."""
        await self.call("setDisplayName", {"name": name})

    async def pause(self) -> None:
        """Receive nothing until `resume`, like a phone without a network; sending still works."""
        await self.call("pause")

    async def resume(self) -> None:
        """Receive again what came since `pause`."""
        await self.call("resume")

    async def rest(
        self, method: str, path: str, *, body: Any = None, query: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Make a Client-Server API request (`path` follows /_matrix/client/v3) under this person's token."""
        answer: dict[str, Any] = await self.call("rest", {"method": method, "path": path, "body": body, "query": query})
        return answer

    async def stop(self) -> None:
        """Close the client; the device stays logged in at the homeserver, and its keys are gone."""
        await self.call("stop")

    async def logout(self) -> None:
        """Log the device out and close the client."""
        await self.call("logout")
