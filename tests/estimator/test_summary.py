"""The summary of a fit is text, which notebooks show as a table."""

import html
import pickle
import re

import numpy as np

from skdnn import DNNClassifier
from skdnn._estimator.summary import SummaryText


def test_summary_is_a_table_in_notebooks():
    X = np.random.default_rng(0).normal(size=(30, 2))
    y = np.where(X[:, 0] > 0, "<b>", "no")
    text = (
        DNNClassifier(
            (3,),
            max_iter=60,
            learning_rate_init=0.05,
            n_iter_no_change=np.inf,
            random_state=0,
        )
        .fit(X, y)
        .summary()
    )
    assert isinstance(text, str)
    assert text.startswith("data        30 rows")
    page = text._repr_html_()
    assert "<b>" not in page
    cells = re.findall(r'<td style="text-align:left">(.*?)</td>', page)
    names = [re.sub("<[^>]*>", "", cell) for cell in cells[::2]]
    lines = [
        f"{name:<11} {html.unescape(cell)}"
        for name, cell in zip(names, cells[1::2], strict=True)
    ]
    assert "\n".join(lines) == text


def test_text_is_escaped_and_kept():
    text = SummaryText("classes     a\x0cb & c")
    assert text == "classes     a\x0cb & c"
    assert pickle.loads(pickle.dumps(text)) == text
    page = text._repr_html_()
    assert r"a\x0cb &amp; c" in page
    assert page.count("<tr>") == 1
