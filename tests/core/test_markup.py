"""The HTML beside a plain body."""

import html
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.core.markup import formatted, markup_mistakes, render


def test_words_in_backticks_become_code_and_lines_stay_lines() -> None:
    """Whatever else is in a sentence of the bot is escaped."""
    found = formatted("<b> & co\nWrite `help` now")
    assert found["formatted_body"] == "&lt;b&gt; &amp; co<br>Write <code>help</code> now"


def test_a_text_without_backticks_needs_no_html() -> None:
    """Clients show the plain body."""
    assert formatted("Thank you. <3") == {}


@pytest.mark.parametrize(
    ("written", "body", "shown"),
    [
        ("How **are** you?", "How are you?", "How <strong>are</strong> you?"),
        ("How *are* you?", "How are you?", "How <em>are</em> you?"),
        ("Write `one word`.", "Write one word.", "Write <code>one word</code>."),
        ("One **line**\nand another", "One line\nand another", "One <strong>line</strong><br>and another"),
        ("*a*\n\nb", "a\n\nb", "<p><em>a</em></p><p>b</p>"),
        ("Pick:\n- one\n- *two*", "Pick:\n- one\n- two", "<p>Pick:</p><ul><li>one</li><li><em>two</em></li></ul>"),
        ("- a\n  - b\n- c", "- a\n  - b\n- c", "<ul><li>a<ul><li>b</li></ul></li><li>c</li></ul>"),
        ("2. b\n3. c", "2. b\n3. c", '<ol start="2"><li>b</li><li>c</li></ol>'),
        (
            "See [our page](https://example.org/a?b=1&c=2).",
            "See our page (https://example.org/a?b=1&c=2).",
            'See <a href="https://example.org/a?b=1&amp;c=2">our page</a>.',
        ),
    ],
)
def test_markdown_as_people_see_it(written: str, body: str, shown: str) -> None:
    """Each mark by example: the body reads well without it, and the HTML has it."""
    found = render(written)
    assert (found.body, found.html) == (body, shown)
    assert found.content == {"body": body, "format": "org.matrix.custom.html", "formatted_body": shown}


@pytest.mark.parametrize(
    "written",
    [
        "Plain words.\nTwo lines.",
        "Two\n\nparagraphs",
        "snake_case, 2 * 3 * 4, <3 and <b>bold</b>",
        "# no heading\n> no quote\n---\n&amp; no entity",
        "![no picture](http://example.org/a.png)",
        "[no link](javascript:alert)",
    ],
)
def test_what_is_no_mark_stays_as_typed(written: str) -> None:
    """Without a mark there is no HTML, and the body is the text."""
    assert render(written).content == {"body": written}


@pytest.mark.parametrize(
    "title", ["*Walk* **more**", "<b>Walk</b>", "`walk`", "[a](https://x.org)", "- 1. a", "a\\*b", "{low}"]
)
def test_a_title_shows_as_typed(title: str) -> None:
    """What fills a gap is neither markdown nor HTML, wherever the gap stands."""
    found = render("**{goal}**: how is *it* with `{goal}`?\n- {goal}", goal=title, low=0)
    assert found.body == f"{title}: how is it with {title}?\n- {title}"
    inside = html.escape(title)
    assert found.html is not None
    assert found.html.count(inside) >= 3
    assert f"<strong>{inside}</strong>" in found.html
    assert render("How is {goal}?", goal=title).content == {"body": f"How is {title}?"}


TAGS = re.compile(r"<(/?)([a-z]+)((?: [a-z]+=\"[^\"<>]*\")*)>")
WILD = st.text(alphabet=st.sampled_from("ab*_`[]()<>!-1.#\\\n &\"'{}:/") | st.sampled_from("\ue000é"), max_size=80)


@given(WILD, WILD)
def test_the_html_is_always_the_small_subset(written: str, title: str) -> None:
    """Whatever stands in a file or in a title: known tags only, https links only, and every other sign escaped."""
    found = render(re.sub(r"[{}]", "", written) + " {goal}", goal=title)
    assert found.body.endswith(title)
    rest = found.html or ""
    assert {tag for _, tag, _ in TAGS.findall(rest)} <= {"p", "br", "strong", "em", "ul", "ol", "li", "a", "code"}
    assert all(
        ' href="https://' in attributes for _, tag, attributes in TAGS.findall(rest) if tag == "a" and attributes
    )
    assert "<" not in TAGS.sub("", rest)


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("<b>Hello</b>", "has HTML"),
        ("![a](https://example.org/a.png)", "has a picture"),
        ("[a](http://example.org)", "no https:// address"),
        ("[a](https://example.org/{client})", "placeholder inside a link"),
        ("** bold**", "** without its partner"),
    ],
)
def test_what_would_not_be_shown_is_named(written: str, words: str) -> None:
    """The writer is told before people see it."""
    assert any(words in mistake for mistake in markup_mistakes(written))


def test_good_markdown_has_no_mistake() -> None:
    """Nothing is said about what is shown as meant."""
    assert list(markup_mistakes("**Bold**, *it*, `code`, [a](https://example.org), <3, 5 > 3\n- a\n1. b \\*\\*")) == []
