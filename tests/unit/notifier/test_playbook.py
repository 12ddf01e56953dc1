"""A playbook answers to its event, and is refused where it could never work."""

import pytest
from tests.unit.notifier.making import a_playbook, a_trigger

from notifier.domain.playbook import ImpossiblePlaybook, check


class TestAnswers:
    def test_to_its_event_alone(self) -> None:
        playbook = a_playbook("deal.won")

        assert playbook.answers(a_trigger("deal.won"))
        assert not playbook.answers(a_trigger("deal.lost"))

    def test_only_where_its_condition_holds(self) -> None:
        playbook = a_playbook("deal.stage_changed", condition={"stage": "proposal"})

        assert playbook.answers(a_trigger("deal.stage_changed", stage="proposal", from_stage="x"))
        assert not playbook.answers(a_trigger("deal.stage_changed", stage="demo"))
        assert not playbook.answers(a_trigger("deal.stage_changed"))


class TestCheck:
    def test_accepts_what_can_work(self) -> None:
        check(event="deal.lost", condition={"reason": "price"}, template="Ask {name}: {reason}")

    @pytest.mark.parametrize(
        ("event", "condition", "template", "field"),
        [
            ("deal.begun", {}, "Call", "event"),
            ("deal.won", {"stage": "won"}, "Call", "condition/stage"),
            ("deal.opened", {"reason": "x"}, "Call", "condition/reason"),
            ("deal.won", {}, "Call {reason}", "title"),
        ],
    )
    def test_names_the_field_of_what_could_never_work(
        self, event: str, condition: dict[str, str], template: str, field: str
    ) -> None:
        with pytest.raises(ImpossiblePlaybook) as refused:
            check(event=event, condition=condition, template=template)

        assert refused.value.field == field
