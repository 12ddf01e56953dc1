"""Every service has its own database, that survives what the promise says it survives."""

import re
from collections.abc import Iterator

from tests.deploy import product, supplied
from tests.deploy.checks.backups import PLUGIN
from tests.deploy.objects import (
    COMPONENT,
    NAME,
    Object,
    Objects,
    at,
    of_kind,
    our_pods,
    title,
    walk,
)

_FEWEST = 3
_RESERVED = 3 + 5  # the superuser's, and what the audit opens
_PROMISE = {"method": "any", "number": 1, "dataDurability": "required", "failoverQuorum": True}
_READ = re.compile(r"(passwordSecret|initdb\.secret|recovery\.secret)\.name$|serverCASecret$")
_WATCHED = "cnpg.io/reload"
_HBA = [
    "hostssl sameuser all all scram-sha-256",
    "hostssl all operations all scram-sha-256",
    "host all all all reject",
]


def clusters(objects: Objects) -> Iterator[str]:
    """Three instances on three nodes; a commit is on two of them; TLS; saved outside."""
    saved = {at(each, "spec.cluster.name") for each in of_kind(objects, "ScheduledBackup")}
    for each in of_kind(objects, "Cluster"):
        yield from (f"{title(each)}: {said}" for said, is_so in _faults(each["spec"]) if is_so)
        if each["metadata"]["name"] not in saved:
            yield f"{title(each)}: is not saved"


def _faults(spec: Object) -> Iterator[tuple[str, bool]]:
    few = spec["instances"] < _FEWEST and spec.get("enablePDB") is not False
    yield "too few instances, and a budget that blocks every drain", few
    lost = at(spec, "postgresql.synchronous") != _PROMISE
    yield "what was committed may be lost in a failover", lost
    together = at(spec, "affinity.podAntiAffinityType") != "required"
    yield "two instances may be on one node", together
    open_ = at(spec, "postgresql.pg_hba") != _HBA
    yield "takes connections without TLS, and to others' databases", open_
    early = "CREATE ROLE operations" not in (at(spec, "bootstrap.initdb.postInitSQL") or [])
    yield "a migration would find no role `operations` to give rights to", early
    brief = at(spec, "certificates.serverCASecret") is None
    yield "its authority is renewed each 90 days, under processes that have read it", brief
    endless = at(spec, "resources.limits.memory") is None
    yield "no limit of memory", endless
    archivers = [each["name"] for each in spec.get("plugins", []) if each.get("isWALArchiver")]
    yield "what happens between two backups is not saved", archivers != [PLUGIN]


def secrets(objects: Objects) -> Iterator[str]:
    """The operator sees a Secret that it reads change: it watches those with a label alone."""
    given = supplied.labels(objects)
    for each in of_kind(objects, "Cluster"):
        for path, name in walk(each["spec"]):
            if _READ.search(path) and _WATCHED not in given.get(name, {}):
                yield f"{title(each)}: would not see the Secret {name} change"


def owners(objects: Objects) -> Iterator[str]:
    """Each service's database has the name of its role, which owns it."""
    if not of_kind(objects, "Cluster"):
        return
    found = [
        *(each["spec"] for each in of_kind(objects, "Database")),
        *(_of_initdb(each) for each in of_kind(objects, "Cluster")),
    ]
    named = [each["name"] for each in found if each.get("name")]
    if sorted(named) != sorted(product.PACKAGES.values()):
        yield f"the databases are {', '.join(sorted(named))}"
    yield from (f"{each['name']}: its owner is {each['owner']}" for each in found
                if each.get("name") != each.get("owner"))  # fmt: skip
    for each in of_kind(objects, "Cluster"):
        roles = {role["name"] for role in at(each, "spec.managed.roles") or []}
        if "operations" not in roles:
            yield f"{title(each)}: `operations` cannot log in"
        owned = {database["spec"]["owner"] for database in of_kind(objects, "Database")}
        yield from (f"{title(each)}: no role {name}" for name in sorted(owned - roles))


def _of_initdb(each: Object) -> Object:
    return {
        "name": at(each, "spec.bootstrap.initdb.database"),
        "owner": at(each, "spec.bootstrap.initdb.owner"),
    }


def connections(objects: Objects) -> Iterator[str]:
    """All processes at their most, in a rollout too, find a connection."""
    clusters = of_kind(objects, "Cluster")
    shared = len(clusters) == 1
    for each in clusters:
        most = int(at(each, "spec.postgresql.parameters.max_connections") or 100)
        services = product.NAMES if shared else (each["metadata"]["labels"][NAME],)
        needed = _RESERVED + sum(_needed(objects, name) for name in services)
        if needed > most:
            yield f"{title(each)}: takes {most} connections, and {needed} may be wanted"


def _needed(objects: Objects, service: str) -> int:
    total = 0
    for pod in our_pods(objects):
        role = pod.labels.get(COMPONENT, "")
        if pod.labels.get(NAME) == service and role in ("api", "worker", "migrate"):
            surge = 1 if role == "api" else 0
            most = _scaled(objects, pod.owner["metadata"]["name"])
            copies = most or pod.owner["spec"].get("replicas", 1)
            total += (copies + surge) * product.connections(service, role)
    return total


def _scaled(objects: Objects, name: str) -> int | None:
    for each in of_kind(objects, "ScaledObject"):
        if at(each, "spec.scaleTargetRef.name") == name:
            most: int = each["spec"]["maxReplicaCount"]
            return most
    return None
