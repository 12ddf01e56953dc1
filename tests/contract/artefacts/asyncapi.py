"""The AsyncAPI 3 document: topics, who says and who hears what on them, headers, examples.

It is made from `catalogue.TOPICS` and the events' schemas, to which it refers.
"""

from typing import Any

from tests.contract.artefacts.samples import SAMPLES, full

from shared.contracts.catalogue import PARTITIONS, RETENTION_DAYS, TOPICS, Topic
from shared.contracts.envelope import dataschema
from shared.contracts.event import Event

_TEXT = {"type": "string"}
_UUID = {"type": "string", "format": "uuid"}
_BINDING = "0.5.0"


def document(version: str) -> dict[str, Any]:
    """Return the document; `version` is that of the contracts, which are released together."""
    events = [event for topic in TOPICS for event in topic.events]
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Handoff",
            "version": version,
            "description": "What Handoff's services say to each other, over Kafka.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "channels": {_channel_name(topic): _channel(topic) for topic in TOPICS},
        "operations": {name: made for topic in TOPICS for name, made in _operations(topic)},
        "components": {
            "messages": {event.__name__: _message(event) for event in events},
            "schemas": {"Headers": _headers()},
        },
    }


def _channel_name(topic: Topic) -> str:
    return topic.name.split(".")[1]


def _channel(topic: Topic) -> dict[str, Any]:
    return {
        "address": topic.name,
        "description": f"Said by {topic.publisher} alone; heard by {', '.join(topic.hearers)}.",
        "messages": {
            event.__name__: {"$ref": f"#/components/messages/{event.__name__}"}
            for event in topic.events
        },
        "bindings": {
            "kafka": {
                "topic": topic.name,
                "partitions": PARTITIONS,
                "topicConfiguration": {
                    "cleanup.policy": ["delete"],
                    "retention.ms": RETENTION_DAYS * 24 * 60 * 60 * 1000,
                },
                "bindingVersion": _BINDING,
            }
        },
    }


def _operations(topic: Topic) -> list[tuple[str, dict[str, Any]]]:
    speaker = (f"{topic.publisher}.says.{_channel_name(topic)}", _operation(topic, "send"))
    hearers = [
        (f"{hearer}.hears.{_channel_name(topic)}", _operation(topic, "receive", hearer))
        for hearer in topic.hearers
    ]
    return [speaker, *hearers]


def _operation(topic: Topic, action: str, hearer: str | None = None) -> dict[str, Any]:
    channel = f"#/channels/{_channel_name(topic)}"
    operation: dict[str, Any] = {
        "action": action,
        "channel": {"$ref": channel},
        "tags": [{"name": hearer or topic.publisher}],
        "messages": [{"$ref": f"{channel}/messages/{event.__name__}"} for event in topic.events],
    }
    if hearer:
        group = {"type": "string", "const": hearer}
        operation["bindings"] = {"kafka": {"groupId": group, "bindingVersion": _BINDING}}
    return operation


def _message(event: type[Event]) -> dict[str, Any]:
    sample = next(sample for sample in SAMPLES if type(sample) is event)
    return {
        "name": event.wire_type(),
        "title": event.__name__,
        "summary": (event.__doc__ or "").splitlines()[0],
        "contentType": "application/json",
        "correlationId": {"location": "$message.header#/ce_correlationid"},
        "headers": {
            "allOf": [
                {"$ref": "#/components/schemas/Headers"},
                {
                    "properties": {
                        "ce_type": {"const": event.wire_type()},
                        "ce_dataschema": {"const": dataschema(event.kind, event.version)},
                    }
                },
            ]
        },
        "payload": {"$ref": f"./schemas/{event.kind}/{event.version}.json"},
        "bindings": {"kafka": {"key": _UUID, "bindingVersion": _BINDING}},
        "examples": [{"name": "full", "payload": full(sample)}],
    }


def _headers() -> dict[str, Any]:
    described = {
        "ce_specversion": {"const": "1.0"},
        "ce_id": {
            **_UUID,
            "description": "The event's own id; the same whenever it is sent again.",
        },
        "ce_source": {
            **_TEXT,
            "format": "uri-reference",
            "description": "The service that said it.",
        },
        "ce_type": {**_TEXT, "description": "The kind of event and its version."},
        "ce_subject": {**_UUID, "description": "Whose order it keeps: the lead, or the rep."},
        "ce_time": {**_TEXT, "format": "date-time", "description": "When it was said."},
        "ce_partitionkey": {**_UUID, "description": "The subject, which is the record's key too."},
        "ce_sequence": {
            **_TEXT,
            "pattern": "^[1-9][0-9]*$",
            "description": "1, 2, 3 … per topic and subject: what was missed can be seen.",
        },
        "ce_dataschema": {**_TEXT, "format": "uri", "description": "The id of the value's schema."},
        "ce_correlationid": {**_UUID, "description": "The story it belongs to."},
        "content-type": {"const": "application/json"},
    }
    optional = {
        "ce_causationid": {**_UUID, "description": "The event that led to it."},
        "traceparent": {**_TEXT, "description": "W3C Trace Context of the request that began it."},
        "handoff_blank": {
            "enum": ["erased", "discarded"],
            "description": "Why there is no value: hearers only advance.",
        },
    }
    return {"type": "object", "required": list(described), "properties": described | optional}
