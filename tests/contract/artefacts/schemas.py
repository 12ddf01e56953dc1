"""JSON Schema of each event, in each version, as its speaker writes it.

What is optional is absent on the wire, never null, so the schemas know no null. Hearers take more
than this: they ignore fields that they do not know.
"""

from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema
from typing_extensions import override

from shared.contracts.envelope import dataschema
from shared.contracts.event import Event


class WireSchema(GenerateJsonSchema):
    """Pydantic's schema without nulls, and without titles that repeat the field's name."""

    @override
    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    @override
    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        found = super().default_schema(schema)
        return {key: value for key, value in found.items() if (key, value) != ("default", None)}

    @override
    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


def schema_of(event: type[Event]) -> dict[str, Any]:
    """Return the schema under the id that `ce_dataschema` names."""
    return {
        "$schema": WireSchema.schema_dialect,
        "$id": dataschema(event.kind, event.version),
        **event.model_json_schema(schema_generator=WireSchema),
    }
