"""The bot's own identity: made once, before the first login, and the same for ever after (CRYPTO 24, 32)."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import vodozemac

from bot.crypto.account import SEEDS, OwnAccount, sign
from bot.crypto.backup_cipher import ALGORITHM, backup_auth_data, backup_public_key, generate_backup_key
from bot.crypto.canonical import unpadded
from bot.crypto.identity import (
    CrossSigningSeeds,
    device_keys,
    device_signing_upload_body,
    signatures_upload_body,
    verify_own_keys,
)
from bot.crypto.key_backup import PUBLIC_KEY
from bot.crypto.ratchets import PICKLE_KEY
from bot.crypto.recovery_key import encode_recovery_key
from bot.crypto.secret_storage import SecretStorageKey
from bot.errors import KeyMismatch
from bot.ports import Tx

RECOVERY_KEY = "recovery_key"  # fact: shown once, then set to None by whoever showed it
ACCOUNT_DATA = "secret_storage"  # fact: the account data events, sealed once more by the store
_NOT_STORED = 0


@dataclass(frozen=True, kw_only=True, slots=True)
class IdentityUploads:
    """The bodies that put the identity onto the server; the same ones each time."""

    device_keys: Mapping[str, Any]  # POST /keys/upload
    cross_signing: Mapping[str, Any]  # POST /keys/device_signing/upload
    signatures: Mapping[str, Any]  # POST /keys/signatures/upload
    account_data: Mapping[str, Mapping[str, Any]]  # type -> content, in the order in which they are written
    backup_version: Mapping[str, Any]  # POST /room_keys/version


class OwnIdentity:
    """The identity of this bot account and its one device."""

    def __init__(self, user_id: str, device_id: str) -> None:
        self._account = OwnAccount(user_id, device_id)
        self._user_id = user_id

    async def create(self, tx: Tx) -> None:
        """Make the Olm account, the cross-signing seeds, the backup key and the recovery key, unless they exist.

        The secrets are encrypted under the recovery key here, because it is forgotten once it was shown.
        """
        if await tx.facts.read(SEEDS) is not None:
            return
        seeds, backup, storage = CrossSigningSeeds.generate(), generate_backup_key(), SecretStorageKey.generate()
        await tx.olm.save_account(vodozemac.Account().pickle(PICKLE_KEY).encode("ascii"), _NOT_STORED)
        await tx.facts.write(SEEDS, unpadded(seeds.to_bytes()))
        await tx.facts.write(PUBLIC_KEY, backup_public_key(backup))
        await tx.facts.write(ACCOUNT_DATA, json.dumps(storage.account_data(seeds, backup)))
        await tx.facts.write(RECOVERY_KEY, encode_recovery_key(storage.raw))

    async def uploads(self, tx: Tx) -> IdentityUploads:
        """What has to stand on the server. Raises `KeyMismatch` before `create`."""
        seeds = await self._seeds(tx)
        account, device = (await self._account.load(tx)).account, await self._account.own_device(tx)

        def by_device(message: bytes) -> str:
            return sign(account, message)

        keys = device_keys(device, by_device)
        auth_data = backup_auth_data(await self._fact(tx, PUBLIC_KEY), device, seeds.master, by_device)
        return IdentityUploads(
            device_keys={"device_keys": keys},
            cross_signing=device_signing_upload_body(self._user_id, seeds),
            signatures=signatures_upload_body(keys, seeds, by_device),
            account_data=json.loads(await self._fact(tx, ACCOUNT_DATA)),
            backup_version={"algorithm": ALGORITHM, "auth_data": auth_data},
        )

    async def differences(self, tx: Tx, keys_query_answer: object) -> tuple[str, ...]:
        """Name each difference between the server's view of our keys and ours, to refuse to run on one (CRYPTO 32).

        Devices beside our own are no difference of keys: the device list reports them (CRYPTO 7).
        """
        return verify_own_keys(keys_query_answer, await self._account.own_device(tx), await self._seeds(tx))

    async def fingerprint(self, tx: Tx) -> str:
        """The public master key, for people to compare (CRYPTO 5)."""
        return (await self._seeds(tx)).master.public_key

    async def _seeds(self, tx: Tx) -> CrossSigningSeeds:
        seeds = await self._account.seeds(tx)
        if seeds is None:
            raise KeyMismatch("This bot has no identity yet: run `interlude init` first.")
        return seeds

    async def _fact(self, tx: Tx, name: str) -> str:
        value = await tx.facts.read(name)
        if value is None:
            raise KeyMismatch(f"The bot's identity is incomplete: {name} is missing from its database.")
        return value
