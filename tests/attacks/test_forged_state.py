"""State that a client hides inside encrypted events changes nothing (DESIGN §4, CRYPTO 12)."""

import pytest

from tests.attacks.scene import Scene

STATE_KEY = {"no state key": {}, "state key": {"state_key": ""}}


async def standing(scene: Scene) -> tuple[object, ...]:
    """What the bot believes about its rooms."""
    async with scene.bot.store.transaction() as tx:
        members = await tx.rooms.members([scene.room, scene.console])
        rooms = {room.room_id: room for room in await tx.rooms.every()}
        pair = await tx.pairs.get(scene.pair.pair_id)
    return members, rooms, pair


@pytest.mark.parametrize("extra", STATE_KEY.values(), ids=list(STATE_KEY))
async def test_encrypted_state_changes_nothing(scene: Scene, extra: dict[str, str]) -> None:
    """Power levels, a membership and an encryption setting inside ciphertext leave rooms, people and keys alone."""
    room, client, bot = scene.room, scene.client, scene.bot
    before = await standing(scene)
    intruder = "@intruder:elsewhere.example"
    inside = {
        "m.room.power_levels": {"users": {client.user_id: 150, intruder: 150}, "events_default": 150},
        "m.room.member": {"membership": "join"},
        "m.room.encryption": {"algorithm": "m.none", "rotation_period_msgs": 1},
        "m.room.redaction": {"redacts": "$nothing"},
        "m.room.tombstone": {"replacement_room": "!other"},
        "m.room.history_visibility": {"history_visibility": "world_readable"},
    }
    for event_type, content in inside.items():
        key = {"state_key": intruder} if extra and event_type == "m.room.member" else extra
        await client.put(room, client.sealed(room, event_type, content, **key))
    leave = {"state_key": scene.therapist.user_id} if extra else {}
    await client.put(room, client.sealed(room, "m.room.member", {"membership": "ban"}, **leave))
    record = await scene.still_works(f"after forged state {bool(extra)}")
    assert record.state == "recorded"
    assert await standing(scene) == before
    await scene.therapist.until(lambda: scene.therapist.heard(room, f"after forged state {bool(extra)}"))
    await scene.therapist.share(scene.console)
    await scene.therapist.say(scene.console, "help")
    await scene.told("fingerprint")
    async with bot.store.transaction() as tx:
        assert intruder not in await tx.devices.tracked()


async def test_a_redaction_inside_the_ciphertext_takes_nothing_back(scene: Scene) -> None:
    """A real redaction stands in clear: one inside an encrypted event would remove the record, but not the message."""
    room, client = scene.room, scene.client
    record = await scene.still_works("words that stay")
    await client.put(room, client.sealed(room, "m.room.redaction", {"redacts": record.sources[0]}))
    await client.put(room, client.sealed(room, "m.room.redaction", {"redacts": ["no", "text"]}))
    await client.put(room, client.sealed(room, "m.room.redaction", {}))
    await scene.still_works("words after it")
    assert "words that stay" in await scene.contents()
