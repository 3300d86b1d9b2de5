"""The summary dict -> HTML; escapes everything, computes no number, sees no model."""

from functools import lru_cache
from typing import Any

from skdnn._runtime.names import shorten
from skdnn.explain._report.charts import charts
from skdnn.explain._report.drawing import clean_svg
from skdnn.explain._text import formatting


def render(summary: dict[str, Any]) -> str:
    """Write the whole page of a report."""
    return _template("report.html.j2").render(
        s=summary, charts=charts(summary), drawing=_drawing(summary)
    )


def render_inline(summary: dict[str, Any]) -> str:
    """Write the report as a frame within another page, such as a notebook.

    The page travels inside an attribute, so that neither style sheet reaches the other,
    and the frame is not allowed to run scripts.
    """
    return _template("inline.html.j2").render(
        title=summary["title"], page=render(summary)
    )


def _drawing(summary: dict[str, Any]) -> Any:
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
    for filter_ in (
        formatting.number,
        formatting.fixed,
        formatting.signed,
        formatting.percent,
        formatting.interval,
        shorten,
        formatting.count,
    ):
        environment.filters[filter_.__name__] = filter_
    return environment.get_template(name)
