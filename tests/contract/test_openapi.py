"""The OpenAPI documents of the services are valid and complete: examples, errors, scopes."""

import json
from collections.abc import Iterator
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator
from tests.contract.artefacts.files import OPENAPI
from tests.contract.artefacts.openapi import SERVICES

DOCUMENTS = {service: json.loads((OPENAPI / f"{service}.json").read_text()) for service in SERVICES}
METHODS = {"get", "post", "put", "patch", "delete"}


def operations(service: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in DOCUMENTS[service]["paths"].items():
        for method, operation in methods.items():
            if method in METHODS:
                yield f"{method.upper()} {path}", operation


OPERATIONS = [
    pytest.param(operation, id=f"{service} {name}")
    for service in SERVICES
    for name, operation in operations(service)
]


@pytest.mark.parametrize("service", SERVICES)
def test_a_document_is_valid_openapi(service: str) -> None:
    OpenAPIV31SpecValidator(DOCUMENTS[service]).validate()


@pytest.mark.parametrize("service", SERVICES)
def test_no_two_operations_of_a_service_have_the_same_id(service: str) -> None:
    names = [operation["operationId"] for _, operation in operations(service)]

    assert len(names) == len(set(names)) > 0


@pytest.mark.parametrize("operation", OPERATIONS)
def test_an_operation_says_what_it_is_for(operation: dict[str, Any]) -> None:
    assert operation.get("summary")
    assert operation.get("description")


@pytest.mark.parametrize("operation", OPERATIONS)
def test_an_operation_shows_its_errors_as_problem_documents(operation: dict[str, Any]) -> None:
    errors = {status: answer for status, answer in operation["responses"].items() if status >= "4"}

    assert "503" in errors
    assert all("application/problem+json" in answer["content"] for answer in errors.values())


@pytest.mark.parametrize("operation", OPERATIONS)
def test_an_operation_that_needs_a_key_can_answer_that_it_is_not_the_right_one(
    operation: dict[str, Any],
) -> None:
    can_refuse = {"401", "403"} <= operation["responses"].keys()

    assert can_refuse is bool(operation.get("security"))
