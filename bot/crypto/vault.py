"""The vault: one data key per account and per pair, each wrapped by the master key, in files beside the database.

Destroying a pair's file is how a pair is erased (CRYPTO 35), so nothing here keeps a second copy.
"""

import hashlib
import json
import os
from contextlib import suppress
from pathlib import Path

from bot.crypto.canonical import from_unpadded, unpadded
from bot.crypto.sealing import KEY_BYTES, Sealer, aad
from bot.errors import ConfigurationError, SealingError

_FILE_MODE = 0o600
_DIRECTORY_MODE = 0o700
_OTHERS = 0o077
_SUFFIX = ".key"


def create_master_key(path: Path) -> None:
    """Write a new master key, one line of base64 in a file of mode 0600.

    Raises ConfigurationError if the file exists.
    """
    if not _write_new(path, (unpadded(os.urandom(KEY_BYTES)) + "\n").encode()):
        raise ConfigurationError(
            f"The master key {path} exists already; it is never replaced, because it opens the data."
        )


def read_master_key(path: Path) -> Sealer:
    """Read the master key. Raises ConfigurationError if it is missing, open to others, or no key."""
    try:
        mode = path.stat().st_mode & 0o777
        text = path.read_text("ascii")
    except FileNotFoundError:
        raise ConfigurationError(f"The master key {path} is missing; without it the data cannot be opened.") from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"The master key {path} cannot be read: {error}") from None
    if mode & _OTHERS:
        raise ConfigurationError(
            f"The master key {path} is open to other users (mode {mode:04o}). "
            f"Only the bot's own user may read it: chmod 600 {path}"
        )
    try:
        return Sealer(from_unpadded(text.strip()))
    except ValueError:
        raise ConfigurationError(f"The file {path} holds no master key: one line of base64 for 32 bytes.") from None


class Vault:
    """The data keys of this instance. An owner is `account:<id>` or `pair:<id>`.

    Raises ConfigurationError where the master key is missing, open to others, or no key.
    """

    def __init__(self, directory: Path, *, master_key: Path) -> None:
        self._directory = directory
        self._master = read_master_key(master_key)
        self._sealers: dict[str, Sealer] = {}
        directory.mkdir(mode=_DIRECTORY_MODE, parents=True, exist_ok=True)
        directory.chmod(_DIRECTORY_MODE)  # the umask, a restore or a volume's group settings may have changed it

    def create(self, owner: str) -> None:
        """Make the owner's data key; one that exists is kept, so that an interrupted step can be run again."""
        wrapped = self._master.seal(os.urandom(KEY_BYTES), aad=_place(owner))
        _write_new(self._path(owner), json.dumps({"owner": owner, "key": unpadded(wrapped)}).encode())

    def sealer(self, owner: str) -> Sealer:
        """What seals and opens the owner's values. Raises SealingError if the owner's key is missing or damaged."""
        if owner not in self._sealers:
            self._sealers[owner] = Sealer(self._unwrap(owner))
        return self._sealers[owner]

    def open_all(self) -> None:
        """Read every data key now, so that nobody waits for a file later; a damaged one is named when it is used."""
        for file in self._directory.glob(f"*{_SUFFIX}"):
            with suppress(SealingError):
                self.sealer(_read(file)[0])

    def destroy(self, owner: str) -> None:
        """Overwrite and remove the owner's key: what it sealed stays closed for ever. Without a key nothing happens."""
        self._sealers.pop(owner, None)
        path = self._path(owner)
        for file in (path, _draft(path)):
            _overwrite_and_remove(file)
        _sync_directory(self._directory)

    def owners(self) -> tuple[str, ...]:
        """Who has a data key here, sorted. Raises SealingError for a file that names nobody."""
        return tuple(sorted(_read(file)[0] for file in self._directory.glob(f"*{_SUFFIX}")))

    def _unwrap(self, owner: str) -> bytes:
        path = self._path(owner)
        if not path.exists():
            raise SealingError(f"There is no data key for {owner} in {self._directory}: erased, or not restored.")
        try:
            return self._master.open(_read(path)[1], aad=_place(owner))
        except SealingError:
            raise SealingError(
                f"The data key for {owner} cannot be opened: another master key, or {path} is damaged."
            ) from None

    def _path(self, owner: str) -> Path:
        """A hash as the name: ids may hold characters that file systems refuse."""
        return self._directory / (hashlib.sha256(owner.encode()).hexdigest() + _SUFFIX)


def _place(owner: str) -> bytes:
    return aad("vault", owner, "key", owner)


def _read(path: Path) -> tuple[str, bytes]:
    """The owner and the wrapped key in a file of the vault. Raises SealingError."""
    try:
        content = json.loads(path.read_bytes())
        return str(content["owner"]), from_unpadded(content["key"])
    except (OSError, ValueError, KeyError, TypeError):
        raise SealingError(f"The key file {path} is damaged.") from None


def _draft(path: Path) -> Path:
    return path.with_name(path.name + ".new")


def _write_new(path: Path, content: bytes) -> bool:
    """Write a file whole and durably, or not at all; False if it exists. The link makes it appear in one step."""
    draft = _draft(path)
    draft.unlink(missing_ok=True)
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _FILE_MODE)
    with os.fdopen(descriptor, "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(draft, path)
    except FileExistsError:
        return False
    finally:
        draft.unlink()
        _sync_directory(path.parent)
    return True


def _overwrite_and_remove(path: Path) -> None:
    try:
        file = path.open("r+b")
    except FileNotFoundError:
        return
    with file:
        file.write(os.urandom(path.stat().st_size))
        file.flush()
        os.fsync(file.fileno())
    path.unlink()


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
