"""Routes about the breaker: is the consumer stopped, by what, and let it go on."""

from typing import Annotated

from fastapi import APIRouter, Depends
from sqlalchemy.ext.asyncio import AsyncEngine

from shared.operations import breakers
from shared.operations.breakers import Breaker
from shared.web import pages
from shared.web.keys import Caller, Keyring
from shared.web.pages import DEFAULT_LIMIT, Cursor, Limit, Page, Word
from shared.web.problems import Problem, responses


def add(router: APIRouter, engine: AsyncEngine, keyring: Keyring, *, scope: str) -> None:
    """Add the routes under `/v1/breaker`."""
    operator = keyring.require(scope)

    @router.get("/breaker", dependencies=[Depends(operator)])
    async def list_breakers(limit: Limit = DEFAULT_LIMIT, cursor: Cursor = None) -> Page[Breaker]:
        """List what each version of the code has parked, and which of them is stopped."""
        after = pages.decode(cursor, tuple[Word])
        found = await breakers.page(engine, after=after[0] if after else "", limit=limit + 1)
        items, following = pages.cut(found, limit, lambda breaker: (breaker.id,))
        return Page(items=list(items), next=following)

    @router.post("/breaker/close", responses=responses(409))
    async def close_breaker(caller: Annotated[Caller, Depends(operator)]) -> Page[Breaker]:
        """Let a consumer that its breaker stopped go on, within seconds; answer what was open.

        Code that fails as before parks twenty more leads, and is stopped again.
        """
        closed = await breakers.close(engine, actor=caller.name)
        if not closed:
            detail = "The breaker of this service is not open: its consumer is not stopped by it."
            raise Problem(409, "breaker-not-open", "The breaker is not open", detail)
        return Page(items=list(closed), next=None)
