"""Erasing a pair outlives a restored backup: the pair's key lies in the vault, not in the database (CRYPTO 35)."""

import shutil
from pathlib import Path

import pytest

from bot.crypto.vault import Vault, create_master_key
from bot.errors import SealingError
from bot.store.database import Database
from tests.store.conftest import ACCOUNT
from tests.store.test_at_rest import BYTES, files_with, write_everywhere


async def test_yesterdays_backup_opens_nothing_of_an_erased_pair(tmp_path: Path) -> None:
    """The backup brings the rows back, but nobody can read them, and they can be deleted once more."""
    live, backup = tmp_path / "live", tmp_path / "backup"
    live.mkdir()
    url = f"sqlite:///{live}/interlude.db"
    create_master_key(tmp_path / "master.key")
    vault = Vault(tmp_path / "vault", master_key=tmp_path / "master.key")
    for owner in (f"account:{ACCOUNT}", "pair:p1", "pair:p2"):
        vault.create(owner)
    database = await Database.open(url, account=ACCOUNT, sealers=vault.sealer)
    await write_everywhere(database, "p1", "!one:hs")
    await write_everywhere(database, "p2", "!two:hs")
    await database.close()
    shutil.copytree(live, backup)

    vault.destroy("pair:p1")
    database = await Database.open(url, account=ACCOUNT, sealers=vault.sealer)
    await database.purge_pair("p1")
    await database.close()
    shutil.rmtree(live)
    shutil.copytree(backup, live)

    restarted = Vault(tmp_path / "vault", master_key=tmp_path / "master.key")
    database = await Database.open(url, account=ACCOUNT, sealers=restarted.sealer)
    assert await database.pair_ids() == ("p1", "p2")
    async with database.transaction() as tx:
        for closed in (tx.pairs.get("p1"), tx.records.get("r-p1"), tx.outbox.get("o-p1"), tx.inbox.get("$in-p1")):
            with pytest.raises(SealingError):
                await closed
        assert await tx.records.get("r-p2")
    assert files_with(tmp_path, BYTES) == []
    await database.purge_pair("p1")
    assert await database.pair_ids() == ("p2",)
    await database.close()
    assert files_with(live, b"!two:hs")
    assert files_with(live, b"!one:hs") == []
