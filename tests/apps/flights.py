"""A FastAPI service as teams write them: pandas, pydantic, a log line, a boosted tree, lifespan and middleware."""

import json
import logging
import pathlib
import time
from contextlib import asynccontextmanager

import joblib
import pandas as pd
from fastapi import BackgroundTasks, Depends, FastAPI, HTTPException
from pydantic import BaseModel, Field

HERE = pathlib.Path(__file__).parent
COLUMNS = ["month", "hour", "distance", "carrier"]

log = logging.getLogger("flights")
log.setLevel(logging.INFO)
log.propagate = False
log.addHandler(logging.FileHandler(HERE / "flights.log"))
models, tasks = {}, []


@asynccontextmanager
async def lifespan(app):
    models["late"] = joblib.load(HERE / "late.joblib")
    yield
    (HERE / "ended.txt").write_text("ended")


app = FastAPI(lifespan=lifespan)


class Flight(BaseModel):
    month: int = Field(ge=1, le=12)
    hour: float
    distance: float = Field(gt=0)
    carrier: str


@app.middleware("http")
async def stamp(request, call_next):
    response = await call_next(request)
    response.headers["X-Served-By"] = "flights"
    return response


def prepare(flight):
    frame = pd.DataFrame([flight.model_dump()])[COLUMNS]
    frame["hour"] = frame["hour"].fillna(0)
    frame["carrier"] = frame["carrier"].map({"AA": 0, "DL": 1, "UA": 2}).fillna(-1)
    return frame


def settings():
    return {"threshold": 0.5}


def answer(flight, threshold):
    probability = float(models["late"].predict_proba(prepare(flight))[0, 1])
    log.info(json.dumps({"flight": flight.model_dump(), "probability": probability}))
    return {"probability": probability, "late": probability > threshold}


@app.post("/predict")
def predict(flight: Flight, settings: dict = Depends(settings)):
    return answer(flight, settings["threshold"])


@app.post("/async")
async def predict_on_the_loop(flight: Flight):
    return answer(flight, 0.5)


@app.post("/background")
async def predict_and_go_on(flight: Flight, background: BackgroundTasks):
    background.add_task(time.sleep, 0.02)
    return {"distance": flight.distance}


@app.get("/items/{item}")
async def item(item: str, q: str = ""):
    if item == "none":
        raise HTTPException(404, "no such item")
    if item == "broken":
        raise ValueError("this item is broken")
    return {"item": item, "q": q}
