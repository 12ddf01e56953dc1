"""Floor (a): FastAPI as its tutorial writes it. Checks the body, makes an id, answers; no I/O."""

from typing import Annotated

from fastapi import FastAPI
from pydantic import BaseModel, Field, StringConstraints

from shared.ids import new_id

Short = Annotated[str, StringConstraints(max_length=200)]


class LeadIn(BaseModel):
    tenant_id: int = Field(default=1, ge=1)
    email: Annotated[str, StringConstraints(min_length=3, max_length=254, pattern=r".+@.+\..+")]
    first_name: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    last_name: Annotated[str, StringConstraints(min_length=1, max_length=100)]
    company: Short
    phone: Annotated[str, StringConstraints(max_length=40)]
    source: Annotated[str, StringConstraints(max_length=50)] = "web"
    amount_minor: int = 0
    currency: Annotated[str, StringConstraints(max_length=3)] = "EUR"
    message: Annotated[str, StringConstraints(max_length=4000)]
    attributes: dict[str, str] = Field(default_factory=dict)


class LeadOut(BaseModel):
    id: str
    status: str


app = FastAPI()


@app.post("/leads", status_code=202)
async def post(_lead: LeadIn) -> LeadOut:
    return LeadOut(id=str(new_id()), status="accepted")
