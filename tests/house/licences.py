"""Under which licences the packages that Handoff runs on are, as their own metadata says."""

import re
from email.message import Message
from importlib.metadata import metadata

from packaging.licenses import InvalidLicenseExpression, canonicalize_license_expression

_BY_CLASSIFIER = {
    "License :: OSI Approved :: Apache Software License": "Apache-2.0",
    "License :: OSI Approved :: ISC License (ISCL)": "ISC",
    "License :: OSI Approved :: MIT License": "MIT",
    "License :: OSI Approved :: Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "License :: OSI Approved :: The Unlicense (Unlicense)": "Unlicense",
}
"""What older metadata says in words: those that name one licence. "BSD License" names four."""
_BY_TEXT = {"3-Clause BSD License": "BSD-3-Clause"}
"""What older metadata says in text of its own where no classifier says it better."""
_WORDS = {"AND", "OR", "WITH"}


class Unsaid(LookupError):
    """A package does not say which licence it is under."""


def of_package(name: str) -> str:
    """Return the SPDX expression of an installed package."""
    return of_metadata(metadata(name))


def of_metadata(found: Message) -> str:
    """Return the SPDX expression that metadata gives.

    The field that is made for it counts first, then older free text that happens to be one, then
    all classifiers together: which of them one may choose, they do not say. Known text comes last.

    Raises:
        Unsaid: neither says which licence it is.
    """
    for field in ("License-Expression", "License"):
        try:
            return canonicalize_license_expression(found.get(field, ""))
        except InvalidLicenseExpression:
            continue
    classifiers = found.get_all("Classifier", [])
    told = {_BY_CLASSIFIER[each] for each in classifiers if each in _BY_CLASSIFIER}
    if told:
        return " AND ".join(sorted(told))
    if found.get("License") in _BY_TEXT:
        return _BY_TEXT[found["License"]]
    raise Unsaid


def named_in(expression: str) -> set[str]:
    """Return every licence that an expression names, whether one may choose or not."""
    return set(re.findall(r"[\w.+-]+", expression)) - _WORDS
