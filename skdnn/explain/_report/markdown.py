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
        *(part for row in s["rows"] for part in _row(row)),
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


def _row(row: Mapping[str, Any]) -> list[str]:
    """Return the parts of a row that is explained one by one."""
    cells = [
        [_text(f["feature"]), _text(f["cell"]), signed(f["shap"])]
        for f in row["features"]
    ]
    change = row["counterfactual"]
    shares = ", ".join(
        f"{_text(p['class'])} {percent(p['value'], 1)}" for p in row["probabilities"]
    )
    return [
        f"### Row {row['position']}",
        f"{_text(row['headline'])} Probabilities: {shares}.",
        _text(row["words"]),
        "" if change is None else _text(change["words"]),
        _table(["column", "value", "SHAP"], cells),
    ]
