"""`interlude demo`: a homeserver, the bot and an example pair on this machine; an evening, then a week in a minute."""

import asyncio
import resource
import signal
from collections.abc import AsyncIterator, Coroutine
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import aiohttp
from rich.console import Console
from rich.markup import escape

from bot.demo.conversation import Stage, doing, play_day, play_return
from bot.demo.directory import Account, DemoDirectory, claim
from bot.demo.homeserver import LocalHomeserver
from bot.demo.invitation import shown
from bot.demo.node import prepare_client
from bot.demo.person import People, Person
from bot.demo.practice import DemoBot, Pace
from bot.demo.transcript import Transcript
from bot.demo.week import arrange, look_back, play_week
from bot.errors import HomeserverError, InterludeError
from bot.logs import set_up_logs

NARROWEST = 84  # a recovery key stays on one line, also where nobody knows the terminal's width
ZONE = ZoneInfo("Europe/London")
EVENING = 17  # o'clock: when the demo's day begins
EVENING_SPEED = 60  # a second is a minute
WEEK_SPEED = 10_080  # a minute is a week
BETWEEN_RUNS = timedelta(minutes=15)  # of the demo's time: what a killed run may not have noted
LOOK_EVERY_S = 5.0
FAREWELL_S = 8.0  # enough for a busy machine; usually it is a fraction of a second
BOT = "interlude"
PRACTICE = ("--practice-name", "the Lakeside Practice", "--practice-line", "020 7946 0000", "--country", "GB")


@dataclass(frozen=True, kw_only=True, slots=True)
class Company:
    """Everything that runs."""

    screen: Console
    directory: DemoDirectory
    homeserver: LocalHomeserver
    bot: DemoBot
    people: People
    transcript: Transcript


async def run(data_dir: Path, *, fresh: bool = False, stay: bool = True) -> int:
    """Play the demo in `data_dir` and, if `stay`, keep all of it running until SIGINT or SIGTERM.

    `fresh` forgets what an earlier run left there. Returns 0, or 1 after a failure that is explained on the screen;
    everything is stopped in any case.
    """
    screen = Console(width=max(Console().width, NARROWEST), highlight=False)
    _leave_no_memory_images()
    try:
        with claim(data_dir) as directory:
            await _until_asked_to_stop(_demo(screen, directory, fresh=fresh, stay=stay))
    except InterludeError as error:
        screen.print(f"[red]The demo cannot go on:[/] {escape(str(error))}")
        screen.print(f"Nothing of it runs any more. Logs: bot.log, people.log and homeserver/synapse.log in {data_dir}")
        return 1
    screen.print("Everything is stopped.")
    return 0


def _leave_no_memory_images() -> None:
    """Let no process of the demo write its memory to disk when it crashes: passwords and words are in there."""
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # the hard limit too: Synapse raises the soft one


async def _until_asked_to_stop(work: Coroutine[Any, Any, None]) -> None:
    """Run `work`; SIGINT or SIGTERM cancels it once, and it is given the time to put everything away."""
    loop, task = asyncio.get_running_loop(), asyncio.ensure_future(work)

    def stop() -> None:
        if not task.cancelling():
            task.cancel()

    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop)
    try:
        with suppress(asyncio.CancelledError):
            await task
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)


async def _demo(screen: Console, directory: DemoDirectory, *, fresh: bool, stay: bool) -> None:
    if fresh or not directory.open():
        if directory.used and not fresh:
            screen.print("The last run did not get to its end, so this one starts over.")
        directory.empty()
        directory.remember()
    set_up_logs(directory.path, to_stderr=False)
    async with _company(screen, directory) as company:
        first_time = not directory.memory.complete
        alex, lee = await _log_in(company)
        with doing(screen, "The bot runs"):
            speed = EVENING_SPEED if first_time else 1
            await company.bot.start(Pace(start=_beginning(directory), speed=speed))
        note = asyncio.create_task(_note_time(directory, company.bot))
        try:
            await _while_it_runs(company, _play(company, alex, lee, first_time=first_time))
            if stay:
                await _while_it_runs(company, asyncio.Event().wait())
        finally:
            note.cancel()
            directory.remember(simulated_until=company.bot.pace.latest().isoformat())
            await _take_leave(alex, lee)


@asynccontextmanager
async def _company(screen: Console, directory: DemoDirectory) -> AsyncIterator[Company]:
    """Start what the conversation needs, but for the running bot; in the end stop all of it."""
    transcript = Transcript(screen, since=datetime.now(UTC))
    async with AsyncExitStack() as stack:
        client = await prepare_client(directory.packages, say=screen.print)
        homeserver = LocalHomeserver()
        stack.push_async_callback(homeserver.stop)
        with doing(screen, "The homeserver runs (Synapse, on this machine only)"):
            await homeserver.start(directory.homeserver)
        bot = DemoBot(directory.bot, output=directory.bot_output)
        if not directory.memory.complete:
            with doing(screen, "The bot has its account, its device and its keys"):
                await _enrol(homeserver, bot)
        people = People(client, on_event=transcript.hear, output=directory.people_output)
        stack.push_async_callback(people.stop)
        await people.start()
        stack.push_async_callback(bot.stop)
        yield Company(
            screen=screen, directory=directory, homeserver=homeserver, bot=bot, people=people, transcript=transcript
        )


async def _enrol(homeserver: LocalHomeserver, bot: DemoBot) -> None:
    place = ("--homeserver", homeserver.url, "--server-name", homeserver.server_name)
    secret = ("--registration-secret-file", str(homeserver.registration_secret_file))
    await bot.command("init", *place, *secret, *PRACTICE, "--timezone", ZONE.key)


async def _log_in(company: Company) -> tuple[Person, Person]:
    """Bring both people in on a new device each, signed by themselves, and let the transcript know who is who."""
    memory, server_name = company.directory.memory, company.homeserver.server_name
    with doing(company.screen, f"{memory.client.name} and {memory.therapist.name} are logged in, each device signed"):
        alex, client = await _sign_in(company, memory.client)
        lee, therapist = await _sign_in(company, memory.therapist)
    company.directory.remember(client=client, therapist=therapist)
    for user, name in ((alex.user_id, client.name), (lee.user_id, therapist.name)):
        company.transcript.name(user, name)
    company.transcript.name(f"@{BOT}:{server_name}", "Interlude", program=True)
    return alex, lee


async def _sign_in(company: Company, account: Account) -> tuple[Person, Account]:
    first_time = not account.recovery_key
    if first_time:
        await company.homeserver.register(account.user, account.password)
    person = await company.people.login(
        account.user,
        url=company.homeserver.url,
        user=account.user,
        password=account.password,
        device_name="Interlude demo",
    )
    if not first_time:
        await person.open_with_recovery_key(account.recovery_key)
        return person, account
    await person.set_display_name(account.name)
    return person, replace(account, recovery_key=await person.bootstrap())


async def _play(company: Company, alex: Person, lee: Person, *, first_time: bool) -> None:
    """Bring the pair together, or find it as it was; play; print how to come in."""
    screen, directory, transcript = company.screen, company.directory, company.transcript
    if first_time:
        with doing(screen, f"{directory.memory.client.name} and {directory.memory.therapist.name} have their rooms"):
            await _pair_up(company, alex, lee)
    memory = directory.memory
    transcript.watch(alex.who, memory.room)
    transcript.watch(lee.who, memory.console, label="console, for Dr. Lee alone")
    if first_time:
        for person, room in ((lee, memory.console), (lee, memory.room), (alex, memory.room)):
            await person.wait_for_invitation(room=room)
            await person.join(room)
    stage = Stage(
        screen=screen,
        bot=company.bot,
        bot_user=f"@{BOT}:{company.homeserver.server_name}",
        zone=ZONE,
        pair=memory.pair,
        room=memory.room,
        alex=alex,
        lee=lee,
    )
    if first_time:
        await play_day(stage)
        await arrange(stage)
        await company.bot.change_speed(WEEK_SPEED)
        await play_week(stage)
        await company.bot.change_speed(1)
        await look_back(stage)
    else:
        await play_return(stage)
    with doing(screen, "What was said is in both people's encrypted key backups"):
        await asyncio.gather(alex.wait_for_backup(), lee.wait_for_backup())
    directory.remember(complete=True)
    await _present(company, alex)


async def _pair_up(company: Company, alex: Person, lee: Person) -> None:
    made = await company.bot.command(
        "pair", "add", "--client", alex.user_id, "--therapist", lee.user_id, "--yes", "--wait", "--json"
    )  # fmt: skip
    company.directory.remember(pair=str(made["pair"]), room=str(made["room"]), console=str(made["console"]))


async def _present(company: Company, alex: Person) -> None:
    room = company.directory.memory.room
    name = next((str(each["name"]) for each in await alex.joined_rooms() if each["room"] == room), room)
    company.screen.print()
    company.screen.print(f"An independent client that trusts signed devices only: {company.transcript.summary}.")
    company.screen.print()
    company.screen.print(
        shown(
            company.directory,
            url=company.homeserver.url,
            server_name=company.homeserver.server_name,
            room_name=name,
            bot_time=company.bot.pace.latest().astimezone(ZONE),
        )
    )


async def _while_it_runs(company: Company, work: Coroutine[Any, Any, object]) -> None:
    """Do `work` while bot and homeserver run; raises HomeserverError when one of them ends."""
    tasks = [
        asyncio.create_task(work),
        asyncio.create_task(_bot_ends(company.bot)),
        asyncio.create_task(_homeserver_ends(company.homeserver)),
    ]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _bot_ends(bot: DemoBot) -> None:
    status = await bot.ended()
    raise HomeserverError(f"the bot has ended with status {status}")


async def _homeserver_ends(homeserver: LocalHomeserver) -> None:
    """Return only by raising: HomeserverError when Synapse does not answer twice in a row."""
    missed = 0
    while missed < 2:
        await asyncio.sleep(LOOK_EVERY_S)
        try:
            await homeserver.request("GET", "/_matrix/client/versions")
            missed = 0
        except (aiohttp.ClientError, TimeoutError):
            missed += 1
    raise HomeserverError("the homeserver no longer answers")


def _beginning(directory: DemoDirectory) -> datetime:
    """Return when the demo's time begins: this afternoon, or after the last run's end, whichever is later."""
    today = datetime.now(ZONE).replace(hour=EVENING, minute=0, second=0, microsecond=0)
    last = directory.simulated_until()
    return today if last is None else max(today, (last + BETWEEN_RUNS).astimezone(ZONE).replace(microsecond=0))


async def _note_time(directory: DemoDirectory, bot: DemoBot) -> None:
    """Keep the demo's time on disk, also for a run that is killed: the next one must not go back."""
    while True:
        directory.remember(simulated_until=bot.pace.latest().isoformat())
        await asyncio.sleep(LOOK_EVERY_S)


async def _take_leave(*people: Person) -> None:
    """Log the devices out, so that the bot need not write for them when they are gone."""

    async def leave(person: Person) -> None:
        await person.wait_for_backup(timeout=FAREWELL_S)
        await person.logout()

    with suppress(InterludeError, TimeoutError):
        async with asyncio.timeout(FAREWELL_S):
            await asyncio.gather(*(leave(person) for person in people))
