"""Every field is one that the API knows, of the right kind: a server says so when it is strict.

`shapes.yaml` says which. A kind, or a version of a kind, that does not stand there is a complaint:
that is how one is found which the oldest or newest server no longer takes.
"""

import re
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from tests.deploy.objects import Objects, title

_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")
_NAME = re.compile(r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*")
_PORT_NAME = re.compile(r"(?=.*[a-z])[a-z0-9]([-a-z0-9]{0,13}[a-z0-9])?")
_QUANTITY = re.compile(r"\d+(\.\d+)?(m|k|Ki|M|Mi|G|Gi|T|Ti)?")
_ROOT = {"apiVersion!": "str", "kind!": "str", "metadata!": {
    "name!": "name", "namespace": "name", "labels": "strings", "annotations": "strings",
}}  # fmt: skip


def _text(pattern: re.Pattern[str]) -> Callable[[Any], bool]:
    return lambda value: isinstance(value, str) and pattern.fullmatch(value) is not None


def _number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


_LEAVES: dict[str, Callable[[Any], bool]] = {
    "any": lambda _value: True,
    "str": lambda value: isinstance(value, str),
    "int": _number,
    "bool": lambda value: isinstance(value, bool),
    "label": _text(_LABEL),
    "name": _text(_NAME),
    "port": lambda value: _number(value) or _text(_PORT_NAME)(value),
    "port-name": _text(_PORT_NAME),
    "quantity": lambda value: _number(value) or _text(_QUANTITY)(value),
    "strings": lambda value: (
        isinstance(value, dict) and all(isinstance(each, str) for each in value.values())
    ),
}


@cache
def kinds() -> dict[str, Any]:
    """Return the shapes by apiVersion and kind."""
    read: dict[str, Any] = yaml.safe_load(
        Path(__file__).parents[1].joinpath("shapes.yaml").read_text()
    )
    return {name: _ROOT | shape for name, shape in read["kinds"].items()}


def fields(objects: Objects) -> Iterator[str]:
    """Every field is known, of its kind, and given where it must be."""
    for each in objects:
        shape = kinds().get(f"{each.get('apiVersion')}/{each.get('kind')}")
        if shape is None:
            yield f"{title(each)}: no server takes {each.get('apiVersion')} {each.get('kind')}"
        else:
            yield from (f"{title(each)}: {said}" for said in _differences(each, shape, ""))


def _differences(value: Any, shape: Any, path: str) -> Iterator[str]:
    if isinstance(shape, dict):
        yield from _of_a_map(value, shape, path)
    elif isinstance(shape, list):
        if not isinstance(value, list):
            yield f"{path} is no list"
            return
        for number, each in enumerate(value):
            yield from _differences(each, shape[0], f"{path}[{number}]")
    elif not _fits(value, shape):
        yield f"{path} is {value!r}, which is no {shape}"


def _of_a_map(value: Any, shape: dict[str, Any], path: str) -> Iterator[str]:
    if not isinstance(value, dict):
        yield f"{path} is no map"
        return
    known = {key.rstrip("!"): part for key, part in shape.items()}
    yield from (f"{path}.{key} is unknown" for key in value if key not in known)
    needed = (key.rstrip("!") for key in shape if key.endswith("!"))
    yield from (f"{path}.{key} is missing" for key in needed if key not in value)
    for key, part in known.items():
        if key in value:
            yield from _differences(value[key], part, f"{path}.{key}" if path else key)


def _fits(value: Any, shape: str) -> bool:
    leaf = _LEAVES.get(shape)
    return leaf(value) if leaf else value in shape.split("|")
