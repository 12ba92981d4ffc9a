"""Settings: written once, read strictly, mistakes named with their line."""

from pathlib import Path

import pytest

from bot.config import FILE, PracticeSettings, homeserver_settings, load, practice_settings, write_initial
from bot.errors import ConfigurationError


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """An instance's directory with the settings that `init` writes."""
    known = homeserver_settings(
        url="http://localhost:8008/", server_name="localhost", user_id="@bot:localhost", device_id="DEVICE"
    )
    write_initial(tmp_path / "data", homeserver=known, practice=PracticeSettings(line='"Quoted" — line'))
    return tmp_path / "data"


def edit(data_dir: Path, old: str, new: str) -> None:
    """Change the file as an operator would."""
    path = data_dir / FILE
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def complaint(data_dir: Path) -> str:
    """What is said about the file, with the directory left out."""
    with pytest.raises(ConfigurationError) as caught:
        load(data_dir)
    return str(caught.value).replace(f"{data_dir}/", "")


def line_of(data_dir: Path, start: str) -> int:
    """The number of the line that begins so."""
    lines = (data_dir / FILE).read_text().splitlines()
    return next(number for number, line in enumerate(lines, 1) if line.startswith(start))


def test_what_is_written_is_read_back(data_dir: Path) -> None:
    """The file that init writes holds everything, also odd characters, and is for the bot's user alone."""
    settings = load(data_dir)
    assert settings.homeserver.url == "http://localhost:8008"
    assert settings.practice.line == '"Quoted" — line'
    assert settings.database_url == f"sqlite:///{data_dir}/interlude.sqlite"
    assert settings.sqlite_file == data_dir / "interlude.sqlite"
    assert settings.web.host == "127.0.0.1"
    assert (data_dir / FILE).stat().st_mode & 0o777 == 0o600
    assert data_dir.stat().st_mode & 0o777 == 0o700


def test_an_instance_is_not_replaced(data_dir: Path) -> None:
    """The file is written once."""
    with pytest.raises(ConfigurationError, match="already"):
        write_initial(data_dir, homeserver=load(data_dir).homeserver, practice=PracticeSettings())


def test_another_database_is_written_down(tmp_path: Path, data_dir: Path) -> None:
    """What `init --database` was told stands in the file, and is then no SQLite file."""
    url = "postgresql://interlude@localhost/interlude"
    other = write_initial(
        tmp_path / "other", homeserver=load(data_dir).homeserver, practice=PracticeSettings(), database=url
    )
    assert (other.database_url, other.sqlite_file) == (url, None)


def test_no_instance_is_explained(tmp_path: Path) -> None:
    """A directory without settings is no instance, and the sentence says what to do."""
    assert "interlude init" in complaint(tmp_path)


def test_unknown_keys_are_named_with_their_line(data_dir: Path) -> None:
    """A misspelt key is refused, not ignored."""
    edit(data_dir, "country = ", "contry = ")
    line = line_of(data_dir, "contry")
    assert complaint(data_dir) == f"{FILE}:{line}: practice.contry: is not a known key"


def test_wrong_values_are_named_with_their_line(data_dir: Path) -> None:
    """Every wrong value is listed, each with its own line."""
    edit(data_dir, "port = 9470", "port = 99470")
    edit(data_dir, 'timezone = "UTC"', 'timezone = "Mars/Olympus"')
    found = complaint(data_dir).splitlines()
    assert found[0].startswith(f"{FILE}:{line_of(data_dir, 'timezone')}: practice.timezone: there is no such time zone")
    assert found[1].startswith(f"{FILE}:{line_of(data_dir, 'port')}: web.port: ")


def test_a_missing_key_points_at_its_table(data_dir: Path) -> None:
    """What is missing has no line; its table has."""
    edit(data_dir, 'device_id = "DEVICE"', "")
    assert complaint(data_dir) == f"{FILE}:{line_of(data_dir, '[homeserver]')}: homeserver.device_id: is missing"


def test_broken_toml_names_the_place(data_dir: Path) -> None:
    """A syntax error is explained with its line by the parser."""
    edit(data_dir, "port = 9470", "port = ")
    assert f"at line {line_of(data_dir, 'port')}" in complaint(data_dir)


def test_no_secret_is_repeated(data_dir: Path) -> None:
    """A wrong value is not quoted: a password may stand in a database's address."""
    edit(data_dir, 'master_key_file = "master.key"', 'database = ["hunter2"]')
    assert "hunter2" not in complaint(data_dir)


def test_the_environment_overrides_the_file(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Containers set single values without a file."""
    monkeypatch.setenv("INTERLUDE_WEB__PORT", "20123")
    monkeypatch.setenv("INTERLUDE_STORAGE__DATABASE", "postgresql://db/interlude")
    settings = load(data_dir)
    assert (settings.web.port, settings.web.host) == (20123, "127.0.0.1")
    assert settings.database_url == "postgresql://db/interlude"
    assert settings.sqlite_file is None


def test_a_wrong_variable_is_named(data_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who set it in the environment does not look for it in the file."""
    monkeypatch.setenv("INTERLUDE_WEB__PORT", "soon")
    assert complaint(data_dir).startswith("environment variable INTERLUDE_WEB__PORT: ")


def test_the_data_directory_is_not_a_setting(data_dir: Path) -> None:
    """An instance is where its file is."""
    edit(data_dir, "[homeserver]", 'data_dir = "/elsewhere"\n[homeserver]')
    assert "data_dir: is not a known key" in complaint(data_dir)


def test_options_are_checked_like_the_file() -> None:
    """What `init` is told is refused in one line."""
    with pytest.raises(ConfigurationError, match="timezone: there is no such time zone"):
        practice_settings(timezone="Nowhere", country=None)
    with pytest.raises(ConfigurationError, match="url"):
        homeserver_settings(url="localhost:8008", server_name="localhost", user_id="@a:localhost", device_id="A")
