"""The one list of checks: tests run each of them, and each sees a fault that was planted."""

from collections.abc import Callable, Iterator

from tests.deploy.checks import (
    availability,
    backups,
    databases,
    edge,
    kafka,
    labels,
    network,
    parameters,
    pods,
    references,
    scaling,
    settings,
    shapes,
    waves,
)
from tests.deploy.objects import Objects

Check = Callable[[Objects], Iterator[str]]

FIRST: tuple[Check, ...] = (shapes.fields, labels.versions_of_apis)
"""What must hold so that the others can look: fields are where they should be."""

CHECKS: tuple[Check, ...] = (
    *FIRST,
    labels.images,
    labels.nobody_elses,
    labels.labels,
    labels.place,
    labels.selectors_last,
    pods.accounts,
    pods.commands,
    pods.ends_in_time,
    pods.ports,
    pods.probes,
    pods.resources,
    pods.restricted,
    pods.writes_little,
    availability.budgets,
    availability.replicas,
    availability.rollouts,
    availability.spread,
    edge.ingresses,
    edge.routes,
    references.jobs,
    references.monitors,
    references.names_are_unique,
    references.selectors,
    references.services,
    references.settings_and_secrets,
    references.volumes,
    settings.drift,
    settings.files,
    settings.secrecy,
    network.are_for_somebody,
    network.as_strimzi_writes_them,
    network.closed,
    network.just_the_real_flows,
    kafka.cluster,
    kafka.operators,
    kafka.rights,
    kafka.topics,
    backups.backups,
    backups.stores,
    databases.clusters,
    databases.connections,
    databases.owners,
    databases.secrets,
    parameters.parameters,
    scaling.scaled,
    scaling.triggers,
    waves.waves,
)


def complaints(objects: Objects) -> list[str]:
    """Return what all checks say; where fields are wrong, the others are not asked."""
    first = [said for check in FIRST for said in check(objects)]
    return first or [said for check in CHECKS for said in check(objects)]
