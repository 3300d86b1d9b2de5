"""The sentences and main tables of a report as Markdown."""

from collections.abc import Mapping, Sequence
from typing import Any

from skdnn._runtime.markdown import escaped as _text
from skdnn._runtime.markdown import table as _table
from skdnn._runtime.names import visible
from skdnn.explain._text.formatting import fixed, interval, percent, signed

_N_ROWS = 15


def as_markdown(summary: Mapping[str, Any]) -> str:
    """Return a report as Markdown; names are escaped."""
    s = summary
    parts = [
        f"# {_text(s['title'])}",
        f"{_text(' → '.join(s['steps'] or [s['estimator']]))}; {s['n_rows']:,} rows, "
        f"{s['n_columns']:,} columns, {len(s['classes']):,} classes.",
        _text(s["verdict"]),
        *([] if s["uncertainty"] is None else [_text(s["uncertainty"]["headline"])]),
        "## Columns that matter most",
        _list(s["first_screen"]["columns"]),
        "## What not to rely on",
        _list(s["first_screen"]["cautions"]),
        "## Scores",
        _text(s["scores"]["words"]),
        _scores(s["scores"], s["subject"]),
        "## Decisions",
        _text(s["decisions"]["words"]),
        *([] if s["depth"] is None else [_text(s["depth"]["words"])]),
        *([] if s["search"] is None else ["## Search", _text(s["search"]["words"])]),
        "## Data",
        _text(s["data"]["words"]),
        *(
            []
            if s["training"] is None
            else ["## Training", _text(s["training"]["words"])]
        ),
        "## Confusion and calibration",
        _text(s["confusion"]["words"]),
        _text(s["calibration"]["words"]),
        "## Permutation importance",
        _text(s["permutation_importance"]["words"]),
        _importance(s["permutation_importance"]),
        "## Effects",
        _list([c["sentence"] for c in s["partial_dependence"]["curves"]]),
        _text(s["shap"]["words"]),
        "## Rows",
        *(part for row in s["rows"] for part in _row(row, s["uncertainty"])),
        *([] if s["uncertainty"] is None else _uncertain(s["uncertainty"])),
        "## Agreement, checks and stability",
        _text(s["agreement"]["words"]),
        _text(s["checks"]["words"]),
        _list([f"{c['code']} {c['of']}: {c['words']}" for c in s["checks"]["fired"]]),
        _text(s["stability"]["words"]),
        f"Made with skdnn {s['version']}, seed {s['random_state']}.",
    ]
    return visible("\n\n".join(part for part in parts if part) + "\n", keep="\n")


def _list(items: Sequence[str]) -> str:
    return "\n".join(f"- {_text(item)}" for item in items)


def _scores(section: Mapping[str, Any], subject: str) -> str:
    head = ["classifier", *(row["title"] for row in section["rows"])]
    own = [f"this {subject}", *(interval(r["model"], _three) for r in section["rows"])]
    others = [
        [
            _text(rival["name"]),
            *(interval(rival["scores"][r["name"]], _three) for r in section["rows"]),
        ]
        for rival in section["rivals"]
    ]
    return _table(head, [own, *others])


def _three(value: float | None) -> str:
    return fixed(value, 3)


def _importance(section: Mapping[str, Any]) -> str:
    rows = [
        [_text(row["feature"]), interval(row, _three)]
        for row in section["rows"][:_N_ROWS]
    ]
    return _table(["column", f"drop of the {section['scoring']}"], rows)


def _uncertain(section: Mapping[str, Any]) -> list[str]:
    """Return the parts of the section on uncertain rows."""
    rows = [
        [
            f"{percent(row['confidence_level'])}",
            interval(_ends(row, "coverage", "ci"), _three),
            f"{row['n_classes']:.2f}",
            percent(row["answered"]),
            interval(_ends(row, "accuracy", "accuracy"), _three),
        ]
        for row in section["levels"]
    ]
    head = [
        "level of sets", "hold the class", "classes per set", "rows with one class",
        "accuracy of these",
    ]  # fmt: skip
    return [
        "## Uncertain rows",
        _text(f"{section['words']} {section['sample']}"),
        _text(section["coverage"]),
        _table(head, rows) if rows else "",
        _text(section["group_words"]),
        _text(section["drift"]),
    ]


def _ends(row: Mapping[str, Any], name: str, ends: str) -> dict[str, float | None]:
    low, high = row[f"{ends}_low"], row[f"{ends}_high"]
    return {"value": row[name], "low": low, "high": high}


def _row(row: Mapping[str, Any], uncertainty: Mapping[str, Any] | None) -> list[str]:
    """Return the parts of a row that is explained one by one."""
    cells = [
        [_text(f["feature"]), _text(f["cell"]), signed(f["shap"])]
        for f in row["features"]
    ]
    change = row["counterfactual"]
    known = {} if uncertainty is None else uncertainty["by_row"]
    shares = ", ".join(
        f"{_text(p['class'])} {percent(p['value'], 1)}" for p in row["probabilities"]
    )
    return [
        f"### Row {row['position']}",
        f"{_text(row['headline'])} Probabilities: {shares}.",
        _text(row["words"]),
        _text(known.get(str(row["position"]), "")),
        "" if change is None else _text(change["words"]),
        _table(["column", "value", "SHAP"], cells),
    ]
