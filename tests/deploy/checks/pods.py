"""What a pod may do to its node, what it takes of it, and how it begins and ends."""

from collections.abc import Iterator
from typing import Any

from tests.deploy import product
from tests.deploy.objects import NAME, Object, Objects, Pod, at, of_kind, our_pods, pods

from shared import limits

_OURS_AT_LEAST = 10_000
_LONGEST_WITHOUT_ANSWER = 1
_SHORTEST_UNTIL_DEAD = 30


def restricted(objects: Objects) -> Iterator[str]:
    """Every container, those of Jobs too, holds what Pod Security calls restricted, and more."""
    for pod in pods(objects):
        whole = pod.spec.get("securityContext", {})
        for container in pod.containers:
            own = container.get("securityContext", {})
            for said in _weak({**whole, **own}, ours=pod.ours):
                yield f"{pod} {container['name']}: {said}"


def unrestricted(security: dict[str, Any]) -> Iterator[str]:
    """Give what Pod Security would not take as restricted."""
    wanted: dict[str, Any] = {
        "runAsNonRoot": True,
        "allowPrivilegeEscalation": False,
        "seccompProfile": {"type": "RuntimeDefault"},
        "capabilities": {"drop": ["ALL"]},
    }
    yield from (
        f"{key} is not {value}" for key, value in wanted.items() if security.get(key) != value
    )
    if security.get("privileged"):
        yield "is privileged"


def _weak(security: dict[str, Any], *, ours: bool) -> Iterator[str]:
    yield from unrestricted(security)
    if security.get("readOnlyRootFilesystem") is not True:
        yield "readOnlyRootFilesystem is not True"
    for key in ("runAsUser", "runAsGroup", "fsGroup"):
        if security.get(key, 0) < (_OURS_AT_LEAST if ours else 1):
            yield f"{key} is too low: it may be somebody on the node"


def writes_little(objects: Objects) -> Iterator[str]:
    """What a container of ours can write to has an end: an emptyDir with a limit."""
    for pod in our_pods(objects):
        for name, volume in pod.volumes.items():
            if "emptyDir" in volume and "sizeLimit" not in volume["emptyDir"]:
                yield f"{pod}: the volume {name} has no sizeLimit"
            if "emptyDir" not in volume and not _read_only(pod, name):
                yield f"{pod}: the volume {name} can be written to"


def _read_only(pod: Pod, volume: str) -> bool:
    mounts = [mount for each in pod.containers for mount in each.get("volumeMounts", [])]
    return all(mount.get("readOnly") for mount in mounts if mount["name"] == volume)


def accounts(objects: Objects) -> Iterator[str]:
    """Each workload has an account of its own service, and nobody has a token or a role."""
    known = {each["metadata"]["name"]: each for each in of_kind(objects, "ServiceAccount")}
    for pod in pods(objects):
        account = known.get(pod.spec.get("serviceAccountName", ""))
        if account is None:
            yield f"{pod}: its ServiceAccount is not among these objects"
        elif account["metadata"]["labels"].get(NAME) != pod.labels.get(NAME):
            yield f"{pod}: its ServiceAccount is another's"
        elif account.get("automountServiceAccountToken") is not False:
            yield f"{pod}: its ServiceAccount gives a token"
        if pod.spec.get("automountServiceAccountToken") is not False:
            yield f"{pod}: mounts a token"
        if pod.spec.get("enableServiceLinks") is not False:
            yield f"{pod}: gets a variable for every Service"
    for role in of_kind(objects, "Role", "ClusterRole", "RoleBinding", "ClusterRoleBinding"):
        yield f"{role['kind']}/{role['metadata']['name']}: nothing of ours speaks to the API"


def resources(objects: Objects) -> Iterator[str]:
    """It says what it needs, and memory has a limit; CPU has none: throttling only makes slow."""
    for pod in pods(objects):
        for container in pod.containers:
            found = container.get("resources", {})
            wanted = [("requests", "cpu"), ("requests", "memory"), ("limits", "memory")]
            for which, what in wanted:
                if what not in found.get(which, {}):
                    yield f"{pod} {container['name']}: no {what} in its {which}"
            if "cpu" in found.get("limits", {}):
                yield f"{pod} {container['name']}: a limit of cpu"


def probes(objects: Objects) -> Iterator[str]:
    """What runs on has three probes; alive and ready are two questions, at paths that answer."""
    for pod in our_pods(objects):
        if pod.owner["kind"] != "Job":
            for container in pod.containers:
                yield from (f"{pod}: {said}" for said in _probes(container))


def _probes(container: Object) -> Iterator[str]:
    names = ("startupProbe", "livenessProbe", "readinessProbe")
    yield from (f"no {name}" for name in names if name not in container)
    ports = {port["name"] for port in container.get("ports", [])}
    for name in names:
        if name in container:
            yield from (f"{name} {said}" for said in _probe(container[name], ports))
    startup, alive, ready = (container.get(name, {}) for name in names)
    if _allowed(startup) < limits.LIFESPAN_START:
        yield "is taken for dead while it still begins"
    if _allowed(alive) < _SHORTEST_UNTIL_DEAD:
        yield "is taken for dead as soon as it is slow"
    if at(alive, "httpGet.path") != "/livez" or at(ready, "httpGet.path") != "/readyz":
        yield "alive and ready are not asked as the two questions that they are"


def _probe(probe: Object, ports: set[str]) -> Iterator[str]:
    if at(probe, "httpGet.path") not in product.probe_paths():
        yield f"asks at {at(probe, 'httpGet.path')}, where nothing answers"
    if at(probe, "httpGet.port") not in ports:
        yield "asks a port that has no such name"
    if probe.get("timeoutSeconds", 1) <= _LONGEST_WITHOUT_ANSWER:
        yield "gives up too soon"


def _allowed(probe: Object) -> int:
    seconds: int = probe.get("periodSeconds", 10) * probe.get("failureThreshold", 3)
    return seconds


def ends_in_time(objects: Objects) -> Iterator[str]:
    """Who is stopped has the time that the code takes, after that in which requests still come."""
    for pod in our_pods(objects):
        if pod.owner["kind"] == "Job":
            continue
        grace = pod.spec.get("terminationGracePeriodSeconds", 30)
        sleeps = max(at(each, "lifecycle.preStop.sleep.seconds") or 0 for each in pod.containers)
        if grace < sleeps + limits.POD_GRACE:
            yield f"{pod}: {grace} s are less than {sleeps} s and the code's {limits.POD_GRACE:g} s"
        if pod.component == "api" and not sleeps:
            yield f"{pod}: stops while requests still come"


def commands(objects: Objects) -> Iterator[str]:
    """Each container runs a program that there is, of its own service, without a shell."""
    for pod in our_pods(objects):
        for container in pod.containers:
            command = container.get("command", [])
            if command not in product.commands():
                yield f"{pod}: there is no {' '.join(command)}"
            elif command[0] == "python":
                package = product.PACKAGES.get(pod.labels.get(NAME, ""))
                if command[2].partition(".")[0] != package:
                    yield f"{pod}: runs another service"
            image = container["image"].partition(":")[0]
            if not image.endswith(f"handoff/{pod.labels.get(NAME)}"):
                yield f"{pod}: has the image {image}"


def ports(objects: Objects) -> Iterator[str]:
    """A container's ports are those at which its settings have the process listen."""
    settings = {each["metadata"]["name"]: each["data"] for each in of_kind(objects, "ConfigMap")}
    for pod in our_pods(objects):
        for container in pod.containers:
            given: dict[str, str] = {}
            for source in container.get("envFrom", []):
                given |= settings.get(at(source, "configMapRef.name") or "", {})
            opened = {
                each["name"]: str(each["containerPort"]) for each in container.get("ports", [])
            }
            for name, port in opened.items():
                if given.get(f"HANDOFF_{name.upper()}_PORT") != port:
                    yield f"{pod}: listens elsewhere than at {name} {port}"
                if given.get(f"HANDOFF_{name.upper()}_HOST") != "0.0.0.0":  # noqa: S104  in a pod
                    yield f"{pod}: {name} listens to itself alone"
