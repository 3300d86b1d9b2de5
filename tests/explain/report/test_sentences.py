import pytest

from skdnn.explain._report import sentences
from skdnn.explain._report.summary import summarise


def plain_spaces(text):
    return text.replace("\xa0", " ")


def curve_of(*values, words=False, **changes):
    line = {"class": "k", "values": list(values), "range": max(values) - min(values)}
    x = ["u", "v", "w"] if words else [0.0, 1.0, 2.0]
    return {"feature": "f", "words": words, "x": x, "lines": [line], **changes}


def score_of(value, low, high):
    return {"value": value, "low": low, "high": high}


@pytest.mark.parametrize(
    ("words", "effect"),
    [
        (False, "\N{MINUS SIGN}0.10 at 0 and +0.20 at 2."),
        (True, "\N{MINUS SIGN}0.10 at “u” and +0.20 at “w”."),
    ],
)
def test_accumulated(words, effect):
    text = sentences.accumulated(curve_of(-0.1, 0.0, 0.2, words=words))
    assert text == (
        f"“f” changes the probability of “k” by up to 0.30: the effect is {effect}"
    )
    assert "hardly" in sentences.accumulated(curve_of(0.0, 0.001, 0.0))


def test_ceteris_paribus():
    text = sentences.ceteris_paribus(curve_of(0.2, 0.5, 0.9, own=1.0))
    assert text == (
        "The value is 1. Over the values shown, the probability of “k” ranges from 20% "
        "to 90%."
    )
    flat = curve_of(0.2, 0.2, 0.2, own="v", words=True)
    assert sentences.ceteris_paribus(flat) == (
        "The value is v. Other values hardly change the probabilities."
    )


def test_checks():
    section = {"fired": [], "silent": [1, 2], "n_not_applicable": 1}
    text = plain_spaces(sentences.checks(section))
    assert text == "None of the 2 applicable checks fires."
    text = plain_spaces(sentences.checks(section | {"fired": [1]}))
    assert text.startswith("1 of 3 applicable checks fires.")


@pytest.mark.parametrize(
    ("chance", "start"),
    [
        (0.05, "Break-down ranks the columns better than chance:"),
        (0.2, "Break-down does not rank the columns better than chance:"),
    ],
)
def test_deletion(chance, start):
    section = {
        "method": "break-down", "area": 0.5, "random_area": 0.4, "chance": chance,
        "unit": "probability",
    }  # fmt: skip
    text = sentences.deletion(section)
    assert text.startswith(start)
    assert text.endswith("along the curve is 0.500, in random order 0.400.")


def test_stability():
    rows = [
        {"method": "a", "moved": 0.1, "n_rows": 7},
        {"method": "b", "moved": 0.4, "n_rows": 3},
    ]
    words = sentences.stability(rows)
    assert "attributions by b change most, by 40%" in words
    assert "Of the rows compared, 7 by a and 3 by b are explained again." in words
    assert "No method" in sentences.stability([])


def test_verdict(evidence):
    text = plain_spaces(summarise(evidence)["verdict"])
    assert text.startswith("The network is correct for ")
    assert "of 40 held-out rows;" in text
    assert "always predicting their most frequent class would be" in text
    assert "logistic regression" in text


@pytest.mark.parametrize(
    ("n_numeric", "kinds"),
    [(3, "(numeric)"), (0, "(categorical)"), (2, "(2 numeric, 1 categorical)")],
)
def test_data(n_numeric, kinds):
    text = plain_spaces(sentences.data(10, 3, n_numeric, 0, "held-out row"))
    assert text == f"10 held-out rows with 3 columns {kinds}. No values are missing."
    text = plain_spaces(sentences.data(10, 3, n_numeric, 1, "row"))
    assert text.startswith("10 rows with 3 columns")
    assert text.endswith("1 value is missing, 3% of all.")


@pytest.mark.parametrize(
    ("second", "ending"),
    [
        ((0.2, 0.1, 0.3), " “b” is next with 0.20 (0.10 to 0.30)."),
        (
            (0.38, 0.3, 0.45),
            " It is not clearly ahead of “b”: the intervals overlap.",
        ),
        ((0.2, None, None), ""),
    ],
)
def test_importance_and_whether_the_order_is_certain(second, ending):
    rows = [{"feature": "a"} | score_of(0.4, 0.35, 0.45)]
    rows.append({"feature": "b"} | score_of(*second))
    text = sentences.importance({"rows": rows, "scoring": "accuracy"})
    assert text == (
        "“a” matters most: shuffling it lowers the accuracy by 0.40 (0.35 to 0.45)."
        + ending
    )


def test_importances_that_are_not_above_zero_are_counted():
    rows = [
        {"feature": "a"} | score_of(0.4, 0.35, 0.45),
        {"feature": "b"} | score_of(0.1, -0.1, 0.3),
        {"feature": "c"} | score_of(-0.2, -0.3, -0.1),
    ]
    text = plain_spaces(sentences.importance({"rows": rows, "scoring": "accuracy"}))
    assert text.endswith(
        "For 1 of 3 columns, the interval includes 0. Shuffling raises the accuracy "
        "for “c”."
    )


def test_importance_of_nothing():
    rows = [{"feature": "a"} | score_of(0.0, 0.0, 0.0)]
    text = sentences.importance({"rows": rows, "scoring": "accuracy"})
    assert text == "No column lowers the accuracy when it is shuffled."


@pytest.mark.parametrize(
    ("values", "ending"),
    [
        ([0.1, 0.3, 0.9], "rises from 10% to 90%."),
        ([0.9, 0.5, 0.1], "falls from 90% to 10%."),
        ([0.1, 0.9, 0.1], "varies between 10% and 90%."),
    ],
)
def test_profile_of_a_numeric_column(values, ending):
    text = sentences.profile(curve_of(*values))
    assert text == (
        f"As “f” increases from 0 to 2, the mean probability of “k” {ending}"
    )


def test_profile_that_is_flat():
    text = sentences.profile(curve_of(0.5, 0.5, 0.5))
    assert text == "The mean probabilities hardly change with “f”."


def test_profile_of_a_text_column():
    text = sentences.profile(curve_of(0.5, 0.2, words=True))
    assert text == (
        "The mean probability of “k” is lowest for “v” (20%) and highest for “u” (50%)."
    )


def training_section(**changes):
    section = {
        "n_epochs": 3,
        "loss": [1.2, 1.0, 0.8],
        "val_loss": [1.3, 1.04, 1.07],
        "best_epoch": 2,
        "kept_epoch": 3,
        "n_networks": 1,
        "n_tried": None,
        "lowest_tried": None,
        "baseline_loss": 1.1,
    }
    return section | changes


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (
            {},
            "Training took 3 epochs. The training loss is 0.8, below the baseline of "
            "1.1 (class frequencies only). The validation loss was lowest in epoch 2: "
            "1.04; it is 1.07 for the weights that are used.",
        ),
        (
            {"kept_epoch": 2},
            "Training took 3 epochs. The training loss of epoch 2, whose weights are "
            "used, is 1, below the baseline of 1.1 (class frequencies only). The "
            "validation loss was lowest in epoch 2: 1.04.",
        ),
        (
            {"n_networks": 8, "n_tried": 5, "lowest_tried": 0.9},
            "8 networks were trained for 3 epochs. Their mean training loss is 0.8, "
            "below the baseline of 1.1 (class frequencies only). The lowest loss of "
            "rows left out was 0.9, within 5 epochs that were tried.",
        ),
        (
            {"val_loss": None, "best_epoch": None},
            "Training took 3 epochs. The training loss is 0.8, below the baseline of "
            "1.1 (class frequencies only).",
        ),
    ],
)
def test_training(changes, expected):
    assert plain_spaces(sentences.training(training_section(**changes))) == expected


def test_training_that_learned_nothing():
    section = training_section(loss=[1.2, 1.2, 1.15], val_loss=[1.3, 1.2, 1.25])
    text = sentences.training(section)
    assert "not below the baseline of 1.1" in text
    assert text.endswith("the network learned nothing.")
    assert "nothing" not in sentences.training(section | {"val_loss": [1.3, 1.0, 1.2]})


def test_confusion_names_the_most_frequent_mistake():
    worst = {"actual": "a", "predicted": "b", "n": 2, "share": 0.1}
    text = sentences.confusion({"n_right": 8, "largest": [worst]}, 10)
    assert plain_spaces(text) == (
        "8 of 10 rows are predicted correctly. The most frequent mistake: 2 rows of "
        "“a” predicted as “b”."
    )
    text = sentences.confusion({"n_right": 10, "largest": []}, 10)
    assert plain_spaces(text) == "All 10 rows are predicted correctly."


@pytest.mark.parametrize(
    ("confidence", "finding"),
    [
        (0.79, "neither clearly over- nor underconfident"),
        (0.85, "neither clearly over- nor underconfident"),
        (0.9, "the model is overconfident"),
        (0.7, "the model is underconfident"),
    ],
)
def test_calibration(confidence, finding):
    section = {
        "mean_confidence": confidence,
        "accuracy": 0.8,
        "accuracy_low": 0.72,
        "accuracy_high": 0.86,
        "error": score_of(0.1, None, None),
    }
    text = sentences.calibration(section, "model").partition(":")[0]
    assert finding in text


@pytest.mark.parametrize(
    ("rank", "finding"),
    [
        (0.9, "similarly: the mean rank correlation"),
        (0.5, "partly agree"),
        (-0.1, "do not rely on one alone"),
        (None, "cannot be compared"),
    ],
)
def test_agreement(rank, finding):
    section = {"rank": rank, "sign": 0.9, "n_rows": 5}
    assert finding in sentences.agreement(section)


def test_lime_of_a_row():
    features = [{"feature": "a", "lime": 0.1}, {"feature": "b", "lime": -0.4}]
    row = {"features": features, "lime_is_poor": False}
    assert sentences.row_lime(row) == (
        "For LIME, “b” matters most; it contradicts the prediction."
    )
    assert sentences.row_lime(row | {"lime_is_poor": True}) == ""
