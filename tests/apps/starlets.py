"""ASGI applications in their corners: lifespans that fail, answers in parts, and whatever is not finished."""

import asyncio
import sys
import time
from contextlib import asynccontextmanager

from starlette.applications import Starlette
from starlette.responses import JSONResponse, StreamingResponse
from starlette.routing import Route


async def double(request):
    body = await request.json()
    request.app.state.asked = getattr(request.app.state, "asked", 0) + 1
    return JSONResponse({"y": 2 * body["x"]})


async def parts(request):
    async def letters():
        for letter in "abc":
            await asyncio.sleep(0)
            yield letter

    return StreamingResponse(letters(), media_type="text/plain")


app = Starlette(routes=[Route("/double", double, methods=["POST"]), Route("/parts", parts)])


@asynccontextmanager
async def failing_lifespan(app):
    raise ConnectionError("the feature store is away")
    yield


broken = Starlette(lifespan=failing_lifespan)


async def without_lifespan(scope, receive, send):
    assert scope["type"] == "http"
    await receive()
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
    await send({"type": "http.response.body", "body": b"[1"})
    await send({"type": "http.response.body", "body": b", 2]"})


async def unfinished(scope, receive, send):
    if scope["type"] == "http":
        await send({"type": "http.response.start", "status": 200, "headers": []})


def create_app():
    return app


async def misbehave(request):
    """What no service should do, by the number that it is asked with."""
    x = (await request.json())["x"]
    if x == 1:
        sys.exit("no more")
    if x == 2:
        await asyncio.create_task(leave())
    if x == 3:
        await asyncio.sleep(600)
    if x == 4:
        time.sleep(600)
    return JSONResponse({"y": 2 * x})


async def leave():
    sys.exit("no more")


async def exiting_lifespan(app):
    sys.exit("no configuration")
    yield


hostile = Starlette(routes=[Route("/double", misbehave, methods=["POST"])])
leaving = Starlette(lifespan=exiting_lifespan)
