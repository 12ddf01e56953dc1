"""Every Postgres is saved as often, and for as long, as deploy/README.md promises."""

from collections.abc import Iterator

from tests.deploy.objects import Object, Objects, at, names_of, of_kind, title

NIGHTLY = "0 0 3 * * *"
"""When base backups are made: six fields, seconds first."""
DAYS_KEPT = 30
"""How far back a restore reaches."""
PLUGIN = "barman-cloud.cloudnative-pg.io"


def backups(objects: Objects) -> Iterator[str]:
    """A backup is made each night by the plugin, of a cluster that is there, and outlives it."""
    for each in of_kind(objects, "ScheduledBackup"):
        yield from (f"{title(each)}: {said}" for said, is_so in _faults(each["spec"]) if is_so)
        name = each["spec"]["cluster"]["name"]
        if name not in names_of(objects, "Cluster"):
            yield f"{title(each)}: there is no Cluster {name}"


def _faults(spec: Object) -> Iterator[tuple[str, bool]]:
    yield "is not made each night at three", spec["schedule"] != NIGHTLY
    made = (spec.get("method"), at(spec, "pluginConfiguration.name"))
    yield "is not made by the plugin", made != ("plugin", PLUGIN)
    owned = spec.get("backupOwnerReference") != "none"
    yield "what was saved goes with what it was saved from", owned


def stores(objects: Objects) -> Iterator[str]:
    """Where a cluster is saved is there, and keeps what it gets for as long as is promised."""
    for each in of_kind(objects, "ObjectStore"):
        if each["spec"].get("retentionPolicy") != f"{DAYS_KEPT}d":
            yield f"{title(each)}: does not keep for {DAYS_KEPT} days"
    for each in of_kind(objects, "Cluster"):
        for plugin in each["spec"].get("plugins", []):
            if at(plugin, "parameters.barmanObjectName") not in names_of(objects, "ObjectStore"):
                yield f"{title(each)}: there is no ObjectStore for it"
