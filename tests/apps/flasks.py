"""WSGI applications: Flask, and one by hand."""

from flask import Flask, jsonify, request

app = Flask(__name__)


@app.post("/double")
def double():
    return jsonify(y=2 * request.get_json()["x"])


@app.get("/missing")
def missing():
    return "not here", 404


def by_hand(environ, start_response):
    size = int(environ["CONTENT_LENGTH"] or 0)
    write = start_response("200 OK", [("Content-Type", "text/plain")])
    write(b"got ")
    return [environ["wsgi.input"].read(size)]


def silent(environ, start_response):
    return []
