"""Kubernetes objects as the checks look at them: plain dictionaries, and what is in them."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Object = dict[str, Any]
Objects = Sequence[Object]
Labels = Mapping[str, str]

NAME, COMPONENT = "app.kubernetes.io/name", "app.kubernetes.io/component"
WORKLOADS = ("Deployment", "StatefulSet", "Job")
_OURS = re.compile(r"([\w.-]+\.invalid/)?handoff/")
_OPERATORS = {
    "In": lambda value, values: value in values,
    "NotIn": lambda value, values: value not in values,
    "Exists": lambda value, _values: value is not None,
    "DoesNotExist": lambda value, _values: value is None,
}


@dataclass(frozen=True, slots=True)
class Pod:
    """A pod as a workload of ours makes it."""

    owner: Object

    def __str__(self) -> str:
        """Return the workload's title."""
        return title(self.owner)

    @property
    def template(self) -> Object:
        """What the workload makes it of."""
        found: Object = self.owner["spec"]["template"]
        return found

    @property
    def labels(self) -> Labels:
        """Its labels."""
        found: Labels = at(self.template, "metadata.labels") or {}
        return found

    @property
    def component(self) -> str:
        """Which of the processes of a service it is."""
        return self.labels.get(COMPONENT, "")

    @property
    def spec(self) -> Object:
        """What it is to be."""
        found: Object = self.template["spec"]
        return found

    @property
    def containers(self) -> list[Object]:
        """All of its containers, those that only begin it too."""
        return [*self.spec.get("initContainers", []), *self.spec["containers"]]

    @property
    def ours(self) -> bool:
        """Tell whether it runs code of ours."""
        return all(_OURS.match(each["image"]) for each in self.containers)

    @property
    def volumes(self) -> dict[str, Object]:
        """Its volumes by name, those that a StatefulSet claims too."""
        claimed = self.owner["spec"].get("volumeClaimTemplates", [])
        names = {each["metadata"]["name"]: {"claim": each} for each in claimed}
        return names | {each["name"]: each for each in self.spec.get("volumes", [])}


def at(thing: Any, path: str) -> Any:
    """Return what is at a dotted path; None where there is no such place."""
    for key in path.split("."):
        if not isinstance(thing, dict) or key not in thing:
            return None
        thing = thing[key]
    return thing


def title(each: Object) -> str:
    """Return an object's kind and name, as people write them."""
    return f"{each.get('kind')}/{at(each, 'metadata.name')}"


def of_kind(objects: Objects, *kinds: str) -> list[Object]:
    """Return the objects of some kinds."""
    return [each for each in objects if each.get("kind") in kinds]


def names_of(objects: Objects, *kinds: str) -> set[str]:
    """Return the names of the objects of some kinds."""
    return {each["metadata"]["name"] for each in of_kind(objects, *kinds)}


def pods(objects: Objects) -> list[Pod]:
    """Return the pods that our workloads make."""
    return [Pod(each) for each in of_kind(objects, *WORKLOADS)]


def our_pods(objects: Objects) -> list[Pod]:
    """Return the pods that run code of ours."""
    return [pod for pod in pods(objects) if pod.ours]


def matches(selector: Object | None, labels: Labels) -> bool:
    """Tell whether a label selector takes something with these labels; an empty one takes all."""
    selector = selector or {}
    wanted = selector.get("matchLabels", {})
    return all(labels.get(key) == value for key, value in wanted.items()) and all(
        _OPERATORS[each["operator"]](labels.get(each["key"]), each.get("values", ()))
        for each in selector.get("matchExpressions", ())
    )


def walk(thing: Any, path: str = "") -> Iterator[tuple[str, Any]]:
    """Give every value inside an object with the path that leads there."""
    yield path, thing
    if isinstance(thing, dict):
        for key, value in thing.items():
            yield from walk(value, f"{path}.{key}" if path else str(key))
    elif isinstance(thing, list):
        for number, value in enumerate(thing):
            yield from walk(value, f"{path}[{number}]")
