"""Reports in Chromium: light, dark, narrow, printed, by keyboard, without scripts.

All pages are built once, from models that are fitted in a moment.
"""

import re
import shutil
import string
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from optional import require, skip_unless
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_iris, make_classification
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder

from skdnn.explain import report

BROWSER = shutil.which("chromium") or shutil.which("chromium-browser")
pytestmark = [
    pytest.mark.slow,
    skip_unless(BROWSER is not None, "chromium is not installed"),
]

KINDS = ("iris", "strings", "letters", "wide")
LEVEL_AA = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa"],
    "resultTypes": ["violations"],
}
OPEN_ALL = "for (const d of document.querySelectorAll('details')) d.open = true"
# The chosen rows, and one in brief; the others look like it, and take axe long.
SHOW_ROWS = """for (const row of document.querySelectorAll(".chosen, .brief")) {
  if (row.matches(".chosen, .chosen + .brief")) row.classList.add("current");
  else row.replaceChildren();
}"""
# The first four of the rows of a table that differ in their text alone.
SHORTEN = """for (const body of document.querySelectorAll("tbody")) {
  const count = {};
  for (const row of [...body.rows]) {
    const look = [row, ...row.querySelectorAll("*")].map((e) => [
      e.tagName, ...["class", "style", "fill", "role"].map((a) => e.getAttribute(a)),
    ].join()).join(";");
    count[look] = (count[look] ?? 0) + 1;
    if (count[look] > 4) row.remove();
  }
}"""
# Elements to the right of the page, or with text that is cut; a region that is scrolled
# by keyboard may be wide.
CUT = """() => [...document.querySelectorAll("body *")].filter((e) => {
  const box = e.getBoundingClientRect(), style = getComputedStyle(e);
  if (!box.width || !box.height || e.parentElement.closest("svg")) return false;
  if (e.matches(".scroll") || e.closest(".scroll .heat")) return false;
  const cut = e.scrollWidth > e.clientWidth + 1 || e.scrollHeight > e.clientHeight + 2;
  return box.right > innerWidth + 1 || (style.overflow === "hidden" && cut);
}).map((e) => e.outerHTML.slice(0, 200))"""


def page_of(model, X, y):
    """Return a report on every other row, by a model fitted to the rest."""
    model.fit(X[::2], y[::2])
    made = report(model, X[1::2], y[1::2], background=X[::2], y_background=y[::2])
    return made.html()


def iris():
    data = load_iris(as_frame=True)
    y = data.target_names[data.target]
    return page_of(LogisticRegression(max_iter=1000), data.data, y)


def with_strings_and_missing_cells():
    rng, n = np.random.default_rng(0), 120
    X = pd.DataFrame({"age": rng.normal(40, 10, n), "income": rng.lognormal(10, 1, n)})
    X["town"] = rng.choice(["Lisbon", "Reykjavík", "Llanfairpwllgwyngyll"], n)
    y = np.where(X.age / 10 + 2 * (X.town == "Lisbon") > 4.5, "stays", "leaves")
    X["town"] = X["town"].astype(object).mask(rng.random(n) < 0.15, None)
    X["income"] = X["income"].mask(rng.random(n) < 0.15)
    columns = make_column_transformer(
        (SimpleImputer(), ["age", "income"]),
        (OneHotEncoder(handle_unknown="ignore"), ["town"]),
    )
    return page_of(make_pipeline(columns, LogisticRegression(max_iter=5000)), X, y)


def of_26_classes():
    rng = np.random.default_rng(0)
    y = np.repeat(list(string.ascii_uppercase), 10)
    centres = np.repeat(rng.normal(0, 2, (26, 4)), 10, axis=0)
    X = pd.DataFrame(centres + rng.normal(0, 1, (260, 4)), columns=list("abcd"))
    return page_of(LogisticRegression(max_iter=2000), X, y)


def of_60_columns():
    X, y = make_classification(120, 60, n_informative=8, random_state=0)
    name = "measurement {} of the long protocol of the laboratory, in micrograms"
    X = pd.DataFrame(X, columns=[name.format(j) for j in range(60)])
    return page_of(
        LogisticRegression(max_iter=1000), X, np.where(y, "positive", "negative")
    )


MAKERS = (iris, with_strings_and_missing_cells, of_26_classes, of_60_columns)


@pytest.fixture(scope="module")
def addresses(tmp_path_factory):
    """Return the address of each report, by its kind."""
    folder, results = tmp_path_factory.mktemp("reports"), {}
    for kind, make in zip(KINDS, MAKERS, strict=True):
        target = folder / f"{kind}.html"
        target.write_text(make(), encoding="utf-8")
        results[kind] = target.as_uri()
    return results


@pytest.fixture(scope="module")
def chromium():
    """Return the browser of the system."""
    started = require("playwright.sync_api").sync_playwright().start()
    browser = started.chromium.launch(
        executable_path=BROWSER, args=["--no-sandbox", "--disable-gpu"]
    )
    yield browser
    browser.close()
    started.stop()


@pytest.fixture
def open_page(chromium, addresses):
    """Return a function that opens a report; requests and errors fail the test."""
    contexts, requests, complaints = [], [], []

    def opened(kind, **options):
        context = chromium.new_context(offline=True, **options)
        contexts.append(context)
        page = context.new_page()
        page.on("request", lambda request: requests.append(request.url))
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(addresses[kind])
        return page

    yield opened
    for context in contexts:
        context.close()
    of_pages = [url for url in requests if not url.startswith("data:")]
    assert of_pages == [url for url in of_pages if url in addresses.values()]
    assert len(of_pages) == len(contexts)
    assert complaints == []


def violations(page):
    """Return what axe-core finds against WCAG 2.1, levels A and AA."""
    axe = require("axe_playwright_python.sync_playwright").Axe()
    results = axe.run(page, options=LEVEL_AA).response["violations"]
    return [(v["id"], [node["html"][:200] for node in v["nodes"]]) for v in results]


def shown_rows(page):
    """Return the ids of the single rows that are visible."""
    return page.eval_on_selector_all(
        "[data-test=row]", "rows => rows.filter(r => r.offsetHeight).map(r => r.id)"
    )


def tab_to(page, name):
    """Press the tabulator until a picker has the focus."""
    for _ in range(400):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.dataset.test") == name:
            return
    raise AssertionError(f"{name} cannot be reached by keyboard")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_nothing(open_page, kind, theme):
    page = open_page(kind, color_scheme=theme)
    page.evaluate(OPEN_ALL)
    # several single rows at once, as without scripts
    page.evaluate(SHOW_ROWS)
    page.evaluate(SHORTEN)
    assert violations(page) == []


@pytest.mark.parametrize("kind", KINDS)
def test_narrow_pages_cut_nothing(open_page, kind):
    page = open_page(kind, viewport={"width": 390, "height": 844})
    for _ in range(2):
        assert page.evaluate("document.documentElement.scrollWidth") == 390
        assert page.evaluate(CUT) == []
        page.evaluate(OPEN_ALL)
    title = page.eval_on_selector(
        "[data-test=score-accuracy]", "e => getComputedStyle(e, '::before').content"
    )
    assert "Accuracy" in title


@pytest.mark.parametrize("kind", KINDS)
def test_pages_are_as_wide_as_a_screen(open_page, kind):
    page = open_page(kind, viewport={"width": 1280, "height": 900})
    assert page.evaluate("document.documentElement.scrollWidth") == 1280
    assert page.evaluate(CUT) == []


def test_pickers_by_keyboard(open_page):
    page = open_page("iris")
    assert len(shown_rows(page)) == 1
    tab_to(page, "class-picker")
    page.keyboard.press("ArrowDown")
    parts = page.locator("[data-class-part]")
    assert parts.count() == 3
    assert sum(parts.nth(i).is_visible() for i in range(3)) == 1
    tab_to(page, "column-picker")
    before = page.locator("[data-column]:visible").count()
    page.keyboard.press("ArrowDown")
    assert page.locator("[data-column]:visible").count() == 2 < before
    tab_to(page, "row-picker")
    first = shown_rows(page)
    page.keyboard.press("ArrowDown")
    second = shown_rows(page)
    assert len(first) == len(second) == 1
    assert first != second
    assert page.locator("#row-picker").input_value() == second[0]


@pytest.mark.parametrize("name", ["row-picker", "class-picker", "column-picker"])
def test_pickers_have_labels_and_a_focus_ring(open_page, name):
    page = open_page("iris")
    assert page.locator(f"label[for={name}]").is_visible()
    tab_to(page, name)
    ring = page.evaluate("getComputedStyle(document.activeElement).outlineWidth")
    assert float(ring.removesuffix("px")) >= 2


def test_wide_tables_are_scrolled_by_keyboard(open_page):
    page = open_page("wide", viewport={"width": 700, "height": 900})
    page.evaluate(OPEN_ALL)
    page.wait_for_function("document.querySelector('.scroll[tabindex=\"-1\"]')")
    regions = page.eval_on_selector_all(
        ".scroll", "all => all.map(e => [e.scrollWidth > e.clientWidth, e.tabIndex])"
    )
    assert {tuple(region) for region in regions} == {(True, 0), (False, -1)}
    names = page.eval_on_selector_all(".scroll", "all => all.map(e => e.ariaLabel)")
    assert all(names)


@pytest.mark.parametrize("kind", KINDS)
def test_without_scripts_everything_is_there(open_page, kind):
    page = open_page(kind, java_script_enabled=False)
    rows = page.locator("[data-test=row]")
    assert rows.count() > 1
    assert page.locator("[data-test=row]:visible").count() == rows.count()
    assert page.locator(".controls:visible").count() == 0
    without = page.locator(".scroll:not([tabindex='0']), .scroll:not([aria-label])")
    assert without.count() == 0


@pytest.mark.parametrize("kind", KINDS)
def test_headings_and_table_headers(open_page, kind):
    page = open_page(kind)
    levels = page.eval_on_selector_all(
        "h1, h2, h3, h4, h5", "all => all.map(e => Number(e.tagName[1]))"
    )
    assert levels[0] == 1
    steps = [(a, b) for a, b in pairwise(levels) if b > a + 1]
    assert steps == []
    empty = page.eval_on_selector_all(
        "th", "all => all.filter(e => !e.textContent.trim()).length"
    )
    assert empty == 0


def n_pages(pdf):
    """Return the number of pages of a PDF that Chromium wrote."""
    return len(re.findall(rb"/Type /Page\b", pdf))


@pytest.mark.parametrize("scripts", [True, False])
def test_iris_is_printed_on_ten_pages(open_page, scripts):
    page = open_page("iris", java_script_enabled=scripts, color_scheme="dark")
    if scripts:  # a row that is not among the chosen ones
        brief = page.locator(".sample.brief").first.get_attribute("id")
        page.select_option("#row-picker", brief)
        assert shown_rows(page) == [brief]
    pdf = page.pdf(prefer_css_page_size=True)
    assert 1 < n_pages(pdf) <= 10
    # A4 in points
    assert re.search(rb"/MediaBox \[0 0 59[45]\.?\d* 84[12]", pdf)


def test_chosen_rows_are_printed(open_page):
    page = open_page("iris", color_scheme="dark")
    chosen = page.eval_on_selector_all(".sample.chosen", "all => all.map(e => e.id)")
    page.select_option("#row-picker", page.locator(".brief").first.get_attribute("id"))
    page.emulate_media(media="print")
    assert shown_rows(page) == chosen
    assert page.locator("details:not([open]):visible").count() == 0
    assert page.locator("nav:visible, .controls:visible").count() == 0
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == (
        "rgb(255, 255, 255)"
    )
    parts = page.eval_on_selector_all(
        "figure, tr, .card, .sample.chosen",
        "all => all.map(e => getComputedStyle(e).breakInside)",
    )
    assert set(parts) == {"avoid"}
    assert violations(page) == []
