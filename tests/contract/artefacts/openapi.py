"""The OpenAPI document of each service, made from its app; no database is asked anything."""

from dataclasses import fields
from importlib import import_module
from typing import Any

from fastapi import FastAPI
from sqlalchemy.ext.asyncio import create_async_engine

from shared.contracts.catalogue import INTAKE, NOTIFIER, PIPELINE, SCORING
from shared.web.keys import Keyring

SERVICES = (INTAKE, SCORING, PIPELINE, NOTIFIER)


def document(service: str) -> dict[str, Any]:
    """Return the document of the service of that name."""
    return app_of(service).openapi()


def app_of(service: str) -> FastAPI:
    """Build the app around nothing: its routes hold what they are given, and are not called."""
    entrypoints = f"{service.replace('-', '_')}.entrypoints"
    context = import_module(f"{entrypoints}.context").Context
    keyring = Keyring(create_async_engine("postgresql+asyncpg://"))
    parts = dict.fromkeys((field.name for field in fields(context)), None) | {"keyring": keyring}
    app: FastAPI = import_module(f"{entrypoints}.api").build_api(context(**parts))
    return app
