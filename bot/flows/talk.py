"""Everything that acts on what people say and on what time brings in their rooms, put together."""

from dataclasses import dataclass

from bot.flows.agenda import Agenda
from bot.flows.answering import Answering
from bot.flows.arranging import Arranger
from bot.flows.command import Commands
from bot.flows.console import Console
from bot.flows.conversation import Conversation
from bot.flows.deliver import Deliverer
from bot.flows.fit_question import FitQuestions
from bot.flows.help_commands import HelpCommands
from bot.flows.journal import Journal
from bot.flows.life import Life
from bot.flows.list_commands import ListCommands
from bot.flows.names import Names
from bot.flows.pause_commands import PauseCommands
from bot.flows.progress_command import ProgressCommand
from bot.flows.recording import Recorder
from bot.flows.remind import Reminders
from bot.flows.schedule_commands import ScheduleCommands
from bot.flows.schedules import Schedules
from bot.flows.session_commands import SessionCommands
from bot.flows.settle import Settler
from bot.flows.sitting import Sittings
from bot.flows.sitting_commands import SittingCommands
from bot.flows.speak import Voice
from bot.flows.timetable import Timetable
from bot.flows.timezone_command import TimezoneCommand
from bot.flows.trust_command import TrustCommand
from bot.ports import Cipher, Clock, Meter, Store


@dataclass(frozen=True, kw_only=True, slots=True)
class Talk:
    """The flows that others build on."""

    console: Console
    life: Life
    sittings: Sittings
    journal: Journal
    deliverer: Deliverer
    settler: Settler
    timetable: Timetable


def build_talk(*, store: Store, cipher: Cipher, clock: Clock, meter: Meter, voice: Voice) -> Talk:
    """Put the flows of the rooms together, each with exactly what it uses."""
    console = Console(voice=voice)
    life = Life(voice=voice, console=console)
    recorder = Recorder(voice=voice, meter=meter)
    sittings = Sittings(voice=voice, recorder=recorder)
    answering = Answering(voice=voice, recorder=recorder, sittings=sittings)
    journal = Journal(voice=voice, recorder=recorder)
    deliverer = Deliverer(voice=voice, meter=meter, sittings=sittings)
    schedules = Schedules(pack_of=voice.pack)
    arranger = Arranger(voice=voice, schedules=schedules)
    agenda = Agenda(voice=voice, console=console)
    fit = FitQuestions(voice=voice, arranger=arranger, schedules=schedules)
    conversation = Conversation(voice=voice, sittings=sittings)
    names = Names(voice=voice)
    carried_out_by = (
        HelpCommands(voice=voice, names=names),
        ProgressCommand(),
        SittingCommands(answering=answering, conversation=conversation, journal=journal, fit=fit, arranger=arranger),
        PauseCommands(life=life, arranger=arranger),
        ScheduleCommands(arranger=arranger, conversation=conversation),
        ListCommands(voice=voice, arranger=arranger, schedules=schedules, deliverer=deliverer),
        TimezoneCommand(schedules=schedules, arranger=arranger),
        SessionCommands(changed=agenda.look_again),
        agenda,
        TrustCommand(cipher=cipher, clock=clock),
    )
    carriers = {name: carry for each in carried_out_by for name, carry in each.carriers.items()}
    commands = Commands(voice=voice, names=names, carriers=carriers)
    return Talk(
        console=console,
        life=life,
        sittings=sittings,
        journal=journal,
        deliverer=deliverer,
        settler=Settler(voice=voice, answering=answering, commands=commands, journal=journal, agenda=agenda, fit=fit),
        timetable=Timetable(
            store=store, deliverer=deliverer, reminders=Reminders(voice=voice), life=life, agenda=agenda, fit=fit
        ),
    )
