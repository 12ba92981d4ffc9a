"""The Olm account, sessions, replay hashes and the to-device outbox."""

from dataclasses import replace
from datetime import timedelta

import pytest

from bot.errors import StaleRow
from bot.store.database import Database
from tests.store.examples import AT, olm_session, share, to_device


async def test_the_account_is_saved_from_the_version_that_was_read(store: Database) -> None:
    """Saving raises the version; saving from an older one is refused (CRYPTO 26)."""
    async with store.transaction() as tx:
        assert await tx.olm.account() == (b"", 0)
        await tx.olm.save_account(b"first", 0)
        await tx.olm.save_account(b"second", 1)
    async with store.transaction() as tx:
        assert await tx.olm.account() == (b"second", 2)
    for stale in (0, 1, 3):
        with pytest.raises(StaleRow):
            async with store.transaction() as tx:
                await tx.olm.save_account(b"fork", stale)
    async with store.transaction() as tx:
        assert await tx.olm.account() == (b"second", 2)


async def test_the_session_that_decrypted_last_comes_first(store: Database) -> None:
    """Sessions come by peer, ordered by what they last decrypted."""
    async with store.transaction() as tx:
        await tx.olm.save_sessions(
            [
                olm_session("a", last_received=1),
                olm_session("b", last_received=9, pickle=b"b"),
                olm_session("c", "other peer"),
            ]
        )
        found = await tx.olm.sessions(["peer", "other peer", "unknown"])
    assert [each.session_id for each in found["peer"]] == ["b", "a"]
    assert found["peer"][0] == olm_session("b", last_received=9, pickle=b"b", version=1)
    assert [each.session_id for each in found["other peer"]] == ["c"]
    assert "unknown" not in found


async def test_a_stale_session_is_refused(store: Database) -> None:
    """A ratchet is stored only over the state that it was loaded from, and nothing of the call is kept."""
    async with store.transaction() as tx:
        await tx.olm.save_sessions([olm_session("a"), olm_session("b")])
    with pytest.raises(StaleRow):
        async with store.transaction() as tx:
            await tx.olm.save_sessions([olm_session("a", version=1), olm_session("b", version=0)])
    with pytest.raises(StaleRow):
        async with store.transaction() as tx:
            await tx.olm.save_sessions([olm_session("gone", version=4)])
    async with store.transaction() as tx:
        assert {each.version for each in (await tx.olm.sessions(["peer"]))["peer"]} == {1}


async def test_sessions_are_dropped_by_peer(store: Database) -> None:
    """Dropping forgets all sessions with a device and no others."""
    async with store.transaction() as tx:
        await tx.olm.save_sessions([olm_session("a"), olm_session("b"), olm_session("c", "other peer")])
        await tx.olm.drop_sessions(["peer"])
        assert set(await tx.olm.sessions(["peer", "other peer"])) == {"other peer"}


async def test_a_ciphertext_is_seen_for_the_first_time_once(store: Database) -> None:
    """The hash of a processed ciphertext is known from then on (CRYPTO 16)."""
    async with store.transaction() as tx:
        assert await tx.olm.first_sight("hash", AT)
    async with store.transaction() as tx:
        assert not await tx.olm.first_sight("hash", AT)
        await tx.olm.forget_sights(AT)
        assert not await tx.olm.first_sight("hash", AT)
        await tx.olm.forget_sights(AT + timedelta(seconds=1))
        assert await tx.olm.first_sight("hash", AT)


async def test_messages_stay_in_order_until_they_are_acknowledged(store: Database) -> None:
    """The to-device outbox keeps its order across calls; a wave marks messages, an acknowledgement drops them."""
    messages = [to_device(f"m{number}") for number in (5, 3, 9)]
    async with store.transaction() as tx:
        await tx.olm.queue(messages[:2])
        await tx.olm.queue(messages[2:])
        assert await tx.olm.unsent(2) == tuple(messages[:2])
        await tx.olm.put_in_wave("txn1", ["m5", "m9"])
        assert [each.wave for each in await tx.olm.unsent(10)] == ["txn1", None, "txn1"]
        await tx.olm.acknowledge(["m5", "m9"])
        assert await tx.olm.unsent(10) == (messages[1],)


async def test_an_acknowledgement_reaches_the_share_that_the_message_carried(store: Database) -> None:
    """Only the share of the same session, person and device becomes acknowledged."""
    async with store.transaction() as tx:
        await tx.megolm.save_shares([share(), share(device_id="LAPTOP"), share("megolm2")])
        await tx.olm.queue([to_device("m1"), to_device("m2", session_id=None), to_device("m3", session_id="megolm2")])
        await tx.olm.acknowledge(["m1", "m2"])
        shares = await tx.megolm.shares(["megolm1", "megolm2"])
    assert set(shares) == {replace(share(), acknowledged=True), share(device_id="LAPTOP"), share("megolm2")}


async def test_a_message_id_is_queued_once(store: Database) -> None:
    """A second message with the same id is refused."""
    async with store.transaction() as tx:
        await tx.olm.queue([to_device()])
    with pytest.raises(StaleRow):
        async with store.transaction() as tx:
            await tx.olm.queue([to_device()])
