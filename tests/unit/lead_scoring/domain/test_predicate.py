"""One question about one fact."""

import pytest

from lead_scoring.domain.predicate import Operator, Predicate


@pytest.mark.parametrize(
    ("operator", "values", "holds"),
    [
        (Operator.PRESENT, (), True),
        (Operator.ABSENT, (), False),
        (Operator.IN, ("sales director", "ceo"), True),
        (Operator.IN, ("director",), False),
        (Operator.NOT_IN, ("director",), True),
        (Operator.NOT_IN, ("sales director",), False),
        (Operator.CONTAINS, ("x", "les dir"), True),
        (Operator.LACKS, ("les dir",), False),
        (Operator.HAS_WORD, ("director",), True),
        (Operator.HAS_WORD, ("sales director",), True),
        (Operator.LACKS_WORD, ("director",), False),
        (Operator.STARTS_WITH, ("sales",), True),
        (Operator.STARTS_WITH, ("director",), False),
    ],
)
def test_a_fact_is_compared_with_the_values(
    operator: Operator, values: tuple[str, ...], *, holds: bool
) -> None:
    predicate = Predicate("job_title", operator, values)

    assert predicate.holds({"job_title": "sales director"}) is holds


@pytest.mark.parametrize("operator", list(Operator))
def test_a_missing_fact_answers_only_what_asks_for_its_absence(operator: Operator) -> None:
    values = () if operator in {Operator.PRESENT, Operator.ABSENT} else ("a", "b")
    holds = Predicate("company", operator, values).holds({})

    negative = {Operator.ABSENT, Operator.NOT_IN, Operator.LACKS, Operator.LACKS_WORD}
    assert holds is (operator in negative)


def test_a_word_is_not_found_inside_another_one() -> None:
    cto = Predicate("job_title", Operator.HAS_WORD, ("cto",))

    assert not cto.holds({"job_title": "director"})
    assert cto.holds({"job_title": "founder/cto"})


def test_a_word_is_text_and_never_a_pattern() -> None:
    predicate = Predicate("job_title", Operator.HAS_WORD, ("r.d", "c++"))

    assert not predicate.holds({"job_title": "rxd"})
    assert predicate.holds({"job_title": "r.d lead"})
