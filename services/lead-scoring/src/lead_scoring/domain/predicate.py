"""A predicate: one question about one fact, such as "has the job title the word `director`?".

Facts are texts by name, in lower case; values are compared in lower case too. A fact that is not
there answers only `absent`, `not_in`, `lacks` and `lacks_word` with yes.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

Facts = Mapping[str, str]


class Operator(StrEnum):
    """How a fact is compared with the values; one value that fits is enough."""

    PRESENT = "present"
    ABSENT = "absent"
    IN = "in"
    NOT_IN = "not_in"
    CONTAINS = "contains"
    LACKS = "lacks"
    HAS_WORD = "has_word"
    LACKS_WORD = "lacks_word"
    STARTS_WITH = "starts_with"


VALUELESS = frozenset({Operator.PRESENT, Operator.ABSENT})


@dataclass(frozen=True, slots=True)
class Predicate:
    """One question about one fact."""

    field: str
    operator: Operator
    values: tuple[str, ...] = ()

    def holds(self, facts: Facts) -> bool:
        """Answer the question for the facts of one lead or touchpoint."""
        return _ANSWERS[self.operator](facts.get(self.field, ""), self.values)


def _contains(text: str, values: tuple[str, ...]) -> bool:
    return any(value in text for value in values)


def _has_word(text: str, values: tuple[str, ...]) -> bool:
    return bool(text) and _whole_words(values).search(text) is not None


@lru_cache(maxsize=4096)
def _whole_words(values: tuple[str, ...]) -> re.Pattern[str]:
    """Match one of the values where no letter or digit touches it: no `cto` in `director`."""
    return re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, values))})(?!\w)")


_ANSWERS: Mapping[Operator, Callable[[str, tuple[str, ...]], bool]] = {
    Operator.PRESENT: lambda text, _: text != "",
    Operator.ABSENT: lambda text, _: text == "",
    Operator.IN: lambda text, values: text != "" and text in values,
    Operator.NOT_IN: lambda text, values: text not in values,
    Operator.CONTAINS: _contains,
    Operator.LACKS: lambda text, values: not _contains(text, values),
    Operator.HAS_WORD: _has_word,
    Operator.LACKS_WORD: lambda text, values: not _has_word(text, values),
    Operator.STARTS_WITH: lambda text, values: text.startswith(values),
}
