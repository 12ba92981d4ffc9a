"""Nothing readable lies on the disk, and what is erased is gone."""

import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import LargeBinary, Row, func, select, text
from sqlalchemy.ext.asyncio import create_async_engine

from bot.core.choices import Choice
from bot.core.inbox import InboxState
from bot.core.outbox import OutboxState
from bot.core.people import Draw
from bot.core.records import Piece
from bot.errors import SealingError
from bot.store.database import Database
from bot.store.key_tables import megolm_outbound
from bot.store.table_parts import metadata
from bot.store.tables import outbox
from tests.store.conftest import ACCOUNT
from tests.store.examples import (
    AT,
    agenda_item,
    booked,
    delivery,
    goal,
    inbound,
    inbox_event,
    intent,
    olm_session,
    outbound,
    outbox_event,
    pair,
    question,
    record,
    room,
    schedule,
    share,
    sitting,
    to_device,
)
from tests.store.keyring import Keyring

WORD = "Quetzalcoatlus"
BYTES = WORD.encode()
SECRET = {"body": f"{WORD} in the morning", WORD: [1]}


async def write_everywhere(database: Database, pair_id: str = "p1", room_id: str = "!pair:hs") -> None:
    """Put the word through every sealed column, changing and deleting some of it."""
    piece = Piece(source="$in", value=WORD, text=WORD)
    async with database.transaction() as tx:
        await tx.rooms.add(room(room_id, pair_id))
        await tx.facts.write("token", WORD)
        await tx.facts.write("token", f"{WORD} again")
        await tx.facts.write("gone", WORD)
        await tx.facts.write("gone", None)
        _, version = await tx.olm.account()
        await tx.olm.save_account(BYTES, version)
        await tx.olm.save_sessions([olm_session(f"s-{pair_id}", pickle=BYTES)])
        await tx.olm.queue([to_device(f"m-{pair_id}", content=SECRET, session_id=f"k-{pair_id}")])
        await tx.megolm.save_outbound([outbound(room_id, pickle=BYTES, session_id=f"k-{pair_id}")])
        await tx.megolm.save_inbound([inbound(room_id, f"k-{pair_id}", pickle=BYTES)])
        await tx.megolm.save_shares([share(f"k-{pair_id}")])
        await tx.megolm.claim_index(f"k-{pair_id}", 0, f"$e-{pair_id}")
        event = inbox_event(f"$in-{pair_id}", room_id, event=SECRET)
        await tx.inbox.add(event)
        await tx.inbox.add(replace(event, event_id=f"$done-{pair_id}"))
        await tx.inbox.settle(replace(event, event_id=f"$done-{pair_id}", state=InboxState.DONE))
        await tx.inbox.note_talk(event)
        await tx.outbox.add(outbox_event(f"o-{pair_id}", room_id, content=SECRET, media=SECRET))
        console = outbox_event(f"c-{pair_id}", f"!console-{pair_id}", content=SECRET, state=OutboxState.SENT)
        await tx.outbox.add(console)
        names = {"client_name": WORD, "therapist_name": WORD}
        await tx.pairs.add(pair(pair_id, room_id=room_id, console_id=f"!console-{pair_id}", **names))
        await tx.pairs.add_goal(pair_id, goal(title=WORD))
        await tx.schedules.add(schedule(f"sch-{pair_id}", pair_id))
        draw = Draw(schedule_id=f"sch-{pair_id}", pair_id=pair_id, day=AT.date(), times=())
        await tx.schedules.keep_draws([draw])
        await tx.sessions.add(booked(f"a-{pair_id}", pair_id))
        asked = delivery(f"d-{pair_id}", pair_id=pair_id, schedule_id=f"sch-{pair_id}", asked=SECRET)
        await tx.deliveries.add(asked)
        conversation = sitting(f"d-{pair_id}", pair_id=pair_id, step=WORD, asked=(WORD,), skipped=frozenset({WORD}))
        await tx.sittings.add_all([conversation])
        await tx.sittings.save(replace(conversation, row=WORD))
        noted = record(f"r-{pair_id}", pair_id=pair_id, content=SECRET, pieces=(piece,), undo=(piece,))
        await tx.records.add(noted)
        await tx.records.save(replace(noted, revision=2))
        await tx.choices.save(Choice(pair_id=pair_id, prompt_id="mood", refused=True, changed_at=AT))
        await tx.agenda.add(agenda_item(f"ag-{pair_id}", pair_id, text=WORD))
        await tx.questions.save(question(f"q-{pair_id}", pair_id))
        await tx.intents.add(intent(f"i-{pair_id}", payload=SECRET, result=SECRET, error=WORD, state="done"))


async def rows(url: str, statement: Any) -> Sequence[Row[*tuple[Any, ...]]]:
    """Read the database beside the store."""
    engine = create_async_engine(
        url.replace("sqlite:", "sqlite+aiosqlite:").replace("postgresql:", "postgresql+asyncpg:")
    )
    async with engine.connect() as connection:
        result = await connection.execute(statement)
        found: Sequence[Row[*tuple[Any, ...]]] = result.all() if result.returns_rows else ()
    await engine.dispose()
    return found


def files_with(directory: Path, needle: bytes) -> list[str]:
    """Name the files below a directory that hold some bytes."""
    return [str(path) for path in directory.rglob("*") if path.is_file() and needle in path.read_bytes()]


@pytest.fixture
def directory(url: str, tmp_path: Path, request: pytest.FixtureRequest) -> Path:
    """Where the database's files are."""
    if url.startswith("sqlite"):
        return tmp_path
    socket: Path = request.getfixturevalue("postgres_socket")
    return socket


async def test_no_file_of_the_database_can_be_read(url: str, store: Database, directory: Path) -> None:
    """The word stands in no file while the database is open and after it is closed, also not where it was deleted."""
    await write_everywhere(store)
    for table in metadata.sorted_tables:
        for column in table.columns:
            if isinstance(column.type, LargeBinary):
                filled = await rows(url, select(func.count()).where(column.is_not(None)))
                assert filled[0][0] > 0, f"the test does not write {table.name}.{column.name}"
    if url.startswith("postgresql"):
        await rows(url, text("CHECKPOINT"))
    assert files_with(directory, b"!pair:hs")  # the search finds what is there
    assert files_with(directory, BYTES) == []
    await store.close()
    assert files_with(directory, BYTES) == []


async def test_what_was_written_is_read_back(store: Database) -> None:
    """The other side of the test above: nothing was lost on the way."""
    await write_everywhere(store)
    async with store.transaction() as tx:
        assert (await tx.olm.account())[0] == BYTES
        assert (await tx.olm.unsent(1))[0].content == SECRET
        assert (await tx.megolm.outbound(["!pair:hs"]))["!pair:hs"].pickle == BYTES
        sent = await tx.outbox.get("o-p1")
        assert sent is not None
        assert (sent.content, sent.media) == (SECRET, SECRET)
        noted = await tx.records.get("r-p1")
        assert noted is not None
        assert noted.content == SECRET


async def test_a_pairs_rows_are_sealed_by_its_own_key(store: Database, keys: Keyring) -> None:
    """Without the pair's key its rows stay closed; the account's open (CRYPTO 35)."""
    await write_everywhere(store)
    keys.destroy("pair:p1")
    async with store.transaction() as tx:
        for closed in (
            lambda: tx.megolm.outbound(["!pair:hs"]),
            lambda: tx.megolm.inbound("!pair:hs", "k-p1"),
            lambda: tx.inbox.get("$in-p1"),
            lambda: tx.outbox.get("o-p1"),
            lambda: tx.pairs.get("p1"),
            lambda: tx.pairs.goals("p1"),
            lambda: tx.deliveries.get("d-p1"),
            lambda: tx.sittings.of_deliveries(["d-p1"]),
            lambda: tx.records.get("r-p1"),
        ):
            with pytest.raises(SealingError):
                await closed()
        assert (await tx.olm.account())[0] == BYTES
        assert await tx.outbox.get("c-p1")


async def test_a_sealed_value_opens_only_in_its_place(url: str, store: Database) -> None:
    """A pickle that somebody moved to another room's row, or put back to an earlier version, is refused (CRYPTO 34)."""
    async with store.transaction() as tx:
        await tx.megolm.save_outbound([outbound("!a"), outbound("!b")])
        earlier = (await tx.session.connection.execute(select(megolm_outbound.c.pickle))).scalars().first()
        await tx.megolm.save_outbound([outbound("!a", version=1), outbound("!b", version=1)])
    for pickle in (
        select(megolm_outbound.c.pickle).where(megolm_outbound.c.room_id == "!b").scalar_subquery(),
        earlier,
    ):
        async with store.transaction() as tx:
            moved = megolm_outbound.update().where(megolm_outbound.c.room_id == "!a").values(pickle=pickle)
            await tx.session.connection.execute(moved)
            with pytest.raises(SealingError):
                await tx.megolm.outbound(["!a"])


async def test_an_erased_pair_leaves_no_row_and_no_bytes(url: str, store: Database, directory: Path) -> None:
    """All rows of the pair go, those of another pair stay; on SQLite not even the sealed bytes are left on the disk."""
    await write_everywhere(store, "p1", "!one:hs")
    await write_everywhere(store, "p2", "!two:hs")
    sealed = await rows(url, select(outbox.c.content).where(outbox.c.outbox_id.in_(["o-p1", "c-p1"])))
    await store.purge_pair("p1")
    for table in metadata.sorted_tables:
        left = str(
            await rows(url, select(*[column for column in table.columns if not isinstance(column.type, LargeBinary)]))
        )
        assert "p1" not in left.replace("s-p1", ""), f"{table.name} still has rows of the pair"
        assert "!one:hs" not in left
    assert await store.pair_ids() == ("p2",)
    async with store.transaction() as tx:
        assert await tx.records.newest("p2")
        assert await tx.pairs.goals("p2")
        assert await tx.deliveries.recent("p2")
        assert await tx.sittings.of_deliveries(["d-p2"])
        assert await tx.megolm.inbound("!two:hs", "k-p2")
        assert await tx.olm.unsent(9)
        assert await tx.outbox.get("c-p2")
    if url.startswith("sqlite"):
        for value, *_ in sealed:
            assert files_with(directory, value) == []


async def test_a_restored_backup_of_an_erased_pair_stays_closed(tmp_path: Path, keys: Keyring) -> None:
    """Yesterday's database has the rows but not the key; they can be found and deleted without it (CRYPTO 35)."""
    url = f"sqlite:///{tmp_path}/interlude.db"
    database = await Database.open(url, account=ACCOUNT, sealers=keys)
    await write_everywhere(database)
    await database.close()
    shutil.copytree(tmp_path, tmp_path / "backup")
    keys.destroy("pair:p1")
    restored = await Database.open(f"sqlite:///{tmp_path}/backup/interlude.db", account=ACCOUNT, sealers=keys)
    assert await restored.pair_ids() == ("p1",)
    async with restored.transaction() as tx:
        with pytest.raises(SealingError):
            await tx.pairs.every()
    await restored.purge_pair("p1")
    async with restored.transaction() as tx:
        assert await tx.pairs.every() == ()
    await restored.close()
