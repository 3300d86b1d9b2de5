import os
import re
import shutil
import subprocess
from html.parser import HTMLParser
from importlib import resources

import numpy as np
import pandas as pd
import pytest

from skdnn.explain._report import Report, summarise
from skdnn.explain._report.drawing import clean_svg

HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=http://leak.test/x onerror=alert(1)>',
    "</style><b>bold",
    "{{7*7}}{% raw %}",
    "$x_1$ & \\alpha",
    "' onmouseover='alert(1)",
    "n" * 200,
    "列 ümlaut \ud800",
]
HEADINGS = (
    "SHAP",
    "LIME",
    "permutation importance",
    "partial dependence",
    "confusion",
    "calibration",
    "agreement",
    "baseline",
)


class Page(HTMLParser):
    """What a test asks of a page: elements, headings and whatever it would load."""

    VOID = frozenset(["meta", "link", "img", "br", "hr", "input"])

    def __init__(self, html):
        super().__init__(convert_charrefs=True)
        self.elements, self.headings, self.loads, self.open = [], [], [], []
        self.text, self.styles = [], []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attrs):
        attrs = dict(attrs)
        self.elements.append((tag, attrs))
        self.loads += [
            value
            for name, value in attrs.items()
            if name
            in ("src", "href", "xlink:href", "data", "action", "srcset", "poster")
        ]
        self.styles.append(attrs.get("style") or "")
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        self.handle_starttag(tag, attrs)
        if tag not in self.VOID:
            self.open.pop()

    def handle_endtag(self, tag):
        assert self.open.pop() == tag, f"</{tag}> closes another element"

    def handle_data(self, data):
        if self.open and self.open[-1] == "style":
            self.styles.append(data)
        else:
            self.text.append(data)
            if any(tag in ("h1", "h2", "h3") for tag in self.open):
                self.headings.append(data)

    def count(self, tag):
        return sum(name == tag for name, _ in self.elements)

    def with_attribute(self, name, value):
        return [e for e in self.elements if e[1].get(name) == value]


def hostile_evidence(make_evidence, **changes):
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(40, len(HOSTILE))), columns=HOSTILE)
    X[HOSTILE[3]] = rng.choice([*HOSTILE[:3], None], 40)
    X.index = [f"<i>{i}" for i in range(40)]
    return make_evidence(X, HOSTILE[:4], title=HOSTILE[2], **changes)


@pytest.fixture(scope="module")
def page(evidence):
    return Page(Report(summarise(evidence)).html())


def test_headings(page):
    headings = " | ".join(page.headings).lower()
    for word in HEADINGS:
        assert word.lower() in headings
    assert not page.open


def test_pictures_have_words(page):
    pictures = [attrs for tag, attrs in page.elements if tag == "svg"]
    assert len(pictures) > 30
    for attrs in pictures:
        assert attrs["role"] == "img"
        assert attrs["aria-label"].strip()
    for tag, attrs in page.elements:
        assert tag != "img" or attrs.get("alt")


def test_ids_are_unique_and_links_lead_somewhere(page):
    ids = [attrs["id"] for _, attrs in page.elements if "id" in attrs]
    assert len(ids) == len(set(ids))
    links = [attrs["href"] for tag, attrs in page.elements if tag == "a"]
    assert {link.removeprefix("#") for link in links} <= set(ids)


def test_nothing_is_loaded_and_nothing_runs(page, evidence):
    assert all(url.startswith("#") or url == "data:," for url in page.loads)
    assert not re.search(r"url\((?!#)|@import|expression\(", " ".join(page.styles))
    assert page.count("script") == 0
    assert not any(
        name.startswith("on") for _, attrs in page.elements for name in attrs
    )
    assert "http" not in Report(summarise(evidence)).html().replace("http-equiv", "")
    policy = page.with_attribute("http-equiv", "Content-Security-Policy")
    assert policy[0][1]["content"].startswith("default-src 'none'")


def test_hostile_names_are_text(make_evidence):
    html = Report(summarise(hostile_evidence(make_evidence))).html()
    page = Page(html)
    harmless = Page(Report(summarise(make_evidence())).html())
    tags = {tag for tag, _ in page.elements} - {"strong"}  # of the warning about LIME
    assert tags <= {tag for tag, _ in harmless.elements}
    assert page.count("script") == page.count("img") == page.count("i") == 0
    assert page.count("style") == 1
    names = {name for _, attrs in page.elements for name in attrs}
    assert not {name for name in names if name.startswith("on")}
    text = "".join(page.text)
    for name in HOSTILE[:6]:
        assert name in text
    assert "49{" not in text


def test_row_labels_and_reasons(make_evidence):
    page = Page(Report(summarise(hostile_evidence(make_evidence))).html())
    rows = page.with_attribute("data-test", "row")
    text = "".join(page.text)
    assert len(rows) == 4
    assert re.search(r"\(index <i>\d+\)", text)
    assert "chosen as the most confident correct prediction" in text


def test_lime_that_fits_badly_is_flagged(make_evidence):
    evidence = make_evidence()
    n_rows = len(evidence.chosen)
    for score, n_flags in ((0.9, 0), (0.49, n_rows), (np.nan, n_rows)):
        evidence.lime.score[:] = score
        page = Page(Report(summarise(evidence)).html())
        flags = page.with_attribute("data-test", "lime-warning")
        assert len(flags) == n_flags


def test_every_kind_of_explanation_is_there(evidence, page):
    ids = {attrs.get("id") for tag, attrs in page.elements if tag == "section"}
    assert {"importance", "profiles", "accumulated", "shap", "rows"} <= ids
    assert {"agreement", "checks", "trust"} <= ids
    n_rows = len(evidence.chosen)
    for name in ("row", "sentences", "counterfactual"):
        assert len(page.with_attribute("data-test", name)) == n_rows
    text = "".join(page.text)
    assert "This row would be setosa if sepal length were" in text
    labels = " ".join(a.get("aria-label", "") for _, a in page.elements)
    for name in ("Accumulated local", "Ceteris paribus", "Deletion curve", "from 0.3"):
        assert name in labels


def test_checks_that_fire_are_shown_with_what_to_do(evidence, page):
    fired = summarise(evidence)["checks"]["fired"]
    shown = page.with_attribute("data-test", "fired")
    assert len(shown) == len(fired) > 2
    assert [told["severity"] for told in fired] == sorted(
        (told["severity"] for told in fired), key=["high", "medium", "low"].index
    )
    text = "".join(page.text)
    for told in fired:
        assert told["words"] in text
        assert told["remedy"] in text


def test_a_table_without_counterfactuals(make_evidence):
    page = Page(Report(summarise(make_evidence(counterfactuals=None))).html())
    assert not page.with_attribute("data-test", "counterfactual")
    assert not page.open


def test_bars_of_a_poor_surrogate_are_pale(make_evidence):
    evidence = make_evidence()
    evidence.lime.score[:] = 0.9
    fair = Report(summarise(evidence)).html()
    evidence.lime.score[:] = 0.1
    poor = Report(summarise(evidence)).html()
    assert poor.count('class="rest"') > fair.count('class="rest"')


def test_sections_of_a_network_are_left_out_for_others(make_evidence, page):
    other = Page(Report(summarise(make_evidence())).html())
    ids = {attrs.get("id") for tag, attrs in other.elements if tag == "section"}
    assert not ids & {"network", "training"}
    ids = {attrs.get("id") for tag, attrs in page.elements if tag == "section"}
    assert {"network", "training"} <= ids


@pytest.mark.parametrize("n_classes", [2, 9, 25, 26, 100])
def test_any_number_of_classes(make_evidence, n_classes):
    evidence = make_evidence(classes=range(n_classes), n_rows=120)
    page = Page(Report(summarise(evidence)).html())
    cells = [a for t, a in page.elements if t == "td" and "hit" in a.get("class", "")]
    assert len(cells) == (n_classes if n_classes <= 25 else 0)


def test_same_summary_same_bytes(evidence):
    assert Report(summarise(evidence)).html() == Report(summarise(evidence)).html()


def test_size_for_twenty_columns_and_rows(make_evidence):
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(100, 20)), columns=[f"c{i}" for i in range(20)])
    evidence = make_evidence(X, chosen=[(i, "asked for") for i in range(20)])
    summary = summarise(evidence)
    assert len(summary["rows"]) == 20
    assert all(len(row["ceteris_paribus"]) == 3 for row in summary["rows"])
    assert len(Report(summarise(evidence)).html().encode()) < 2_000_000


def test_inline_page_cannot_reach_out_of_its_frame(make_evidence):
    evidence = hostile_evidence(make_evidence)
    outer = Page(Report(summarise(evidence))._repr_html_())
    assert [tag for tag, _ in outer.elements] == ["iframe"]
    attrs = outer.elements[0][1]
    assert attrs["sandbox"] == ""
    assert attrs["srcdoc"].strip() == Report(summarise(evidence)).html().strip()
    assert attrs["title"] == HOSTILE[2]


def test_templates_are_package_data():
    folder = resources.files("skdnn.explain._report") / "templates"
    names = {item.name for item in folder.iterdir()}
    assert {"report.html.j2", "inline.html.j2", "macros.html.j2", "report.css"} <= names
    for name in names:
        assert "|safe" not in (folder / name).read_text().replace(" ", "")


class TestCleanSvg:
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
    def test_drops_what_could_act_or_load(self, inside):
        svg = f'<svg xmlns="http://www.w3.org/2000/svg">{inside}</svg>'
        clean = clean_svg(svg, "label", "p")
        assert not re.search(r"script|http|onclick|color|foreign|<a", clean)

    def test_ids_get_a_prefix(self):
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

    def test_text_stays_text(self):
        svg = '<svg xmlns="http://www.w3.org/2000/svg"><text>&lt;b&gt;</text></svg>'
        assert "&lt;b&gt;" in clean_svg(svg, '"><b>', "p")
        assert "<b>" not in clean_svg(svg, '"><b>', "p")

    @pytest.mark.parametrize("text", ["no svg", "<html/>"])
    def test_other_documents_are_refused(self, text):
        with pytest.raises(ValueError, match="svg must be an SVG document"):
            clean_svg(text, "label", "p")

    def test_drawing_of_matplotlib(self, evidence):
        import io

        from matplotlib.figure import Figure

        figure = Figure()
        ax = figure.add_subplot()
        ax.plot([0, 1], [0, 1], "o-")
        ax.set_xlabel("<script>")
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg")
        clean = clean_svg(buffer.getvalue(), "a line", "p")
        assert "http" not in clean
        assert clean.count("url(#p-") > 0
        Page(clean)


BROWSER = shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.mark.slow
@pytest.mark.skipif(
    BROWSER is None and "CI" not in os.environ, reason="chromium is not installed"
)
def test_in_a_browser_nothing_is_requested_and_nothing_goes_wrong(
    make_evidence, evidence, tmp_path
):
    target = tmp_path / "report.html"
    Report(
        summarise(hostile_evidence(make_evidence, record=evidence.record))
    ).write_html(target)
    log = tmp_path / "net.json"
    command = [
        BROWSER,
        "--headless",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-background-networking",
        "--disable-component-update",
        "--disable-sync",
        "--enable-logging=stderr",
        f"--user-data-dir={tmp_path / 'profile'}",
        f"--log-net-log={log}",
        "--dump-dom",
        target.as_uri(),
    ]
    done = subprocess.run(
        command, capture_output=True, text=True, timeout=60, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "CONSOLE" not in done.stderr
    requested = re.findall(r'"url":"(\w+:[^"]*)"', log.read_text())
    # Chromium asks its makers for the time and for updates, whatever page it shows.
    own = re.compile(r"https?://[\w.]*(google|googleapis|gvt1)\.com/")
    assert not [url for url in requested if not own.match(url)]
    assert "<script" not in done.stdout
    assert "How it was made" in done.stdout
