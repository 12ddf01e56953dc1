"""What the floors have in common: the lead, the answer, and the product's collector settings."""

import gc
from typing import Annotated

from pydantic import BaseModel, Field, StringConstraints

Name = Annotated[str, StringConstraints(min_length=1, max_length=100)]


class LeadIn(BaseModel):
    """A lead as a form has it."""

    tenant_id: Annotated[int, Field(ge=1)]
    email: Annotated[str, StringConstraints(min_length=3, max_length=254, pattern=r".+@.+\..+")]
    first_name: Name
    last_name: Name
    company: Annotated[str, StringConstraints(max_length=200)]
    phone: Annotated[str, StringConstraints(max_length=40)]
    source: Annotated[str, StringConstraints(min_length=1, max_length=50)]
    amount_minor: int
    currency: Annotated[str, StringConstraints(min_length=3, max_length=3)]
    message: Annotated[str, StringConstraints(max_length=4000)]
    attributes: dict[str, str]


class LeadOut(BaseModel):
    """The answer: 202."""

    id: str
    status: str


def settle_memory() -> None:
    """Take what is there after the start out of the collector's sight, as the services do."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
