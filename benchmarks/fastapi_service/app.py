"""The rival's endpoints: synchronous, returning ORM rows, without credentials or formats.

`uvicorn benchmarks.fastapi_service.app:app`; RIVAL_DATABASE_URL and DATASET_NAME say where the rows
are.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Annotated, Any

from fastapi import Depends, FastAPI
from sqlalchemy import create_engine, func, select
from sqlalchemy.orm import Session

from benchmarks.fastapi_service.tables import Usage, User

PAGE_SIZE = 50

# As many connections as there may be requests at once in a worker, so that none waits for one.
engine = create_engine(os.environ["RIVAL_DATABASE_URL"], pool_size=16)
app = FastAPI()


def session() -> Iterator[Session]:
    """A session for one request, with a connection from the pool."""
    with Session(engine) as opened:
        yield opened


@app.get("/users", response_model=None)
def users(session: Annotated[Session, Depends(session)], page: int | None = None) -> Any:
    """All users, or one page of them."""
    rows = select(User).order_by(User.user_id)
    if page is None:
        return {"users": session.scalars(rows).all()}
    total = session.scalar(select(func.count()).select_from(User)) or 0
    return {
        "users": session.scalars(rows.limit(PAGE_SIZE).offset((page - 1) * PAGE_SIZE)).all(),
        "total": total,
        "page": page,
        "size": PAGE_SIZE,
        "pages": -(-total // PAGE_SIZE),
    }


@app.get("/usages", response_model=None)
def usages(session: Annotated[Session, Depends(session)]) -> Any:
    """Every row of usage."""
    return {"usages": session.scalars(select(Usage).order_by(Usage.usage_id)).all()}
