"""The HTML beside a plain body."""

from bot.core.markup import formatted


def test_words_in_backticks_become_code_and_lines_stay_lines() -> None:
    """Whatever else is in the text is escaped."""
    found = formatted("<b> & co\nWrite `help` now")
    assert found["formatted_body"] == "&lt;b&gt; &amp; co<br>Write <code>help</code> now"


def test_a_text_without_backticks_needs_no_html() -> None:
    """Clients show the plain body."""
    assert formatted("Thank you. <3") == {}
