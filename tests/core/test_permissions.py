"""Who may do what, cell by cell: the table of the code against the table as one would write it on paper."""

import pytest

from bot.core.command_names import CommandName
from bot.core.pairs import PairState, Standing
from bot.core.permissions import TABLE, Because, Cell, Refused, Stand, Verdict, Where, permit, stand_of
from tests.core.english import wording

STANDS = (Stand.AWAITED, Stand.RUNNING, Stand.PAUSED, Stand.THERAPIST_GONE, Stand.OVER)
# Per command three groups: the client, the therapist in the room, the therapist in the console; in each group a letter
# for awaited, running, paused, therapist gone, over.
# y yes · . conversation · T the therapist sets that up · C only the client · K console only · R room only
# j not joined · p paused · g therapist gone · o over
PAPER = """
help            yyyyy yyyyy yyyyy
help_more       yyyyy yyyyy yyyyy
crisis          yyyyy yyyyy yyyyy
progress        yyyy. yyyy. RRRRo
skip            yyyy. ..... .....
back            yyyy. ..... .....
stop            yyyy. ..... .....
later           yyyy. ..... .....
why             yyyy. ..... .....
again           yyyy. ..... .....
undo            yyyy. ..... .....
done            yyyy. ..... .....
journal         yyyy. ..... .....
start           yyyy. ..... .....
next            yyyy. yyyy. yyyyo
pause           yyyy. yyyy. yyyyo
resume          yyyy. yyyy. yyyyo
move            yyyy. ..... .....
move_prompt     yyyy. CCCC. CCCCo
fewer           yyyy. ..... .....
fewer_prompt    yyyy. CCCC. CCCCo
keep            yyyy. ..... .....
stop_prompt     yyyy. yyyy. yyyyo
resume_prompt   yyyy. CCCC. CCCCo
timezone        yyyy. CCCC. CCCCo
prompts         TTTT. yyyy. yyyyy
try             ..... KKKK. yyyyy
send            TTTT. jypg. jypgo
schedule        TTTT. yyyy. yyyyo
schedules       yyyy. yyyy. yyyyo
session         yyyy. yyyy. yyyyo
sessions        yyyy. yyyy. yyyyo
session_move    yyyy. yyyy. yyyyo
session_cancel  yyyy. yyyy. yyyyo
session_end     yyyy. yyyy. yyyyo
ask             yyyg. ..... .....
bring           yyyg. yyyg. yyygo
agenda          yyyy. yyyy. yyyyy
agenda_done     ..... yyyy. yyyyo
trust           ..... ..... yyyyy
"""
LETTERS: dict[str, Cell] = {
    "y": Verdict.ALLOWED,
    ".": Verdict.CONVERSATION,
    "T": Refused(Because.THERAPISTS),
    "C": Refused(Because.CLIENTS),
    "K": Refused(Because.CONSOLE_ONLY),
    "R": Refused(Because.ROOM_ONLY),
    "j": Refused(Because.NOT_JOINED),
    "p": Refused(Because.PAUSED),
    "g": Refused(Because.THERAPIST_GONE),
    "o": Refused(Because.OVER),
}
LINES = [line.split() for line in PAPER.strip().splitlines()]


def test_the_paper_names_every_command() -> None:
    """Each command once, and no cell of the code that the paper does not have."""
    assert [line[0] for line in LINES] == [name.value for name in CommandName]
    assert len(TABLE) == len(LINES) * 3 * len(STANDS)


@pytest.mark.parametrize("line", LINES, ids=lambda line: line[0])
def test_every_cell(line: list[str]) -> None:
    """Role, place, standing and command lead to what the paper says."""
    name = CommandName(line[0])
    for group, (role, where) in zip(
        line[1:],
        (("client", Where.ROOM), ("therapist", Where.ROOM), ("therapist", Where.CONSOLE)),
        strict=True,
    ):
        found = [permit(role, where, stand, name) for stand in STANDS]  # type: ignore[arg-type]  # the two roles
        assert found == [LETTERS[letter] for letter in group], f"{role} {where}"


def test_a_refused_prompt_stays_refused() -> None:
    """The therapist can neither send nor plan what the client wants none of; taking it away is fine."""
    refused = Refused(Because.CLIENT_REFUSED)
    for where in Where:
        for name in (CommandName.SEND, CommandName.SCHEDULE):
            assert permit("therapist", where, Stand.RUNNING, name, client_refused=True) == refused
        allowed = permit("therapist", where, Stand.RUNNING, CommandName.STOP_PROMPT, client_refused=True)
        assert allowed is Verdict.ALLOWED
    resumed = permit("client", Where.ROOM, Stand.RUNNING, CommandName.RESUME_PROMPT, client_refused=True)
    assert resumed is Verdict.ALLOWED
    paused = permit("therapist", Where.ROOM, Stand.PAUSED, CommandName.SEND, client_refused=True)
    assert paused == Refused(Because.PAUSED)


@pytest.mark.parametrize("stand", [Stand.AWAITED, Stand.PAUSED, Stand.THERAPIST_GONE])
def test_a_clients_pause_is_the_clients(stand: Stand) -> None:
    """However the pair stands, the therapist neither ends nor replaces it; the client does both."""
    for name in (CommandName.PAUSE, CommandName.RESUME):
        for where in Where:
            found = permit("therapist", where, stand, name, client_paused=True)
            assert found == Refused(Because.PAUSE_IS_CLIENTS)
        assert permit("client", Where.ROOM, stand, name, client_paused=True) is Verdict.ALLOWED
    assert permit("therapist", Where.CONSOLE, Stand.OVER, CommandName.RESUME, client_paused=True) == LETTERS["o"]


def test_every_refusal_has_its_sentence() -> None:
    """`bot.yaml` says why, in one sentence each."""
    for because in Because:
        assert getattr(wording(), because.value)


@pytest.mark.parametrize(
    ("standing", "stand"),
    [
        (Standing(state=PairState.INVITED), Stand.AWAITED),
        (Standing(state=PairState.REMOVED, paused=True), Stand.AWAITED),
        (Standing(state=PairState.ACTIVE), Stand.RUNNING),
        (Standing(state=PairState.ACTIVE, paused=True), Stand.PAUSED),
        (Standing(state=PairState.ACTIVE, paused=True, therapist_gone=True), Stand.THERAPIST_GONE),
        (Standing(state=PairState.ENDED), Stand.OVER),
        (Standing(state=PairState.LEFT, paused=True), Stand.OVER),
    ],
)
def test_how_a_pair_stands(standing: Standing, stand: Stand) -> None:
    """The state first, then whether the therapist is there, then the pause."""
    assert stand_of(standing) is stand
