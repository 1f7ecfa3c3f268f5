"""Applications without a framework, by both interfaces: what a recorder adds can be told from what they take."""


async def asgi(scope, receive, send):
    if scope["type"] == "lifespan":
        while (await receive())["type"] != "lifespan.shutdown":
            await send({"type": "lifespan.startup.complete"})
        return await send({"type": "lifespan.shutdown.complete"})
    message = await receive()
    body = message["body"] if message["type"] == "http.request" else b""
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
    await send({"type": "http.response.body", "body": body or b"{}"})


def wsgi(environ, start_response):
    start_response("201 Created", [("Content-Type", "application/json")])
    return [environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"] or 0))]
