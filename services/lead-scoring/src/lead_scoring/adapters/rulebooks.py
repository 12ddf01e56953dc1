"""Turns a rulebook into JSON and back: the form in which it is stored, and shown by the API."""

from collections.abc import Mapping
from typing import Any

from lead_scoring.domain.predicate import Operator, Predicate
from lead_scoring.domain.scorecard import Cuts, Group, Repeat, Rule, Rulebook

Json = Mapping[str, Any]


def to_json(book: Rulebook) -> dict[str, Any]:
    """Return what is stored of a rulebook."""
    return {
        "name": book.name,
        "threshold": book.threshold,
        "fit_cuts": _cuts_to_json(book.fit_cuts),
        "engagement_cuts": _cuts_to_json(book.engagement_cuts),
        "rules": [_rule_to_json(rule) for rule in book.rules],
    }


def from_json(stored: Json) -> Rulebook:
    """Return the rulebook; what is stored was checked before."""
    return Rulebook(
        name=stored["name"],
        threshold=stored["threshold"],
        fit_cuts=Cuts(*stored["fit_cuts"]),
        engagement_cuts=Cuts(*stored["engagement_cuts"]),
        rules=tuple(_rule_from_json(rule) for rule in stored["rules"]),
    )


def _cuts_to_json(cuts: Cuts) -> list[int]:
    return [cuts.first, cuts.second, cuts.third]


def _rule_to_json(rule: Rule) -> dict[str, Any]:
    return {
        "code": rule.code,
        "text": rule.text,
        "group": rule.group.value,
        "points": rule.points,
        "when": [
            {"field": p.field, "operator": p.operator.value, "value": list(p.values)}
            for p in rule.when
        ],
        "repeat": rule.repeat.value,
        "max_times": rule.max_times,
    }


def _rule_from_json(rule: Json) -> Rule:
    return Rule(
        code=rule["code"],
        text=rule["text"],
        group=Group(rule["group"]),
        points=rule["points"],
        when=tuple(_predicate_from_json(predicate) for predicate in rule["when"]),
        repeat=Repeat(rule["repeat"]),
        max_times=rule["max_times"],
    )


def _predicate_from_json(predicate: Json) -> Predicate:
    return Predicate(predicate["field"], Operator(predicate["operator"]), tuple(predicate["value"]))
