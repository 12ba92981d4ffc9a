"""What people can ask of the bot, in the room and in plain words."""

import pytest

from bot.core.events import CHECKIN, GOAL, PROMPT
from bot.core.pairs import PairState
from tests.interop.trio import Trio, records_in, spoken_in


async def test_help_begins_with_the_crisis_line(trio: Trio) -> None:
    """The first words of `help` are where help is now; then the commands and the bot's fingerprint."""
    for person in (trio.client, trio.therapist):
        sent = await person.send_text(trio.room, "Help!")
        said = await person.wait_for(trio.room, sender=trio.bot.user_id, contains="`progress`", since=sent)
        assert said["content"]["body"].startswith("If you need help now, call 112")
        assert trio.bot.fingerprint in said["content"]["body"].replace(" ", "")
        assert said["content"]["msgtype"] == "m.notice"


@pytest.mark.parametrize("words", ["crisis", "Help me.", "I NEED HELP", "emergency!"])
async def test_crisis_gives_the_numbers_at_once(trio: Trio, words: str) -> None:
    """The public text notifies the person, names nobody and claims no alarm."""
    sent = await trio.client.send_text(trio.room, words)
    said = await trio.client.wait_for(trio.room, sender=trio.bot.user_id, contains="please call now", since=sent)
    assert (said["content"]["msgtype"], said["content"]["m.mentions"]) == (
        "m.text",
        {"user_ids": [trio.client.user_id]},
    )
    assert "112" in said["content"]["body"]
    assert "555 0100" in said["content"]["body"]
    assert "nobody has been alerted" in said["content"]["body"]
    assert "Alex" not in said["content"]["body"]
    assert said["shield_colour"] == 0
    seen = await trio.therapist.wait_for(trio.room, event_id=said["event_id"])
    assert seen["session_id"] == said["session_id"]


async def test_progress_tells_the_last_check_ins(trio: Trio) -> None:
    """Before and after a check-in, to both."""
    sent = await trio.therapist.send_text(trio.room, "progress")
    await trio.therapist.wait_for(trio.room, sender=trio.bot.user_id, contains="nothing to show yet", since=sent)
    before = await trio.last()
    await trio.bot.goal(trio.pair, "Swim")
    await trio.client.wait_for(trio.room, type=GOAL, since=before)
    asked = await trio.ask("goal-checkin")
    await trio.client.send_text(trio.room, "3 - cold water")
    await trio.client.wait_for(trio.room, type=CHECKIN, since=asked["event_id"])
    await trio.client.send_text(trio.room, "my progress")
    said = await trio.notice("Swim (0 to 10): 3 on", since=asked["event_id"])
    assert "cold water" not in said["content"]["body"]


async def test_a_paused_pair_gets_no_prompt(trio: Trio) -> None:
    """Paused by the client: a prompt by hand is refused with the reason, and only the client lifts it."""
    sent = await trio.client.send_text(trio.room, "pause")
    await trio.notice("My questions are paused", since=sent)
    with pytest.raises(AssertionError, match="not sent: paused"):
        await trio.bot.send_prompt(trio.pair, "one-tap")
    sent = await trio.client.send_text(trio.room, "pause")
    await trio.notice("already paused", since=sent)
    mine = await trio.therapist.send_text(trio.room, "resume")
    await trio.notice("only Alex can start them again", since=mine)
    sent = await trio.client.send_text(trio.room, "resume")
    await trio.notice("Welcome back", since=sent)
    await trio.ask("one-tap")
    assert (await trio.bot.current(trio.pair)).state is PairState.ACTIVE


async def test_undo_takes_the_last_answer_back(trio: Trio) -> None:
    """The record is removed, in the room too, and no passing remark brings it back."""
    asked = await trio.ask("evening-reflection")
    await trio.client.send_text(trio.room, "Something I take back.")
    entry = await trio.entry(asked["event_id"])
    await trio.client.send_text(trio.room, "undo")
    removed = await trio.entry(entry["event_id"])
    assert removed["content"]["status"] == "removed"
    await trio.notice("Taken back: Evening reflection", since=entry["event_id"])
    await trio.therapist.wait_for_redaction(trio.room, entry["event_id"])
    await trio.client.send_text(trio.room, "It is sunny here.")
    assert records_in(await trio.said(removed["event_id"])) == []


async def test_again_shows_the_open_prompt_once_more(trio: Trio) -> None:
    """Quietly, as text with its options, and a reply to it is an answer."""
    await trio.ask("one-tap")
    sent = await trio.client.send_text(trio.room, "again")
    shown = await trio.notice("Here is One tap once more", since=sent)
    assert shown["content"]["msgtype"] == "m.notice"
    assert "5. Very good" in shown["content"]["body"]
    assert shown["content"][PROMPT]["repeat"] is True
    await trio.client.send_text(trio.room, "very good", reply_to=shown["event_id"])
    assert (await trio.entry(shown["event_id"]))["content"]["prompt_id"] == "one-tap"


async def test_skip_leaves_the_open_prompt_out(trio: Trio) -> None:
    """The skipped prompt takes no passing answer any more; a second `skip` finds nothing and is talk."""
    asked = await trio.ask("one-tap")
    while True:  # earlier tests may have left prompts open
        sent = await trio.client.send_text(trio.room, "!skip")
        said = await trio.client.wait_for(trio.room, sender=trio.bot.user_id, contains="", since=sent)
        if "no open question" in str(said["content"].get("body")):
            break
    sent = await trio.client.send_text(trio.room, "skip")
    await trio.client.send_text(trio.room, "good")
    assert spoken_in(await trio.said(sent)) == []
    assert records_in(await trio.said(asked["event_id"])) == []


async def test_only_a_whole_message_is_a_command(trio: Trio) -> None:
    """Words of commands in a sentence are talk; behind `!` a miss gets one sentence."""
    sent = await trio.client.send_text(trio.room, "Can you help me with the pause tomorrow?")
    await trio.client.send_text(trio.room, "/help")
    assert spoken_in(await trio.said(sent)) == []
    sent = await trio.client.send_text(trio.room, "!hlep")
    said = await trio.said(sent)
    assert spoken_in(said) == ['I don\'t know "hlep". Write `help` to see what I can do.']


async def test_the_console_says_who_is_who(trio: Trio) -> None:
    """`help` in the console lists room, client, state and the client's fingerprint, and the bot's own."""
    await trio.told(f"{trio.pair.word} is Alex ({trio.client.user_id})")
    sent = await trio.therapist.send_text(trio.console, "help")
    said = await trio.told("Your rooms:", since=sent)
    body = said["content"]["body"].replace(" ", "")
    assert f"{trio.pair.number}.{trio.pair.word}isAlex(active)" in body
    assert await trio.client.own_fingerprint() in body
    assert trio.bot.fingerprint in body
    assert said["shield_colour"] == 0
