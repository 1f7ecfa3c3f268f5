"""HTML that is escaped by construction: a tag takes text, and only text that is marked as HTML passes unescaped."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping

from excise.report.wording import visible


class Markup(str):
    """Text that is HTML already: made by ``tag`` and ``joined``, or drawn by a chart."""

    __slots__ = ()


def escaped(text: str) -> Markup:
    """Text as HTML: itself where it is HTML already, else with every special or invisible character escaped."""
    return text if isinstance(text, Markup) else Markup(html.escape(visible(text), quote=True))


def tag(name: str, *children: str, **attributes: str | bool) -> Markup:
    """One element; ``class_`` is ``class``, ``True`` is an attribute without a value, ``False`` is left out.

    >>> tag("td", "a < b", class_="number")
    '<td class="number">a &lt; b</td>'
    """
    return Markup(f"<{name}{_attributes(attributes)}>{joined(children)}</{name}>")


def joined(parts: Iterable[str], between: str = "") -> Markup:
    """Parts one after the other, each escaped unless it is HTML already."""
    return Markup(escaped(between).join(escaped(part) for part in parts))


def _attributes(attributes: Mapping[str, str | bool]) -> str:
    given = ((key.rstrip("_").replace("_", "-"), value) for key, value in attributes.items() if value is not False)
    return "".join(f" {key}" if value is True else f' {key}="{escaped(str(value))}"' for key, value in given)
