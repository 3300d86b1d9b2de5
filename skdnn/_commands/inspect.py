"""``skdnn inspect``: what is in a model file, without running code from it."""

from pathlib import Path
from typing import Any

from rich.table import Table

from skdnn._commands.console import Output
from skdnn._runtime.names import visible
from skdnn._table_files.dates import describe_format
from skdnn._table_files.raw_table import listed
from skdnn._table_files.table_file_error import TableFileError


def run_inspect(output: Output, path: Path) -> None:
    """Print the manifest of a model file, and how its table was read."""
    from skdnn._model_files.archive import read_manifest

    if not path.exists():
        raise TableFileError(
            f"There is no model file {visible(str(path))!r}. Check the name."
        )
    manifest = read_manifest(path)
    notes = manifest.pop("notes", None) or {}
    kept = notes.pop("kept", None)
    n_kept = len(next(iter(kept["columns"].values()))) if kept else 0
    table = Table(box=None, show_header=False, padding=(0, 1))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    for name, text in (_of_model(manifest) | _of_table(notes, n_kept)).items():
        table.add_row(name, visible(text))
    output.heading(path.name)
    output.show(table)
    output.end(manifest | {"notes_of_table": notes | {"n_kept_rows": n_kept}})


def _of_model(manifest: dict[str, Any]) -> dict[str, str]:
    parameters = manifest.get("parameters") or {}
    return {
        "estimator": str(manifest["estimator"]),
        "parameters": str(len(parameters)),
        "classes": listed(manifest.get("classes") or []),
        "features": f"{manifest.get('n_features')}: "
        f"{listed(manifest.get('feature_names') or [])}",
        "versions": ", ".join(f"{k} {v}" for k, v in manifest["versions"].items()),
        "checksum": ", ".join(f"{k} {v}" for k, v in manifest["checksum"].items()),
    }


def _of_table(notes: dict[str, Any], n_kept: int) -> dict[str, str]:
    """Return what the command line keeps of the table, in words."""
    if "reading" not in notes:
        return {"table": "not kept; the file was not written by skdnn train"}
    reading = notes["reading"]
    kinds: dict[str, list[str]] = {}
    for name, kind in reading["kinds"].items():
        kinds.setdefault(kind["kind"], []).append(name)
    facts = {
        "table": f"{notes['data']}, {notes['n_rows']} rows",
        "target": reading["target"],
        **{f"  {kind}": listed(names) for kind, names in kinds.items()},
    }
    if notes["positive"] is not None:
        facts["positive"] = str(notes["positive"])
    if reading["ids"]:
        facts["identifier"] = listed(reading["ids"])
    if reading["left_out"]:
        parts = [f"{name} ({why})" for name, why in reading["left_out"].items()]
        facts["not used"] = listed(parts)
    markers = {m for kind in reading["kinds"].values() for m in kind["missing"]}
    if markers:
        facts["missing"] = listed(sorted(map(repr, markers)))
    formats = {n: k["format"] for n, k in reading["kinds"].items() if k["format"]}
    if formats:
        parts = [f"{n} ({describe_format(f)})" for n, f in formats.items()]
        facts["dates"] = listed(parts)
    facts["decimal"] = reading["decimal"]
    facts["seed"] = str(notes["seed"])
    facts["rows kept"] = str(n_kept) if n_kept else "none"
    if notes["tuning"]:
        facts["tuned"] = "; ".join(f"{k} {v}" for k, v in notes["tuning"].items())
    return facts
