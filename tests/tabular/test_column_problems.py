"""Columns that are not what they look like."""

import warnings

import numpy as np
import pandas as pd
import pytest
from optional import require

from skdnn import DNNClassifier
from skdnn._tabular.column_problems import as_texts, column_problems, spelled
from skdnn.exceptions import ColumnWarning

N = 300
RNG = np.random.default_rng(0)
NUMBERS = RNG.normal(40, 3, N).round(2)
WORDS = pd.Series(NUMBERS).astype(str)
DAYS = pd.date_range("2020-01-01", periods=N)
CODES = np.arange(N) % 2


def kind_of(cells, codes=None, name="x"):
    problems = column_problems(pd.DataFrame({name: cells}), codes)
    return problems[0].kind if problems else None


def draw(values):
    return pd.Series(RNG.choice(np.array(values, dtype=object), N))


@pytest.mark.parametrize(
    "cells",
    [
        WORDS.str.replace(".", ","),
        "€ " + WORDS,
        WORDS + " €",
        "$" + pd.Series([f"{v * 1000:,.2f}" for v in NUMBERS]),
        "USD " + WORDS,
        pd.Series([f"{int(v * 1000):,}".replace(",", sep) for v, sep in
                   zip(NUMBERS, ["'"] * N, strict=True)]),
        pd.Series([f"{int(v * 1000):,}".replace(",", "\xa0") for v in NUMBERS]),
        WORDS + "%",
        WORDS + " kg",
        "-" + WORDS,
        "\u2212" + WORDS,
        WORDS.where(np.arange(N) % 3 > 0, "<LOD"),
        WORDS.where(np.arange(N) % 3 > 0, "<0.5"),
        WORDS.where(np.arange(N) != 3, " "),
        pd.Series([f"{v:.2e}" for v in NUMBERS]),
        pd.Series([*NUMBERS[:5], "n.d.", *NUMBERS[5:]], dtype=object),
    ],
)  # fmt: skip
def test_numbers_as_words(cells):
    (problem,) = column_problems(pd.DataFrame({"x": cells}))
    assert problem.kind == "numbers as words"
    words = [cell for cell in cells if isinstance(cell, str)]
    assert f"'{words[0]}'" in problem.words
    # declared as a category it may be what it is
    declared = pd.DataFrame({"x": cells.astype(str).astype("category")})
    assert kind_of(declared["x"]) != "numbers as words"
    assert "numbers as words" not in {
        problem.kind for problem in column_problems(declared, declared=[0])
    }


@pytest.mark.parametrize(
    ("cells", "remedy"),
    [
        (WORDS.str.replace(".", ","), "decimal=','"),
        (pd.Series([f"{v * 1000:,.0f}" for v in NUMBERS]), "thousands=','"),
        (WORDS.where(np.arange(N) != 9, "?"), "errors='coerce'"),
        ("€ " + WORDS, "after removing signs"),
    ],
)
def test_the_remedy_fits_how_numbers_are_written(cells, remedy):
    (problem,) = column_problems(pd.DataFrame({"x": cells}))
    assert remedy in problem.remedy


def test_an_odd_word_among_numbers_is_the_example():
    cells = WORDS.where(np.arange(N) != 5, "<LOD")
    (problem,) = column_problems(pd.DataFrame({"x": cells}))
    assert f"such as '{cells[0]}' and '<LOD'" in problem.words


@pytest.mark.parametrize(
    "form",
    ["%Y-%m-%d", "%d.%m.%Y", "%m/%d/%Y", "%d/%m/%y", "%Y-%m-%dT%H:%M:%SZ", "%d %B %Y",
     "%B %d, %Y", "%a %b %d %Y", "%Y-%m", "%Y%m%d", "%d-%b-%Y"],
)  # fmt: skip
def test_dates_as_words(form):
    assert kind_of(pd.Series(DAYS.strftime(form))) == "dates as words"


def test_times_as_words():
    assert kind_of(pd.Series([f"{i % 24}:{i % 60:02d}" for i in range(N)])) == (
        "dates as words"
    )


def test_rows_that_are_counted_or_identified():
    assert kind_of(np.arange(1, N + 1)) == "row counter"
    assert kind_of(np.arange(N, dtype=float)) == "row counter"
    assert kind_of(RNG.permutation(N) + 1000) == "identifier"
    assert kind_of([f"P{i:04d}" for i in range(N)]) == "identifier"
    assert kind_of(pd.Categorical([f"P{i:04d}" for i in range(N)])) == "identifier"
    wide = RNG.choice(10**8, N, replace=False)
    assert kind_of(wide, name="customer_id") == "identifier"
    assert kind_of(wide, name="income") is None


def test_a_counter_of_sorted_classes_is_worse():
    frame = pd.DataFrame({"row": np.arange(N)})
    (problem,) = column_problems(frame, np.sort(CODES))
    assert "sorted by class" in problem.words
    (problem,) = column_problems(frame, CODES)
    assert "sorted by class" not in problem.words


@pytest.mark.parametrize("values", [["yes", "no"], [5, 7], [2.5, 3.5], [True, False]])
def test_equal_to_the_target(values):
    cells = np.array(values)[CODES]
    assert kind_of(cells, CODES) == "equal to the target"
    cells[0] = values[1]
    assert kind_of(cells, CODES) is None


@pytest.mark.parametrize("value", [7, "a", True, np.nan, None])
def test_constant(value):
    assert kind_of([value] * 9) == "constant"


def test_levels_and_texts():
    assert kind_of(draw(["Oak", "oak ", "Ash"])) == "levels alike"
    assert kind_of(draw(["Oak", "Oak\xa0", "Ash"])) == "levels alike"
    assert spelled(" Red  Oak") == spelled("red oak")
    texts = [f"patient {i} felt well and went home" for i in range(N)]
    assert kind_of(texts) == "free text"


@pytest.mark.parametrize(
    "cells",
    [
        NUMBERS,
        RNG.integers(0, 500, N),
        RNG.integers(1950, 2020, N),
        draw(["a", "b", "c"]),
        draw(["1", "2", "3"]),
        draw(["18-25", "26-35", "36+"]),
        draw(["A+", "A-", "B"]),
        draw(["1.2.3", "1.3.0", "2.0.1"]),
        draw(["1 day", "2 days"]),
        draw(["00501", "02134", "10001", "94105"] * 4),
        RNG.random(N) > 0.5,
        pd.arrays.SparseArray(RNG.integers(0, 3, N)),
        pd.array([1, None] * (N // 2), dtype="Int64"),
        np.r_[[7] * (N - 1), 8],
    ],
)
def test_usual_columns_have_no_problem(cells):
    assert kind_of(cells, RNG.permutation(CODES)) is None


def test_of_many_columns_the_first_are_named():
    frame = pd.DataFrame(np.zeros((9, 30)), columns=[f"c{j}" for j in range(30)])
    texts = as_texts(column_problems(frame))
    assert len(texts) == 20
    assert texts[-1].endswith("And 10 more columns of this kind (constant).")


@pytest.mark.parametrize("library", ["pandas", "polars", "pyarrow"])
def test_fit_warns_once_per_column(library):
    cells = {"z": NUMBERS, "x": WORDS.str.replace(".", ","), "id": np.arange(N)}
    frame = pd.DataFrame(cells)
    if library == "polars":
        frame = require("polars").DataFrame({k: list(v) for k, v in cells.items()})
    elif library == "pyarrow":
        frame = require("pyarrow").table({k: list(v) for k, v in cells.items()})
    network = DNNClassifier((4,), max_iter=30, n_iter_no_change=99, random_state=0)
    with pytest.warns(ColumnWarning) as record:
        network.fit(frame, np.where(NUMBERS > 40, "in", "out"))
    names = [str(warning.message).split("'")[1] for warning in record]
    assert names == ["x", "id"]
    assert "numbers: z, id; categories: x (" in network.summary()
    with warnings.catch_warnings():
        warnings.simplefilter("error", ColumnWarning)
        with pytest.raises(ColumnWarning, match="'x' holds words that read as numbers"):
            network.fit(frame, np.where(NUMBERS > 40, "in", "out"))


def test_summary_names_booleans_and_long_lists_are_cut():
    X = pd.DataFrame(RNG.normal(size=(60, 24))).add_prefix("n").assign(b=CODES[:60] > 0)
    y = RNG.permutation(X["n0"] > 0)
    network = DNNClassifier((4,), max_iter=2, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        network.fit(X, y)
    assert "n19, and 4 more; booleans: b" in network.summary()
