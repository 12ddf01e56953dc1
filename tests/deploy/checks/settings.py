"""The manifests give what the code reads, all that it needs, and no secret where it shows."""

import base64
import re
from collections.abc import Iterator

from tests.deploy import product, supplied
from tests.deploy.objects import Object, Objects, Pod, at, of_kind, our_pods, title

FOR_LAPTOPS = "local-only"
_FILE = "_FILE"
_SECRET_NAME = re.compile(r"PASSWORD|TOKEN|SECRET|CREDENTIAL|(?<!API)_URL|_KEY")
_SECRET_VALUE = re.compile(r"://[^/\s:]+:[^@/\s]+@|PRIVATE KEY")


def drift(objects: Objects) -> Iterator[str]:
    """Each process is given what it reads, all that it needs, and nothing else."""
    maps = {each["metadata"]["name"]: each["data"] for each in of_kind(objects, "ConfigMap")}
    for pod in our_pods(objects):
        for container in pod.containers:
            command = container["command"]
            if command not in product.commands():
                continue  # `commands` complains
            given = {name.removesuffix(_FILE) for name in variables(container, maps)}
            for name in sorted(given - product.known(command)):
                yield f"{pod}: nothing reads {name}"
            for name in sorted(product.required(command) - given):
                yield f"{pod}: {name} is missing"


def variables(container: Object, maps: dict[str, dict[str, str]]) -> dict[str, str]:
    """Return a container's environment; what comes from the pod itself is an empty text."""
    found: dict[str, str] = {}
    for source in container.get("envFrom", []):
        found |= maps.get(at(source, "configMapRef.name") or "", {})
    return found | {each["name"]: each.get("value", "") for each in container.get("env", [])}


def files(objects: Objects) -> Iterator[str]:
    """What is given as a file is in a Secret that is mounted there."""
    secrets = supplied.secrets(objects)
    for pod in our_pods(objects):
        there = _files(pod, secrets)
        for container in pod.containers:
            for name, value in variables(container, {}).items():
                is_file = name.endswith((_FILE, "_CA"))
                if is_file and value not in there:
                    yield f"{pod}: {name} is {value}, and there is no such file"


def _files(pod: Pod, secrets: "dict[str, supplied.Keys]") -> set[str]:
    found: set[str] = set()
    for container in pod.containers:
        for mount in container.get("volumeMounts", []):
            secret = at(pod.volumes.get(mount["name"], {}), "secret") or {}
            keys = {item["path"] for item in secret.get("items", [])}
            keys = keys or secrets.get(secret.get("secretName", ""), frozenset())
            found |= {f"{mount['mountPath']}/{key}" for key in keys}
    return found


def secrecy(objects: Objects) -> Iterator[str]:
    """No secret stands in a manifest or an environment; those for laptops say so of themselves."""
    for secret in of_kind(objects, "Secret"):
        for key, value in secret.get("data", {}).items():
            if key != "username" and FOR_LAPTOPS not in base64.b64decode(value).decode():
                yield f"{title(secret)}: {key} may be a real one"
    for each in of_kind(objects, "ConfigMap"):
        for key, value in each["data"].items():
            if _SECRET_VALUE.search(value) or _gives_away(key):
                yield f"{title(each)}: {key} is a secret"
    for pod in our_pods(objects):
        entries = [entry for each in pod.containers for entry in each.get("env", [])]
        yield from (f"{pod}: {each['name']} shows a secret" for each in entries if _shows(each))


def _shows(entry: Object) -> bool:
    value = entry.get("value")
    if value is None:
        return at(entry, "valueFrom.secretKeyRef") is not None
    return _gives_away(entry["name"]) or _SECRET_VALUE.search(value) is not None


def _gives_away(name: str) -> bool:
    return bool(_SECRET_NAME.search(name)) and not name.endswith(_FILE) and "_API_URL_" not in name
