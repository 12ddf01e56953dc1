"""The version of the code that runs: readable, and another one as soon as a byte is another."""

import sys
from pathlib import Path

import pytest

from shared import code


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A service that is installed here as 1.2.3, with one module."""
    root = tmp_path / "some_service"
    root.mkdir()
    (root / "__init__.py").write_text("")
    (root / "rules.py").write_text("LIMIT = 1\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(code, "version", lambda _name: "1.2.3")
    return root


@pytest.fixture(autouse=True)
def _forget() -> None:
    sys.modules.pop("some_service", None)


def test_it_begins_with_the_version_of_the_package(package: Path) -> None:
    del package
    assert code.version_of("some-service").startswith("1.2.3+")


def test_the_same_files_are_the_same_version(package: Path) -> None:
    before = code.version_of("some-service")
    (package / "__pycache__").mkdir()
    (package / "__pycache__" / "rules.cpython-311.pyc").write_bytes(b"compiled")

    assert code.version_of("some-service") == before


def test_a_fix_is_another_version(package: Path) -> None:
    before = code.version_of("some-service")
    (package / "rules.py").write_text("LIMIT = 2\n")

    assert code.version_of("some-service") != before


def test_a_module_that_is_moved_is_another_version(package: Path) -> None:
    before = code.version_of("some-service")
    (package / "rules.py").rename(package / "limits.py")

    assert code.version_of("some-service") != before


def test_what_is_not_there_has_no_version() -> None:
    with pytest.raises(ModuleNotFoundError, match="no_such_service"):
        code.version_of("no-such-service")
