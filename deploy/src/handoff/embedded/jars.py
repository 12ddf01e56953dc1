"""Gets Kafka's jars through Maven, once per version, into a cache that all clones share."""

import fcntl
import shutil
import tempfile
import xml.etree.ElementTree as ET
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path

from handoff.embedded.machine import find_maven
from handoff.embedded.tool import run_tool

_NAMESPACE = {"m": "http://maven.apache.org/POM/4.0.0"}


def kafka_version(pom: Path) -> str:
    """Return the Kafka version that a `pom.xml` pins."""
    path = "m:dependencies/m:dependency[m:artifactId='kafka-tools']/m:version"
    version = ET.parse(pom).findtext(path, namespaces=_NAMESPACE)  # noqa: S314  our file
    if version is None:
        raise ValueError(f"{pom} names no version of kafka-tools")
    return version


def jars_place(pom: Path, environ: Mapping[str, str]) -> Path:
    """Return where the jars of the pinned version are kept, whether they are there or not."""
    cache = environ.get("XDG_CACHE_HOME") or str(Path.home() / ".cache")
    return Path(cache) / "handoff" / f"kafka-{kafka_version(pom)}"


def ensure_jars(pom: Path, environ: Mapping[str, str]) -> Path:
    """Return the directory of the jars, getting them first if need be (seconds to a minute).

    Raises:
        Missing: there is no Maven.
        ToolFailed: Maven failed.
    """
    place = jars_place(pom, environ)
    with _alone(place):
        if not place.exists():
            _download(find_maven(environ), pom, place)
    return place


@contextmanager
def _alone(place: Path) -> Generator[None]:
    """Keep a second run from getting the same jars at the same time."""
    place.parent.mkdir(parents=True, exist_ok=True)
    with place.with_name(f"{place.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _download(maven: Path, pom: Path, place: Path) -> None:
    unfinished = Path(tempfile.mkdtemp(prefix=f"{place.name}-", dir=place.parent))
    goal = ("dependency:copy-dependencies", f"-DoutputDirectory={unfinished}")
    options = ("-q", "-B", "-f", str(pom), "-DincludeScope=runtime")
    try:
        run_tool(str(maven), *options, *goal)
        unfinished.chmod(0o755)
        unfinished.rename(place)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
