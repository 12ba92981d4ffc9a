"""What tests against a real homeserver share: one Synapse and one Node process for the whole run."""

import itertools
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import pytest_asyncio

from bot.demo.homeserver import LocalHomeserver
from bot.demo.node import prepare_client
from bot.demo.person import People, Person
from tests.postgres import postgres

# Kept between runs, so that a second run needs no network; `data` is not under version control.
CLIENT_DIRECTORY = Path(__file__).parent.parent / "data" / "example-client"
NUMBERS = itertools.count(1)


@dataclass(frozen=True, kw_only=True, slots=True)
class SignedPerson:
    """A person whose device is cross-signed and who trusts cross-signed devices only."""

    person: Person
    password: str
    recovery_key: str


Account = Callable[[str], Awaitable[tuple[str, str]]]
SignedIn = Callable[[str], Awaitable[SignedPerson]]
LogIn = Callable[[str, str], Awaitable[Person]]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def homeserver(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[LocalHomeserver]:
    """A Synapse of this test run; a test that breaks it starts its own."""
    synapse = LocalHomeserver()
    await synapse.start(tmp_path_factory.mktemp("synapse"))
    yield synapse
    await synapse.stop()


@pytest.fixture(scope="session")
def postgres_socket() -> Iterator[Path]:
    """The socket directory of a PostgreSQL of this test run."""
    with postgres() as socket:
        yield socket


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def people(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[People]:
    """The Node process in which all people of this test run live."""
    client = await prepare_client(CLIENT_DIRECTORY, say=print)
    async with People(client, output=tmp_path_factory.mktemp("people") / "client.log") as running:
        yield running


@pytest.fixture(scope="session")
def account(homeserver: LocalHomeserver) -> Account:
    """Register an account whose localpart begins with the name; return its Matrix id and its password."""

    async def register(name: str) -> tuple[str, str]:
        password = secrets.token_urlsafe(12)
        user = await homeserver.register(f"{name}-{next(NUMBERS)}", password)
        return user, password

    return register


@pytest.fixture(scope="session")
def log_in(homeserver: LocalHomeserver, people: People) -> LogIn:
    """Log an account in on a new device, which nobody has signed, with device isolation on."""

    async def open_client(user: str, password: str) -> Person:
        who = f"{user} {next(NUMBERS)}"
        return await people.login(who, url=homeserver.url, user=user, password=password)

    return open_client


@pytest.fixture(scope="session")
def signed_in(account: Account, log_in: LogIn) -> SignedIn:
    """Make an account and log it in with cross-signing, secret storage and key backup set up."""

    async def sign_in(name: str) -> SignedPerson:
        user, password = await account(name)
        person = await log_in(user, password)
        return SignedPerson(person=person, password=password, recovery_key=await person.bootstrap())

    return sign_in
