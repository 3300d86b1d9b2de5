import io
import re
from xml.etree import ElementTree

import pytest
from matplotlib.figure import Figure

from skdnn.explain._report.svg_cleaning import clean_svg


@pytest.mark.parametrize(
    "inside",
    [
        "<script>alert(1)</script>",
        "<style>*{color:red}</style>",
        '<image href="http://x/y.png"/>',
        '<use href="http://x/y.svg#a"/>',
        '<rect onclick="alert(1)"/>',
        '<rect style="fill: url(http://x/y)"/>',
        '<a href="javascript:alert(1)"><text>x</text></a>',
        "<foreignObject><b>x</b></foreignObject>",
        "<metadata>http://x</metadata>",
    ],
)
def test_drops_what_could_act_or_load(inside):
    svg = f'<svg xmlns="http://www.w3.org/2000/svg">{inside}</svg>'
    clean = clean_svg(svg, "label", "p")
    assert not re.search(r"script|http|onclick|color|foreignObject|<a", clean)


def test_ids_get_a_prefix():
    svg = (
        '<svg xmlns="http://www.w3.org/2000/svg" '
        'xmlns:xlink="http://www.w3.org/1999/xlink">'
        '<defs><path id="m" d="M0 0"/></defs><use xlink:href="#m"/>'
        '<g clip-path="url(#m)"/></svg>'
    )
    clean = clean_svg(svg, "label", "p")
    assert clean.count("p-m") == 3
    assert 'href="#p-m"' in clean
    assert 'clip-path="url(#p-m)"' in clean


def test_text_stays_text():
    svg = '<svg xmlns="http://www.w3.org/2000/svg"><text>&lt;b&gt;</text></svg>'
    assert "&lt;b&gt;" in clean_svg(svg, '"><b>', "p")
    assert "<b>" not in clean_svg(svg, '"><b>', "p")


@pytest.mark.parametrize("text", ["no svg", "<html/>"])
def test_other_documents_are_refused(text):
    with pytest.raises(ValueError, match="svg must be an SVG document"):
        clean_svg(text, "label", "p")


def test_drawing_of_matplotlib():
    figure = Figure()
    ax = figure.add_subplot()
    ax.plot([0, 1], [0, 1], "o-")
    ax.set_xlabel("<script>")
    buffer = io.StringIO()
    figure.savefig(buffer, format="svg")
    clean = clean_svg(buffer.getvalue(), "a line", "p")
    assert "http" not in clean
    assert clean.count("url(#p-") > 0
    ElementTree.fromstring(clean)
