"""What is generated under `docs/` says what the code says now."""

import pytest
from tests.contract.artefacts import files

WANTED = files.wanted()


@pytest.mark.parametrize("path", sorted(WANTED), ids=lambda path: str(path.relative_to(files.ROOT)))
def test_a_generated_file_is_current(path: files.Path) -> None:
    assert path.exists(), "run `make contracts`"
    assert path.read_text() == WANTED[path], "run `make contracts`"


def test_no_generated_file_is_left_over() -> None:
    assert files.present() - WANTED.keys() == set(), "run `make contracts`"
