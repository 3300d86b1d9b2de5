"""What notebooks show of results: pictures and tables as HTML."""

import base64
import html
import io
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

_DPI = 72
_MOST_PLAIN, _LEAST_PLAIN, _ROUNDING = 1e6, 1e-4, 1e-12
_LEAST_P = 0.001
_CELL = '<td style="text-align:{}">{}</td>'
_HEAD = '<th style="text-align:{}">{}</th>'


def picture_of(draw: Callable[[], Any], text: str) -> str:
    """Return what is drawn as an image in HTML; empty without matplotlib.

    `draw` returns one Axes or an array of them; their figure is closed.
    """
    try:
        import matplotlib.pyplot as plt
    except ImportError:
        return ""
    # loads the backend, which in a notebook makes figures of later cells show; loaded
    # with `ioff`, it would not
    plt.draw_if_interactive()  # type: ignore[no-untyped-call]
    with plt.ioff():  # else some notebooks show the figure itself as well
        figure = np.ravel(draw())[0].figure
        buffer = io.BytesIO()
        try:
            # without the version of matplotlib, equal results give equal bytes
            plain: dict[str, Any] = {"metadata": {"Software": None}}
            figure.savefig(buffer, format="png", dpi=_DPI, bbox_inches="tight", **plain)
        finally:
            plt.close(figure)
    data = base64.b64encode(buffer.getvalue()).decode()
    return (
        f'<p><img src="data:image/png;base64,{data}" style="max-width:100%" '
        f'alt="{html.escape(text)}"></p>'
    )


def table_of(table: pd.DataFrame, index: bool = False) -> str:
    """Return a table in HTML: numbers with few digits at the right, text at the left.

    Unlike a frame's own HTML, it shows names in full.
    """
    columns = [(str(name), list(table.iloc[:, i])) for i, name in enumerate(table)]
    if index:
        columns.insert(0, ("", list(table.index)))
    sides = ["right" if _is_numeric(cells) else "left" for _, cells in columns]
    head = "".join(
        _HEAD.format(side, html.escape(name))
        for side, (name, _) in zip(sides, columns, strict=True)
    )
    rows = "".join(
        "<tr>"
        + "".join(
            _CELL.format(side, html.escape(_text(name, cells[row])))
            for side, (name, cells) in zip(sides, columns, strict=True)
        )
        + "</tr>"
        for row in range(len(table))
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def text_table(head: list[str], rows: list[list[str]]) -> str:
    """Return a table of texts in HTML, all at the left."""
    lines = [_cells(_HEAD, head)] if head else []
    lines += [_cells(_CELL, row) for row in rows]
    return f"<table>{''.join(lines)}</table>"


def _cells(cell: str, texts: list[str]) -> str:
    cells = "".join(cell.format("left", html.escape(text)) for text in texts)
    return f"<tr>{cells}</tr>"


def _is_numeric(cells: list[Any]) -> bool:
    return all(_is_number(cell) or _is_missing(cell) for cell in cells)


def _is_number(cell: Any) -> bool:
    is_number = isinstance(cell, int | float | np.number)
    return is_number and not isinstance(cell, bool | np.bool_)


def _is_missing(cell: Any) -> bool:
    return bool(np.ndim(cell) == 0 and pd.isna(cell))


def _text(name: str, cell: Any) -> str:
    if _is_missing(cell):
        return "–"
    if not isinstance(cell, float | np.floating):
        return str(cell)
    if name.startswith("p_") and 0 <= cell < _LEAST_P:
        return f"<{_LEAST_P}"
    return number_text(float(cell))


def number_text(value: float, digits: int = 4) -> str:
    """Return a number with some digits; very large and small ones with a power of ten.

    >>> [number_text(x) for x in (0.123456, 12345.6, -2.68e-5, 3e-17, 2e9)]
    ['0.1235', '12346', '-2.68 × 10⁻⁵', '0', '2 × 10⁹']
    """
    size = abs(value)
    if size < _ROUNDING:  # what is left of sums that cancel out
        return "0"
    if not np.isfinite(value):
        return str(value)
    if _LEAST_PLAIN <= size < _MOST_PLAIN:
        return f"{value:.0f}" if size >= 1000 else f"{value:.{digits}g}"
    factor, _, power = f"{value:.2e}".partition("e")
    factor = factor.rstrip("0").rstrip(".")
    raised = str(int(power)).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return f"{factor} × 10{raised}"
