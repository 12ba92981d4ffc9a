"""The bot's Olm account: loaded from its row, used, stored again in the same transaction, never kept (CRYPTO 26)."""

from dataclasses import dataclass
from typing import Any

import vodozemac

from bot.crypto.canonical import from_unpadded
from bot.crypto.identity import CrossSigningSeeds, OwnDevice, device_keys, device_signature
from bot.crypto.ratchets import PICKLE_KEY
from bot.crypto.signatures import sign_json
from bot.ports import Tx

SEEDS = "seeds"  # fact: the cross-signing seeds in unpadded base64


@dataclass(frozen=True, kw_only=True, slots=True)
class LoadedAccount:
    """The account as it stands in this transaction."""

    account: vodozemac.Account
    version: int


class OwnAccount:
    """The account of this one device.

    Only its public side is remembered between transactions: it never changes, so that a rollback leaves nothing stale.
    """

    def __init__(self, user_id: str, device_id: str) -> None:
        self.user_id = user_id
        self.device_id = device_id
        self._own: OwnDevice | None = None
        self._device_keys: dict[str, Any] | None = None

    async def load(self, tx: Tx) -> LoadedAccount:
        """Read the account's row."""
        pickle, version = await tx.olm.account()
        account = vodozemac.Account.from_pickle(pickle.decode("ascii"), PICKLE_KEY)
        return LoadedAccount(account=account, version=version)

    async def save(self, tx: Tx, loaded: LoadedAccount) -> None:
        """Store the account. Raises `StaleRow` if somebody else stored it since (CRYPTO 26)."""
        await tx.olm.save_account(loaded.account.pickle(PICKLE_KEY).encode("ascii"), loaded.version)

    async def own_device(self, tx: Tx) -> OwnDevice:
        """The public keys of this device."""
        if self._own is None:
            self._own = self._public((await self.load(tx)).account)
        return self._own

    async def device_keys(self, tx: Tx) -> dict[str, Any]:
        """This device's signed keys, with the self-signing key's signature, as `sender_device_keys` carries them.

        Source: specification, "m.olm.v1.curve25519-aes-sha2" (MSC4147).
        """
        if self._device_keys is None:
            account = (await self.load(tx)).account
            keys = device_keys(self._public(account), lambda message: sign(account, message))
            seeds = await self.seeds(tx)
            if seeds is None:
                return keys  # not remembered: the identity is still being made
            self._device_keys = device_signature(keys, seeds)
        return self._device_keys

    async def seeds(self, tx: Tx) -> CrossSigningSeeds | None:
        """The private keys of the bot's own identity; None before `init` has made them."""
        text = await tx.facts.read(SEEDS)
        return None if text is None else CrossSigningSeeds.from_bytes(from_unpadded(text))

    def signed(self, account: vodozemac.Account, value: dict[str, Any]) -> dict[str, Any]:
        """The object with this device's signature."""
        return sign_json(value, self.user_id, f"ed25519:{self.device_id}", lambda message: sign(account, message))

    def _public(self, account: vodozemac.Account) -> OwnDevice:
        return OwnDevice(
            user_id=self.user_id,
            device_id=self.device_id,
            ed25519=account.ed25519_key.to_base64(),
            curve25519=account.curve25519_key.to_base64(),
        )


def sign(account: vodozemac.Account, message: bytes) -> str:
    """Sign with the device's own ed25519 key; unpadded base64."""
    return account.sign(message).to_base64()
