"""Every explain function serves every name of a column, class or level."""

import io
import re

import numpy as np
import pandas as pd
import pytest

from skdnn import explain

_CASES = {
    "control": ("a\x0c", "b\x00", ["x\x1b", "y\x85"], ["no\x01", "yes\x02"]),
    "surrogates": ("a\ud800", "b\udfff", ["x\ud800", "y"], ["no\ud800", "yes"]),
    "order": ("a\u202e", "b\u2067", ["x\u202e", "y"], ["no", "yes\u202e"]),
    "own": ("sample", "target", ["x", "y"], ["no", "yes"]),
    "found": ("found", "feature", ["x", "y"], ["no", "yes"]),
    "value": ("value", "class", ["x", "y"], ["no", "yes"]),
    "index": ("index", "level_0", ["x", "y"], ["no", "yes"]),
    "empty": ("", "x", ["", "y"], ["", "yes"]),
    "integers": (0, 1, ["x", "y"], ["no", "yes"]),
    "tuples": (("a", 1), ("b", 2), ["x", "y"], ["no", "yes"]),
    "middle": (
        f"{'n' * 45}A{'n' * 45}",
        f"{'n' * 45}B{'n' * 45}",
        [f"{'l' * 45}C{'l' * 45}", f"{'l' * 45}D{'l' * 45}"],
        [f"{'c' * 45}E{'c' * 45}", f"{'c' * 45}F{'c' * 45}"],
    ),
    "long": ("n" * 60 + "a", "n" * 60 + "b", ["l" * 60, "l" * 61], ["no", "yes"]),
}
_INVISIBLE = set(
    map(chr, [*range(9), *range(11, 32), *range(127, 160), 0x202E, 0x2067, 0xD800])
)
_FUNCTIONS = (
    explain.shap,
    explain.lime,
    explain.break_down,
    explain.counterfactuals,
    explain.ceteris_paribus,
    explain.partial_dependence,
    explain.accumulated_local_effects,
    explain.average_conditional_effects,
    explain.permutation_importance,
    explain.summary,
    explain.performance,
    explain.novelty,
)
_SCORED = (explain.permutation_importance, explain.summary, explain.performance)


class Model:
    def __init__(self, level, classes):
        self.classes_ = np.array(classes, dtype=object)
        self._level = level

    def predict_proba(self, X):
        odds = 3 * X.iloc[:, 0].to_numpy(float) + (X.iloc[:, 1] == self._level)
        p = 1 / (1 + np.exp(-odds))
        return np.column_stack([1 - p, p])

    def predict(self, X):
        return self.classes_[self.predict_proba(X).argmax(axis=1)]

    def score(self, X, y):
        return (self.predict(X) == y).mean()


def _case(first, second, levels, classes):
    numbers = np.random.default_rng(0).normal(size=40)
    words = pd.Series(levels * 20, dtype=object)
    X = pd.DataFrame({0: numbers, 1: words})
    X.columns = pd.Index([first, second], dtype=object, tupleize_cols=False)
    y = np.array(classes, dtype=object)[(numbers > 0).astype(int)]
    return Model(levels[0], classes), X, y


def _drawn():
    """Return the text of all figures, which are closed."""
    import matplotlib.pyplot as plt
    from matplotlib.text import Text

    texts = []
    for number in plt.get_fignums():
        figure = plt.figure(number)
        figure.savefig(io.BytesIO(), format="svg")
        texts += [text.get_text() for text in figure.findobj(Text)]
    plt.close("all")
    return texts


@pytest.mark.parametrize("case", _CASES)
@pytest.mark.parametrize("function", _FUNCTIONS, ids=lambda function: function.__name__)
def test_results_keep_names_and_show_them(function, case):
    model, X, y = _case(*_CASES[case])
    given = (y,) if function in _SCORED else ()
    options = {"by": 1} if function is explain.performance else {}
    result = function(model, X, *given, background=X, random_state=0, **options)
    shown = [str(result), result._repr_html_()]
    result.plot()
    drawn = _drawn()
    shown += drawn
    if case == "middle":
        cut = [text for text in drawn if "…" in text]
        assert cut
        assert all(set("ABCDEF") & set(text) for text in cut)
    if hasattr(result, "describe") and "effect" not in result.frame():
        shown.append(result.describe())
    assert not _INVISIBLE & set("".join(shown))
    table = result.frame()
    if function is explain.counterfactuals:
        assert [name for name in table if name in set(X)] == list(X)
    elif function is explain.performance:
        assert set(table["class"].dropna()) == set(y)
        assert set(result.groups["group"]) == set(X.iloc[:, 1])
    else:
        assert set(table["feature"]) == set(map(str, X))


@pytest.mark.parametrize("case", _CASES)
def test_reports_show_all_names(case):
    model, X, y = _case(*_CASES[case])
    html = explain.report(model, X, y).html()
    if case == "middle":
        cut = re.findall(r">([^<]*…[^<]*)<", html)
        assert cut
        assert all(set("ABCDEF") & set(text) for text in cut)
    assert not _INVISIBLE & set(html)
    assert "would be" in html  # counterfactuals, whatever the names
