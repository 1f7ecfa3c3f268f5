"""Parts on lines that are broken only between them: a number never leaves its unit."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rich.console import Console, ConsoleOptions, RenderResult
from rich.text import Text

BETWEEN = " · "


def packed(parts: Sequence[Text], width: int, between: str = BETWEEN, at_end: str = "") -> Text:
    """Parts joined, as many on a line as fit.

    >>> print(packed([Text("p50 2 ms"), Text("p95 3 ms"), Text("CPU 2 ms")], 20))
    p50 2 ms · p95 3 ms
    CPU 2 ms
    """
    text, column = Text(), 0
    for index, part in enumerate(parts):
        fits = column + len(between) + part.cell_len + len(at_end) <= width
        if index:
            text.append(between if fits else f"{at_end}\n")
        text.append_text(part)
        column = part.cell_len + (column + len(between) if fits and index else 0)
    return text


@dataclass(frozen=True, slots=True)
class Packed:
    """Parts that pack themselves into whatever width they are drawn in."""

    parts: Iterable[str]

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        """As many parts on a line as fit."""
        yield packed([Text(part) for part in self.parts], options.max_width)
