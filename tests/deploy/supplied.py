"""Which Secrets an installation has, with their keys: in the manifests, or made by others."""

import os
import subprocess
from collections.abc import Mapping
from functools import cache
from typing import Any

import yaml
from tests.deploy.objects import Labels, Objects, at, names_of, of_kind
from tests.deploy.rendering import KUBERNETES

Keys = frozenset[str]
SCRIPT = KUBERNETES / "secrets.sh"
_STORE = {"BACKUPS_ACCESS_KEY_ID": "id", "BACKUPS_SECRET_ACCESS_KEY": "key"}


@cache
def by_script(overlay: str) -> tuple[dict[str, Any], ...]:
    """Return the Secrets that `secrets.sh` prints for an overlay."""
    answer = subprocess.run(  # noqa: S603  our own script
        [str(SCRIPT), overlay],
        env={**os.environ, **_STORE},
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    return tuple(yaml.safe_load_all(answer.stdout))


def secrets(objects: Objects) -> Mapping[str, Keys]:
    """Return every Secret that there will be, with its keys.

    Those of the script are also those of the External Secrets, and of who brings their own.
    """
    made = {
        each["metadata"]["name"]: frozenset(each["data"]) for each in of_kind(objects, "Secret")
    }
    scripted = {each["metadata"]["name"]: frozenset(each["data"]) for each in by_script("small")}
    return (made or _by_kafka(objects) | scripted) | _by_certificates(objects)


def labels(objects: Objects) -> Mapping[str, Labels]:
    """Return the labels that each Secret is made with, by the store's operator or the script."""
    by_store = of_kind(objects, "ExternalSecret")
    place = "spec.target.template.metadata.labels" if by_store else "metadata.labels"
    made = by_store or by_script("small")
    return {each["metadata"]["name"]: at(each, place) or {} for each in made}


def _by_kafka(objects: Objects) -> dict[str, Keys]:
    """Return what Strimzi makes; for another Kafka the same ones are asked for."""
    users = names_of(objects, "KafkaUser") or _WITHOUT_STRIMZI
    return dict.fromkeys(users, frozenset({"password", "sasl.jaas.config"})) | {
        "handoff-cluster-ca-cert": frozenset({"ca.crt", "ca.p12", "ca.password"})
    }


def _by_certificates(objects: Objects) -> dict[str, Keys]:
    names = {each["spec"]["secretName"] for each in of_kind(objects, "Certificate")}
    names |= {
        each["secretName"] for one in of_kind(objects, "Ingress") for each in one["spec"]["tls"]
    }
    return dict.fromkeys(names, frozenset({"tls.crt", "tls.key"}))


_WITHOUT_STRIMZI = {"marketing-intake", "lead-scoring", "sales-pipeline", "notifier", "operations"}
