"""Hugging Face models that lie in the local cache: ``hf:org/name[@revision][/path]``. Nothing is downloaded.

Source: the cache's layout as the Hub's documentation gives it (huggingface_hub, "Understand caching").
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from pathlib import Path

from excise.adapters.registries.cache import size_of
from excise.core.errors import InvalidRef, Mismatch, NotFound
from excise.core.refs import ModelRef
from excise.core.registry import Fetched, Terms
from excise.core.spelling import did_you_mean

REFERENCE = re.compile(
    r"(?P<repo>(?:[\w.-]+/)?[\w.-]+)(?:@(?P<revision>refs/pr/\d+|[\w.-]+))?(?P<path>/[^\0]+)?", re.ASCII
)
DEFAULT_REVISION = "main"
SHORTEST_COMMIT = 7
PREFIX = "models--"


class HuggingFace:
    """Snapshots in the cache that ``hf download`` and transformers fill."""

    name = "hf"

    def fetch(self, ref: ModelRef, terms: Terms) -> Fetched:
        """Find the snapshot of a revision.

        Raises:
            InvalidRef: not ``org/name[@revision][/path]``.
            NotFound: the model, the revision or the file is not in the cache.
            Mismatch: the path leads out of the model's folder.
        """
        del terms  # nothing is fetched
        repo, revision, inside = parts_of(ref)
        folder = cache_folder(os.environ) / (PREFIX + repo.replace("/", "--"))
        commit = commit_of(folder, repo, revision)
        path = below(folder, folder / "snapshots" / commit, inside, ref)
        return Fetched(
            path=str(path),
            name=repo.rpartition("/")[2],
            origin=f"huggingface.co/{repo} at {commit}",
            size_bytes=size_of(path),
        )


def parts_of(ref: ModelRef) -> tuple[str, str, str]:
    """Repository, revision, and path inside it.

    Raises:
        InvalidRef: it is none.
    """
    match = REFERENCE.fullmatch(ref.target)
    if match is None or set(ref.target.split("/")) & {"", ".", ".."}:
        raise InvalidRef(f"{ref.text} names no model of the Hub", hint="write hf:org/name or hf:org/name@revision")
    return match["repo"], match["revision"] or DEFAULT_REVISION, (match["path"] or "").strip("/")


def cache_folder(environ: Mapping[str, str]) -> Path:
    """Where the Hub's own library keeps its models."""
    if named := environ.get("HF_HUB_CACHE") or environ.get("HUGGINGFACE_HUB_CACHE"):
        return Path(named).expanduser()
    cache = environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(environ.get("HF_HOME") or f"{cache}/huggingface").expanduser() / "hub"


def commit_of(folder: Path, repo: str, revision: str) -> str:
    """The commit that a branch, tag or shortened commit names in the cache.

    Raises:
        NotFound: nothing of it is there; the hint says how to fetch it on purpose.
    """
    snapshots = {path.name for path in folder.glob("snapshots/*") if path.is_dir()}
    named = folder / "refs" / revision
    commit = named.read_text(encoding="utf-8").strip() if named.is_file() else revision
    found = [name for name in snapshots if name.startswith(commit) and len(commit) >= SHORTEST_COMMIT]
    if len(found) == 1:
        return found[0]
    fetch = f"fetch it with: hf download {repo}" + ("" if revision == DEFAULT_REVISION else f" --revision {revision}")
    if not snapshots:
        others = sorted(path.name.removeprefix(PREFIX).replace("--", "/") for path in folder.parent.glob(f"{PREFIX}*"))
        near = f"; or {near}" if (near := did_you_mean(repo, others)).startswith("did") else ""
        raise NotFound(f"{repo} is not in {folder.parent}, and nothing is downloaded", hint=fetch + near)
    known = sorted(path.relative_to(folder / "refs").as_posix() for path in folder.glob("refs/**/*") if path.is_file())
    there = ", ".join([*known, *sorted(snapshots)])
    raise NotFound(f"revision {revision} of {repo} is not in {folder.parent}", hint=f"there: {there}; or {fetch}")


def below(folder: Path, snapshot: Path, inside: str, ref: ModelRef) -> Path:
    """What lies at a path of a snapshot; its links lead to the blobs of the same model and nowhere else.

    Raises:
        NotFound: nothing lies there, or a blob is missing. Mismatch: a link leads out of the model's folder.
    """
    path = snapshot / inside
    root = folder.resolve()
    for link in [path, *path.rglob("*")]:
        if not link.resolve().is_relative_to(root):
            raise Mismatch(f"{link} leads out of {folder}", hint="do not use this cache; fetch the model again")
        if not link.exists():
            held = sorted(p.relative_to(snapshot).as_posix() for p in snapshot.rglob("*") if p.is_file())
            raise NotFound(f"{ref.text}: {link.relative_to(snapshot)} is not there", hint=did_you_mean(inside, held))
    return path
