"""One sentence for each change of a schedule, with the next occurrence on the client's wall clock."""

from bot.core.people import Pair
from bot.core.rule_phrases import moment_in_words, rule_in_words
from bot.core.schedules import SessionRule, parse_rule
from bot.core.template import say as fill
from bot.core.wording import Wording
from bot.flows.schedules import Changed


def now_comes(words: Wording, pair: Pair, title: str, changed: Changed, *, chosen: bool) -> str:
    """Say by which rule a prompt comes and when next; of a time that was just `chosen` also that it is a quiet one."""
    rule = parse_rule(changed.schedule.effective_rule)
    when = rule_in_words(rule, words)
    if changed.coming:
        sentence = fill(words.now_comes, title=title, when=when, next=moment_in_words(changed.coming[0], words))
    else:
        template = words.now_comes_with_session if isinstance(rule, SessionRule) else words.now_comes_over
        sentence = fill(template, title=title, when=when)
    if chosen and changed.quiet and pair.quiet_hours is not None:
        hours = f"{pair.quiet_hours.starts:%H:%M}–{pair.quiet_hours.ends:%H:%M}"
        sentence += " " + fill(words.in_quiet_hours, hours=hours)
    return f"{sentence} {words.paused_meanwhile}" if pair.paused else sentence
