"""Make a foreign SVG document safe and quiet enough to stand inside a page.

This is the one place where text enters a page without being escaped, so nothing passes
that is not on a list: no scripts, no style sheets, no references to anywhere.
"""

import re
from xml.etree import ElementTree

_SVG = "http://www.w3.org/2000/svg"
_XLINK = "{http://www.w3.org/1999/xlink}href"
_TAGS = frozenset(
    [
        "svg",
        "g",
        "path",
        "rect",
        "circle",
        "ellipse",
        "line",
        "polyline",
        "polygon",
        "text",
        "tspan",
        "use",
        "defs",
        "clipPath",
    ]
)
_ATTRIBUTES = frozenset(
    [
        "d",
        "x",
        "y",
        "x1",
        "x2",
        "y1",
        "y2",
        "cx",
        "cy",
        "r",
        "rx",
        "ry",
        "width",
        "height",
        "transform",
        "points",
        "viewBox",
        "style",
        "fill",
        "stroke",
        "stroke-width",
        "opacity",
        "clip-path",
        "clip-rule",
        "fill-rule",
        "text-anchor",
        "id",
        "font-size",
        "font-family",
        "font-weight",
        "dx",
        "dy",
    ]
)
_LOCAL = re.compile(r"url\(\s*['\"]?#([\w.-]+)['\"]?\s*\)")


def clean_svg(svg: str, label: str, prefix: str) -> str:
    """Rewrite an SVG document so that it can be put into a page.

    Parameters
    ----------
    svg : str
        A whole document, as matplotlib writes it.
    label : str
        What the picture shows, for those who do not see it.
    prefix : str
        Put before every id, for ids must differ between the pictures of a page.

    Returns
    -------
    str
        One `<svg>` element.

    Raises
    ------
    ValueError
        If `svg` is not an SVG document.

    Examples
    --------
    >>> clean_svg(
    ...     '<svg xmlns="http://www.w3.org/2000/svg"><script>x()</script></svg>',
    ...     "nothing", "p")
    '<svg role="img" aria-label="nothing" />'
    """
    try:
        root = ElementTree.fromstring(svg.encode("utf-8"))
    except ElementTree.ParseError as error:
        raise ValueError(f"svg must be an SVG document: {error}.") from None
    if root.tag != f"{{{_SVG}}}svg":
        raise ValueError(f"svg must be an SVG document. Got <{root.tag}> instead.")
    clean = ElementTree.Element("svg")
    clean.set("role", "img")
    clean.set("aria-label", label)
    if "viewBox" in root.attrib:
        clean.set("viewBox", root.attrib["viewBox"])
        # matplotlib sets both for all elements in a style sheet, which would reach
        # out of the picture here.
        clean.set("style", "stroke-linejoin: round; stroke-linecap: butt")
    for child in root:
        _copy(child, clean, prefix)
    return ElementTree.tostring(clean, encoding="unicode")


def _copy(
    element: ElementTree.Element, parent: ElementTree.Element, prefix: str
) -> None:
    tag = str(element.tag).removeprefix(f"{{{_SVG}}}")
    if tag not in _TAGS:
        return
    copy = ElementTree.SubElement(parent, tag)
    copy.text, copy.tail = element.text, element.tail
    for name, value in element.attrib.items():
        if name in (_XLINK, "href"):
            if value.startswith("#"):
                copy.set("href", f"#{prefix}-{value[1:]}")
        elif name in _ATTRIBUTES:
            value = f"{prefix}-{value}" if name == "id" else value
            value = _LOCAL.sub(rf"url(#{prefix}-\1)", value)
            if "url(" not in value.replace(f"url(#{prefix}-", ""):
                copy.set(name, value)
    for child in element:
        _copy(child, copy, prefix)
