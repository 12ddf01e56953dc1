"""A process has done what takes long before it listens."""

from typing import Any
from unittest.mock import patch

from fastapi import FastAPI

from shared import serving
from shared.process import ServiceSettings
from shared.web.app import Lifespan, create_app


def _settings() -> ServiceSettings:
    return ServiceSettings(
        database_url="postgresql://nobody@127.0.0.1:1/nothing", kafka_bootstrap="127.0.0.1:1"
    )


def _api(_settings: ServiceSettings, _engine: Any, lifespan: Lifespan) -> FastAPI:
    return create_app(service="tiny", version="1", routers=[], errors={}, lifespan=lifespan)


def test_nobody_waits_for_the_openapi_document_to_be_made() -> None:
    with patch.object(serving.server, "run") as run:
        serving.run("tiny", _settings(), _api)
    (app, *_), _ = run.call_args

    assert app.openapi_schema is not None
