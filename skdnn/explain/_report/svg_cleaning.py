"""Clean an SVG document, so that it can be put into a page without escaping.

Only listed elements and attributes are copied: no scripts, styles or other documents.
"""

import re
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

_SVG = "http://www.w3.org/2000/svg"
_XLINK = "{http://www.w3.org/1999/xlink}href"
_TAGS = frozenset([
    "svg", "g", "path", "rect", "circle", "ellipse", "line", "polyline", "polygon",
    "text", "tspan", "use", "defs", "clipPath",
])  # fmt: skip
_ATTRIBUTES = frozenset([
    "d", "x", "y", "x1", "x2", "y1", "y2", "cx", "cy", "r", "rx", "ry", "dx", "dy",
    "width", "height", "transform", "points", "viewBox", "style", "fill", "stroke",
    "stroke-width", "opacity", "clip-path", "clip-rule", "fill-rule", "text-anchor",
    "id", "font-size", "font-family", "font-weight",
])  # fmt: skip
_LOCAL = re.compile(r"url\(\s*['\"]?#([\w.-]+)['\"]?\s*\)")


def clean_svg(svg: str, label: str, prefix: str) -> str:
    """Return an SVG document as one `<svg>` element that may stand in a page.

    `label` describes the picture to screen readers; `prefix` is put before every id, so
    that the ids of a page differ. ValueError if `svg` is not an SVG document.
    """
    try:
        root = ElementTree.fromstring(svg.encode("utf-8"))
    except ElementTree.ParseError as error:
        raise ValueError(f"svg must be an SVG document: {error}.") from None
    if root.tag != f"{{{_SVG}}}svg":
        raise ValueError(f"svg must be an SVG document. Got <{root.tag}> instead.")
    clean = Element("svg", {"role": "img", "aria-label": label})
    if "viewBox" in root.attrib:
        clean.set("viewBox", root.attrib["viewBox"])
        # matplotlib sets both in a style sheet, which would apply to the whole page
        clean.set("style", "stroke-linejoin: round; stroke-linecap: butt")
    for child in root:
        _copy(child, clean, prefix)
    return ElementTree.tostring(clean, encoding="unicode")


def _copy(element: Element, parent: Element, prefix: str) -> None:
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
