"""`interlude init` on a real homeserver: one device, one identity, also when it is run again (CRYPTO 32)."""

from pathlib import Path
from typing import Any

import pytest

from bot.config import load
from bot.crypto.recovery_key import decode_recovery_key
from bot.demo.homeserver import LocalHomeserver
from bot.errors import Unreachable
from bot.flows import enrol
from bot.instance import open_instance
from bot.matrix.homeserver import NioHomeserver
from tests.cli.conftest import init_words, new_user
from tests.cli.interlude import Outcome, interlude
from tests.conftest import Account


async def keys_of(data_dir: Path) -> dict[str, Any]:
    """What the homeserver shows of the bot's keys, with everything else that init wrote there."""
    async with open_instance(data_dir) as instance, instance.homeserver() as server:
        user = instance.settings.homeserver.user_id
        answer = await server.query_keys([user])
        backup = await server.backup_info()
        return {
            "user": user,
            "device": instance.settings.homeserver.device_id,
            "keys": {part: answer[part].get(user) for part in ("device_keys", "master_keys", "self_signing_keys")},
            "backup": backup and backup["auth_data"],
            "secret_storage": await server.account_data("m.secret_storage.default_key"),
            "name": await server.display_name(user),
        }


async def init(homeserver: LocalHomeserver, data_dir: Path, *, user: str | None = None) -> Outcome:
    """Make an instance, and return what was printed as JSON."""
    made = await interlude(*init_words(homeserver, data_dir, user or new_user()), "--json")
    assert made.status == 0, made.stderr
    return made


async def test_it_makes_an_instance(homeserver: LocalHomeserver, tmp_path: Path) -> None:
    """The account is cross-signed, has secret storage and a backup, and everything on disk is private."""
    data_dir = tmp_path / "data"
    made = (await init(homeserver, data_dir)).data
    shown = await keys_of(data_dir)
    assert (made["user"], made["device"]) == (shown["user"], shown["device"])
    assert made["fingerprint"] in shown["keys"]["master_keys"]["keys"].values()
    assert len(decode_recovery_key(made["recovery_key"])) == 32
    assert list(shown["keys"]["device_keys"]) == [made["device"]]
    assert shown["name"] == "Interlude"
    assert shown["backup"] is not None
    assert shown["secret_storage"] is not None
    modes = {path.relative_to(data_dir).as_posix(): path.stat().st_mode & 0o077 for path in data_dir.rglob("*")}
    assert set(modes.values()) == {0}, modes


async def test_run_again_it_changes_nothing(homeserver: LocalHomeserver, tmp_path: Path) -> None:
    """The same keys are uploaded, and the recovery key is not shown twice nor kept."""
    data_dir = tmp_path / "data"
    made = await init(homeserver, data_dir)
    before = await keys_of(data_dir)
    again = await interlude("init", "--data-dir", data_dir, "--json")
    assert again.status == 0, again.stderr
    assert again.data == {**made.data, "recovery_key": None}
    assert await keys_of(data_dir) == before
    async with open_instance(data_dir) as instance, instance.database.transaction() as tx:
        assert await tx.facts.read("recovery_key") is None


async def test_the_recovery_key_is_shown_with_its_purpose(homeserver: LocalHomeserver, tmp_path: Path) -> None:
    """A person reads one sentence what the key is for; the second run prints no secret."""
    words = init_words(homeserver, tmp_path / "data", new_user())
    first, second = await interlude(*words), await interlude(*words)
    key = next(line.strip() for line in first.stdout.splitlines() if line.startswith("    "))
    assert "Recovery key, shown only now" in first.stdout
    assert len(decode_recovery_key(key)) == 32
    assert "Recovery key" not in second.stdout
    assert key not in second.stdout + second.stderr


@pytest.mark.parametrize("step", ["login_password", "upload_device_signing", "set_account_data", "create_backup"])
async def test_an_interrupted_run_is_completed(
    homeserver: LocalHomeserver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    """Whatever answer is lost, the next run ends with the device and the identity of the first."""
    data_dir, words = tmp_path / "data", init_words(homeserver, tmp_path / "data", new_user())
    asked = getattr(NioHomeserver, step)

    async def lost(*arguments: Any, **named: Any) -> None:
        await asked(*arguments, **named)
        raise Unreachable

    with monkeypatch.context() as patched:
        patched.setattr(NioHomeserver, step, lost)
        first = await interlude(*words)
    assert first.status == 1
    device = load(data_dir).homeserver.device_id
    second = await interlude(*words, "--json")
    assert second.status == 0, second.stderr
    assert second.data["device"] == device
    assert second.data["recovery_key"] is not None
    assert second.data["other_devices"] == []


async def test_a_password_works_too(homeserver: LocalHomeserver, account: Account, tmp_path: Path) -> None:
    """An account that somebody made is used with its password."""
    user, password = await account("practice-bot")
    file = tmp_path / "password"
    file.write_text(f"{password}\n")
    name = user.removeprefix("@").partition(":")[0]
    words = ["--homeserver", homeserver.url, "--server-name", "localhost", "--user", name, "--password-file", str(file)]
    made = await interlude("init", *words, "--data-dir", tmp_path / "data", "--json")
    assert made.status == 0, made.stderr
    assert made.data["user"] == user
    files = [path for path in (tmp_path / "data").rglob("*") if path.is_file()]
    assert not [path for path in files if password.encode() in path.read_bytes()]


async def test_an_access_token_brings_its_device(homeserver: LocalHomeserver, account: Account, tmp_path: Path) -> None:
    """The token's account and device are taken over."""
    user, password = await account("token-bot")
    server = NioHomeserver(homeserver.url)
    (tmp_path / "token").write_text(await server.login_password(user, password, "TOKENDEVICE"))
    await server.close()
    words = [
        "--homeserver",
        homeserver.url,
        "--server-name",
        "localhost",
        "--access-token-file",
        str(tmp_path / "token"),
    ]
    made = await interlude("init", *words, "--data-dir", tmp_path / "data", "--json")
    assert made.status == 0, made.stderr
    assert (made.data["user"], made.data["device"]) == (user, "TOKENDEVICE")


async def test_another_device_of_the_account_is_named(
    homeserver: LocalHomeserver, account: Account, tmp_path: Path, log_in: Any
) -> None:
    """Somebody is logged in as the bot: that is said at once (CRYPTO 7)."""
    user, password = await account("shared-bot")
    await log_in(user, password)
    (tmp_path / "password").write_text(password)
    name = user.removeprefix("@").partition(":")[0]
    words = ["--homeserver", homeserver.url, "--server-name", "localhost", "--user", name]
    made = await interlude(
        "init", *words, "--password-file", tmp_path / "password", "--data-dir", tmp_path / "data", "--json"
    )
    assert made.status == 0, made.stderr
    assert len(made.data["other_devices"]) == 1


async def test_a_foreign_identity_is_never_replaced(
    homeserver: LocalHomeserver, tmp_path: Path, account: Account
) -> None:
    """An account that has an identity already is refused, and its identity stays."""
    user, password = await account("taken-bot")
    (tmp_path / "password").write_text(password)
    name = user.removeprefix("@").partition(":")[0]
    words = [
        *("init", "--homeserver", homeserver.url, "--server-name", "localhost", "--user", name),
        *("--password-file", str(tmp_path / "password"), "--data-dir"),
    ]
    first = await interlude(*words, tmp_path / "first")
    assert first.status == 0
    before = await keys_of(tmp_path / "first")
    second = await interlude(*words, tmp_path / "second")
    assert second.status == 1
    assert "has a cross-signing identity already" in second.stderr
    assert (await keys_of(tmp_path / "first"))["keys"]["master_keys"] == before["keys"]["master_keys"]


async def test_an_account_of_somebody_else_is_refused(
    homeserver: LocalHomeserver, tmp_path: Path, account: Account
) -> None:
    """With the registration secret an existing account is not taken over."""
    user, _ = await account("somebody")
    name = user.removeprefix("@").partition(":")[0]
    made = await interlude(*init_words(homeserver, tmp_path / "data", name))
    assert made.status == 1
    assert "another name with --user" in made.stderr


@pytest.mark.parametrize(
    ("option", "value", "sentence"),
    [
        ("--timezone", "Mars/Olympus", "no such time zone"),
        ("--country", "Germany", "country"),
        ("--server-name", "elsewhere", "--server-name"),
    ],
)
async def test_wrong_options_are_one_line(
    homeserver: LocalHomeserver, tmp_path: Path, option: str, value: str, sentence: str
) -> None:
    """What is told wrongly is explained without a traceback."""
    made = await interlude(*init_words(homeserver, tmp_path / "data", new_user()), option, value)
    assert made.status == 1
    assert sentence in made.stderr
    assert len(made.stderr.splitlines()) == 1


async def test_a_wrong_secret_is_explained(homeserver: LocalHomeserver, tmp_path: Path) -> None:
    """The homeserver's refusal becomes a sentence."""
    (tmp_path / "secret").write_text("not the secret")
    words = ["--homeserver", homeserver.url, "--server-name", "localhost", "--user", new_user()]
    made = await interlude(
        "init", *words, "--registration-secret-file", tmp_path / "secret", "--data-dir", tmp_path / "data"
    )
    assert made.status == 1
    assert "refuses the registration secret" in made.stderr


async def test_a_logged_out_bot_logs_in_again(copy: Path) -> None:
    """When the token is no longer known, init uses the password that it made, and keeps the device."""
    async with open_instance(copy) as instance, instance.database.transaction() as tx:
        await tx.facts.write("access_token", "syt_nonsense")
    again = await interlude("init", "--data-dir", copy, "--json")
    assert again.status == 0, again.stderr
    assert again.data["device"] == load(copy).homeserver.device_id


def test_secrets_do_not_show_in_values() -> None:
    """What is logged or printed by mistake names no secret."""
    shown = repr(enrol.Credentials(registration_secret="s3", password="p4", access_token="t5"))
    assert not any(secret in shown for secret in ("s3", "p4", "t5"))
