"""The built wheel, installed where no checkout is: everything that travels with the code is found inside."""

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

CHECKOUT = Path(__file__).parents[2]
SCRIPT = "interlude.exe" if os.name == "nt" else "interlude"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Interlude's wheel, built from this checkout without the network."""
    directory = tmp_path_factory.mktemp("wheel")
    build = [sys.executable, "-m", "build", "--wheel", "--no-isolation", "--outdir", str(directory), str(CHECKOUT)]
    subprocess.run(build, cwd=directory, check=True, capture_output=True, timeout=120)
    return next(directory.glob("interlude-*.whl"))


class Installed:
    """The wheel's content in a directory that stands before everything else on the path."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.package = directory / "bot"
        self.resources = self.package / "resources"

    def interlude(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the wheel's own console script."""
        return self._run(str(self.directory / "bin" / SCRIPT), *arguments)

    def python(self, code: str, *arguments: str) -> str:
        """Run code on the wheel's package and return what it printed."""
        done = self._run("-c", code, *arguments)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    def _run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-P", *arguments],
            cwd=self.directory.parent,
            env={**os.environ, "PYTHONPATH": str(self.directory)},
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """The wheel as pip installs it; its dependencies are those of the tests."""
    target = tmp_path_factory.mktemp("installed") / "site"
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet", "--no-deps", "--no-index"]
    subprocess.run([*pip, "--target", str(target), str(wheel)], check=True, capture_output=True, timeout=120)
    found = Installed(target)
    assert Path(found.python("import bot; print(bot.__file__)")) == found.package / "__init__.py"
    return found


@pytest.fixture
def spoilable(installed: Installed, tmp_path: Path) -> Installed:
    """A copy of the installation, for a test that damages it."""
    return Installed(Path(shutil.copytree(installed.directory, tmp_path / "site")))


def test_the_wheel_holds_what_the_code_needs_and_nothing_else(wheel: Path) -> None:
    """Code, packs, schemas, migrations, picture, homeserver template and example client; no tests and no data."""
    names = zipfile.ZipFile(wheel).namelist()
    for needed in (
        "bot/py.typed",
        "bot/matrix/avatar.png",
        "bot/store/migrations/env.py",
        "bot/store/migrations/script.py.mako",
        "bot/resources/prompts/crisis.yaml",
        "bot/resources/prompts/en/bot.yaml",
        "bot/resources/schemas/prompt.schema.json",
        "bot/resources/synapse-config/homeserver.yaml",
        "bot/resources/demo/client.mjs",
        "bot/resources/demo/package.json",
    ):
        assert needed in names
    assert {name.split("/")[0] for name in names if ".dist-info/" not in name} == {"bot"}
    assert not [name for name in names if "node_modules" in name or "__pycache__" in name]


def test_every_tracked_resource_is_in_the_wheel(wheel: Path) -> None:
    """A file that is added to the packs, the schemas, the homeserver's template or the client is in the wheel too."""
    names = set(zipfile.ZipFile(wheel).namelist())
    for inside, outside in (
        ("prompts", "prompts"),
        ("schemas", "schemas"),
        ("synapse-config", "synapse-config"),
        ("demo", "deploy/demo"),
    ):
        files = [path for path in (CHECKOUT / outside).rglob("*") if path.is_file()]
        packed = {f"bot/resources/{inside}/{path.relative_to(CHECKOUT / outside).as_posix()}" for path in files}
        assert files
        assert packed <= names


def test_the_installed_command_finds_its_own_prompt_packs(installed: Installed, spoilable: Installed) -> None:
    """`interlude prompts check` reads the packs in the wheel: and stumbles over a mistake made there."""
    checked = installed.interlude("prompts", "check")
    assert checked.returncode == 0, checked.stderr
    prompts = len(list((CHECKOUT / "prompts" / "en").glob("*.yaml"))) - 1  # without bot.yaml
    assert f"en: {prompts} prompts" in checked.stdout

    pack = spoilable.resources / "prompts" / "en" / "mood.yaml"
    pack.write_text(pack.read_text("utf-8").replace("version: 2", "version: none"), encoding="utf-8")
    broken = spoilable.interlude("prompts", "check")
    assert broken.returncode == 1
    assert f"{pack}:2" in broken.stderr


def test_the_installed_command_finds_its_own_schemas(installed: Installed, spoilable: Installed) -> None:
    """`interlude schemas --check` compares the schemas in the wheel with the code in the wheel."""
    assert installed.interlude("schemas", "--check").returncode == 0
    (spoilable.resources / "schemas" / "prompt.schema.json").write_text("{}")
    assert spoilable.interlude("schemas", "--check").returncode == 1


def test_the_installed_code_migrates_a_database(installed: Installed, tmp_path: Path) -> None:
    """The migrations in the wheel make a database from nothing."""
    code = (
        "import asyncio, sqlite3, sys\n"
        "from bot.store.schema import upgrade\n"
        "asyncio.run(upgrade('sqlite+aiosqlite:///' + sys.argv[1]))\n"
        "print(sqlite3.connect(sys.argv[1]).execute('SELECT version_num FROM alembic_version').fetchone()[0])\n"
    )
    newest = installed.python("from bot.store.schema import SCHEMA; print(SCHEMA)")
    assert installed.python(code, str(tmp_path / "new.sqlite")) == newest


def test_the_installed_code_has_its_picture_and_its_templates(installed: Installed) -> None:
    """The avatar is a PNG, and the homeserver's template and the example client lie in the installed package."""
    assert installed.python("from bot.matrix.account import avatar; print(avatar()[:4])") == r"b'\x89PNG'"
    for name, file in (("synapse-config", "homeserver.yaml"), ("demo", "client.mjs")):
        code = "import sys; from bot.resource import resource; print(resource(sys.argv[1]))"
        place = Path(installed.python(code, name))
        assert place == installed.resources / name
        assert (place / file).is_file()


def test_the_installed_command_asks_for_an_instance(installed: Installed, tmp_path: Path) -> None:
    """A command that needs an instance starts from the wheel and names what is missing, without a traceback."""
    done = installed.interlude("schedule", "list", "--data-dir", str(tmp_path / "none"))
    assert done.returncode == 1
    assert "There is no instance in" in done.stderr
    assert "Traceback" not in done.stderr
