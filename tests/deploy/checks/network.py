"""The flows that are open are just those that are real, at both of their ends."""

from collections.abc import Iterator
from urllib.parse import urlsplit

from tests.deploy import product
from tests.deploy.checks.settings import variables
from tests.deploy.objects import Objects, Pod, matches, names_of, of_kind, our_pods, title
from tests.deploy.reachable import ANYWHERE, Flow, Port, flows, insiders


def _tcp(number: int) -> Port:
    return "TCP", number


_POSTGRES, _KAFKA_BY_TLS, _KAFKA = _tcp(5432), _tcp(9093), _tcp(9092)
_INSTANCES = (_POSTGRES, _tcp(8000))
_NODES = (_tcp(9090), _tcp(9091))
_DNS = (("UDP", 53), _tcp(53))
_API_SERVER = (_tcp(443), _tcp(6443))
_SPEAKS_TO_POSTGRES = ("api", "worker", "migrate", "operations")
_SPEAKS_TO_KAFKA = ("worker", "operations", "topics")
_SENDS_SPANS, _SPANS = ("api", "worker"), "HANDOFF_OTLP_ENDPOINT"
_THEIRS = {"postgres": "198.51.100.0/24", "kafka": "192.0.2.0/24"}


def closed(objects: Objects) -> Iterator[str]:
    """All pods are closed both ways, so that what no policy opens is not open."""
    for side in ("Ingress", "Egress"):
        if not any(
            each["spec"]["podSelector"] == {} and side in each["spec"]["policyTypes"]
            and not each["spec"].get(side.lower())
            for each in of_kind(objects, "NetworkPolicy")
        ):  # fmt: skip
            yield f"{side} is open where no policy says otherwise"


def just_the_real_flows(objects: Objects) -> Iterator[str]:
    """Whoever must reach somebody can, and nobody else."""
    found, wanted = flows(objects), set(real_flows(objects))
    yield from (f"{_words(each)} is shut, and needed" for each in sorted(wanted - found))
    yield from (f"{_words(each)} is open, for nobody" for each in sorted(found - wanted))


def are_for_somebody(objects: Objects) -> Iterator[str]:
    """No policy is for pods that are not there; those of monitoring look at what there may be."""
    for each in of_kind(objects, "NetworkPolicy"):
        selector = each["spec"]["podSelector"]
        if each["metadata"]["name"].startswith("metrics-of-"):
            continue
        if not any(matches(selector, party.labels) for party in insiders(objects)):
            yield f"{title(each)}: is for no pod"


def real_flows(objects: Objects) -> Iterator[Flow]:
    """Give every flow that there is."""
    yield from ((each.name, "dns", port) for each in insiders(objects) for port in _DNS)
    yield from _to_apis(objects)
    yield from _to_postgres(objects)
    yield from _to_kafka(objects)
    yield from _to_metrics(objects)
    yield from _to_the_collector(objects)


def _to_apis(objects: Objects) -> Iterator[Flow]:
    callers = ["operations", *(["gateway"] if of_kind(objects, "Gateway", "Ingress") else [])]
    yield from ((caller, f"{name}-api", _tcp(8080)) for caller in callers for name in product.NAMES)


def _to_postgres(objects: Objects) -> Iterator[Flow]:
    clusters = names_of(objects, "Cluster")
    for name in clusters:
        yield from ((name, name, port) for port in _INSTANCES)
        yield from (("cnpg", name, port) for port in _INSTANCES)
        yield from ((name, ANYWHERE, port) for port in _API_SERVER)
    for pod in our_pods(objects):
        if pod.component in _SPEAKS_TO_POSTGRES:
            yield from ((_name(pod), target, _POSTGRES) for target in _postgres_of(pod, objects))


def _postgres_of(pod: Pod, objects: Objects) -> set[str]:
    clusters = names_of(objects, "Cluster")
    if len(clusters) > 1 and pod.component != "operations":
        return {f"{pod.labels['app.kubernetes.io/name']}-postgres"}
    if clusters:
        return clusters
    return names_of(objects, "StatefulSet") & {"postgres"} or {_THEIRS["postgres"]}


def _to_kafka(objects: Objects) -> Iterator[Flow]:
    by_strimzi = bool(of_kind(objects, "Kafka"))
    if by_strimzi:
        yield from _within_kafka(objects)
    plain = names_of(objects, "StatefulSet") & {"kafka"}
    target = "handoff-kafka" if by_strimzi else "kafka" if plain else _THEIRS["kafka"]
    for pod in our_pods(objects):
        if pod.component in _SPEAKS_TO_KAFKA:
            yield _name(pod), target, _KAFKA if plain else _KAFKA_BY_TLS


def _within_kafka(objects: Objects) -> Iterator[Flow]:
    yield from (("handoff-kafka", "handoff-kafka", port) for port in _NODES)
    yield "handoff-entity-operator", "handoff-kafka", _tcp(9091)
    yield from (("strimzi", "handoff-kafka", port) for port in (*_NODES, _tcp(8443)))
    yield from (("handoff-entity-operator", ANYWHERE, port) for port in _API_SERVER)
    if of_kind(objects, "ScaledObject"):
        yield "keda", "handoff-kafka", _KAFKA_BY_TLS


def _to_metrics(objects: Objects) -> Iterator[Flow]:
    if not of_kind(objects, "PodMonitor"):
        return
    for pod in our_pods(objects):
        if pod.owner["kind"] != "Job":
            yield "prometheus", _name(pod), _tcp(9000)
    yield from (("prometheus", name, _tcp(9187)) for name in names_of(objects, "Cluster"))
    if of_kind(objects, "Kafka"):
        yield "prometheus", "handoff-kafka", _tcp(9404)


def _to_the_collector(objects: Objects) -> Iterator[Flow]:
    """Give the way of spans, by where each process is told to send them; all of them are."""
    maps = {each["metadata"]["name"]: each["data"] for each in of_kind(objects, "ConfigMap")}
    told = {_name(pod): variables(pod.containers[0], maps).get(_SPANS) for pod in our_pods(objects)
            if pod.component in _SENDS_SPANS}  # fmt: skip
    if any(told.values()):
        yield from (
            (name, "collector", _tcp(urlsplit(to or "").port or 0)) for name, to in told.items()
        )


def _name(pod: Pod) -> str:
    name: str = pod.owner["metadata"]["name"]
    return name


def _words(flow: Flow) -> str:
    sender, receiver, (protocol, port) = flow
    return f"from {sender} to {receiver} at {protocol} {port}"


def as_strimzi_writes_them(objects: Objects) -> Iterator[str]:
    """The policy that Strimzi writes for a listener lets in just those that ours does."""
    for kafka in of_kind(objects, "Kafka"):
        asked = [peer for each in kafka["spec"]["kafka"]["listeners"]
                 for peer in each.get("networkPolicyPeers", [])]  # fmt: skip
        ours = [
            peer
            for each in of_kind(objects, "NetworkPolicy")
            if each["spec"]["podSelector"].get("matchLabels", {}).get("strimzi.io/name")
            for rule in each["spec"].get("ingress", [])
            if {"port": _KAFKA_BY_TLS[1]} in rule["ports"]
            for peer in rule["from"]
        ]
        if sorted(map(str, asked)) != sorted(map(str, ours)):
            yield f"{title(kafka)}: Strimzi would let in others than we do"
