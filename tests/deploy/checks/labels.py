"""Who looks at a cluster sees what belongs together, in which version, and from which images."""

import re
from collections.abc import Iterator

from tests.deploy.objects import (
    COMPONENT,
    NAME,
    Labels,
    Objects,
    at,
    of_kind,
    our_pods,
    pods,
    title,
    walk,
)
from tests.deploy.versions import api_versions, versions

_VERSION = "app.kubernetes.io/version"
_OF_ALL = ("app.kubernetes.io/part-of", "app.kubernetes.io/managed-by")
_DIGEST = re.compile(r".+@sha256:[0-9a-f]{64}")


def labels(objects: Objects) -> Iterator[str]:
    """Everything says what it belongs to; our workloads also which part, of which version."""
    for each in objects:
        yield from _lacking(title(each), at(each, "metadata.labels") or {}, _OF_ALL)
    for pod in our_pods(objects):
        for found in (pod.labels, at(pod.owner, "metadata.labels") or {}):
            yield from _lacking(str(pod), found, (*_OF_ALL, NAME, COMPONENT, _VERSION))
            if found.get(_VERSION) != versions()["handoff"]:
                yield f"{pod}: its version is not that of versions.yaml"


def _lacking(name: str, found: Labels, wanted: tuple[str, ...]) -> Iterator[str]:
    yield from (f"{name}: no label {key}" for key in wanted if key not in found)


def selectors_last(objects: Objects) -> Iterator[str]:
    """No selector names what a release changes: it could not be changed with it."""
    for each in objects:
        for path, value in walk(each.get("spec", {})):
            if path.endswith(("matchLabels", "selector")) and isinstance(value, dict):
                for key in {_VERSION, *_OF_ALL} & set(value):
                    yield f"{title(each)}: {path} has {key}"


def images(objects: Objects) -> Iterator[str]:
    """Every image has the tag of versions.yaml, or a digest: `latest` is another one tomorrow."""
    known = set(versions()["images"].values())
    ours = versions()["handoff"]
    for pod in pods(objects):
        for container in pod.containers:
            image = container["image"]
            if (
                not _DIGEST.fullmatch(image)
                and image not in known
                and not (pod.ours and image.endswith(f":{ours}"))
            ):
                yield f"{pod}: {image} is not in versions.yaml"
    for each in of_kind(objects, "Cluster"):
        image = each["spec"]["imageName"]
        if image not in known and not _DIGEST.fullmatch(image):
            yield f"{title(each)}: {image} is not in versions.yaml"


def nobody_elses(objects: Objects) -> Iterator[str]:
    """Our images are at a name that nobody can have (RFC 2606), or are never pulled."""
    for pod in our_pods(objects):
        for container in pod.containers:
            registry = container["image"].partition("/")[0]
            if not registry.endswith(".invalid") and container.get("imagePullPolicy") != "Never":
                yield f"{pod}: {container['image']} may be somebody else's"


def place(objects: Objects) -> Iterator[str]:
    """All of it is in one namespace of its own, and that takes only what is `restricted`."""
    spaces = of_kind(objects, "Namespace")
    if len(spaces) != 1:
        yield f"there are {len(spaces)} namespaces"
    for space in spaces:
        yield from (f"{title(space)}: {said}" for said in _open(space["metadata"]["labels"]))
    names = {each["metadata"]["name"] for each in spaces} - {"default"}
    for each in objects:
        if each["kind"] != "Namespace" and at(each, "metadata.namespace") not in names:
            yield f"{title(each)}: is elsewhere"


def _open(found: Labels) -> Iterator[str]:
    wanted = {"": "restricted", "-version": f"v{versions()['kubernetes']['oldest']}"}
    for mode in ("enforce", "audit", "warn"):
        for suffix, value in wanted.items():
            if found.get(f"pod-security.kubernetes.io/{mode}{suffix}") != value:
                yield f"{mode}{suffix} is not {value}"


def versions_of_apis(objects: Objects) -> Iterator[str]:
    """Every apiVersion is one that versions.yaml names an operator for, or Kubernetes' own."""
    for each in objects:
        if each["apiVersion"] not in api_versions():
            yield f"{title(each)}: {each['apiVersion']} is none that versions.yaml knows"
