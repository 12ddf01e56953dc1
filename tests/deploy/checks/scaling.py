"""KEDA scales what hears, by the lag of its own group, and never more than there are partitions."""

from collections.abc import Iterator

from tests.deploy import product
from tests.deploy.objects import Object, Objects, at, names_of, of_kind, title

from shared.contracts.catalogue import PARTITIONS, heard_by

_SETTLING_SECONDS = 300
_OLDEST_PROTOCOL = (2, 1)


def scaled(objects: Objects) -> Iterator[str]:
    """What is scaled exists, hears, says no number of its own, and grows within reason."""
    found = of_kind(objects, "ScaledObject")
    if not found:
        return
    targets = {at(each, "spec.scaleTargetRef.name") for each in found}
    wanted = {f"{name}-worker" for name in product.HEARERS}
    yield from (f"{name}: hears, and is not scaled" for name in sorted(wanted - targets))
    yield from (f"{name}: is scaled, and hears nothing" for name in sorted(targets - wanted))
    for each in found:
        yield from (f"{title(each)}: {said}" for said in _limits(each["spec"]))
        target = each["spec"]["scaleTargetRef"]
        if target["name"] not in names_of(objects, target.get("kind", "Deployment")):
            yield f"{title(each)}: there is no {target.get('kind')} {target['name']}"
    for workload in of_kind(objects, "Deployment", "StatefulSet"):
        if workload["metadata"]["name"] in targets and "replicas" in workload["spec"]:
            yield f"{title(workload)}: two say how many there are"


def _limits(spec: Object) -> Iterator[str]:
    if spec.get("minReplicaCount", 0) < 2:
        yield "fewer than two"
    if spec.get("maxReplicaCount", 100) > PARTITIONS:
        yield f"more than the {PARTITIONS} partitions"
    if not spec.get("fallback"):
        yield "nobody knows how many where Kafka does not answer"
    down = at(spec, "advanced.horizontalPodAutoscalerConfig.behavior.scaleDown") or {}
    if down.get("stabilizationWindowSeconds", 0) < _SETTLING_SECONDS:
        yield "shrinks at once, and each step stops the whole group"


def triggers(objects: Objects) -> Iterator[str]:
    """A trigger for each topic that the service hears, in its group, where its Kafka is."""
    addresses = {
        each["data"]["HANDOFF_KAFKA_BOOTSTRAP"]
        for each in of_kind(objects, "ConfigMap")
        if "HANDOFF_KAFKA_BOOTSTRAP" in each["data"]
    }
    for each in of_kind(objects, "ScaledObject"):
        service = str(at(each, "spec.scaleTargetRef.name")).removesuffix("-worker")
        found = [trigger["metadata"] for trigger in each["spec"]["triggers"]]
        if sorted(trigger.get("topic", "") for trigger in found) != sorted(heard_by(service)):
            yield f"{title(each)}: its topics are not those that {service} hears"
        for trigger in found:
            yield from (f"{title(each)}: {said}" for said in _trigger(trigger, service))
            if trigger.get("bootstrapServers") not in addresses:
                yield f"{title(each)}: asks another Kafka"
        for trigger in each["spec"]["triggers"]:
            if trigger["type"] != "kafka":
                yield f"{title(each)}: {trigger['type']} takes other fields"
            name = at(trigger, "authenticationRef.name")
            if name not in names_of(objects, "TriggerAuthentication"):
                yield f"{title(each)}: there is no TriggerAuthentication {name}"


def _trigger(trigger: Object, service: str) -> Iterator[str]:
    wanted = {
        "consumerGroup": service,
        "offsetResetPolicy": "earliest",
        "sasl": "scram_sha512",
        "tls": "enable",
    }
    for key, value in wanted.items():
        if trigger.get(key) != value:
            yield f"{key} is {trigger.get(key)} instead of {value}"
    if _numbers(trigger.get("version", "0")) < _OLDEST_PROTOCOL:
        yield f"in version {trigger.get('version')} it speaks a protocol that Kafka 4 has dropped"
    if int(trigger.get("lagThreshold", 0)) < 1:
        yield "no lagThreshold"


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split("."))
