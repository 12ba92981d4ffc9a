"""The vault of data keys, on real files."""

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.crypto.sealing import aad
from bot.crypto.vault import Vault, create_master_key
from bot.errors import ConfigurationError, SealingError

OWNER = "pair:heron"
PLACE = aad("entries", "1", "value", OWNER)


@pytest.fixture
def master_key(tmp_path: Path) -> Path:
    """A master key file."""
    path = tmp_path / "master.key"
    create_master_key(path)
    return path


@pytest.fixture
def vault(tmp_path: Path, master_key: Path) -> Vault:
    """An empty vault."""
    return Vault(tmp_path / "vault", master_key=master_key)


def _mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_data_key_outlives_the_process(vault: Vault, tmp_path: Path, master_key: Path) -> None:
    """What is sealed under an owner's key opens after a restart."""
    vault.create(OWNER)
    sealed = vault.sealer(OWNER).seal(b"seven", aad=PLACE)
    again = Vault(tmp_path / "vault", master_key=master_key)
    assert again.sealer(OWNER).open(sealed, aad=PLACE) == b"seven"


def test_creating_twice_keeps_the_key(vault: Vault, tmp_path: Path, master_key: Path) -> None:
    """An interrupted step can be run again without losing what was sealed in between."""
    vault.create(OWNER)
    sealed = vault.sealer(OWNER).seal(b"seven", aad=PLACE)
    again = Vault(tmp_path / "vault", master_key=master_key)
    again.create(OWNER)
    assert again.sealer(OWNER).open(sealed, aad=PLACE) == b"seven"


def test_each_owner_has_a_key_of_its_own(vault: Vault) -> None:
    """One pair's key opens nothing of another's, and the owners are listed by name."""
    for owner in (OWNER, "pair:wren", "account:1"):
        vault.create(owner)
    sealed = vault.sealer(OWNER).seal(b"seven", aad=PLACE)
    with pytest.raises(SealingError):
        vault.sealer("pair:wren").open(sealed, aad=PLACE)
    assert vault.owners() == ("account:1", OWNER, "pair:wren")


def test_the_files_belong_to_the_bot_alone(vault: Vault, tmp_path: Path, master_key: Path) -> None:
    """The directory is 0700, each file 0600, and no draft stays behind."""
    vault.create(OWNER)
    files = list((tmp_path / "vault").iterdir())
    assert len(files) == 1
    assert _mode(files[0]) == _mode(master_key) == 0o600
    assert _mode(tmp_path / "vault") == 0o700


def test_an_opened_directory_is_closed_again(vault: Vault, tmp_path: Path, master_key: Path) -> None:
    """A vault that a restore left readable is closed at the next start."""
    (tmp_path / "vault").chmod(0o755)
    Vault(tmp_path / "vault", master_key=master_key)
    assert _mode(tmp_path / "vault") == 0o700


def test_a_destroyed_key_is_gone(vault: Vault, tmp_path: Path, master_key: Path) -> None:
    """After destroying, nothing opens: not in this process, not in the next one, and no file is left."""
    vault.create(OWNER)
    sealed = vault.sealer(OWNER).seal(b"seven", aad=PLACE)
    vault.destroy(OWNER)
    assert list((tmp_path / "vault").iterdir()) == []
    assert vault.owners() == ()
    for each in (vault, Vault(tmp_path / "vault", master_key=master_key)):
        with pytest.raises(SealingError, match=OWNER):
            each.sealer(OWNER)
    vault.create(OWNER)
    with pytest.raises(SealingError):
        vault.sealer(OWNER).open(sealed, aad=PLACE)


def test_destroying_overwrites_the_bytes(vault: Vault, tmp_path: Path) -> None:
    """The file's own bytes are overwritten before the name goes: a second name for them shows nothing of the key."""
    vault.create(OWNER)
    (file,) = (tmp_path / "vault").iterdir()
    before, second_name = file.read_bytes(), tmp_path / "second-name"
    os.link(file, second_name)
    vault.destroy(OWNER)
    assert len(second_name.read_bytes()) == len(before)
    assert b"key" not in second_name.read_bytes()
    assert second_name.read_bytes() != before


@pytest.mark.parametrize("leave", [os.rename, os.link])
def test_a_crash_while_creating_leaves_no_key_behind(
    vault: Vault, tmp_path: Path, leave: Callable[[Path, Path], None]
) -> None:
    """A draft left by a crash, before the key got its name or just after, goes with the owner's key."""
    vault.create(OWNER)
    (file,) = (tmp_path / "vault").iterdir()
    leave(file, file.with_name(file.name + ".new"))
    assert vault.owners() == (() if leave is os.rename else (OWNER,))
    vault.destroy(OWNER)
    assert list((tmp_path / "vault").iterdir()) == []


def test_a_draft_is_in_nobody_s_way(vault: Vault, tmp_path: Path) -> None:
    """Creating again after a crash makes a whole key and clears the draft."""
    vault.create(OWNER)
    (file,) = (tmp_path / "vault").iterdir()
    file.rename(file.with_name(file.name + ".new"))
    vault.create(OWNER)
    assert vault.owners() == (OWNER,)
    assert list((tmp_path / "vault").iterdir()) == [file]


def test_destroying_what_is_not_there_is_nothing(vault: Vault) -> None:
    """Erasing can be run again."""
    vault.destroy(OWNER)
    assert vault.owners() == ()


def test_a_missing_key_says_whose(vault: Vault) -> None:
    """The error names the owner without a key."""
    with pytest.raises(SealingError, match=r"no data key for pair:heron"):
        vault.sealer(OWNER)


def test_all_keys_are_read_at_once(vault: Vault, tmp_path: Path, master_key: Path) -> None:
    """What was read before needs its file no more; a damaged file keeps nobody else's key back."""
    for owner in (OWNER, "pair:robin", "pair:wren"):
        vault.create(owner)
    again = Vault(tmp_path / "vault", master_key=master_key)
    damaged, *_ = [file for file in (tmp_path / "vault").iterdir() if "wren" in file.read_text()]
    damaged.write_text("{}")
    again.open_all()
    sealed = vault.sealer(OWNER).seal(b"seven", aad=PLACE)
    for file in (tmp_path / "vault").iterdir():
        file.unlink()
    assert again.sealer(OWNER).open(sealed, aad=PLACE) == b"seven"
    again.sealer("pair:robin")
    with pytest.raises(SealingError, match="pair:wren"):
        again.sealer("pair:wren")


def test_a_damaged_file_says_which(vault: Vault, tmp_path: Path) -> None:
    """A damaged key file is named, not taken for a key."""
    vault.create(OWNER)
    (file,) = (tmp_path / "vault").iterdir()
    for damage in (
        b"",
        b"\xff",
        b"[]",
        b'{"owner": "pair:heron", "key": "!"}',
        b'{"owner": "pair:heron", "key": "AQAA"}',
    ):
        file.write_bytes(damage)
        with pytest.raises(SealingError, match=r"pair:heron.*\.key"):
            vault.sealer(OWNER)


def test_keys_cannot_be_swapped(vault: Vault, tmp_path: Path) -> None:
    """One owner's wrapped key in the place of another's does not open: the wrapping names the owner."""
    vault.create(OWNER)
    (file,) = (tmp_path / "vault").iterdir()
    vault.create("pair:wren")
    (other,) = set((tmp_path / "vault").iterdir()) - {file}
    other.write_bytes(file.read_bytes())
    with pytest.raises(SealingError, match="pair:wren"):
        vault.sealer("pair:wren")


def test_another_master_key_opens_nothing(vault: Vault, tmp_path: Path) -> None:
    """The vault alone is worth nothing without the master key that wrapped it."""
    vault.create(OWNER)
    create_master_key(tmp_path / "other.key")
    with pytest.raises(SealingError, match="another master key"):
        Vault(tmp_path / "vault", master_key=tmp_path / "other.key").sealer(OWNER)


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o644])
def test_a_master_key_open_to_others_is_refused(tmp_path: Path, master_key: Path, mode: int) -> None:
    """The bot does not start with a master key that group or world can read, and says what to type."""
    master_key.chmod(mode)
    with pytest.raises(ConfigurationError, match=r"open to other users \(mode 06.*chmod 600"):
        Vault(tmp_path / "vault", master_key=master_key)


@pytest.mark.parametrize("content", [b"", b"short", b"\xff\xfe", b"A" * 42])
def test_a_file_that_is_no_master_key_is_refused(tmp_path: Path, master_key: Path, content: bytes) -> None:
    """An empty, cut or foreign file is refused in words."""
    master_key.write_bytes(content)
    with pytest.raises(ConfigurationError, match=r"master key"):
        Vault(tmp_path / "vault", master_key=master_key)


def test_a_missing_master_key_is_named(tmp_path: Path) -> None:
    """The error names the file that is missing."""
    with pytest.raises(ConfigurationError, match=r"absent\.key is missing"):
        Vault(tmp_path / "vault", master_key=tmp_path / "absent.key")


def test_a_master_key_is_never_replaced(master_key: Path) -> None:
    """Creating over an existing key is refused and leaves it as it is."""
    before = master_key.read_bytes()
    with pytest.raises(ConfigurationError, match="exists already"):
        create_master_key(master_key)
    assert master_key.read_bytes() == before


def test_the_text_of_a_vault_holds_no_key(vault: Vault) -> None:
    """Printing a vault or a sealer shows no key."""
    vault.create(OWNER)
    sealer = vault.sealer(OWNER)
    assert repr(sealer).startswith("<bot.crypto.sealing.Sealer object")
    assert repr(vault).startswith("<bot.crypto.vault.Vault object")
