import re
import shutil
import subprocess
from base64 import b64encode
from dataclasses import replace
from hashlib import sha256
from html.parser import HTMLParser
from importlib import resources

import numpy as np
import pandas as pd
import pytest
from optional import skip_unless

from skdnn.explain._report.report import Report
from skdnn.explain._report.summary import summarise

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
    """The elements and headings of a page, and everything that it would load."""

    VOID = frozenset(["meta", "link", "img", "br", "hr", "input", "col"])

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
    # strings that pyarrow stores cannot hold half of a surrogate pair; objects can
    names = pd.Index(HOSTILE, dtype=object)
    X = pd.DataFrame(rng.normal(size=(40, len(HOSTILE))), columns=names)
    cells = rng.choice(np.array([*HOSTILE[:3], HOSTILE[-1], None], dtype=object), 40)
    X[HOSTILE[3]] = pd.Series(cells, dtype=object)
    X.index = [f"<i>{i}" for i in range(40)]
    with pd.option_context("mode.string_storage", "python"):  # as in explain.report
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
    script = (
        resources.files("skdnn.explain._report") / "templates/report.js"
    ).read_text()
    assert page.count("script") == 1
    digest = b64encode(sha256(script.encode()).digest()).decode()
    policy = page.with_attribute("http-equiv", "Content-Security-Policy")[0][1]
    assert policy["content"].endswith(f"; script-src 'sha256-{digest}'")
    assert f"<script>{script}</script>" in Report(summarise(evidence)).html()
    for call in ("fetch", "XMLHttp", "eval", "innerHTML", "Function(", "import("):
        assert call not in script
    assert not any(
        name.startswith("on") for _, attrs in page.elements for name in attrs
    )
    assert "http" not in Report(summarise(evidence)).html().replace("http-equiv", "")
    assert policy["content"].startswith("default-src 'none'")


def test_hostile_names_are_text(make_evidence):
    html = Report(summarise(hostile_evidence(make_evidence))).html()
    page = Page(html)
    harmless = Page(Report(summarise(make_evidence())).html())
    tags = {tag for tag, _ in page.elements}
    tags -= {"strong", "h5"}  # the warning about LIME, titles of columns of text
    assert tags <= {tag for tag, _ in harmless.elements}
    assert page.count("script") == 1
    assert page.count("img") == 0
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
    assert len(rows) == 40
    assert len([a for _, a in rows if "chosen" in a["class"]]) == 4
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
    for name in ("row", "sentences", "counterfactual"):
        assert len(page.with_attribute("data-test", name)) == len(evidence.readable)
    text = "".join(page.text)
    assert "This row would be setosa if sepal length were" in text
    labels = " ".join(a.get("aria-label", "") for _, a in page.elements)
    for name in ("Accumulated local", "Ceteris paribus", "Deletion curve", "from 0.3"):
        assert name in labels


def test_checks_that_fire_are_shown_with_what_to_do(evidence, page):
    fired = summarise(evidence)["checks"]["fired"]
    shown = page.with_attribute("data-test", "fired")
    assert len(shown) == len(fired) > 2
    assert [finding["severity"] for finding in fired] == sorted(
        (finding["severity"] for finding in fired), key=["high", "medium", "low"].index
    )
    text = "".join(page.text)
    for finding in fired:
        assert finding["words"] in text
        assert finding["remedy"] in text


def test_a_table_without_counterfactuals(make_evidence):
    evidence = make_evidence(counterfactuals=None)
    picked = replace(evidence.picked, counterfactuals=None)
    page = Page(Report(summarise(replace(evidence, picked=picked))).html())
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


def test_wide_tables_can_be_reached_by_keyboard(page):
    regions = [a for _, a in page.elements if a.get("class") == "scroll"]
    assert len(regions) > 15
    assert {(a.get("tabindex"), a.get("role")) for a in regions} == {("0", "group")}
    assert all(a["aria-label"] for a in regions)


def test_same_summary_same_bytes(evidence):
    assert Report(summarise(evidence)).html() == Report(summarise(evidence)).html()


def test_pickers_name_rows_classes_and_columns(page, evidence):
    summary = summarise(evidence)
    rows = {attrs["id"] for _, attrs in page.with_attribute("data-test", "row")}
    options = [attrs for tag, attrs in page.elements if tag == "option"]
    of_rows = [o for o in options if o["value"].startswith("row-")]
    assert {o["value"] for o in of_rows} == rows
    wrong = {o["value"] for o in of_rows if "data-wrong" in o}
    missed = np.flatnonzero(evidence.codes != evidence.predicted)
    assert wrong == {f"row-{row}" for row in missed}
    for option in of_rows:
        row = int(option["data-position"])
        doubt = 1 - evidence.probabilities[row, evidence.predicted[row]]
        assert float(option["data-doubt"]) == pytest.approx(doubt, abs=1e-6)
    for name in ("row-picker", "class-picker", "column-picker"):
        (picker,) = page.with_attribute("data-test", name)
        assert picker[0] == "select"
        labels = [a for t, a in page.elements if t == "label"]
        assert picker[1]["id"] in {label["for"] for label in labels}
    columns = {a["data-column"] for _, a in page.elements if "data-column" in a}
    curves = summary["partial_dependence"]["curves"]
    assert columns == {curve["feature"] for curve in curves}


def test_size_for_twenty_columns_and_rows(make_evidence):
    rng = np.random.default_rng(0)
    X = pd.DataFrame(rng.normal(size=(100, 20)), columns=[f"c{i}" for i in range(20)])
    evidence = make_evidence(X, chosen=[(i, "") for i in range(20)])
    summary = summarise(evidence)
    assert len(summary["rows"]) == 20
    assert all(len(row["ceteris_paribus"]) == 3 for row in summary["rows"])
    assert len(Report(summarise(evidence)).html().encode()) < 2_000_000


def test_inline_page_cannot_reach_out_of_its_frame(make_evidence):
    evidence = hostile_evidence(make_evidence)
    outer = Page(Report(summarise(evidence))._repr_html_())
    assert [tag for tag, _ in outer.elements] == ["iframe"]
    attrs = outer.elements[0][1]
    assert attrs["sandbox"] == "allow-scripts"
    assert attrs["srcdoc"].strip() == Report(summarise(evidence)).html().strip()
    assert attrs["title"] == HOSTILE[2]


def test_templates_are_package_data():
    folder = resources.files("skdnn.explain._report") / "templates"
    names = {item.name for item in folder.iterdir()}
    assert {"report.html.j2", "inline.html.j2", "macros.html.j2", "report.css"} <= names
    for name in names:
        assert "|safe" not in (folder / name).read_text().replace(" ", "")


BROWSER = shutil.which("chromium") or shutil.which("chromium-browser")


@pytest.mark.slow
@skip_unless(BROWSER is not None, "chromium is not installed")
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
    # Chromium requests the time and updates from its makers, whatever page it shows.
    own = re.compile(r"https?://[\w.]*(google|googleapis|gvt1)\.com/")
    assert not [url for url in requested if not own.match(url)]
    assert done.stdout.count("<script") == 1
    assert done.stdout.count('class="sample chosen current"') == 1
    assert "How it was made" in done.stdout
