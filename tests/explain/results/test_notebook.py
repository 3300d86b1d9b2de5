"""Notebooks show a picture and a sentence before any table, and few digits."""

import base64
import builtins
import html
import io
import os
import re
import subprocess
import sys

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.image import imread

from skdnn import explain
from skdnn.explain import Checks, Finding
from skdnn.explain._results.notebook import number_text, table_of


@pytest.fixture(scope="module")
def results(people, people_model):
    frame, y = people
    settings = {"background": frame[:60], "random_state": 0}
    model = people_model
    return {
        "shap": explain.shap(model, frame[:6], **settings),
        "row": explain.shap(model, frame[:1], **settings),
        "lime": explain.lime(model, frame[:3], **settings),
        "importance": explain.permutation_importance(model, frame, y, random_state=0),
        "profiles": explain.partial_dependence(model, frame),
        "pairs": explain.partial_dependence(
            model, frame[:30], features=[("age", "city")]
        ),
        "break_down": explain.break_down(model, frame[:3], **settings),
        "ceteris_paribus": explain.ceteris_paribus(model, frame[:3], **settings),
        "effects": explain.average_conditional_effects(model, frame),
        "counterfactuals": explain.counterfactuals(model, frame[:4], **settings),
        "summary": explain.summary(model, frame, y, random_state=0),
        "performance": explain.performance(model, frame, y, random_state=0),
        "agreement": explain.agreement(model, frame[:4], y[:4], **settings),
    }


NAMES = [
    "shap", "row", "lime", "importance", "profiles", "pairs", "break_down",
    "ceteris_paribus", "effects", "counterfactuals", "summary", "performance",
    "agreement",
]  # fmt: skip


def shown(text):
    return html.unescape(re.sub(r"<[^>]*>", " ", text))


@pytest.mark.parametrize("name", NAMES)
def test_picture_and_sentence_come_before_any_table(name, results):
    plt.close("all")
    page = results[name]._repr_html_()
    assert plt.get_fignums() == []  # else a notebook shows it twice
    picture = re.search(r'<img src="data:image/png;base64,([^"]+)"', page)
    pixels = imread(io.BytesIO(base64.b64decode(picture[1])))
    assert pixels.shape[0] > 100
    assert np.ptp(pixels) > 0.5
    sentence = re.search(r"</p><p>([^<]+\.)</p>", page[picture.end() - 10 :])
    assert len(sentence[1]) > 30
    assert page.index("<table") > page.index(sentence[1]) > picture.start()
    # no exponents
    assert not re.search(r"\d[eE][-+]\d", shown(page))
    # equal results give equal bytes
    assert page == results[name]._repr_html_()


def test_sentences_follow_from_the_numbers(results):
    spans = results["profiles"].frame().groupby(["feature", "class"])["value"]
    column, label = spans.agg(np.ptp).idxmax()
    low, high = spans.min()[column, label], spans.max()[column, label]
    assert (
        f"The probability of {label} moves most along {column}: between "
        f"{low:.3g} and {high:.3g}."
    ) in shown(results["profiles"]._repr_html_())
    sizes = np.abs(results["shap"].values).mean(axis=0).sum(axis=1)
    first = results["shap"].feature_names[int(sizes.argmax())]
    text = shown(results["shap"]._repr_html_())
    assert re.search(rf"{first} moves the probability most, by", text)
    assert f"{sizes.max():.3g} on average, summed over classes" in text
    table = results["effects"].frame()
    n_up = (table["effect"] > 0).sum()
    assert f"of which {n_up} are positive." in shown(results["effects"]._repr_html_())
    table = results["summary"].frame().query("measure == 'importance'")
    best = table.loc[table["value"].idxmax()]
    text = shown(results["summary"]._repr_html_())
    assert f"most, by {best['value']:.3g} (" in text


def test_figures_of_later_cells_are_shown(tmp_path):
    """The first picture keeps the interactive mode that a notebook's backend sets."""
    backend = "from matplotlib.backends.backend_agg import *\nmpl.interactive(True)\n"
    module = "import matplotlib as mpl\n" + backend
    (tmp_path / "backend_of_notebook.py").write_text(module, "utf-8")
    code = (
        "import matplotlib as mpl\n"
        "from skdnn.explain._results.notebook import picture_of\n"
        "import matplotlib.pyplot as plt\n"
        "picture_of(lambda: plt.subplots()[1], '')\n"
        "assert mpl.is_interactive()\n"
    )
    environment = os.environ | {
        "MPLBACKEND": "module://backend_of_notebook",
        "PYTHONPATH": os.pathsep.join([str(tmp_path), *sys.path]),
    }
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def test_without_matplotlib_there_is_no_picture(results, monkeypatch):
    known = builtins.__import__

    def without(name, *given):
        if name.startswith("matplotlib"):
            raise ImportError(name)
        return known(name, *given)

    monkeypatch.setattr(builtins, "__import__", without)
    page = results["importance"]._repr_html_()
    assert "<img" not in page
    assert "<table" in page


def test_tables_have_few_digits_and_text_at_the_left():
    table = pd.DataFrame(
        {
            "<b>": ["<i>", None],
            "value": [0.123456, 3e-17],
            "p_holm": [2.68e-21, 0.04],
            "n": [1, 20000],
        }
    )
    page = table_of(table)
    left, right = '<td style="text-align:left">', '<td style="text-align:right">'
    assert f"{left}&lt;i&gt;</td>{right}0.1235</td>{right}&lt;0.001</td>" in page
    assert f"{left}–</td>{right}0</td>{right}0.04</td>{right}20000</td>" in page
    assert '<th style="text-align:left">&lt;b&gt;</th>' in page


@pytest.mark.parametrize("value", [0.123456, -98.76543, 12345.67, 2.68e-5, 7e9, -1e-9])
def test_numbers_keep_three_digits(value):
    text = number_text(value)
    digits, _, power = text.partition(" × 10")
    power = power.translate(str.maketrans("⁻⁰¹²³⁴⁵⁶⁷⁸⁹", "-0123456789"))
    assert float(digits) * 10 ** int(power or 0) == pytest.approx(value, rel=5e-3)
    assert "e" not in text


def test_checks_are_a_table_of_lines_at_the_left():
    checks = Checks(
        (Finding("SKD101", "Sums match", "high", "silent", "a\x0cb"),), "SHAP"
    )
    page = checks._repr_html_()
    assert page.index("0 of 1 checks fire.") < page.index("<table")
    assert page.count('<td style="text-align:left">') == 4
    assert "<td>" not in page
    assert r"a\x0cb" in page
