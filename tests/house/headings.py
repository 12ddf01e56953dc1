"""The headings of a document, by which links lead into the middle of it."""

import re
from collections import Counter

_CODE = re.compile(r"^ *```.*?^ *```", re.MULTILINE | re.DOTALL)
_HEADING = re.compile(r"^#{1,6} +(.+?)[ #]*$", re.MULTILINE)
_LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")
_DROPPED = re.compile(r"[^\w\- ]")


def anchors(document: str) -> set[str]:
    """Return the anchors of a document's headings, as GitHub makes them.

    In small letters, without punctuation, with `-` for blanks; one that was there gets a number.
    """
    seen, found = Counter[str](), set[str]()
    for heading in _HEADING.findall(_CODE.sub("", document)):
        text = _LINK.sub(r"\1", heading).lower()
        anchor = _DROPPED.sub("", text).replace(" ", "-")
        found.add(f"{anchor}-{seen[anchor]}" if seen[anchor] else anchor)
        seen[anchor] += 1
    return found
