"""Wires the pipeline by hand: what its API and its worker are made of; builds nothing at import."""

from fastapi import FastAPI
from sqlalchemy.ext.asyncio import AsyncEngine

from sales_pipeline.config import Settings
from sales_pipeline.entrypoints.api import SERVICE, build_api
from sales_pipeline.entrypoints.context import Context
from sales_pipeline.entrypoints.recalling import recall
from sales_pipeline.entrypoints.worker import PipelineHearer
from shared.code import version_of
from shared.messaging.worker import Worker
from shared.process import Service
from shared.telemetry.heartbeat import Heartbeats
from shared.web.app import Lifespan
from shared.web.keys import Keyring


def pipeline() -> Service[Settings]:
    """Return the service, for `shared.process` to run."""
    return Service(name=SERVICE, settings=_settings, api=make_api, worker=make_worker)


def make_api(_settings: Settings, engine: AsyncEngine, lifespan: Lifespan) -> FastAPI:
    """Return what answers HTTP."""
    return build_api(Context(engine=engine, keyring=Keyring(engine)), lifespan)


def make_worker(settings: Settings, engine: AsyncEngine, heartbeats: Heartbeats) -> Worker:
    """Return what hears, opens deals and says so."""
    return Worker(
        engine=engine,
        settings=settings,
        service=SERVICE,
        version=version_of(SERVICE),
        heartbeats=heartbeats,
        hearer=PipelineHearer(),
        recall=recall,
    )


def _settings() -> Settings:
    return Settings()  # pyright: ignore[reportCallIssue]  pydantic reads the environment
