"""What a notebook shows: an audit as its page, and how far a running one is."""

from __future__ import annotations

import html
from typing import Any

from excise.api import audit as audits
from excise.core.audit import Audit
from excise.report.audit_html import audit_html

HEIGHT_PX = 900
"""Of the frame that the page lies in; it scrolls."""


def frame(audit: Audit) -> str:
    """The page in a frame of its own, so that neither its styles nor the notebook's get into the other."""
    page = html.escape(audit_html(audit, show_examples=False), quote=True)
    style = f"width:100%;height:{HEIGHT_PX}px;border:0"
    return f'<iframe sandbox="" srcdoc="{page}" style="{style}" title="Tax return"></iframe>'


class NotebookProgress:
    """A bar that one display is updated with; gone when the audit is."""

    def __init__(self, shell: Any) -> None:
        self._display = shell

    def __call__(self, done: float, total: float, what: str) -> None:
        """Show how far it is."""
        share = min(done / total, 1.0) if total else 0.0
        bar = f'<progress max="1" value="{share:.3f}" style="width:60%"></progress> {html.escape(what)}'
        self._display.update({"text/html": bar, "text/plain": f"{share:.0%} {what}"}, raw=True)

    def close(self) -> None:
        """Take the bar away."""
        self._display.update({"text/html": "", "text/plain": ""}, raw=True)


def progress() -> NotebookProgress | None:
    """A bar in the running notebook; None in a plain interpreter or a terminal."""
    from IPython import get_ipython  # noqa: PLC0415  asked for only where it is running
    from IPython.display import display  # noqa: PLC0415  as above

    if type(get_ipython()).__name__ != "ZMQInteractiveShell":
        return None
    shown = display({"text/plain": ""}, raw=True, display_id=True)  # type: ignore[no-untyped-call]
    return NotebookProgress(shown)


def install() -> None:
    """Teach the running IPython to show audits and how far one is; does nothing in a plain interpreter."""
    from IPython import get_ipython  # noqa: PLC0415  as above

    shell = get_ipython()
    if shell is not None:
        shell.display_formatter.formatters["text/html"].for_type(Audit, frame)
        audits.bar = progress
