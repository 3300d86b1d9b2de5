from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from skdnn import explain

NBSP = "\N{NO-BREAK SPACE}"
MINUS = "\N{MINUS SIGN}"


class Anything:
    classes_ = np.array(["no", "yes"])

    def predict_proba(self, X):
        return np.full((len(X), 2), 0.5)


def _table(n, rng):
    x = rng.normal(size=n)
    return pd.DataFrame(
        {
            "x": x,
            "y": x + 0.1 * rng.normal(size=n),
            "city": rng.choice(["Oslo", "Bergen"], n),
            "count": rng.integers(0, 5, n),
            "when": pd.Timestamp("2020") + pd.to_timedelta(rng.integers(0, 90, n), "D"),
        }
    )


@pytest.fixture(scope="module")
def given():
    rng = np.random.default_rng(0)
    background, X = _table(400, rng), _table(20, rng)
    X.loc[0, "x"], X.loc[0, "y"] = -8.0, -8.0
    X.loc[1, "city"] = "Paris"
    X.loc[2, "x"] = np.nan
    X.loc[3, ["x", "y"]] = [1.0, -1.0]
    X.loc[4, "when"] = pd.Timestamp("2024-05-06")
    result = explain.novelty(Anything(), X, background=background, random_state=0)
    return result, background


def test_single_cells(given):
    result, background = given
    low = f"{background['x'].min():.4g}".replace("-", MINUS)
    text = result.describe(0)
    assert text.startswith(
        f"Row 0 is unlike all 200{NBSP}training rows left out (p = 0."
    )
    assert f"x is {MINUS}8, never below {low} in training" in text
    assert "city is Paris, never in training" in result.describe(1)
    assert "x is missing, never in training" in result.describe(2)
    last = background["when"].max().date()
    expected = f"when is 2024-05-06, never above {last} in training"
    assert expected in result.describe(4)


def test_pairs(given):
    result, _ = given
    row = result.pairs.set_index("sample").loc[3]
    low, high = (f"{row[end]:.4g}".replace("-", MINUS) for end in ("low", "high"))
    text = result.describe(3)
    assert f"{low} to {high} in the {row['n_similar']} training rows most" in text
    assert (
        f"x is 1 while y is {MINUS}1" in text or f"y is {MINUS}1 while x is 1" in text
    )


def test_usual_rows(given):
    result, _ = given
    usual = int(result.p_values.argmax())
    p_value = result.p_values[usual]
    n = round(p_value * 201) - 1
    assert result.describe(usual).startswith(
        f"Row {usual} is not unusual: {n} of 200{NBSP}training rows left out have a "
        f"score at least as high (p = {p_value:.2g})"
    )
    with pytest.raises(ValueError, match="one of the 20 explained rows"):
        result.describe(20)


def test_rows_with_calibration_rows_above_them(given):
    result, _ = given
    changed = replace(result, p_values=np.full(20, 2 / 201))
    assert "1 of 200" in changed.describe(0)
    assert "is as unusual (p = 0.01)" in changed.describe(0)
    none = replace(
        result,
        p_values=np.full(20, 0.02),
        n_training=np.full((20, 5), 300),
        pairs=result.pairs[:0],
    )
    assert "no single cell or pair is outside of the training rows" in none.describe(0)
    some = replace(none, n_training=np.full((20, 5), 3))
    assert f"3 of 400{NBSP}training rows" in some.describe(1)


def test_the_table_as_a_whole(given):
    result, background = given
    text = result.describe()
    assert f"Of 20{NBSP}rows, {result.n_unusual} are unusual (p ≤ 0.05)" in text
    assert "; 1 would be if all were like the training rows" in text  # 10 / 201 of 20
    assert "more than by chance" in text
    assert f"No column has clearly moved ({len(result.drift)}{NBSP}tests" in text
    moved = background[:200].assign(city="Oslo", x=background["x"] + 1)
    result = explain.novelty(Anything(), moved, background=background[200:])
    text = result.describe()
    assert f"of 5{NBSP}columns have moved since training" in text
    assert "city (“Oslo” 100%, in training " in text
    assert "x (median " in text
