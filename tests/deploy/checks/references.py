"""What one object says of another is so: nothing is named that is not there."""

import re
from collections.abc import Iterator
from typing import Any

from tests.deploy import product, supplied
from tests.deploy.objects import (
    NAME,
    Object,
    Objects,
    Pod,
    at,
    matches,
    names_of,
    of_kind,
    pods,
    title,
    walk,
)


def selectors(objects: Objects) -> Iterator[str]:
    """A workload selects just its own pods."""
    for pod in pods(objects):
        selector = pod.owner["spec"].get("selector")
        if pod.owner["kind"] == "Job":
            continue
        if not matches(selector, pod.labels):
            yield f"{pod}: its selector does not take its own pods"
        others = [each for each in pods(objects) if each.owner is not pod.owner]
        yield from (
            f"{pod}: also selects {each}" for each in others if matches(selector, each.labels)
        )


def names_are_unique(objects: Objects) -> Iterator[str]:
    """No two objects have the same name, nor two parts of a pod."""
    seen: set[tuple[str, str]] = set()
    for each in objects:
        key = (each["kind"], at(each, "metadata.name"))
        if key in seen:
            yield f"{title(each)}: is there twice"
        seen.add(key)
    for pod in pods(objects):
        opened = [port for each in pod.containers for port in each.get("ports", [])]
        for parts in (pod.containers, opened):
            names = [part["name"] for part in parts]
            yield from (f"{pod}: {name} is twice" for name in {*names} if names.count(name) > 1)


def services(objects: Objects) -> Iterator[str]:
    """A Service leads to pods, at a port that has this name there; a StatefulSet to its Service."""
    for service in of_kind(objects, "Service"):
        taken = [each for each in pods(objects) if matches_all(service, each)]
        if not taken:
            yield f"{title(service)}: leads to no pod"
        for port in service["spec"]["ports"]:
            for pod in taken:
                if port.get("targetPort", port["port"]) not in _port_names(pod):
                    yield f"{title(service)}: {pod} has no port {port.get('targetPort')}"
    for each in of_kind(objects, "StatefulSet"):
        if each["spec"]["serviceName"] not in names_of(objects, "Service"):
            yield f"{title(each)}: there is no Service {each['spec']['serviceName']}"


def matches_all(service: Object, pod: Pod) -> bool:
    """Tell whether a Service leads to a pod."""
    return matches({"matchLabels": service["spec"]["selector"]}, pod.labels)


def _port_names(pod: Pod) -> set[str]:
    return {port["name"] for each in pod.containers for port in each.get("ports", [])}


def monitors(objects: Objects) -> Iterator[str]:
    """What is to be scraped is there, at that port; foreign pods are known by their operators."""
    for monitor in of_kind(objects, "PodMonitor"):
        foreign = _FOREIGN.get(monitor["metadata"]["name"])
        if foreign:
            yield from (f"{title(monitor)}: {said}" for said in _foreign(monitor["spec"], *foreign))
            continue
        selector = monitor["spec"]["selector"]
        taken = [each for each in pods(objects) if matches(selector, each.labels)]
        if not taken:
            yield f"{title(monitor)}: scrapes no pod"
        for endpoint in monitor["spec"]["podMetricsEndpoints"]:
            yield from (f"{title(monitor)}: {said}" for said in _endpoint(endpoint, taken))


def _endpoint(endpoint: Object, taken: list[Pod]) -> Iterator[str]:
    named = {each["targetLabel"] for each in endpoint.get("relabelings", [])}
    if named != {"service", "role", "instance"}:
        yield "alerts would not know its targets apart"
    if endpoint.get("path") not in product.probe_paths():
        yield f"nothing answers at {endpoint.get('path')}"
    for pod in taken:
        if endpoint["port"] not in _port_names(pod):
            yield f"{pod} has no port {endpoint['port']}"


def _foreign(spec: Object, port: str, label: str) -> Iterator[str]:
    if [each["port"] for each in spec["podMetricsEndpoints"]] != [port]:
        yield f"its operator names the port {port}"
    if label not in spec.get("podTargetLabels", []):
        yield f"alerts would not know its targets apart without {label}"


_FOREIGN = {
    "postgres": ("metrics", "cnpg.io/cluster"),
    "kafka": ("tcp-prometheus", "strimzi.io/cluster"),
}
"""The name of their operators' port, and the label by which its pods are told apart."""


def settings_and_secrets(objects: Objects) -> Iterator[str]:
    """Every ConfigMap and Secret that is named is there, or made by somebody known, key by key."""
    maps = {each["metadata"]["name"]: set(each["data"]) for each in of_kind(objects, "ConfigMap")}
    secrets = supplied.secrets(objects)
    for each in objects:
        for kind, name, keys in _named(each):
            there = (maps if kind == "ConfigMap" else secrets).get(name)
            if there is None:
                yield f"{title(each)}: there is no {kind} {name}"
            else:
                missing = sorted(keys - set(there))
                yield from (f"{title(each)}: {kind} {name} has no {key}" for key in missing)


def _named(each: Object) -> Iterator[tuple[str, str, set[str]]]:
    """Give what an object names: of which kind, the name, and the keys that it wants."""
    for path, value in walk(each.get("spec", {})):
        for place, kind, keys in _PLACES:
            if place.search(path):
                yield _reference(kind, value, keys)


def _reference(kind: str, value: Any, keys: set[str]) -> tuple[str, str, set[str]]:
    if isinstance(value, str):
        return kind, value, keys
    items = {item["key"] for item in value.get("items", [])}
    own = {value["key"]} if "key" in value else set()
    return kind, value.get("secretName") or value["name"], keys | items | own


_PLACES: tuple[tuple[re.Pattern[str], str, set[str]], ...] = (
    (re.compile(r"volumes\[\d+\]\.configMap$|configMapRef$"), "ConfigMap", set()),
    (re.compile(r"configMapTargetRef\[\d+\]$"), "ConfigMap", set()),
    (re.compile(r"volumes\[\d+\]\.secret$|secretTargetRef\[\d+\]$"), "Secret", set()),
    (re.compile(r"(accessKeyId|secretAccessKey)$"), "Secret", set()),
    (re.compile(r"passwordSecret$|initdb\.secret$"), "Secret", {"username", "password"}),
    (re.compile(r"serverCASecret$"), "Secret", {"ca.crt", "ca.key"}),
    (re.compile(r"^tls\[\d+\]$"), "Secret", {"tls.crt", "tls.key"}),
    (re.compile(r"certificateRefs\[\d+\]$"), "Secret", {"tls.crt", "tls.key"}),
)
"""Where an object names a ConfigMap or a Secret, and the keys that it takes without saying so."""


def volumes(objects: Objects) -> Iterator[str]:
    """What is mounted is a volume of the pod, and no volume is there for nothing."""
    for pod in pods(objects):
        mounted = [mount for each in pod.containers for mount in each.get("volumeMounts", [])]
        for name in {mount["name"] for mount in mounted} ^ set(pod.volumes):
            yield f"{pod}: the volume {name} is mounted and not there, or there and not mounted"
        places = [mount["mountPath"] for mount in mounted]
        yield from (f"{pod}: two at {path}" for path in {*places} if places.count(path) > 1)


def jobs(objects: Objects) -> Iterator[str]:
    """A Job ends, begins again by itself where it fails, and can be made anew for each release."""
    for job in of_kind(objects, "Job"):
        if at(job, "spec.template.spec.restartPolicy") not in ("OnFailure", "Never"):
            yield f"{title(job)}: would be started again when it is done"
        if not {"backoffLimit", "activeDeadlineSeconds"} <= set(job["spec"]):
            yield f"{title(job)}: ends before its database is there, or never"
        notes = at(job, "metadata.annotations") or {}
        if notes.get("argocd.argoproj.io/hook") != "Sync":
            yield f"{title(job)}: Argo CD could not replace it"
        if notes.get("kustomize.toolkit.fluxcd.io/force") != "enabled":
            yield f"{title(job)}: Flux could not replace it"
    for each in of_kind(objects, "Deployment", "StatefulSet"):
        if at(each, "spec.template.spec.restartPolicy") not in (None, "Always"):
            yield f"{title(each)}: is not started again"
    images = {
        (pod.labels.get(NAME), pod.containers[0]["image"]) for pod in pods(objects) if pod.ours
    }
    names = [name for name, _ in images]
    yield from (f"{name}: two images at a time" for name in {*names} if names.count(name) > 1)
