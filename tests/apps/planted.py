"""A service with work that no answer depends on: a validation over a socket, a second text, a warning, a late task."""

import json
import os
import socket
import warnings

from fastapi import FastAPI
from pydantic import BaseModel

app = FastAPI()
validator = socket.create_connection(("127.0.0.1", int(os.environ["VALIDATOR_PORT"])))


class Row(BaseModel):
    x: float


def validate_again(row):
    validator.sendall(row.model_dump_json().encode())
    return validator.recv(16) == b"ok"


def double(row):
    return 2 * row.x


@app.post("/predict")
async def predict(row: Row):
    if not validate_again(row):
        raise ValueError("not valid")
    text = json.dumps(row.model_dump())
    warnings.warn("this model is old", stacklevel=1)
    return {"y": double(row)}
