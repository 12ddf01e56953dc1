"""Turns the entries of a score into JSON and back."""

from collections.abc import Iterable, Mapping
from typing import Any

from lead_scoring.domain.rating import Entry
from lead_scoring.domain.scorecard import Group
from shared.ids import read_id


def to_json(entries: Iterable[Entry]) -> list[dict[str, Any]]:
    """Return what is stored of entries, in their order."""
    return [
        {
            "code": entry.code,
            "text": entry.text,
            "points": entry.points,
            "group": entry.group.value,
            "event_id": str(entry.event_id),
        }
        for entry in entries
    ]


def from_json(stored: Iterable[Mapping[str, Any]]) -> tuple[Entry, ...]:
    """Return the entries that were stored."""
    return tuple(
        Entry(
            code=entry["code"],
            text=entry["text"],
            points=entry["points"],
            group=Group(entry["group"]),
            event_id=read_id(entry["event_id"]),
        )
        for entry in stored
    )
