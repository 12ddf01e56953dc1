"""All images that the node runs, in one archive: nothing is pulled there."""

from pathlib import Path

from tests.deploy import images
from tests.deploy.engine import Engine, an_engine
from tests.deploy.standins.making import make
from tests.deploy.standins.table import KAFKA, POSTGRES

PAUSE, BROKEN = "handoff/pause:tests", "handoff/notifier:broken"
_OURS = {"pause": PAUSE, "broken": BROKEN}


def save(archive: Path) -> None:
    """Build them, and write them to a file.

    Raises:
        Missing: there is no Docker engine to build them in.
    """
    with an_engine() as engine:
        images.build(engine)
        theirs = [make(image, engine) for image in (POSTGRES, KAFKA)]
        for target, tag in _OURS.items():
            _build(engine, target, tag)
        ours = [images.tag(target) for target in images.TARGETS]
        engine.docker("save", "--output", str(archive), *ours, *theirs, *_OURS.values())


def _build(engine: Engine, target: str, tag: str) -> None:
    here = Path(__file__).parent
    options = ("--quiet", "--file", str(here / "Dockerfile"), "--target", target)
    version = ("--build-arg", f"VERSION={images.VERSION}")
    engine.docker("build", *options, *version, "--tag", tag, str(here))
