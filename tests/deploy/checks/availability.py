"""What is still there while a node is drained, a zone is lost, or a new version rolls out."""

from collections.abc import Iterator

from tests.deploy.objects import (
    Object,
    Objects,
    Pod,
    at,
    matches,
    names_of,
    of_kind,
    our_pods,
    pods,
    title,
)

_ZONE, _NODE = "topology.kubernetes.io/zone", "kubernetes.io/hostname"


def budgets(objects: Objects) -> Iterator[str]:
    """Every api and worker has a budget that holds nothing up, and none is for nobody."""
    for budget in of_kind(objects, "PodDisruptionBudget"):
        spec = budget["spec"]
        if not any(matches(spec["selector"], pod.labels) for pod in pods(objects)):
            yield f"{title(budget)}: is for no pod"
        if spec.get("maxUnavailable") != 1 or "minAvailable" in spec:
            yield f"{title(budget)}: a drain would hang, or take all"
        if spec.get("unhealthyPodEvictionPolicy") != "AlwaysAllow":
            yield f"{title(budget)}: a pod that is unready anyway holds up a drain"
    for pod in _several(objects):
        found = [each for each in of_kind(objects, "PodDisruptionBudget")
                 if matches(each["spec"]["selector"], pod.labels)]  # fmt: skip
        if len(found) != 1:
            yield f"{pod}: has {len(found)} budgets"


def spread(objects: Objects) -> Iterator[str]:
    """Copies of one thing stand in different zones and on different nodes."""
    for pod in _several(objects):
        found = {
            each["topologyKey"]: each for each in pod.spec.get("topologySpreadConstraints", [])
        }
        for key in (_ZONE, _NODE):
            if key not in found:
                yield f"{pod}: is not spread over {key}"
            elif not _exactly(found[key], pod):
                yield f"{pod}: is spread among others than its own copies"
        if _NODE in found and found[_NODE].get("nodeTaintsPolicy") != "Honor":
            yield f"{pod}: a drained node counts, so its pods have nowhere to go"
        if _NODE in found and found[_NODE]["whenUnsatisfiable"] != "DoNotSchedule":
            yield f"{pod}: all of its copies may be on one node"


def _exactly(constraint: Object, pod: Pod) -> bool:
    wanted = at(constraint, "labelSelector.matchLabels")
    return bool(wanted == pod.owner["spec"]["selector"]["matchLabels"])


def rollouts(objects: Objects) -> Iterator[str]:
    """A rollout takes no API away, and new workers get past old ones that are not ready."""
    for pod in _several(objects):
        spec = pod.owner["spec"]
        if pod.component == "api" and at(spec, "strategy.rollingUpdate.maxUnavailable") != 0:
            yield f"{pod}: a rollout takes one away before there is another"
        if pod.component == "worker" and spec.get("podManagementPolicy") != "Parallel":
            yield f"{pod}: a worker whose breaker is open would hold up the mended code"


def replicas(objects: Objects) -> Iterator[str]:
    """Two of each, where there is more than one node to be; what is scaled says no number."""
    one_node = "postgres" in names_of(objects, "StatefulSet")
    scaled = {at(each, "spec.scaleTargetRef.name") for each in of_kind(objects, "ScaledObject")}
    for pod in _several(objects):
        wanted = None if pod.owner["metadata"]["name"] in scaled else 1 if one_node else 2
        if pod.owner["spec"].get("replicas") != wanted:
            yield f"{pod}: replicas is {pod.owner['spec'].get('replicas')} instead of {wanted}"

    for pod in our_pods(objects):
        if pod.component == "operations" and pod.owner["spec"].get("replicas", 1) != 1:
            yield f"{pod}: nobody audits, or two do"


def _several(objects: Objects) -> list[Pod]:
    return [pod for pod in our_pods(objects) if pod.component in ("api", "worker")]
