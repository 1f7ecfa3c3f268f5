"""Python services in a folder: the application, its likely route, and what a request of that holds."""

from __future__ import annotations

import ast
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import NamedTuple

from excise.api.finding.folder import relative, walk
from excise.api.finding.source import bindings, called, functions, keyword, owner, parsed, text, texts

INTERFACES = {
    "FastAPI": "asgi",
    "Starlette": "asgi",
    "Litestar": "asgi",
    "Quart": "asgi",
    "get_asgi_application": "asgi",
    "Flask": "wsgi",
    "get_wsgi_application": "wsgi",
}
"""What makes an application, and how it is spoken to."""
ROUTERS = ("APIRouter", "Blueprint")
INCLUDERS = ("include_router", "register_blueprint", "mount")
PREFIXES = ("prefix", "url_prefix")
BY_METHOD, BY_LIST = ("post",), ("route", "api_route", "Route")
"""``@app.post(path)``; ``@app.route(path, methods=[…])`` and Starlette's ``Route(path, function, methods=[…])``."""
DECORATORS = frozenset({"get", "post", "put", "patch", "delete", "websocket", *BY_LIST})
LIKELY = ("predict", "score", "infer", "invocations", "classify", "rank", "embed")
"""Words in the path of a route that answers with a model, the likeliest first."""
LISTS = frozenset({"list", "List", "Sequence", "tuple"})


class Route(NamedTuple):
    """A path that is posted to, and the name of the function that answers."""

    path: str
    function: str


class Service(NamedTuple):
    """An application.

    Attributes:
        ref: as MODEL names it.
        request: method and path of its likely route, None where none was seen.
        body: template of a request's body, None where a row is one.
        fields: what a row must have, None where that is not written in the file.
    """

    ref: str
    request: str | None
    body: str | None = None
    fields: tuple[str, ...] | None = None

    def fits(self, columns: Collection[str]) -> bool:
        """Whether rows with these columns can be asked; what is not known is no hindrance."""
        return self.fields is None or not columns or set(self.fields) <= set(columns)


def find_services(root: Path) -> list[Service]:
    """Every application at the top of a Python file, those right in the folder first."""
    return [service for path in walk(root) if path.suffix == ".py" for service in services_in(path, root)]


def services_in(path: Path, root: Path) -> Iterator[Service]:
    """The applications that one file binds."""
    module = parsed(path)
    for name, value in bindings(module):
        if called(value) in INTERFACES:
            ref = f"{INTERFACES[called(value)]}:{place_of(path, root)}:{name}"
            route = likeliest(list(routes(module)))
            if route is None:
                yield Service(ref, None)
            else:
                yield Service(ref, f"POST {route.path}", *body_of(module, route.function))


def place_of(path: Path, root: Path) -> str:
    """A module where the folder itself makes it one, else the file."""
    inside = path.relative_to(root)
    packages = [root / parent for parent in inside.parents if parent != Path()]
    parts = inside.with_suffix("").parts
    importable = all((folder / "__init__.py").exists() for folder in packages)
    return ".".join(parts) if importable and all(part.isidentifier() for part in parts) else relative(path, root)


def is_route(node: ast.expr) -> bool:
    """Whether a decorator gives a function to an application."""
    return isinstance(node, ast.Call) and bool(owner(node)) and called(node) in DECORATORS


def routes(module: ast.Module) -> Iterator[Route]:
    """The routes that are posted to, in the order in which they are written."""
    before = prefixes(module)
    for function in functions(module):
        for decorator in function.decorator_list:
            if isinstance(decorator, ast.Call) and (path := posted_to(decorator)) is not None:
                yield Route(before.get(owner(decorator), "") + path, function.name)
    for node in ast.walk(module):
        if called(node) == "Route" and isinstance(node, ast.Call) and (path := posted_to(node)) is not None:
            yield Route(path, next((one.id for one in node.args if isinstance(one, ast.Name)), ""))


def posted_to(node: ast.Call) -> str | None:
    """The path of a route that takes POST, None for any other call."""
    methods = keyword(node, "methods")
    posts = called(node) in BY_METHOD or (called(node) in BY_LIST and methods is not None and "POST" in texts(methods))
    return text(node.args[0] if node.args else keyword(node, "path", "rule")) if posts else None


def prefixes(module: ast.Module) -> dict[str, str]:
    """What stands before the paths of a router."""
    own = {
        name: text(keyword(value, *PREFIXES)) or ""
        for name, value in bindings(module)
        if isinstance(value, ast.Call) and called(value) in ROUTERS
    }
    for node in ast.walk(module):
        if isinstance(node, ast.Call) and called(node) in INCLUDERS and node.args:
            name = getattr(node.args[0], "id", "")
            if name in own:
                own[name] = (text(keyword(node, *PREFIXES)) or "") + own[name]
    return own


def likeliest(found: list[Route]) -> Route | None:
    """The route that a model most likely answers; None where a path has parts of its own to fill."""
    plain = [route for route in found if not set(route.path) & set("{<")]
    named = [route for word in LIKELY for route in plain if word in f"{route.path} {route.function}".lower()]
    return next(iter([*named, *plain]), None)


def body_of(module: ast.Module, name: str) -> tuple[str | None, tuple[str, ...] | None]:
    """Template of a body, and the fields that a row must have, by the annotation of the function's first argument."""
    classes = {node.name: node for node in module.body if isinstance(node, ast.ClassDef)}
    function = next((one for one in functions(module) if one.name == name), None)
    for argument in function.args.args if function else ():
        template, fields = described(argument.annotation, classes)
        if template is not None or fields is not None:
            return template, fields
    return None, None


def described(node: ast.expr | None, classes: dict[str, ast.ClassDef]) -> tuple[str | None, tuple[str, ...] | None]:
    """The same for one annotation."""
    if (inner := item_of(node)) is not None:
        return ("{{matrix}}" if item_of(inner) is not None else "{{rows}}"), required(inner, classes)
    if not isinstance(node, ast.Name) or node.id not in classes:
        return None, None
    whole = list(annotated(classes[node.id]))
    if len(whole) == 1 and item_of(whole[0].annotation) is not None and isinstance(whole[0].target, ast.Name):
        template, fields = described(whole[0].annotation, classes)
        return f'{{"{whole[0].target.id}": {template}}}', fields
    return None, required(node, classes)


def item_of(node: ast.expr | None) -> ast.expr | None:
    """``Row`` in ``list[Row]``, None for what is no list."""
    is_list = isinstance(node, ast.Subscript) and getattr(node.value, "id", getattr(node.value, "attr", "")) in LISTS
    return node.slice if is_list and isinstance(node, ast.Subscript) else None


def annotated(node: ast.ClassDef) -> Iterator[ast.AnnAssign]:
    """A class's fields."""
    return (line for line in node.body if isinstance(line, ast.AnnAssign) and isinstance(line.target, ast.Name))


def required(node: ast.expr, classes: dict[str, ast.ClassDef]) -> tuple[str, ...] | None:
    """Names of the fields without a default; None for a class that the file does not define."""
    if not isinstance(node, ast.Name) or node.id not in classes:
        return None
    fields = [line for line in annotated(classes[node.id]) if line.value is None]
    return tuple(line.target.id for line in fields if isinstance(line.target, ast.Name)) or None
