"""Gets what operators release of their own kinds: definitions (CRDs) that an API server takes."""

import hashlib
import json
import os
import re
import shutil
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml
from tests.deploy.apiserver.building import go
from tests.deploy.kept import made
from tests.deploy.rendering import INSTALLATIONS, objects_of
from tests.deploy.versions import CORE, versions

from handoff.embedded.machine import Missing, find_maven
from handoff.embedded.tool import run_tool

Kind = tuple[str, str]
"""A group of the API, and a kind in it."""

MODULES = {  # of Go: which of them, and the folder in it
    "barman-cloud-plugin": ("github.com/cloudnative-pg/plugin-barman-cloud", "config/crd/bases"),
    "cert-manager": ("github.com/cert-manager/cert-manager", "deploy/crds"),
    "cloudnative-pg": ("github.com/cloudnative-pg/cloudnative-pg", "config/crd/bases"),
    "external-secrets": ("github.com/external-secrets/external-secrets", "config/crds/bases"),
    "gateway-api": ("sigs.k8s.io/gateway-api", "config/crd/standard"),
    "keda": ("github.com/kedacore/keda/v2", "config/crd/bases"),
    "prometheus-operator": (
        "github.com/prometheus-operator/prometheus-operator",
        "example/prometheus-operator-crd",
    ),
}
_POM = Path(__file__).parent / "source" / "strimzi" / "pom.xml"
_MODEL = "io.strimzi.api.kafka.model"
_CLASSES = ("kafka.Kafka", "nodepool.KafkaNodePool", "topic.KafkaTopic", "user.KafkaUser")
_PRINT = (
    *("io.strimzi.crdgenerator.CrdGenerator", "--yaml", "--target-kube", "1.25+"),
    *("--crd-api-version", "v1", "--api-versions", "v1", "--storage-version", "v1"),
)
_JAVA_FOR_STRIMZI = 21


@cache
def kinds() -> frozenset[Kind]:
    """Return the kinds of operators that our manifests have."""
    used = (each for installation in INSTALLATIONS for each in objects_of(installation))
    return frozenset(
        (each["apiVersion"].partition("/")[0], each["kind"])
        for each in used
        if each["apiVersion"] not in CORE
    )


async def definitions() -> Path:
    """Return the directory of the definitions of those kinds, got first if need be.

    Raises:
        Missing: there is no Go, no Maven or no Java to get them with.
    """
    asked = repr((versions()["operators"], sorted(kinds()), MODULES, _PRINT, _POM.read_text()))
    return await made(f"kubernetes/definitions-{_digest(asked)}", _get)


async def _get(target: Path) -> None:
    found, folders = set[Kind](), [_folder(operator) for operator in MODULES]
    with TemporaryDirectory() as scratch:
        _print_strimzis(Path(scratch))
        for folder in (*folders, Path(scratch)):
            for path in folder.glob("*.yaml"):
                if wanted := set(_defined(path)) & kinds():
                    shutil.copyfile(path, target / path.name)
                    found |= wanted
    if missing := sorted(kinds() - found):
        raise LookupError(f"no operator of deploy/versions.yaml defines {missing}")


def _folder(operator: str) -> Path:
    """Return where Go's cache has the definitions of an operator."""
    module, folder = MODULES[operator]
    version = f"v{versions()['operators'][operator]['version']}"
    with TemporaryDirectory() as nowhere:  # in no module, whose packages would have a say
        told = run_tool(go(), "mod", "download", "-json", f"{module}@{version}",
                        directory=Path(nowhere))  # fmt: skip
    return Path(json.loads(told[told.index("{") :])["Dir"]) / folder


def _print_strimzis(target: Path) -> None:
    java, maven = _java(), find_maven(os.environ)
    version = versions()["operators"]["strimzi"]["version"]
    with TemporaryDirectory() as jars:
        goal = ("dependency:copy-dependencies", f"-DoutputDirectory={jars}")
        run_tool(str(maven), "-q", "-B", "-f", str(_POM), f"-Dstrimzi.version={version}", *goal)
        asked = (f"{_MODEL}.{name}={target / name}.yaml" for name in _CLASSES)
        run_tool(java, "-cp", f"{jars}/*", *_PRINT, *asked)


def _java() -> str:
    """Return the first Java for which Strimzi's classes are not too new."""
    on_path = filter(None, [shutil.which("java")])
    for java in (*on_path, *map(str, Path("/usr/lib/jvm").glob("*/bin/java"))):
        version = re.search(r'version "(\d+)', run_tool(java, "-version"))
        if version and int(version[1]) >= _JAVA_FOR_STRIMZI:
            return java
    raise Missing(f"Java {_JAVA_FOR_STRIMZI} or newer is needed to print Strimzi's definitions.")


def _defined(path: Path) -> Iterator[Kind]:
    """Give the kinds that a file defines; what else is in it is the API server's to read."""
    for each in yaml.load_all(path.read_text(), yaml.CBaseLoader):
        if each and each["kind"] == "CustomResourceDefinition":
            yield each["spec"]["group"], each["spec"]["names"]["kind"]


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]
