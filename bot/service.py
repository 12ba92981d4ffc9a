"""Puts the flows of the running bot together, each with exactly what it uses."""

from bot.flows.crisis_unstored import UnstoredCrisis
from bot.flows.gap import GapFiller
from bot.flows.hear import Hearing
from bot.flows.intents import Intents
from bot.flows.keys import KeyUpkeep
from bot.flows.provision import Provisioner
from bot.flows.receive import Receiver
from bot.flows.report import Reporter
from bot.flows.send import Sender
from bot.flows.serve import Service
from bot.flows.speak import Voice
from bot.flows.state import RoomState
from bot.flows.talk import build_talk
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
    talk = build_talk(store=store, cipher=cipher, clock=clock, meter=meter, voice=voice)
    console, life, deliverer = talk.console, talk.life, talk.deliverer
    state = RoomState(own_user=own_user, console=console, life=life, clock=clock)
    reporter = Reporter(voice=voice, console=console, clock=clock)
    receiver = Receiver(
        own_user=own_user,
        store=store,
        cipher=cipher,
        clock=clock,
        meter=meter,
        settler=talk.settler,
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
        sittings=talk.sittings,
        timetable=talk.timetable,
        journal=talk.journal,
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
