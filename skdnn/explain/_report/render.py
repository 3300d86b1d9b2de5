"""The summary dict -> HTML; escapes everything and computes no numbers."""

from functools import lru_cache
from typing import Any

from skdnn._runtime.names import shorten
from skdnn.explain._report.charts import charts
from skdnn.explain._report.svg_cleaning import clean_svg
from skdnn.explain._text import formatting

_FILTERS = (
    formatting.number,
    formatting.fixed,
    formatting.signed,
    formatting.percent,
    formatting.interval,
    formatting.count,
    shorten,
)


def render(summary: dict[str, Any]) -> str:
    """Return the whole page of a report."""
    values = {"s": summary, "charts": charts(summary), "drawing": _drawing(summary)}
    return str(_template("report.html.j2").render(values))


def render_inline(summary: dict[str, Any]) -> str:
    """Return the report as a frame within another page, such as a notebook.

    The page is in an attribute, so that style sheets do not mix, and the frame may not
    run scripts.
    """
    values = {"title": summary["title"], "page": render(summary)}
    return str(_template("inline.html.j2").render(values))


def _drawing(summary: dict[str, Any]) -> Any:
    """Return the drawing of the network, marked as safe to insert, or None."""
    from markupsafe import Markup

    section = summary["network"]
    if section is None or section["drawing"] is None:
        return None
    label = f"Drawing of the network. {section['words']}"
    return Markup(clean_svg(section["drawing"], label, "network"))


@lru_cache(maxsize=4)
def _template(name: str) -> Any:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    environment = Environment(
        loader=PackageLoader("skdnn.explain._report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {write.__name__: write for write in _FILTERS}
    return environment.get_template(name)
