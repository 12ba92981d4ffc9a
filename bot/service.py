"""Puts the flows of the running bot together, each with exactly what it uses."""

from bot.flows.agenda import Agenda
from bot.flows.answering import Answering
from bot.flows.arranging import Arranger
from bot.flows.command import Commands
from bot.flows.console import Console
from bot.flows.conversation import Conversation
from bot.flows.crisis_unstored import UnstoredCrisis
from bot.flows.deliver import Deliverer
from bot.flows.fit_question import FitQuestions
from bot.flows.gap import GapFiller
from bot.flows.hear import Hearing
from bot.flows.help_commands import HelpCommands
from bot.flows.intents import Intents
from bot.flows.journal import Journal
from bot.flows.keys import KeyUpkeep
from bot.flows.life import Life
from bot.flows.list_commands import ListCommands
from bot.flows.names import Names
from bot.flows.pause_commands import PauseCommands
from bot.flows.progress_command import ProgressCommand
from bot.flows.provision import Provisioner
from bot.flows.receive import Receiver
from bot.flows.recording import Recorder
from bot.flows.remind import Reminders
from bot.flows.report import Reporter
from bot.flows.schedule_commands import ScheduleCommands
from bot.flows.schedules import Schedules
from bot.flows.send import Sender
from bot.flows.serve import Service
from bot.flows.session_commands import SessionCommands
from bot.flows.settle import Settler
from bot.flows.sitting import Sittings
from bot.flows.sitting_commands import SittingCommands
from bot.flows.speak import Voice
from bot.flows.state import RoomState
from bot.flows.timetable import Timetable
from bot.flows.timezone_command import TimezoneCommand
from bot.flows.trust_command import TrustCommand
from bot.flows.watch import Watch
from bot.ports import Alarm, Cipher, Clock, Homeserver, Meter, Store


def build_service(
    *,
    store: Store,
    cipher: Cipher,
    homeserver: Homeserver,
    clock: Clock,
    alarm: Alarm,
    meter: Meter,
    voice: Voice,
) -> Service:
    """Return the running bot's duties, ready to run."""
    own_user = voice.own_user
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
    names = Names(voice=voice)
    commands = Commands(
        voice=voice,
        names=names,
        carriers={
            **HelpCommands(voice=voice, names=names).carriers,
            **ProgressCommand().carriers,
            **SittingCommands(
                answering=answering,
                conversation=Conversation(voice=voice, sittings=sittings),
                journal=journal,
                fit=fit,
                arranger=arranger,
            ).carriers,
            **PauseCommands(life=life, arranger=arranger).carriers,
            **ScheduleCommands(arranger=arranger).carriers,
            **ListCommands(voice=voice, arranger=arranger, schedules=schedules, deliverer=deliverer).carriers,
            **TimezoneCommand(schedules=schedules, arranger=arranger).carriers,
            **SessionCommands().carriers,
            **agenda.carriers,
            **TrustCommand(cipher=cipher, clock=clock).carriers,
        },
    )
    state = RoomState(own_user=own_user, console=console, life=life, clock=clock)
    reporter = Reporter(voice=voice, console=console, clock=clock)
    receiver = Receiver(
        own_user=own_user,
        store=store,
        cipher=cipher,
        clock=clock,
        meter=meter,
        settler=Settler(voice=voice, answering=answering, commands=commands, journal=journal, agenda=agenda, fit=fit),
        reporter=reporter,
        state=state,
    )
    hearing = Hearing(voice=voice, console=console, receiver=receiver, clock=clock)
    keys = KeyUpkeep(store=store, cipher=cipher, homeserver=homeserver, clock=clock, meter=meter, hear=hearing.hear)
    provisioner = Provisioner(
        store=store, homeserver=homeserver, life=life, console=console, clock=clock, own_user=own_user
    )
    crisis = UnstoredCrisis(store=store, cipher=cipher, homeserver=homeserver, voice=voice)
    return Service(
        store=store,
        homeserver=homeserver,
        clock=clock,
        alarm=alarm,
        receiver=receiver,
        sender=Sender(
            store=store, cipher=cipher, homeserver=homeserver, keys=keys, clock=clock, meter=meter, crisis=crisis
        ),
        keys=keys,
        gaps=GapFiller(store=store, homeserver=homeserver, receiver=receiver, state=state),
        deliverer=deliverer,
        sittings=sittings,
        timetable=Timetable(
            store=store, deliverer=deliverer, reminders=Reminders(voice=voice), life=life, agenda=agenda, fit=fit
        ),
        journal=journal,
        intents=Intents(
            store=store,
            cipher=cipher,
            provisioner=provisioner,
            life=life,
            deliverer=deliverer,
            library=voice.packs,
            clock=clock,
        ),
        watch=Watch(store=store, homeserver=homeserver, life=life, state=state, reporter=reporter, clock=clock),
        crisis=crisis,
    )
