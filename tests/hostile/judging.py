"""What is wrong with an answer to something hostile; nothing, if the service held."""

from collections.abc import Iterator, Mapping
from typing import Any

from tests.hostile.attacks.attack import Attack
from tests.hostile.attacks.values import CANARY
from tests.hostile.targets import Answer

_MEDIA_TYPE = "application/problem+json"
_MEMBERS = ("type", "title", "status", "detail")
_NAMES = ("pointer", "parameter", "header")
_LATEST = 2.0
_LARGEST = 8_192
"""Bytes: an answer does not grow with what is wrong."""


def complaints(attack: Attack, answer: Answer) -> list[str]:
    """Return what is wrong with an answer, in words."""
    said = f"{attack.what}: {answer.status} {answer.text[:300]}"
    return [f"{complaint}: {said}" for complaint in _complaints(attack, answer)]


def _complaints(attack: Attack, answer: Answer) -> Iterator[str]:
    if answer.status >= 500 and (answer.status != 503 or "retry-after" not in answer.headers):
        yield "our mistake"
    elif answer.status not in attack.statuses:
        yield "not the status that was due"
    if answer.seconds > _LATEST:
        yield f"an answer after {answer.seconds:.1f} s"
    if answer.status >= 400:
        yield from _of_the_form(answer)
        yield from _of_an_echo(answer)
    if attack.named and answer.status in {202, 422}:
        yield from _of_the_name(attack.named, answer.document())


def _of_the_form(answer: Answer) -> Iterator[str]:
    problem = answer.document()
    if answer.headers.get("content-type") != _MEDIA_TYPE or not isinstance(problem, Mapping):
        yield "not a problem document"
    elif not all(problem.get(member) for member in _MEMBERS):
        yield "a problem without its members"
    if len(answer.text) > _LARGEST:
        yield "a long answer"


def _of_an_echo(answer: Answer) -> Iterator[str]:
    if CANARY in f"{answer.text}{answer.headers}".lower():
        yield "an echo"


def _of_the_name(name: str, document: Any) -> Iterator[str]:
    errors = [error for problem in _problems(document) for error in problem.get("errors", ())]
    named = [next((error[key] for key in _NAMES if key in error), "") for error in errors]
    if not any(each == name or each.startswith(f"{name}/") for each in named):
        yield f"{name} is not named"
    elif not all(error.get("code") and error.get("detail") for error in errors):
        yield f"no word of how to mend {name}"


def _problems(document: Any) -> list[Any]:
    """Return the problem, or those of a batch's items."""
    items = document.get("items", []) if isinstance(document, Mapping) else []
    return [item["problem"] for item in items if "problem" in item] or [document or {}]
