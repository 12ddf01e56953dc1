"""The script makes just the Secrets that an installation asks for, and so do External Secrets."""

import base64
from typing import Any
from urllib.parse import urlsplit

import pytest
from tests.deploy import product
from tests.deploy.objects import Object, of_kind
from tests.deploy.rendering import INSTALLATIONS, objects_of
from tests.deploy.supplied import by_script

_OVERLAYS = ("small", "production")


def data(secret: Object) -> dict[str, str]:
    """Return what a Secret holds."""
    return {key: base64.b64decode(value).decode() for key, value in secret["data"].items()}


def made(overlay: str) -> dict[str, dict[str, str]]:
    """Return what the script makes, by name."""
    return {each["metadata"]["name"]: data(each) for each in by_script(overlay)}


def installation(name: str) -> list[Object]:
    """Return the objects of an installation."""
    return objects_of(next(each for each in INSTALLATIONS if each.name == name))


@pytest.mark.parametrize("overlay", _OVERLAYS)
def test_each_service_gets_the_address_of_its_own_database(overlay: str) -> None:
    clusters = {each["metadata"]["name"] for each in of_kind(installation(overlay), "Cluster")}

    for name, package in product.PACKAGES.items():
        secret = made(overlay)[f"{name}-database"]
        parts = urlsplit(secret["uri"])

        assert (parts.scheme, parts.port, parts.path) == ("postgresql", 5432, f"/{package}")
        assert (parts.username, parts.password) == (secret["username"], secret["password"])
        assert secret["username"] == package
        assert str(parts.hostname).removesuffix("-rw") in clusters


@pytest.mark.parametrize("overlay", _OVERLAYS)
def test_operations_gets_the_same_databases_as_itself(overlay: str) -> None:
    secret = made(overlay)["operations-database"]

    for name in product.NAMES:
        its = urlsplit(made(overlay)[f"{name}-database"]["uri"])
        parts = urlsplit(secret[name])

        assert (parts.hostname, parts.path) == (its.hostname, its.path)
        assert (parts.username, parts.password) == ("operations", secret["password"])


def test_no_two_passwords_are_the_same_and_none_is_short() -> None:
    words = [secret[key] for secret in made("small").values() for key in ("password", "secret")
             if key in secret]  # fmt: skip

    assert len({*words}) == len(words) == 6
    assert min(map(len, words)) >= 32


def test_external_secrets_are_those_of_the_script() -> None:
    found = of_kind(installation("production, external-secrets"), "ExternalSecret")
    scripted: dict[str, Any] = {each["metadata"]["name"]: each for each in by_script("small")}

    assert {each["metadata"]["name"] for each in found} == set(scripted)
    for each in found:
        name = each["metadata"]["name"]
        asked = each["spec"].get("target", {}).get("template", {})

        assert asked.get("type", "Opaque") == scripted[name]["type"]
        assert asked.get("metadata", {}).get("labels", {}) == scripted[name]["metadata"]["labels"]
        assert each["spec"]["dataFrom"] == [{"extract": {"key": f"handoff/{name}"}}]


def test_a_laptop_has_the_same_secrets_with_the_same_keys() -> None:
    known = {name: set(content) for name, content in made("small").items()}

    for each in of_kind(installation("local"), "Secret"):
        name = each["metadata"]["name"].rpartition("-")[0]
        if name != "postgres":  # its superuser, whom CloudNativePG needs no password for
            assert set(each["data"]) == known[name]
