"""Two routes: one that waits, one with a parameter in its path."""

import asyncio

from fastapi import FastAPI

app = FastAPI()


@app.get("/slow")
async def slow():
    await asyncio.sleep(0.003)
    return {"slow": True}


@app.get("/items/{item}")
async def item(item: str):
    return {"item": item}
