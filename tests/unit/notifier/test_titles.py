"""Titles are plain text with named places: nothing in them can reach further than that."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notifier.domain import title


class TestFillIn:
    def test_puts_words_into_their_places(self) -> None:
        filled = title.fill_in("Call {name} of {company}", values={"name": "Ada", "company": "A&B"})

        assert filled == "Call Ada of A&B"

    def test_does_not_look_again_at_what_was_filled_in(self) -> None:
        filled = title.fill_in("Call {name}", values={"name": "{company}", "company": "secret"})

        assert filled == "Call {company}"

    def test_makes_one_line_of_many(self) -> None:
        assert title.fill_in("Call {name}", values={"name": "Ada\n\tL."}) == "Call Ada L."

    def test_is_never_longer_than_its_limit(self) -> None:
        assert len(title.fill_in("{name}", values={"name": "x" * 9_999})) == title.LONGEST

    @given(template=st.text(), name=st.text())
    def test_takes_any_text_at_all(self, template: str, name: str) -> None:
        assert len(title.fill_in(template, values={"name": name})) <= title.LONGEST


class TestCheck:
    @pytest.mark.parametrize("template", ["Call back", "Call {name}", "{company}: {name}"])
    def test_accepts_places_that_there_are(self, template: str) -> None:
        title.check(template, allowed={"name", "company"})

    @pytest.mark.parametrize(
        "template",
        ["{nick}", "{name", "name}", "{}", "{0}", "{name.__class__}", "{name!r}", "{{name}}"],
    )
    def test_refuses_every_other_brace_and_names_the_places(self, template: str) -> None:
        with pytest.raises(title.UnknownPlace, match=r"\{company\}, \{name\}"):
            title.check(template, allowed={"name", "company"})
