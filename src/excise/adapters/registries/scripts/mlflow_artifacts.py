"""Resolves an MLflow URI and downloads what it names. Runs in a process of its own: MLflow and stdlib, Python 3.8.

Started as ``python mlflow_artifacts.py URI``. Its first line on standard output is what the URI leads to, or an error;
then it reads the folder to download into, and answers with the path inside it. All lines are JSON.
"""

import json
import os
import sys


def main(uri):
    say = answers()
    try:
        import mlflow

        demand_store(mlflow.get_tracking_uri())
        found = resolved(mlflow, uri)
        found["tracking"] = mlflow.get_tracking_uri()
        found["size_bytes"] = size_of(mlflow, found["artifacts"])
        say(found)
        folder = sys.stdin.readline().rstrip("\n")
        if folder:
            path = mlflow.artifacts.download_artifacts(artifact_uri=found["artifacts"], dst_path=folder)
            say({"path": os.path.relpath(path, folder)})
    except Refused as refused:
        say({"error": str(refused), "hint": refused.hint, "missing": refused.missing})
    except Exception as error:
        say({"error": "%s: %s" % (type(error).__name__, error), "hint": None, "missing": is_missing(error)})


class Refused(Exception):
    """What a person can mend, with the names that there are."""

    def __init__(self, message, hint, missing=True):
        Exception.__init__(self, message)
        self.hint = hint
        self.missing = missing


def answers():
    """A function that writes one JSON line; whatever else is printed goes to standard error."""
    kept = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)

    def say(line):
        kept.write(json.dumps(line) + "\n")
        kept.flush()

    return say


def demand_store(uri):
    """Refuse a store that does not exist: MLflow would make an empty one."""
    path = (
        uri[len("sqlite:///") :]
        if uri.startswith("sqlite:///")
        else uri[len("file://") :]
        if uri.startswith("file:")
        else None
    )
    if path is None and "://" not in uri and uri not in ("databricks", "uc"):
        path = uri
    if path is not None and not os.path.exists(path):
        raise Refused("there is no MLflow store %s" % path, "set MLFLOW_TRACKING_URI to your server or database")


def resolved(mlflow, uri):
    """Name, version and a URI that always means the same artifacts."""
    if uri.startswith("runs:/"):
        return run_artifacts(mlflow.MlflowClient(), uri)
    named = uri[len("models:/") :].strip("/")
    if named.startswith("m-") and "/" not in named:
        return {"name": named, "version": named, "artifacts": "models:/" + named, "fixed": True}
    return model_version(mlflow.MlflowClient(), named)


def run_artifacts(client, uri):
    """Artifacts of a run, which may still change."""
    run_id, _, path = uri[len("runs:/") :].partition("/")
    try:
        client.get_run(run_id)
    except Exception as error:
        if is_missing(error):
            raise Refused("there is no run %s" % run_id, "mlflow runs search lists them")
        raise
    name = os.path.splitext(os.path.basename(path))[0] or run_id
    return {"name": name, "version": run_id, "artifacts": uri.rstrip("/"), "fixed": False}


def model_version(client, named):
    """A version of a registered model, by its number, alias or stage."""
    name, at, alias = named.partition("@")
    if not at:
        name, _, wanted = named.rpartition("/")
    try:
        model = client.get_registered_model(name)
    except Exception as error:
        if is_missing(error):
            raise Refused(
                "there is no registered model %r" % name,
                known(m.name for m in client.search_registered_models(max_results=50)),
            )
        raise
    if at:
        aliases = dict(model.aliases or {})
        if alias not in aliases:
            raise Refused("the model %r has no alias %r" % (name, alias), known(sorted(aliases)))
        wanted = aliases[alias]
    version = one_version(client, name, str(wanted))
    return {"name": name, "version": version, "artifacts": "models:/%s/%s" % (name, version), "fixed": True}


def one_version(client, name, wanted):
    """The number behind a number, ``latest`` or a stage."""
    versions = sorted(client.search_model_versions("name='%s'" % name.replace("'", "''")), key=lambda v: int(v.version))
    if wanted == "latest" and versions:
        return str(versions[-1].version)
    fitting = [v for v in versions if str(v.version) == wanted or (v.current_stage or "").lower() == wanted.lower()]
    if not fitting:
        raise Refused("the model %r has no version %r" % (name, wanted), known(str(v.version) for v in versions))
    return str(fitting[-1].version)


def known(names):
    """A hint with the names that there are."""
    listed = list(names)
    return "there are: " + ", ".join(listed[:12]) if listed else "there are none"


def size_of(mlflow, uri):
    """Bytes of all files at an artifact URI; a file is listed by its folder only."""
    found = list(sizes(mlflow, uri, ""))
    if found or uri.startswith("models:/"):
        return sum(found)
    parent, _, name = uri.rpartition("/")
    listed = mlflow.artifacts.list_artifacts(artifact_uri=parent)
    return sum(int(entry.file_size or 0) for entry in listed if os.path.basename(entry.path) == name)


def sizes(mlflow, uri, path):
    """Bytes of every file below a path of an artifact URI."""
    for entry in mlflow.artifacts.list_artifacts(artifact_uri=uri + "/" + path if path else uri):
        inner = os.path.basename(entry.path)
        if entry.is_dir:
            for size in sizes(mlflow, uri, path + "/" + inner if path else inner):
                yield size
        else:
            yield int(entry.file_size or 0)


def is_missing(error):
    """Whether MLflow says that there is no such thing."""
    return getattr(error, "error_code", None) in ("RESOURCE_DOES_NOT_EXIST", "NOT_FOUND")


if __name__ == "__main__":
    main(sys.argv[1])
