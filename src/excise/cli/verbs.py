"""What the command line offers, known without loading any of it."""

from __future__ import annotations

SECTIONS: dict[str, dict[str, str]] = {
    "start": {
        "init": "Write a commented excise.toml for a model and its data.",
        "demo": "Audit a real model on real flights, in one command.",
        "audit": "Tell a model's tax rate today, line by line, in ms and dollars.",
        "record": "Record a sample of a service's real requests, as the next audit's inputs.",
        "release": "Keep what production runs as an immutable, verifiable bundle.",
        "drift": "Hold current inputs against a reference, feature by feature.",
        "profile": "Describe a sample's columns and learn the cast that cleans them.",
    },
}
"""Help line of every verb by section, in the order in which they are shown."""

VERBS: dict[str, str] = {verb: line for section in SECTIONS.values() for verb, line in section.items()}
"""Help line of every verb; each lives in ``excise.cli.<verb>`` as ``command``."""

SUMMARY = "Find, price and remove the silent tax that a model pays in production."

OPTIONS = {
    "--debug": "Show tracebacks; it may stand behind the verb as well.",
    "--version": "Print the version.",
    "-h, --help": "Print this page; excise VERB --help says more of one verb.",
}

EXIT_CODES = "Exit codes: 0 pass, 1 fail, 2 usage or bad input, 3 undecided, 4 not measured, 70 internal error."


def page() -> str:
    """The page that ``excise --help`` prints."""
    width = max(map(len, (*VERBS, *OPTIONS)))
    blocks = [SUMMARY, "Usage: excise VERB [OPTIONS] [ARGUMENTS]"]
    blocks += [block(name, lines, width) for name, lines in {**SECTIONS, "options": OPTIONS}.items()]
    return "\n\n".join([*blocks, EXIT_CODES])


def block(title: str, lines: dict[str, str], width: int) -> str:
    """One titled block of the page, its second column aligned at ``width``."""
    return "\n".join([f"{title}:", *(f"  {name:<{width}}  {line}" for name, line in lines.items())])
