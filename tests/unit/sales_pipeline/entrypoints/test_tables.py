"""The two tables at the edges leave nothing out: what is heard, and which answer a rule has."""

import importlib
import pkgutil

import pytest
from fastapi import FastAPI
from openapi_spec_validator import validate

import sales_pipeline
from sales_pipeline.entrypoints.api import ERRORS, build_api
from sales_pipeline.entrypoints.context import Context
from sales_pipeline.entrypoints.worker import SUBSCRIPTIONS
from sales_pipeline.service import SERVICE
from shared import limits
from shared.contracts.catalogue import TOPICS
from shared.contracts.lead import LeadErased
from shared.database.engine import open_engine
from shared.settings import DatabaseSettings
from shared.web.keys import Keyring


@pytest.fixture
def app() -> FastAPI:
    """The API on a database that is never asked."""
    settings = DatabaseSettings(database_url="postgresql://nobody@127.0.0.1:1/none")
    engine = open_engine(settings, limits.API)
    return build_api(Context(engine=engine, keyring=Keyring(engine)))


def test_every_event_on_a_topic_that_is_heard_has_its_use_case() -> None:
    heard = {event for topic in TOPICS if SERVICE in topic.hearers for event in topic.events}

    assert set(SUBSCRIPTIONS) == heard - {LeadErased}


def test_every_rule_that_can_be_broken_has_its_answer() -> None:
    modules = pkgutil.walk_packages(sales_pipeline.__path__, "sales_pipeline.")
    names = [m.name for m in modules if ".migrations" not in m.name]
    rules = {
        thing
        for name in names
        for thing in vars(importlib.import_module(name)).values()
        if isinstance(thing, type)
        and issubclass(thing, Exception)
        and thing.__module__.startswith("sales_pipeline")
    }

    assert set(ERRORS) == rules


def test_no_two_rules_have_one_name() -> None:
    slugs = [kind.slug for kind in ERRORS.values()]

    assert len(set(slugs)) == len(slugs)


def test_the_openapi_document_is_valid_and_describes_bodies_and_refusals(app: FastAPI) -> None:
    document = app.openapi()

    validate(document)
    win = document["paths"]["/v1/deals/{deal_id}/win"]["post"]
    assert win["requestBody"]["content"]["application/json"]["schema"]["$ref"].endswith("/Win")
    assert {"200", "401", "403", "404", "409", "422", "503"} <= win["responses"].keys()
