"""Who can reach whom by the NetworkPolicies of a set of objects, as Kubernetes defines them.

A flow is open where a policy of the sender lets it out and one of the receiver lets it in. Pods
that operators make are known by the labels that those give them.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from tests.deploy.objects import Labels, Object, Objects, matches, of_kind, pods

Port = tuple[str, int]
"""A protocol and a number."""

Flow = tuple[str, str, Port]
"""Who, to whom, at which port."""

ANYWHERE = "anywhere"
UNHEARD_OF = ("TCP", 1)
"""A port that nothing uses: open only where all are."""


@dataclass(frozen=True, slots=True)
class Party:
    """Who may take part in a flow; one in a namespace of others has that namespace's labels."""

    name: str
    labels: Labels
    namespace: Labels | None = None


OUTSIDERS = (
    Party("dns", {"k8s-app": "kube-dns"}, {"kubernetes.io/metadata.name": "kube-system"}),
    Party(
        "cnpg", {"app.kubernetes.io/name": "cloudnative-pg"},
        {"kubernetes.io/metadata.name": "cnpg-system"},
    ),
    Party(
        "strimzi", {"strimzi.io/kind": "cluster-operator"},
        {"kubernetes.io/metadata.name": "strimzi"},
    ),
    Party("keda", {"app": "keda-operator"}, {"kubernetes.io/metadata.name": "keda"}),
    Party("gateway", {}, {"handoff-apis": "allowed"}),
    Party("collector", {}, {"handoff-traces": "allowed"}),
    Party("prometheus", {}, {"handoff-metrics": "allowed"}),
    Party("stranger", {"app": "anything"}, {"kubernetes.io/metadata.name": "default"}),
)  # fmt: skip


def insiders(objects: Objects) -> list[Party]:
    """Return the pods of our namespace: our workloads', and those that operators make."""
    found = [Party(each.owner["metadata"]["name"], each.labels) for each in pods(objects)]
    for cluster in of_kind(objects, "Cluster"):
        name = cluster["metadata"]["name"]
        found.append(Party(name, {"cnpg.io/cluster": name, "cnpg.io/podRole": "instance"}))
    for kafka in of_kind(objects, "Kafka"):
        for part in ("kafka", "entity-operator"):
            name = f"{kafka['metadata']['name']}-{part}"
            found.append(Party(name, {"strimzi.io/name": name}))
    return found


def flows(objects: Objects) -> set[Flow]:
    """Return every flow that is open; one with addresses is with their range, or with anywhere."""
    policies = of_kind(objects, "NetworkPolicy")
    inside = insiders(objects)
    ports = _ports(policies)
    found = {flow for each in inside for flow in _to_addresses(each, policies)}
    found |= {flow for each in inside for flow in _from_addresses(each, policies)}
    for sender in (*inside, *OUTSIDERS):
        for receiver in (*inside, *OUTSIDERS):
            if sender.namespace is None or receiver.namespace is None:
                found |= {
                    (sender.name, receiver.name, port)
                    for port in ports
                    if _open(policies, sender, receiver, port)
                }
    return found


def _ports(policies: Objects) -> set[Port]:
    return {port for each in policies for _, rule in _rules(each) for port in _named(rule)} | {
        UNHEARD_OF
    }


def _named(rule: Object) -> list[Port]:
    return [(each.get("protocol", "TCP"), each["port"]) for each in rule.get("ports", [])]


def _rules(policy: Object) -> Iterator[tuple[str, Object]]:
    for side in ("ingress", "egress"):
        yield from ((side, rule) for rule in policy["spec"].get(side, []))


def _open(policies: Objects, sender: Party, receiver: Party, port: Port) -> bool:
    return _lets(policies, sender, receiver, ("egress", port)) and _lets(
        policies, receiver, sender, ("ingress", port)
    )


def _lets(policies: Objects, party: Party, other: Party, how: tuple[str, Port]) -> bool:
    """Tell whether one end allows it; who is in another namespace is not for us to hold back."""
    side, port = how
    if party.namespace is not None:
        return True
    mine = _of(policies, party, side)
    if not mine:
        return True
    rules = [rule for each in mine for where, rule in _rules(each) if where == side]
    return any(_at_port(rule, port) and _with(rule, side, other) for rule in rules)


def _of(policies: Objects, party: Party, side: str) -> list[Object]:
    return [
        each for each in policies
        if side.capitalize() in each["spec"]["policyTypes"]
        and matches(each["spec"]["podSelector"], party.labels)
    ]  # fmt: skip


def _at_port(rule: Object, port: Port) -> bool:
    return not rule.get("ports") or port in _named(rule)


def _with(rule: Object, side: str, other: Party) -> bool:
    peers = rule.get("to" if side == "egress" else "from")
    if not peers:  # addresses are looked at apart, so a rule without peers is for those
        return side == "ingress"
    return any(_is(peer, other) for peer in peers if "ipBlock" not in peer)


def _is(peer: Object, other: Party) -> bool:
    if "namespaceSelector" not in peer:
        return other.namespace is None and matches(peer.get("podSelector"), other.labels)
    home = other.namespace or {"kubernetes.io/metadata.name": "handoff"}
    return matches(peer["namespaceSelector"], home) and matches(
        peer.get("podSelector"), other.labels
    )


def _to_addresses(party: Party, policies: Objects) -> Iterator[Flow]:
    mine = _of(policies, party, "egress")
    if not mine:
        yield party.name, ANYWHERE, UNHEARD_OF
    for rule in (rule for each in mine for rule in each["spec"].get("egress", [])):
        targets = _blocks(rule["to"]) if rule.get("to") else [ANYWHERE]
        yield from (
            (party.name, to, port) for to in targets for port in _named(rule) or [UNHEARD_OF]
        )


def _from_addresses(party: Party, policies: Objects) -> Iterator[Flow]:
    """Give those that a rule names: who comes in by one without peers is seen with the pods."""
    for policy in _of(policies, party, "ingress"):
        for rule in policy["spec"].get("ingress", []):
            senders = _blocks(rule.get("from", []))
            ports = _named(rule) or [UNHEARD_OF]
            yield from ((sender, party.name, port) for sender in senders for port in ports)


def _blocks(peers: list[Object]) -> list[str]:
    return [each["ipBlock"]["cidr"] for each in peers if "ipBlock" in each]
