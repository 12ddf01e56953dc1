"""Whoever runs Handoff may do with all of it what its own licence, Apache-2.0, lets them do.

The list holds licences that ask for no more than to be named. What asks for more is an exception,
with the reason why it may be there; what is only run by tests is nobody's to pass on.
"""

from email.message import Message

import pytest
from tests.house import licences
from tests.house.locked import RUN, versions

ALLOWED = {
    "0BSD",
    "Apache-2.0",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "ISC",
    "MIT",
    "PSF-2.0",
    "Unlicense",
}
EXCEPTIONS = {
    "certifi": (
        "MPL-2.0",
        "its own files stay under it and are used as they are; it asks nothing of ours",
    ),
    "orjson": (
        "MPL-2.0 AND (Apache-2.0 OR MIT)",
        "its own files stay under it and are used as they are; it asks nothing of ours",
    ),
}


def told(**fields: str) -> Message:
    """Return metadata that tells this, and a name."""
    found = Message()
    found["Name"] = "something"
    for field, value in fields.items():
        found[field.replace("_", "-")] = value
    return found


@pytest.mark.parametrize("package", sorted(versions(RUN)))
def test_a_package_that_runs_is_under_a_licence_that_goes_with_ours(package: str) -> None:
    expression = licences.of_package(package)
    excepted, _ = EXCEPTIONS.get(package, ("", ""))

    assert expression == excepted or licences.named_in(expression) <= ALLOWED, expression


def test_an_exception_is_still_needed() -> None:
    needed = {
        package: licences.of_package(package)
        for package in versions(RUN)
        if not licences.named_in(licences.of_package(package)) <= ALLOWED
    }

    assert needed == {package: expression for package, (expression, _) in EXCEPTIONS.items()}


@pytest.mark.parametrize(
    ("metadata", "expression"),
    [
        (told(License_Expression="MIT"), "MIT"),
        (told(License_Expression="mit or apache-2.0"), "MIT OR Apache-2.0"),
        (told(License="bsd-3-clause"), "BSD-3-Clause"),
        (told(License="Apache 2", Classifier="License :: OSI Approved :: Apache Software License"),
         "Apache-2.0"),
        (told(License="3-Clause BSD License", Classifier="Topic :: Internet"), "BSD-3-Clause"),
        (told(License_Expression="GPL-3.0-only", License="MIT"), "GPL-3.0-only"),
    ],
)  # fmt: skip
def test_a_licence_is_read_wherever_metadata_tells_it(metadata: Message, expression: str) -> None:
    assert licences.of_metadata(metadata) == expression


@pytest.mark.parametrize(
    "metadata",
    [
        told(),
        told(License="BSD", Classifier="License :: OSI Approved :: BSD License"),
        told(License="see the file LICENSE", Classifier="License :: Other/Proprietary License"),
    ],
)
def test_where_no_licence_is_told_none_is_guessed(metadata: Message) -> None:
    with pytest.raises(licences.Unsaid):
        licences.of_metadata(metadata)


@pytest.mark.parametrize(
    "expression",
    ["GPL-3.0-only", "AGPL-3.0-or-later", "MIT AND LGPL-2.1-only", "MIT OR GPL-2.0-only",
     "GPL-2.0-only WITH Classpath-exception-2.0", "BUSL-1.1", "SSPL-1.0"],
)  # fmt: skip
def test_what_asks_for_more_than_to_be_named_needs_an_exception(expression: str) -> None:
    assert not licences.named_in(expression) <= ALLOWED
