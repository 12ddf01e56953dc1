"""The names that merges made aliases, and about whom something was that was said by one of them.

Topics overtake each other: what is said of a survivor may be heard before the merge is, and what
was said of an alias long after it. What tells them apart is the lead's version on every event: that
of a merge is above all that there was of either lead before.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from shared.ids import LeadId, read_id


@dataclass(frozen=True, slots=True)
class Alias:
    """A name that leads to another one since that one's `version`."""

    of: LeadId
    version: int


def is_about(
    name: LeadId, *, said_of: LeadId, version: int, aliases: Mapping[LeadId, Alias]
) -> bool:
    """Tell whether what was said of one name, in this version, is about what another name has.

    A survivor speaks for its aliases from the merge on; an alias never speaks for its survivor.
    """
    since = 0
    while name != said_of:
        if name not in aliases:
            return False
        name, since = aliases[name].of, aliases[name].version
    return since <= version


def to_json(aliases: Mapping[LeadId, Alias]) -> dict[str, tuple[str, int]]:
    """Return them as they are stored."""
    return {str(name): (str(alias.of), alias.version) for name, alias in aliases.items()}


def from_json(stored: Mapping[str, tuple[str, int]]) -> dict[LeadId, Alias]:
    """Return them as they were before they were stored."""
    return {
        LeadId(read_id(name)): Alias(LeadId(read_id(of)), version)
        for name, (of, version) in stored.items()
    }
