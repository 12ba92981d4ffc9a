"""The names of all commands, and how each is written in English; other languages add their own forms in `bot.yaml`.

A form is a whole message. `{prompt}`, `{time}` and the like stand for an argument that has to make sense there
(`command_arguments`); `{words}` comes last, behind a colon, and takes whatever is written.
"""

from collections.abc import Mapping
from enum import StrEnum


class CommandName(StrEnum):
    """What a person can ask the bot to do."""

    HELP = "help"
    HELP_MORE = "help_more"  # the less common commands
    CRISIS = "crisis"
    PROGRESS = "progress"
    # An open question
    SKIP = "skip"
    BACK = "back"
    STOP = "stop"  # the rest of it
    LATER = "later"  # once, in two hours or at a time
    WHY = "why"
    AGAIN = "again"
    UNDO = "undo"
    DONE = "done"
    # The client's own entries
    JOURNAL = "journal"
    START = "start"  # a prompt by one of its `starts`
    # When prompts come
    NEXT = "next"
    PAUSE = "pause"
    RESUME = "resume"
    MOVE = "move"  # what is open
    MOVE_PROMPT = "move_prompt"
    FEWER = "fewer"  # of what is open
    FEWER_PROMPT = "fewer_prompt"
    KEEP = "keep"  # answers the question after three unanswered prompts
    STOP_PROMPT = "stop_prompt"  # the client refuses it for good, the therapist takes it away
    RESUME_PROMPT = "resume_prompt"
    TIMEZONE = "timezone"
    PROMPTS = "prompts"
    TRY = "try"
    SEND = "send"
    SCHEDULE = "schedule"
    SCHEDULES = "schedules"
    # Sessions and what is brought to them
    SESSION = "session"
    SESSIONS = "sessions"
    SESSION_MOVE = "session_move"
    SESSION_CANCEL = "session_cancel"  # the next one
    SESSION_END = "session_end"  # the series
    ASK = "ask"
    BRING = "bring"
    AGENDA = "agenda"
    AGENDA_DONE = "agenda_done"
    # The console
    TRUST = "trust"


# Works in every language beside its own forms, and stays when a practice changes its wording.
ENGLISH: Mapping[CommandName, tuple[str, ...]] = {
    CommandName.HELP: ("help",),
    CommandName.HELP_MORE: ("help more",),
    CommandName.CRISIS: ("crisis", "help me", "i need help", "emergency"),
    CommandName.PROGRESS: ("progress",),
    CommandName.SKIP: ("skip",),
    CommandName.BACK: ("back",),
    CommandName.STOP: ("stop",),
    CommandName.LATER: ("later", "later {time}", "later at {time}", "later in {length}"),
    CommandName.WHY: ("why",),
    CommandName.AGAIN: ("again",),
    CommandName.UNDO: ("undo",),
    CommandName.DONE: ("done",),
    CommandName.JOURNAL: ("journal",),
    CommandName.START: ("start {prompt}",),
    CommandName.NEXT: ("schedule",),
    CommandName.PAUSE: ("pause", "pause until {day}", "pause for {length}"),
    CommandName.RESUME: ("resume",),
    CommandName.MOVE: ("move to {time}",),
    CommandName.MOVE_PROMPT: ("move {prompt} to {time}",),
    CommandName.FEWER: ("fewer",),
    CommandName.FEWER_PROMPT: ("fewer {prompt}",),
    CommandName.KEEP: ("keep",),
    CommandName.STOP_PROMPT: ("stop {prompt}",),
    CommandName.RESUME_PROMPT: ("resume {prompt}",),
    CommandName.TIMEZONE: ("timezone", "timezone {place}"),
    CommandName.PROMPTS: ("prompts",),
    CommandName.TRY: ("try {prompt}",),
    CommandName.SEND: ("send {prompt}",),
    CommandName.SCHEDULE: ("schedule {prompt} {rule}",),
    CommandName.SCHEDULES: ("schedules",),
    CommandName.SESSION: ("session {session}",),
    CommandName.SESSIONS: ("session", "sessions"),
    CommandName.SESSION_MOVE: ("session move {moment}",),
    CommandName.SESSION_CANCEL: ("session cancel",),
    CommandName.SESSION_END: ("session end",),
    CommandName.ASK: ("ask: {words}",),
    CommandName.BRING: ("bring: {words}",),
    CommandName.AGENDA: ("agenda",),
    CommandName.AGENDA_DONE: ("done {number}",),
    CommandName.TRUST: ("trust {user} {fingerprint}",),
}
ENGLISH_FOR_CLIENT = ("for",)
