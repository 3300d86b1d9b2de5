"""The summary dict -> HTML; escapes everything and computes no numbers."""

from base64 import b64encode
from functools import lru_cache
from hashlib import sha256
from importlib import resources
from typing import Any

from skdnn._runtime.names import visible
from skdnn.explain._report.charts import charts
from skdnn.explain._report.sentences import DIRECTIONS
from skdnn.explain._report.svg_cleaning import clean_svg
from skdnn.explain._text import formatting

_FILTERS = ("number", "fixed", "signed", "percent", "count", "shorten")


def render(summary: dict[str, Any]) -> str:
    """Return the whole page of a report."""
    from markupsafe import Markup

    network, drawing = summary["network"], None
    if network and network["drawing"] is not None:
        label = f"Drawing of the network. {network['words']}"
        drawing = Markup(clean_svg(network["drawing"], label, "network"))
    script = (resources.files(__package__) / "templates" / "report.js").read_text()
    values = {
        "s": summary,
        "charts": charts(summary),
        "drawing": drawing,
        "script": Markup(script),
        "directions": DIRECTIONS,
        # the browser runs this script and no other
        "script_hash": b64encode(sha256(script.encode()).digest()).decode(),
    }
    page = str(_template("report.html.j2").render(values))
    # halves of surrogate pairs have references in HTML, control characters have none
    page = page.encode("utf-8", "xmlcharrefreplace").decode("utf-8")
    return visible(page, keep="\n\t")


def render_inline(summary: dict[str, Any]) -> str:
    """Return the report as a frame within another page, such as a notebook.

    The page is in an attribute, so that style sheets do not mix. Its script runs in a
    frame of an origin of its own, from which it cannot reach the page around it.
    """
    values = {"title": summary["title"], "page": render(summary)}
    return str(_template("inline.html.j2").render(values))


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
    environment.filters |= {name: getattr(formatting, name) for name in _FILTERS}
    return environment.get_template(name)
