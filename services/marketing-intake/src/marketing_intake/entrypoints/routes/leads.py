"""Known leads: found, shown, told of their consent, merged, and erased."""

from dataclasses import replace
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Query
from sqlalchemy.ext.asyncio import AsyncConnection
from starlette.responses import Response

from marketing_intake.adapters import erasing
from marketing_intake.adapters.phones import to_e164
from marketing_intake.domain.lead import LeadNotFound
from marketing_intake.domain.values import email_of
from marketing_intake.entrypoints.context import Context
from marketing_intake.entrypoints.known import act_on, erase_person, merge
from marketing_intake.entrypoints.models import ConsentChange, Merge
from marketing_intake.queries import leads as shown
from marketing_intake.queries.leads import ConsentRecord, LeadDetail, LeadFilter, LeadRecord
from marketing_intake.usecases.change_consent import ChangeConsent, change_consent
from shared.messaging import erasure
from shared.web import faults
from shared.web.body import json_body
from shared.web.idempotency import IdempotencyKey, StoredAnswer, fingerprint, recall, remember
from shared.web.keys import Caller
from shared.web.pages import DEFAULT_LIMIT, Cursor, Limit, Page, cut, decode
from shared.web.preconditions import etag
from shared.web.problems import FieldError, responses
from shared.web.values import Instant

_CONSENT = json_body(ConsentChange)
_MERGE = json_body(Merge)


def routes(context: Context) -> APIRouter:
    """Return the routes for leads that are known."""
    router = APIRouter(tags=["leads"])
    _add_reading(router, context)
    _add_consent(router, context)
    _add_merging(router, context)
    _add_erasing(router, context)
    return router


def _add_reading(router: APIRouter, context: Context) -> None:
    reader = context.keyring.require("leads:read", tied=True)

    @router.get("/v1/leads/{lead_id}")
    async def show_lead(
        lead_id: UUID, response: Response, caller: Annotated[Caller, Depends(reader)]
    ) -> LeadDetail:
        """Show a lead, with the consents that hold; one that was erased is not found.

        The id of a lead that was merged shows the lead that it became: compare `id`. A key that is
        tied to a source finds the leads which that source brought.
        """
        async with context.engine.connect() as connection:
            record = await shown.one(connection, lead_id, brought_by=caller.source_id)
        if record is None:
            raise LeadNotFound(f"no lead has the id {lead_id}")
        response.headers["ETag"] = etag(record.version)
        return record

    @router.get("/v1/leads")
    async def list_leads(
        caller: Annotated[Caller, Depends(reader)],
        wanted: Annotated[LeadFilter, Depends(_wanted)],
        limit: Limit = DEFAULT_LIMIT,
        cursor: Cursor = None,
    ) -> Page[LeadRecord]:
        """List leads, newest first; with `updated_since` in the order of their last change."""
        wanted = replace(wanted, brought_by=caller.source_id)
        after = decode(cursor, shown.position_shape(wanted))
        async with context.engine.connect() as connection:
            found = await shown.page(connection, wanted, after=after, limit=limit + 1)
        items, following = cut(found, limit, lambda record: shown.position_of(record, wanted))
        return Page(items=list(items), next=following)


def _add_consent(router: APIRouter, context: Context) -> None:
    writer = context.keyring.require("leads:write", tied=True)

    @router.post("/v1/leads/{lead_id}/consents", status_code=201, response_model=ConsentRecord)
    async def add_consent(
        lead_id: UUID,
        caller: Annotated[Caller, Depends(writer)],
        wanted: Annotated[ConsentChange, Depends(_CONSENT)],
        idempotency_key: IdempotencyKey = None,
    ) -> Response:
        """Record that a lead gave or withdrew consent, without a form."""
        print_ = fingerprint(f"POST /v1/leads/{lead_id}/consents", wanted)
        async with context.engine.begin() as connection:
            known = await recall(connection, caller, idempotency_key, print_)
            if known is None:
                await _require_brought(connection, lead_id, caller)
                await act_on(
                    connection,
                    lead_id,
                    lambda lead, desk, now: change_consent(
                        ChangeConsent(lead, **wanted.model_dump()), desk, now=now
                    ),
                )
                record = await shown.consent(connection, lead_id, wanted.purpose)
                known = StoredAnswer(201, record.model_dump_json())
                await remember(
                    connection, caller, idempotency_key, print_, answer=known, subject=lead_id
                )
        return known.response()


def _add_merging(router: APIRouter, context: Context) -> None:
    writer = context.keyring.require("leads:write")

    @router.post("/v1/leads/{lead_id}/merge", response_model=LeadDetail, responses=responses(409))
    async def merge_lead(
        lead_id: UUID,
        caller: Annotated[Caller, Depends(writer)],
        wanted: Annotated[Merge, Depends(_MERGE)],
        idempotency_key: IdempotencyKey = None,
    ) -> Response:
        """Merge this lead into another that is the same person, and show the one that stays.

        It has all that is known of both, of each field and consent what was received last. The id
        of the lead that goes leads to it from now on. This cannot be undone.
        """
        print_ = fingerprint(f"POST /v1/leads/{lead_id}/merge", wanted)
        async with context.engine.begin() as connection:
            known = await recall(connection, caller, idempotency_key, print_)
            if known is None:
                stays = await merge(connection, lead_id, into=wanted.into)
                record = await shown.one(connection, stays)
                if record is None:
                    raise LeadNotFound(f"no lead has the id {stays}")
                headers = {"ETag": etag(record.version)}
                known = StoredAnswer(200, record.model_dump_json(), headers)
                await remember(
                    connection, caller, idempotency_key, print_, answer=known, subject=stays
                )
        return known.response()


def _add_erasing(router: APIRouter, context: Context) -> None:
    writer = context.keyring.require("leads:write")

    @router.delete(
        "/v1/leads/{lead_id}",
        status_code=204,
        response_class=Response,
        responses=responses(401, 403),
    )
    async def erase(lead_id: UUID, _caller: Annotated[Caller, Depends(writer)]) -> Response:
        """Erase a person here and, by `LeadErased`, everywhere; again: nothing more happens."""
        async with context.engine.begin() as connection:
            desk = await erase_person(connection, lead_id)
            if desk.erasures:
                await erasing.blank(connection, desk, secret=context.secret)
                names = [name for lead in desk.erasures for name in desk.names_of(lead)]
                await erasure.blank(connection, names)
        return Response(status_code=204)


async def _require_brought(connection: AsyncConnection, lead_id: UUID, caller: Caller) -> None:
    if caller.source_id and not await shown.is_brought_by(connection, lead_id, caller.source_id):
        raise LeadNotFound(f"no lead has the id {lead_id}")


def _wanted(
    email: Annotated[str | None, Query(max_length=254)] = None,
    phone: Annotated[
        str | None, Query(max_length=40, description="with its country's code")
    ] = None,
    updated_since: Instant | None = None,
) -> LeadFilter:
    """Return whom a caller looks for, e-mail and phone in the form in which they are kept."""
    address = email_of(email) if email is not None else None
    number = to_e164(phone, None) if phone is not None else None
    if email is not None and address is None:
        raise faults.refused(_unreadable("email", "must be one address: anna@example.com"))
    if phone is not None and number is None:
        raise faults.refused(_unreadable("phone", "must have its country's code: +49301234567"))
    return LeadFilter(email=address, phone=number, updated_since=updated_since)


def _unreadable(name: str, how: str) -> FieldError:
    return FieldError("query", name, name, f"{name} {how}")
