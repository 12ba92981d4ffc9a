"""The bot's own account: its registration and login, its profile, its account data; and other people's names."""

import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Any

import nio  # type: ignore[import-untyped]  # ships annotations without the marker that makes them count

from bot.core.batch import Json
from bot.errors import Refusal
from bot.matrix.transport import NO_TOKEN, Transport, path
from bot.matrix.wire import NonsenseError, mapping, required

PROBE_SECONDS = 5.0
REGISTER = path("register", base="/_synapse/admin/v1")


@dataclass(frozen=True, kw_only=True, slots=True)
class Whoami:
    """Whose access token this is."""

    user_id: str
    device_id: str | None


class AccountApi(Transport):
    """Every method raises Unreachable or Refusal. Source: specification, "Client Authentication" and "Profiles"."""

    async def versions(self) -> tuple[str, ...]:
        """Return the versions of the specification that the homeserver speaks; the quick test whether it is there."""
        return await self.call(("GET", path("versions", base="/_matrix/client")), read=_versions, timeout=PROBE_SECONDS)

    async def capabilities(self) -> Json:
        """Return what the homeserver can do, room versions among it."""
        return await self.call(
            ("GET", path("capabilities")), read=lambda answer: mapping(mapping(answer).get("capabilities"))
        )

    async def register_with_secret(self, user: str, secret: str, *, password: str, admin: bool = False) -> str:
        """Create the account `user` (a localpart) with the registration shared secret and return its Matrix id.

        Makes no device: one that nobody uses would look like a stranger's on the bot's account (CRYPTO 7).
        Raises Refusal with M_USER_IN_USE when the account exists. Source: Synapse, "Shared-Secret Registration".
        """
        nonce = await self.call(("GET", REGISTER), read=required("nonce"))
        signed = "\0".join((nonce, user, password, "admin" if admin else "notadmin"))
        mac = hmac.new(secret.encode(), signed.encode(), hashlib.sha1).hexdigest()
        body = {"nonce": nonce, "username": user, "password": password, "admin": admin, "mac": mac}
        return await self.call(("POST", REGISTER, json.dumps(body | {"inhibit_login": True})), read=required("user_id"))

    async def login_password(self, user: str, password: str, device_id: str) -> str:
        """Log in as `user` (a localpart or Matrix id) on this device and return the access token (CRYPTO 32).

        The token is not used here by itself: see `authorise`.
        """
        auth = {
            "type": "m.login.password",
            "identifier": {"type": "m.id.user", "user": user},
            "password": password,
            "device_id": device_id,
            "initial_device_display_name": "Interlude",
        }
        return await self.call(nio.Api.login_raw(auth), read=required("access_token"))

    async def whoami(self) -> Whoami:
        """Return whose access token is in use; raises Refusal with status 401 when it is not valid."""
        return await self.call(nio.Api.whoami(NO_TOKEN), read=_whoami)

    async def display_name(self, user_id: str) -> str | None:
        """Return the person's display name, or the localpart without one; None when the account does not exist."""
        try:
            answer = await self.call(nio.Api.profile_get_displayname(user_id), read=mapping)
        except Refusal as refusal:
            if refusal.status == 404:
                return None
            raise
        name = answer.get("displayname")
        return name if isinstance(name, str) and name.strip() else user_id.removeprefix("@").partition(":")[0]

    async def set_display_name(self, name: str) -> None:
        """Set the bot's display name."""
        await self.call(nio.Api.profile_set_displayname(NO_TOKEN, self.user_id, name), read=mapping)

    async def set_avatar(self, mxc: str) -> None:
        """Set the bot's picture to an uploaded file."""
        await self.call(nio.Api.profile_set_avatar(NO_TOKEN, self.user_id, mxc), read=mapping)

    async def upload(self, data: bytes, mimetype: str) -> str:
        """Upload a file in clear and return its mxc URI."""
        _, target = nio.Api.upload(NO_TOKEN)
        return await self.post_bytes(target, data, mimetype, read=required("content_uri"))

    async def account_data(self, data_type: str) -> Json | None:
        """Return a piece of the account's data, None when there is none."""
        try:
            return await self.call(("GET", self._account_data(data_type)), read=mapping)
        except Refusal as refusal:
            if refusal.status == 404:
                return None
            raise

    async def set_account_data(self, data_type: str, content: Mapping[str, Any]) -> None:
        """Set a piece of the account's data; nothing that may not be read by the server's administrator."""
        await self.call(("PUT", self._account_data(data_type), json.dumps(dict(content))), read=mapping)

    def _account_data(self, data_type: str) -> str:
        return path("user", self.user_id, "account_data", data_type)


def avatar() -> bytes:
    """Return the bot's own picture, a PNG of 96 by 96 pixels."""
    return files("bot.matrix").joinpath("avatar.png").read_bytes()


def _versions(answer: Any) -> tuple[str, ...]:
    spoken = mapping(answer).get("versions")
    if not isinstance(spoken, list):
        raise NonsenseError("no versions in the answer")
    return tuple(version for version in spoken if isinstance(version, str))


def _whoami(answer: Any) -> Whoami:
    device_id = mapping(answer).get("device_id")
    return Whoami(user_id=required("user_id")(answer), device_id=device_id if isinstance(device_id, str) else None)
