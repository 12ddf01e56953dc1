"""Kafka has the topics of the catalogue, keeps them as promised, and gives no right too many."""

from collections.abc import Iterator

from tests.deploy import product
from tests.deploy.checks.pods import unrestricted
from tests.deploy.objects import Object, Objects, at, of_kind, title
from tests.deploy.versions import versions

from shared.contracts.catalogue import PARTITIONS, RETENTION_DAYS, TOPICS, heard_by, said_by
from shared.limits import MAX_BODY_BYTES

Rights = frozenset[tuple[str, str, str]]
_DAY = 86_400_000
_CONFIG = {
    "min.insync.replicas": 2,
    "retention.ms": RETENTION_DAYS * _DAY,
    "max.message.bytes": MAX_BODY_BYTES,
    "unclean.leader.election.enable": False,
}
_BROKERS = {
    "auto.create.topics.enable": False,
    "default.replication.factor": 3,
    "min.insync.replicas": 2,
    "unclean.leader.election.enable": False,
    "offsets.topic.replication.factor": 3,
    "transaction.state.log.replication.factor": 3,
    "transaction.state.log.min.isr": 2,
}
_SPREAD = {
    "topology.kubernetes.io/zone": "ScheduleAnyway",
    "kubernetes.io/hostname": "DoNotSchedule",
}
_LOOKS_AT_BROKERS = ("DescribeConfigs", "cluster", "*")


def topics(objects: Objects) -> Iterator[str]:
    """Each topic of the catalogue is there, as the code would make it, and no other."""
    if not of_kind(objects, "Kafka"):
        if not any("topics" in each["metadata"]["name"] for each in of_kind(objects, "Job")):
            yield "nobody makes the topics"
        return
    found = {each["metadata"]["name"]: each for each in of_kind(objects, "KafkaTopic")}
    yield from (f"{name}: no KafkaTopic" for name in set(product.TOPIC_NAMES) - set(found))
    yield from (f"{name}: not in the catalogue" for name in set(found) - set(product.TOPIC_NAMES))
    for name, each in found.items():
        spec = each["spec"]
        if (spec["partitions"], spec["replicas"]) != (PARTITIONS, 3):
            yield f"{name}: {spec['partitions']} partitions, {spec['replicas']} copies"
        yield from _differing(name, spec.get("config", {}), _CONFIG)


def cluster(objects: Objects) -> Iterator[str]:
    """It runs a version that its operator takes, keeps what is acked, and asks who one is."""
    wanted = versions()["kafka"]
    for each in of_kind(objects, "Kafka"):
        spec = each["spec"]["kafka"]
        if (spec["version"], spec["metadataVersion"]) != (wanted["version"], wanted["metadata"]):
            yield f"{title(each)}: its version is not that of versions.yaml"
        yield from _differing(title(each), spec.get("config", {}), _BROKERS)
        if at(spec, "authorization.type") != "simple":
            yield f"{title(each)}: everybody may do everything"
        for listener in spec["listeners"]:
            if not listener["tls"] or at(listener, "authentication.type") != "scram-sha-512":
                yield f"{title(each)}: the listener {listener['name']} asks nobody who they are"
            if not listener.get("networkPolicyPeers"):
                yield f"{title(each)}: Strimzi opens {listener['name']} to all"
        yield from _nodes(objects)


def _nodes(objects: Objects) -> Iterator[str]:
    pools = of_kind(objects, "KafkaNodePool")
    for role in ("controller", "broker"):
        count = sum(pool["spec"]["replicas"] for pool in pools if role in pool["spec"]["roles"])
        if count < 3:
            yield f"Kafka has {count} nodes that are {role}"
    for pool in pools:
        if any(volume.get("deleteClaim") for volume in pool["spec"]["storage"]["volumes"]):
            yield f"{title(pool)}: its disks go with it"
        if not at(pool, "spec.resources.limits.memory"):
            yield f"{title(pool)}: no limit of memory"


def operators(objects: Objects) -> Iterator[str]:
    """What Strimzi makes is restricted, spread over nodes, and has an end of its memory."""
    for each in of_kind(objects, "Kafka"):
        brokers, entities = each["spec"]["kafka"], each["spec"].get("entityOperator", {})
        yield from _restricted(brokers, "kafka")
        spread = at(brokers, "template.pod.topologySpreadConstraints") or []
        keys = {found["topologyKey"]: found["whenUnsatisfiable"] for found in spread}
        if keys != _SPREAD:
            yield f"{title(each)}: its nodes may be on one node, or in one zone"
        for name in ("topicOperator", "userOperator"):
            yield from _restricted(entities, name)
            if not at(entities, f"{name}.resources.limits.memory"):
                yield f"{title(each)}: no {name}, or none with a limit of memory"


def _restricted(part: Object, name: str) -> Iterator[str]:
    whole = at(part, "template.pod.securityContext") or {}
    own = at(part, f"template.{name}Container.securityContext") or {}
    yield from (f"Strimzi's {name}: {said}" for said in unrestricted({**whole, **own}))


def rights(objects: Objects) -> Iterator[str]:
    """Each user may do just what its process does."""
    if not of_kind(objects, "Kafka"):
        return
    wanted = expected_rights(scaled=bool(of_kind(objects, "ScaledObject")))
    found = {each["metadata"]["name"]: _rights(each) for each in of_kind(objects, "KafkaUser")}
    for name in sorted(set(wanted) | set(found)):
        lacking = wanted.get(name, frozenset()) - found.get(name, frozenset())
        extra = found.get(name, frozenset()) - wanted.get(name, frozenset())
        yield from (f"KafkaUser/{name}: may not {' '.join(each)}" for each in sorted(lacking))
        yield from (f"KafkaUser/{name}: may {' '.join(each)}" for each in sorted(extra))


def expected_rights(*, scaled: bool) -> dict[str, Rights]:
    """Return what the code does, by user."""
    found: dict[str, set[tuple[str, str, str]]] = {}
    for name in product.NAMES:
        found[name] = {
            *_each("topic", said_by(name), "Describe", "DescribeConfigs", "Read", "Write"),
            *_each("topic", heard_by(name), "Describe", "DescribeConfigs", "Read"),
            *_each("group", (name,) if heard_by(name) else (), "Describe", "Read"),
            _LOOKS_AT_BROKERS,
        }
    all_topics = tuple(topic.name for topic in TOPICS)
    groups = _each("group", product.HEARERS, "Describe")
    of_topics = _each("topic", all_topics, "Describe", "DescribeConfigs", "Read")
    found["operations"] = of_topics | groups | {_LOOKS_AT_BROKERS}
    if scaled:
        found["scaler"] = _each("topic", all_topics, "Describe") | groups
    return {name: frozenset(each) for name, each in found.items()}


def _each(kind: str, names: tuple[str, ...], *operations: str) -> set[tuple[str, str, str]]:
    return {(operation, kind, name) for name in names for operation in operations}


def _rights(user: Object) -> Rights:
    acls = at(user, "spec.authorization.acls") or []
    return frozenset(
        (operation, acl["resource"]["type"], _names(acl["resource"]))
        for acl in acls
        for operation in acl["operations"]
    )


def _names(resource: Object) -> str:
    """Return which ones a right is for, by their name; of a prefix with a star at its end."""
    if resource.get("patternType") == "prefix":
        return f"{resource['name']}*"
    return str(resource.get("name", "*"))


def _differing(name: str, found: Object, wanted: Object) -> Iterator[str]:
    for key, value in wanted.items():
        if found.get(key) != value:
            yield f"{name}: {key} is {found.get(key)} instead of {value}"
