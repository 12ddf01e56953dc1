"""No pattern of the product works for long on a text that almost fits it.

Looked at are those that Python's `re` runs, each by the methods that its module calls. What models
and routes take by `pattern=` runs in Rust, whose time grows as the text does, by its make.
"""

import importlib
import inspect
import pkgutil
import re
import time
from collections.abc import Iterator

import pytest

from handoff.services import SERVICES
from lead_scoring.domain.predicate import Operator, Predicate

_LENGTH = 100_000
_MOST_SECONDS = 0.5
"""Of a processor; a pattern that is right takes a hundredth, one that tries twice takes minutes."""
_ENDS = ("", "☃", "!")
_BITS = (
    *'aA0 \t-.@,;"+(/x_{[:=',
    *("a.", "a@", "a0", "1 ", '"a", ', 'W/"', "wait=", "wait ", "ext", "hof_live_", "00-", "{a"),
    *("2026-01-01T", "line 1 column "),
)


def patterns() -> Iterator[tuple[str, str, re.Pattern[str]]]:
    """Give each pattern that a module compiles, and a method by which it is asked there."""
    for package in ("shared", *(service.package for service in SERVICES)):
        place = importlib.import_module(package).__path__
        for info in pkgutil.walk_packages(place, f"{package}."):
            if not info.name.endswith("__main__") and ".migrations" not in info.name:
                yield from _of(info.name)


def _of(name: str) -> Iterator[tuple[str, str, re.Pattern[str]]]:
    module = importlib.import_module(name)
    source = inspect.getsource(module)
    for variable, found in vars(module).items():
        if isinstance(found, re.Pattern):
            for method in sorted(set(re.findall(rf"\b{variable}\.(\w+)\(", source))):
                yield f"{name}.{variable}", method, found


def seconds(pattern: re.Pattern[str], method: str) -> float:
    """Return how long the slowest of many near misses takes."""
    texts = [(bit * _LENGTH)[:_LENGTH] + end for bit in _BITS for end in _ENDS]
    return max(_taken(pattern, method, text) for text in texts)


def _taken(pattern: re.Pattern[str], method: str, text: str) -> float:
    began = time.process_time()
    if method == "sub":
        pattern.sub("", text)
    else:
        getattr(pattern, method)(text)
    return time.process_time() - began


FOUND = list(patterns())


@pytest.mark.parametrize(
    ("pattern", "method"),
    [pytest.param(pattern, method, id=f"{name}.{method}") for name, method, pattern in FOUND],
)
def test_a_text_that_almost_fits_costs_little(pattern: re.Pattern[str], method: str) -> None:
    assert seconds(pattern, method) < _MOST_SECONDS


@pytest.mark.parametrize("word", ["a" * 100, "a a", "+"])
def test_words_of_a_rule_cost_little_too(word: str) -> None:
    rule = Predicate("job_title", Operator.HAS_WORD, (word,))
    began = time.process_time()
    rule.holds({"job_title": word[:1] * _LENGTH})

    assert time.process_time() - began < _MOST_SECONDS


def test_a_pattern_that_tries_all_again_from_each_letter_is_seen() -> None:
    assert _taken(re.compile(r"a+b"), "search", "a" * 50_000) > _MOST_SECONDS


def test_patterns_are_found() -> None:
    assert len({name for name, _, _ in FOUND}) >= 15
