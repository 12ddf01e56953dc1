"""Makes the stand-in images: `python -m tests.deploy.standins.making`, a minute each, then kept.

`mmdebstrap` unpacks Debian's packages into an archive, which is kept in the cache by what it was
made of; `docker import` makes an image of it. Wants root, as the engine does.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

from tests.deploy.engine import Engine
from tests.deploy.kept import cache
from tests.deploy.standins.table import ALL, KAFKA, StandIn

from handoff.embedded.jars import ensure_jars
from handoff.embedded.machine import Missing
from handoff.layout import find_layout

_TRUST = Path("/etc/ssl/certs/ca-certificates.crt")
_LABEL = "handoff.stand-in"
_SWEEP = 'rm -rf "$1"/usr/share/doc "$1"/usr/share/man "$1"/usr/share/info "$1"/usr/share/locale'
_OPTIONS = (
    *("--quiet", "--variant=minbase", "--dpkgopt=force-confold"),
    '--aptopt=Acquire::Check-Valid-Until "false"',  # a mirror may be days behind
    "--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr",
)
# It says that /usr is merged from the start; the package that merges it would bring all of Perl.
_ALWAYS = ("usr-is-merged",)


def make(image: StandIn, engine: Engine) -> str:
    """Give the engine an image that it lacks; return its tag.

    The official one where HANDOFF_PULL says that a registry can be asked, else the stand-in.

    Raises:
        Missing: this machine cannot make it.
    """
    if _is_there(image, engine):
        return image.tag
    if os.environ.get("HANDOFF_PULL") and engine.attempt("pull", image.tag).returncode == 0:
        return image.tag
    if not shutil.which("mmdebstrap") or os.geteuid() != 0:
        raise Missing(f"no {image.tag}: HANDOFF_PULL=1 fetches it; root and mmdebstrap can make it")
    changes = [part for change in image.changes for part in ("--change", change)]
    labelled = (*changes, "--change", f"LABEL {_LABEL}={_digest(image)}")
    engine.docker("import", *labelled, str(archive(image)), image.tag)
    return image.tag


def archive(image: StandIn) -> Path:
    """Return the root file system as an archive, made first if need be."""
    unpacked = replace(image, changes=())
    place = cache() / "standins" / f"{image.tag.replace('/', '-')}-{_digest(unpacked)}.tar"
    if not place.exists():
        place.parent.mkdir(parents=True, exist_ok=True)
        unfinished = place.with_suffix(".new.tar")
        _run("nice", "mmdebstrap", *_options(image), image.suite, str(unfinished))
        unfinished.rename(place)
    return place


def _options(image: StandIn) -> list[str]:
    files = {**image.files, **_jars(image), **_trust(image)}
    installs = [
        f'install -D -m 0755 {path} "$1{target}"'
        if path.is_file()
        else f'mkdir -p "$1{target}" && cp {path}/* "$1{target}"'
        for path, target in files.items()
    ]
    return [
        *_OPTIONS,
        f"--include={','.join((*_ALWAYS, *image.packages))}",
        *(f"--essential-hook={command}" for command in image.before),
        *(f"--customize-hook={command}" for command in (*installs, *image.after, _SWEEP)),
    ]


def _jars(image: StandIn) -> dict[Path, str]:
    if image is not KAFKA:
        return {}
    pom = find_layout(os.environ).kafka_pom
    return {ensure_jars(pom, os.environ): "/opt/kafka/libs"}


def _trust(image: StandIn) -> dict[Path, str]:
    """Let pip trust inside whom it trusts outside: some have an authority of their own."""
    if not image.trusts or not _TRUST.exists():
        return {}
    settings = cache() / "standins" / "pip.conf"
    settings.parent.mkdir(parents=True, exist_ok=True)
    settings.write_text(f"[global]\ncert = {_TRUST}\n")
    return {_TRUST: str(_TRUST), settings: "/etc/pip.conf"}


def _digest(image: StandIn) -> str:
    made_of = repr((replace(image, files={}), _OPTIONS, _ALWAYS, _SWEEP)) + "".join(
        file.read_text() for file in image.files
    )
    return hashlib.sha256(made_of.encode()).hexdigest()[:12]


def _is_there(image: StandIn, engine: Engine) -> bool:
    """Tell whether the engine has it: the official one, or this very stand-in."""
    form = f'{{{{index .Config.Labels "{_LABEL}"}}}}'
    told = engine.attempt("image", "inspect", "--format", form, image.tag)
    return told.returncode == 0 and told.stdout.strip() in {"", "<no value>", _digest(image)}


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    if done.returncode:
        raise RuntimeError(f"{' '.join(command[:3])} failed:\n{done.stderr[-2000:]}")


if __name__ == "__main__":
    sys.stdout.writelines(f"{make(image, Engine(os.environ))}\n" for image in ALL)
