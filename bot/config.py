"""The settings of one instance: `interlude.toml` in its data directory, where environment variables may override it."""

import json
import os
import re
import tomllib
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import urlsplit
from zoneinfo import available_timezones

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator
from pydantic_core import ErrorDetails
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from bot.core.practice import Practice
from bot.errors import ConfigurationError

FILE = "interlude.toml"
ENVIRONMENT = "INTERLUDE_"  # INTERLUDE_STORAGE__DATABASE overrides `database` in [storage]
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
_FILE_MODE = 0o600
_DIRECTORY_MODE = 0o700
_KEY_LINE = re.compile(r"\s*([A-Za-z0-9_-]+)\s*=")
_TABLE_LINE = re.compile(r"\s*\[([A-Za-z0-9_-]+)\]")

Line = Annotated[str, Field(max_length=300, pattern=r"^[^\r\n]*$")]


class _Section(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class HomeserverSettings(_Section):
    """The homeserver, and who the bot is there."""

    url: str
    server_name: Annotated[str, Field(pattern=r"^[A-Za-z0-9.:\[\]-]+$")]
    user_id: Annotated[str, Field(pattern=r"^@[^:\s]+:\S+$")]
    device_id: Annotated[str, Field(pattern=r"^\S{1,255}$")]

    @field_validator("url")
    @classmethod
    def _is_url(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname:
            raise ValueError("write the homeserver's address, for example https://matrix.example.org")
        return url.rstrip("/")

    @property
    def on_loopback(self) -> bool:
        """Whether the homeserver runs on this machine."""
        return urlsplit(self.url).hostname in LOOPBACK


class StorageSettings(_Section):
    """Where data and keys are; paths count from the data directory."""

    database: str | None = None  # URL for SQLAlchemy; left out: SQLite in the data directory
    master_key_file: Path = Path("master.key")


class PracticeSettings(_Section):
    """Who runs the bot, as people meet it."""

    name: Annotated[Line, Field(min_length=1)] = "the practice"
    line: Line = ""  # telephone or words, shown in the welcome and in crisis answers
    country: Annotated[str, Field(pattern=r"^([A-Z]{2})?$")] = ""  # empty: no crisis numbers but "the local ones"
    language: Annotated[str, Field(pattern=r"^[a-z]{2,3}(-[A-Za-z0-9]+)*$")] = "en"
    timezone: str = "UTC"
    prompts: Path | None = None  # the practice's own folder, laid over the packs that come with Interlude

    @field_validator("timezone")
    @classmethod
    def _is_zone(cls, zone: str) -> str:
        if zone not in available_timezones():
            raise ValueError("there is no such time zone; write one such as Europe/Berlin")
        return zone


class WebSettings(_Section):
    """Where health and metrics are served; port 0 turns them off."""

    host: str = "127.0.0.1"
    port: int = Field(default=9470, ge=0, le=65535)


class Settings(BaseSettings):
    """Everything that an operator sets."""

    model_config = SettingsConfigDict(
        frozen=True, extra="forbid", env_prefix=ENVIRONMENT, env_nested_delimiter="__", env_ignore_empty=True
    )

    data_dir: Path
    homeserver: HomeserverSettings
    storage: StorageSettings = StorageSettings()
    practice: PracticeSettings = PracticeSettings()
    web: WebSettings = WebSettings()

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - given by pydantic-settings
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - no .env file: one place less to look at
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - secrets are files that a setting names
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Let the environment win over the file, as containers need it."""
        return env_settings, init_settings

    @property
    def database_url(self) -> str:
        """The database to open."""
        return self.storage.database or f"sqlite:///{self.data_dir / 'interlude.sqlite'}"

    @property
    def sqlite_file(self) -> Path | None:
        """The database's file, None on PostgreSQL."""
        kind, _, place = self.database_url.partition(":///")
        return Path(place) if kind.startswith("sqlite") else None

    @property
    def master_key_file(self) -> Path:
        """The file that holds the master key."""
        return self.data_dir / self.storage.master_key_file

    @property
    def vault_directory(self) -> Path:
        """The directory of the data keys."""
        return self.data_dir / "vault"

    @property
    def prompts_directory(self) -> Path | None:
        """The practice's own prompts and words, None when it has none."""
        return self.data_dir / self.practice.prompts if self.practice.prompts else None

    def as_met(self) -> Practice:
        """Return the practice as the flows know it."""
        known = self.practice
        return Practice(
            name=known.name, line=known.line, country=known.country, language=known.language, timezone=known.timezone
        )


def load(data_dir: Path) -> Settings:
    """Read the settings of the instance in `data_dir`.

    Raises ConfigurationError that names file and line of every unknown key and wrong value.
    """
    path = data_dir / FILE
    try:
        text = path.read_text("utf-8")
    except FileNotFoundError:
        raise ConfigurationError(
            f"There is no instance in {data_dir}: {FILE} is missing. Make one with `interlude init --data-dir ...`."
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path} cannot be read: {error}") from None
    try:
        written = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"{path}: not valid TOML: {error}") from None
    if "data_dir" in written:
        raise ConfigurationError(f"{path}:{_line(text, ('data_dir',))}: data_dir: is not a known key")
    make = partial(Settings, data_dir=Path(os.path.abspath(data_dir)))
    try:
        return make(**written)
    except ValidationError as error:
        details = error.errors(include_url=False, include_input=False)
        raise ConfigurationError("\n".join(_explain(path, text, written, detail) for detail in details)) from None


def write_initial(
    data_dir: Path, *, homeserver: HomeserverSettings, practice: PracticeSettings, database: str | None = None
) -> Settings:
    """Make the data directory (0700) and its `interlude.toml` (0600), and return the settings; no file is replaced.

    Raises ConfigurationError when there is an instance already, or the directory cannot be made.
    """
    text = _INITIAL.format(
        **{f"homeserver_{name}": json.dumps(value) for name, value in homeserver.model_dump().items()},
        **{
            f"practice_{name}": json.dumps(value, ensure_ascii=False)
            for name, value in practice.model_dump(exclude={"prompts"}).items()
        },
        database=f"database = {json.dumps(database)}" if database else _NO_DATABASE,
        port=WebSettings().port,
    )
    try:
        data_dir.mkdir(mode=_DIRECTORY_MODE, parents=True, exist_ok=True)
        data_dir.chmod(_DIRECTORY_MODE)  # mkdir is subject to the umask, and the directory may have been there
        descriptor = os.open(data_dir / FILE, os.O_WRONLY | os.O_CREAT | os.O_EXCL, _FILE_MODE)
    except FileExistsError:
        raise ConfigurationError(f"There is an instance in {data_dir} already.") from None
    except OSError as error:
        raise ConfigurationError(f"{data_dir} cannot be used: {error}") from None
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(text)
        file.flush()
        os.fsync(file.fileno())
    return load(data_dir)


def homeserver_settings(*, url: str, server_name: str, user_id: str, device_id: str) -> HomeserverSettings:
    """Return checked settings. Raises ConfigurationError."""
    try:
        return HomeserverSettings(url=url, server_name=server_name, user_id=user_id, device_id=device_id)
    except ValidationError as error:
        raise _told(error) from None


def practice_settings(**values: Any) -> PracticeSettings:
    """Return checked settings, with defaults for those that are None. Raises ConfigurationError."""
    try:
        return PracticeSettings(**{name: value for name, value in values.items() if value is not None})
    except ValidationError as error:
        raise _told(error) from None


def _told(error: ValidationError) -> ConfigurationError:
    details = error.errors(include_url=False, include_input=False)
    return ConfigurationError("; ".join(f"{detail['loc'][0]}: {_what(detail)}" for detail in details))


def _what(detail: ErrorDetails) -> str:
    known = {"missing": "is missing", "extra_forbidden": "is not a known key"}.get(detail["type"])
    return known or str((detail.get("ctx") or {}).get("error") or detail["msg"])


def _explain(path: Path, text: str, written: Mapping[str, Any], detail: ErrorDetails) -> str:
    place = tuple(str(part) for part in detail["loc"])
    what = _what(detail)
    variable = ENVIRONMENT + "__".join(place).upper()
    if variable in os.environ:
        return f"environment variable {variable}: {what}"
    if detail["type"] == "extra_forbidden" and not _stands_in(written, place):
        return f"environment variable below {ENVIRONMENT}{place[0].upper()}: {what}: {place[-1]}"
    return f"{path}:{_line(text, place)}: {'.'.join(place)}: {what}"


def _stands_in(written: Mapping[str, Any], place: tuple[str, ...]) -> bool:
    value: Any = written
    for part in place:
        if not isinstance(value, Mapping) or part not in value:
            return False
        value = value[part]
    return True


def _line(text: str, place: tuple[str, ...]) -> int:
    """Return the line of a key, or of the table in which it is missing; 1 when neither stands there."""
    table, found = "", 1
    for number, line in enumerate(text.splitlines(), 1):
        if heading := _TABLE_LINE.match(line):
            table = heading[1]
            if place[0] == table:
                found = number
        elif (key := _KEY_LINE.match(line)) and (key[1] == place[0] if not table else (table, key[1]) == place[:2]):
            return number
    return found


_NO_DATABASE = '# database = "postgresql://interlude@localhost/interlude"  # left out: SQLite in this directory'
_INITIAL = """\
# Settings of this Interlude instance; `interlude doctor` checks them.

[homeserver]
url = {homeserver_url}
server_name = {homeserver_server_name}
user_id = {homeserver_user_id}
device_id = {homeserver_device_id}  # the bot's one device; never changed

[storage]
{database}
master_key_file = "master.key"  # opens all data; better kept elsewhere than the backups of this directory

[practice]
name = {practice_name}
line = {practice_line}  # telephone or words, shown in the welcome and in crisis answers
country = {practice_country}  # two letters, for crisis numbers
language = {practice_language}
timezone = {practice_timezone}
# prompts = "prompts"  # a folder with your own prompts and words; what is not in it comes with Interlude

[web]
# Health and metrics: /health/live, /health/ready, /metrics. Port 0 turns them off.
host = "127.0.0.1"
port = {port}
"""
