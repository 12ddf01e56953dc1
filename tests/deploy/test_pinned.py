"""An overlay that takes in what a release says of its images runs just those."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from tests.deploy.objects import pods
from tests.deploy.pinned import PINNED, RELEASED, component
from tests.deploy.readme import README, examples
from tests.deploy.rendering import build, copied

_MIRROR = "registry.example.com/handoff"


def images_of(folder: Path, kustomization: dict[str, Any]) -> set[str]:
    """Return the images that an overlay runs which has the component beside it."""
    place = copied(folder, kustomization)
    (place / "images").mkdir()
    (place / "images" / "kustomization.yaml").write_text(component())
    objects = [each for each in yaml.safe_load_all(build(place)) if each]
    return {each["image"] for pod in pods(objects) for each in pod.containers}


@pytest.mark.parametrize("overlay", ["small", "production"])
def test_an_overlay_runs_what_a_release_pins(overlay: str, tmp_path: Path) -> None:
    whole = {**examples()[0], "resources": [f"../{overlay}"], "components": ["images"]}

    assert images_of(tmp_path, {**whole, "images": [], "patches": []}) == {*RELEASED.values()}


def test_a_copy_in_a_registry_of_ones_own_is_pinned_by_the_same_digests(tmp_path: Path) -> None:
    own = [
        {"name": image.partition("@")[0], "newName": f"{_MIRROR}/{target}"}
        for target, image in RELEASED.items()
    ]
    whole = {**examples()[0], "components": ["images"], "images": own, "patches": []}

    assert images_of(tmp_path, whole) == {f"{_MIRROR}/{target}@{PINNED}" for target in RELEASED}


def test_the_readme_says_where_what_a_release_pins_goes() -> None:
    assert "`images.yaml`" in README
    assert "`overlays/ours/images/kustomization.yaml`" in README
