"""One-time keys and the fallback key: what the server holds, when to make new ones, and how they are published.

A batch is made, marked as published and committed before it is sent, and is never sent twice: when its answer is lost,
the private halves stay here and the next count asks for another batch (CRYPTO 18).
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime, timedelta
from typing import Any

import structlog
import vodozemac

from bot.crypto.account import OwnAccount
from bot.ports import Tx

log = structlog.get_logger()

ALGORITHM = "signed_curve25519"
_FACT = "one_time_keys"
_HOUR = timedelta(hours=1)
_WEEK = timedelta(days=7)
# Half of what an account offers: the other half is for keys that were claimed and not used yet.
_TARGET = vodozemac.Account().max_number_of_one_time_keys // 2


@dataclass(frozen=True, kw_only=True, slots=True)
class _Stock:
    """What is known about the keys on the server."""

    uploaded: bool = False  # a batch was made at least once
    lacking: int | None = None  # one-time keys that the server lacks; None: it has not said since the last batch
    fallback_made: float | None = None  # seconds since the epoch
    fallback_used: bool = False  # the newest one, as the server says
    evict: bool = False  # the one before the newest was used: it leaves with the next replacement


class OneTimeKeys:
    """Keeps the server stocked with this device's one-time keys."""

    def __init__(self, own: OwnAccount) -> None:
        self._own = own

    async def counts(
        self, tx: Tx, counts: Mapping[str, int] | None, unused_fallback: Sequence[str] | None, at: datetime
    ) -> bool:
        """Note what the server holds; True when an upload is due.

        `counts=None` means that the server did not say: then nothing is due on that account, unless nothing was ever
        uploaded. A count that is missing from `counts` is 0 (CRYPTO 18).
        """
        before = stock = await _read(tx)
        if counts is not None:
            held = counts.get(ALGORITHM, 0)
            stock = replace(stock, lacking=max(0, _TARGET - held))
        if unused_fallback is not None:
            stock = replace(stock, fallback_used=stock.fallback_made is not None and ALGORITHM not in unused_fallback)
        if stock != before:
            await _write(tx, stock)
        return _missing(stock) > 0 or _fallback_due(stock, at)

    async def upload(self, tx: Tx, at: datetime) -> dict[str, Any] | None:
        """Make and publish what is missing and return the body of `/keys/upload`; None when nothing is.

        The caller sends it after the commit, once (CRYPTO 18).
        """
        stock = await _read(tx)
        missing, fallback_due = _missing(stock), _fallback_due(stock, at)
        if not missing and not fallback_due:
            return None
        loaded = await self._own.load(tx)
        account, body = loaded.account, {}
        if missing:
            account.generate_one_time_keys(missing)
            body["one_time_keys"] = self._signed(account, account.one_time_keys)
        if fallback_due:
            account.generate_fallback_key()  # type: ignore[attr-defined]  # missing from the stub
            made = account.fallback_key  # type: ignore[attr-defined]  # missing from the stub
            body["fallback_keys"] = self._signed(account, made, fallback=True)
            stock = replace(stock, fallback_made=at.timestamp(), evict=stock.fallback_used, fallback_used=False)
        account.mark_keys_as_published()
        await self._own.save(tx, loaded)
        await _write(tx, replace(stock, uploaded=True, lacking=None))
        log.info("one_time_keys.made", one_time_keys=missing, fallback=fallback_due)
        return body

    def _signed(
        self, account: vodozemac.Account, keys: Mapping[str, vodozemac.Curve25519PublicKey], *, fallback: bool = False
    ) -> dict[str, Any]:
        """Key objects by id. Source: specification, "Key algorithms"."""
        mark = {"fallback": True} if fallback else {}
        return {
            f"{ALGORITHM}:{key_id}": self._own.signed(account, {"key": key.to_base64(), **mark})
            for key_id, key in keys.items()
        }


def _missing(stock: _Stock) -> int:
    if not stock.uploaded:
        return _TARGET
    return stock.lacking or 0


def _fallback_due(stock: _Stock, at: datetime) -> bool:
    """Used or a week old, at most hourly, and once more an hour later: the account keeps two, so the used one goes then
    (CRYPTO 19).
    """
    if stock.fallback_made is None:
        return True
    age = timedelta(seconds=at.timestamp() - stock.fallback_made)
    return age >= _WEEK or ((stock.fallback_used or stock.evict) and age >= _HOUR)


async def _read(tx: Tx) -> _Stock:
    text = await tx.facts.read(_FACT)
    return _Stock() if text is None else _Stock(**json.loads(text))


async def _write(tx: Tx, stock: _Stock) -> None:
    await tx.facts.write(_FACT, json.dumps(asdict(stock)))
