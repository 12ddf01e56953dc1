"""Who looks at a cluster sees what belongs together, in which version, and from which images."""

import re
from collections.abc import Iterator

from tests.deploy.objects import COMPONENT, NAME, Objects, at, of_kind, our_pods, pods, title, walk
from tests.deploy.versions import api_versions, versions

_PREFIX = "app.kubernetes.io/"
_OF_ALL = ("part-of", "managed-by")
_DIGEST = re.compile(r".+@sha256:[0-9a-f]{64}")


def labels(objects: Objects) -> Iterator[str]:
    """Everything says what it belongs to; our workloads also which part they are, and the version."""
    for each in objects:
        found = at(each, "metadata.labels") or {}
        wanted = [_PREFIX + key for key in _OF_ALL]
        if each.get("kind") not in ("Namespace", "Secret", "ConfigMap") and NAME not in wanted:
            wanted += [NAME] if each["metadata"]["name"] not in ("closed", "names") else []
        yield from (f"{title(each)}: no label {key}" for key in wanted if key not in found)
    for pod in our_pods(objects):
        for found in (pod.labels, at(pod.owner, "metadata.labels") or {}):
            wanted = [NAME, COMPONENT, *(_PREFIX + key for key in _OF_ALL), _PREFIX + "version"]
            yield from (f"{pod}: no label {key}" for key in wanted if key not in found)
            if found.get(_PREFIX + "version") != versions()["handoff"]:
                yield f"{pod}: its version is not that of versions.yaml"


def selectors_last(objects: Objects) -> Iterator[str]:
    """No selector names what a release changes: it could not be changed with it."""
    for each in objects:
        for path, value in walk(each.get("spec", {})):
            if path.endswith("matchLabels") and isinstance(value, dict):
                for key in {_PREFIX + "version", _PREFIX + "managed-by"} & set(value):
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


def place(objects: Objects) -> Iterator[str]:
    """All of it is in a namespace of its own, which lets in only what Pod Security calls restricted."""
    spaces = {each["metadata"]["name"]: each for each in of_kind(objects, "Namespace")}
    if len(spaces) != 1:
        yield f"there are {len(spaces)} namespaces"
    for name, each in spaces.items():
        found = each["metadata"]["labels"]
        oldest = f"v{versions()['kubernetes']['oldest']}"
        for mode in ("enforce", "audit", "warn"):
            if found.get(f"pod-security.kubernetes.io/{mode}") != "restricted":
                yield f"Namespace/{name}: does not {mode} restricted"
            if found.get(f"pod-security.kubernetes.io/{mode}-version") != oldest:
                yield f"Namespace/{name}: {mode} is not as of {oldest}"
        if name == "default":
            yield "Namespace/default is everybody's"
    for each in objects:
        if each["kind"] != "Namespace" and at(each, "metadata.namespace") not in spaces:
            yield f"{title(each)}: is elsewhere"


def versions_of_apis(objects: Objects) -> Iterator[str]:
    """Every apiVersion is one that versions.yaml names an operator for, or Kubernetes' own."""
    for each in objects:
        if each["apiVersion"] not in api_versions():
            yield f"{title(each)}: {each['apiVersion']} is none that versions.yaml knows"
