"""The API server sees what is wrong, so its silence about our manifests means something."""

import pytest
from tests.deploy.apiserver.cluster import NAMESPACE, Cluster, written
from tests.deploy.faults import (
    API,
    MIGRATE,
    OF_THE_TRIAL,
    OUR_OWN,
    WORKER,
    Plant,
    pod,
)
from tests.deploy.objects import Object, of_kind, title
from tests.deploy.rendering import WITH_COMPONENTS, objects_of

pytestmark = pytest.mark.timeout(1800)  # the first of them may have to build it
WHOLE = next(each for each in WITH_COMPONENTS if each.name == "production, all")
FAULTS = {fault.name: fault for fault in (*OF_THE_TRIAL, *OUR_OWN)}
SEEN = {
    "a field that there is not": ".spec.replica: field not declared",
    "a text for a number": "expected numeric",
    "a slip in a ScaledObject": "field not declared",
    "a slip in a Postgres cluster": "field not declared",
    "a version of ExternalSecret that is gone": "no matches for kind",
    "a slip in resources": "field not declared",
    "a privileged container": "cannot set",
    "a budget of an API that is gone": "no matches for kind",
    "a selector that takes none of its own pods": "does not match",
    "a route to a Service without a port": "Must have port",
    "a sleep longer than the grace": "must be",
    "a name that is none": "DNS-1035",
    "a quantity that is none": "quantities must match",
    "a Job that is always started again": "valid values",
    "two ports of one name": "Duplicate",
    "a mount of a volume that is not there": "Not found",
    "root in a Job": "would violate PodSecurity",
    "no runAsNonRoot": "would violate PodSecurity",
}
"""What the server says of those faults that it can see."""
STUCK: dict[str, tuple[Plant, str]] = {
    "a Deployment whose pods are refused": (
        lambda o: pod(o, API)["securityContext"].pop("runAsNonRoot"), "FailedCreate"),
    "a StatefulSet that no node takes": (
        lambda o: pod(o, WORKER, "StatefulSet").update(nodeSelector={"disk": "gold"}),
        "FailedScheduling"),
    "a Job whose pods are refused": (
        lambda o: pod(o, MIGRATE, "Job").update(hostNetwork=True), "FailedCreate"),
}  # fmt: skip
"""How workloads are kept from coming up, and what the cluster then complains of."""
_LONG_ENOUGH = 10.0


@pytest.fixture(autouse=True, scope="module")
def namespace(cluster: Cluster) -> None:
    """The one that our manifests bring, with what it says of pods, and whom they run as."""
    place = of_kind(objects_of(WHOLE), "Namespace", "ServiceAccount")

    assert cluster.apply(written(place)).returncode == 0


def planted(plant: Plant) -> list[Object]:
    """Return the objects that a fault changes, as it leaves them."""
    whole, changed = objects_of(WHOLE), objects_of(WHOLE)
    plant(changed)
    return [each for each in changed if each not in whole]


@pytest.mark.parametrize("name", SEEN)
def test_a_planted_fault_is_refused_or_warned_of(name: str, cluster: Cluster) -> None:
    answer = cluster.apply(written(planted(FAULTS[name].plant)), "--dry-run=server")

    assert SEEN[name] in answer.stderr
    assert answer.returncode or answer.stderr.startswith("Warning: ")


def test_a_pod_that_is_not_restricted_is_refused(cluster: Cluster) -> None:
    (workload,) = planted(FAULTS["no runAsNonRoot"].plant)
    alone = {"apiVersion": "v1", "kind": "Pod", **workload["spec"]["template"]}
    alone["metadata"] |= {"name": "root", "namespace": NAMESPACE}
    answer = cluster.apply(written([alone]))

    assert 'violates PodSecurity "restricted:' in answer.stderr
    assert answer.returncode != 0


@pytest.mark.parametrize("how", STUCK)
def test_a_workload_that_cannot_come_up_is_seen_not_to(how: str, cluster: Cluster) -> None:
    plant, why = STUCK[how]
    (workload,) = planted(plant)
    cluster.apply(written([workload]))
    try:
        left = cluster.left_undone({title(workload)}, _LONG_ENOUGH)
    finally:
        cluster.remove([workload])

    assert left[0].startswith(title(workload))
    assert why in left[-1]


def test_a_workload_that_is_not_there_is_missed(cluster: Cluster) -> None:
    assert "Job/gone: is not there" in cluster.left_undone({"Job/gone"}, 0)
