"""The sentence beside each picture of the report.

Plain text: names are inserted unchanged, and escaped when the page is rendered.
"""

from collections.abc import Mapping, Sequence
from functools import partial
from itertools import pairwise
from typing import Any

from skdnn.explain._text.formatting import (
    count,
    fixed,
    interval,
    join,
    number,
    percent,
    quote,
    signed,
)

_FLAT = 0.005  # Curves that change by less are called flat.
_MAX_NAMED = 3  # columns
DIRECTIONS = {
    "raises": "high values raise it",
    "tends to raise": "high values tend to raise it",
    "lowers": "high values lower it",
    "tends to lower": "high values tend to lower it",
    "mixed": "high values have no clear direction",
}
# Share of a curve's movement that may go the other way if it "rises" or "falls".
_AGAINST = 0.1
# Rank correlations from which methods agree, and agree in part.
_AGREES, _AGREES_IN_PART = 0.7, 0.4
_SIGNIFICANT = 0.05


def sample(n_rows: int, n_all: int) -> str:
    """State how many rows stand for all; empty if all are used."""
    if n_rows == n_all:
        return ""
    return f"From {n_rows:,} of {n_all:,} rows, drawn at random."


def data(n_rows: int, n_columns: int, n_numeric: int, n_missing: int, noun: str) -> str:
    """State the size of the table, the kinds of its columns and what is missing.

    `noun` is what the rows are called.
    """
    kinds = f"{n_numeric} numeric, {n_columns - n_numeric} categorical"
    if n_numeric in (0, n_columns):
        kinds = "numeric" if n_numeric else "categorical"
    missing = "No values are missing."
    if n_missing:
        share = percent(n_missing / (n_rows * n_columns))
        are = "is" if n_missing == 1 else "are"
        missing = f"{count(n_missing, 'value')} {are} missing, {share} of all."
    table = f"{count(n_rows, noun)} with {count(n_columns, 'column')}"
    return f"{table} ({kinds}). {missing}"


def confusion(section: Mapping[str, Any], n_rows: int) -> str:
    """State how many predictions are correct, and the most frequent mistake."""
    n_right = section["n_right"]
    if n_right == n_rows:
        return f"All {count(n_rows, 'row')} are predicted correctly."
    worst = section["largest"][0]
    return (
        f"{n_right:,} of {count(n_rows, 'row')} are predicted correctly. The most "
        f"frequent mistake: {count(worst['n'], 'row')} of {quote(worst['actual'])} "
        f"predicted as {quote(worst['predicted'])}."
    )


def calibration(section: Mapping[str, Any], subject: str) -> str:
    """Compare mean confidence with accuracy and its interval."""
    confidence, accuracy = section["mean_confidence"], section["accuracy"]
    low, high = section["accuracy_low"], section["accuracy_high"]
    finding = f"the {subject} is neither clearly over- nor underconfident"
    if confidence > high:
        finding = f"the {subject} is overconfident"
    elif confidence < low:
        finding = f"the {subject} is underconfident"
    share = partial(percent, digits=1)
    return (
        f"On average, {finding}: the mean probability of the predicted class is "
        f"{share(confidence)}, and {share(accuracy)} of the predictions are correct "
        f"(95% interval {share(low)} to {share(high)}). The expected calibration error "
        f"is {interval(section['error'], partial(fixed, digits=3))}. 0 is perfect; "
        "with few rows the error is overestimated."
    )


def network(name: str, is_drawn: bool) -> str:
    """Describe the drawing of the network."""
    if not is_drawn:
        return f"Summary of the fitted {name}."
    return (
        "Columns enter on the left, class probabilities leave on the right. Each line "
        "is a weight: blue if positive, orange if negative, stronger if larger."
    )


def training(section: Mapping[str, Any]) -> str:
    """Compare the loss of the weights that are used with the baseline."""
    kept, n_networks = section["kept_epoch"], section["n_networks"]
    loss, base = section["loss"][kept - 1], section["baseline_loss"]
    epochs = count(section["n_epochs"], "epoch")
    text = f"Training took {epochs}. The training loss"
    if n_networks > 1:
        text = (
            f"{n_networks} networks were trained for {epochs}. Their mean training loss"
        )
    if kept < section["n_epochs"]:
        text += f" of epoch {kept}, whose weights are used,"
    text += f" is {number(loss)}"
    if base is not None and loss is not None:
        side = "below" if loss < base else "not below"
        text += f", {side} the baseline of {number(base)} (class frequencies only)"
    return f"{text}.{_validation(section)}"


def _validation(section: Mapping[str, Any]) -> str:
    """State where the validation loss was lowest, and of which networks it is."""
    epoch, base = section["best_epoch"], section["baseline_loss"]
    if epoch is None:
        return ""
    best = section["val_loss"][epoch - 1]
    if section["n_tried"] is not None:
        lowest = section["lowest_tried"]
        text = (
            f" The lowest loss of rows left out was {number(lowest)}, within "
            f"{count(section['n_tried'], 'epoch')} that were tried"
        )
        best = lowest
    else:
        text = f" The validation loss was lowest in epoch {epoch}: {number(best)}"
        kept = section["kept_epoch"]
        last = section["val_loss"][kept - 1]
        if kept != epoch and last is not None:
            text += f"; it is {number(last)} for the weights that are used"
    text += "."
    if base is not None and best is not None and best >= base:
        text += " It was never below the baseline: the network learned nothing."
    return text


def importance(section: Mapping[str, Any]) -> str:
    """Name the columns that matter most, and whether their order is certain."""
    rows, scoring = section["rows"], section["scoring"]
    top = rows[0]
    if top["value"] is None or top["value"] <= 0:
        return f"No column lowers the {scoring} when it is shuffled."
    name, drop = quote(top["feature"]), interval(top)
    text = f"{name} matters most: shuffling it lowers the {scoring} by {drop}."
    low, high = top["low"], rows[1]["high"] if len(rows) > 1 else None
    if low is not None and high is not None:
        second = quote(rows[1]["feature"])
        if low > high:
            text += f" {second} is next with {interval(rows[1])}."
        else:
            text += f" It is not clearly ahead of {second}: the intervals overlap."
    known = [row for row in rows if row["low"] is not None]
    unclear = sum(row["low"] <= 0 <= row["high"] for row in known)
    if unclear:
        columns = f"{unclear} of {count(len(rows), 'column')}"
        text += f" For {columns}, the interval includes 0."
    harmful = [quote(row["feature"]) for row in known if row["high"] < 0]
    if harmful:
        shown = harmful[:_MAX_NAMED]
        if len(harmful) > len(shown):
            shown.append(count(len(harmful) - len(shown), "other column"))
        text += f" Shuffling raises the {scoring} for {join(shown)}."
    return text


def _largest_line(
    curve: Mapping[str, Any], positive: str | None
) -> tuple[str, list[float]]:
    """Return the class that a curve changes most, and its values, none if flat.

    Of two classes, whose probabilities change alike, it is the positive one.
    """
    of_positive = [line for line in curve["lines"] if line["class"] == positive]
    line = max(of_positive or curve["lines"], key=lambda item: item["range"])
    values = [value for value in line["values"] if value is not None]
    return quote(line["class"]), values if line["range"] >= _FLAT else []


def _ends(curve: Mapping[str, Any], values: Sequence[float]) -> tuple[str, str]:
    """Return where along a curve the value is lowest and highest."""
    write = quote if curve["words"] else number
    low, high = values.index(min(values)), values.index(max(values))
    return write(curve["x"][low]), write(curve["x"][high])


def profile(curve: Mapping[str, Any], positive: str | None = None) -> str:
    """State which class probability a column changes most, and in which direction."""
    label, values = _largest_line(curve, positive)
    name = quote(curve["feature"])
    if not values:
        return f"The mean probabilities hardly change with {name}."
    if curve["words"]:
        low, high = _ends(curve, values)
        return (
            f"The mean probability of {label} is lowest for {low} "
            f"({percent(min(values))}) and highest for {high} ({percent(max(values))})."
        )
    steps = [b - a for a, b in pairwise(values)]
    up, down = sum(s for s in steps if s > 0), -sum(s for s in steps if s < 0)
    change = f"varies between {percent(min(values))} and {percent(max(values))}"
    if min(up, down) <= _AGAINST * max(up, down):
        verb = "rises" if up > down else "falls"
        change = f"{verb} from {percent(values[0])} to {percent(values[-1])}"
    span = f"from {number(curve['x'][0])} to {number(curve['x'][-1])}"
    return f"As {name} increases {span}, the mean probability of {label} {change}."


def accumulated(curve: Mapping[str, Any], positive: str | None = None) -> str:
    """State where the effect of a column is lowest and highest."""
    label, values = _largest_line(curve, positive)
    name = quote(curve["feature"])
    if not values:
        return f"The probabilities hardly change with {name}."
    low, high = _ends(curve, values)
    return (
        f"{name} changes the probability of {label} by up to "
        f"{fixed(max(values) - min(values))}: the effect is {signed(min(values), 2)} "
        f"at {low} and {signed(max(values), 2)} at {high}."
    )


def ceteris_paribus(curve: Mapping[str, Any], positive: str | None = None) -> str:
    """State how far the probabilities of one row change with one of its values."""
    label, values = _largest_line(curve, positive)
    own = curve["own"] if curve["words"] else number(curve["own"], 4)
    text = f"The value is {own}."
    if not values:
        return f"{text} Other values hardly change the probabilities."
    span = f"from {percent(min(values))} to {percent(max(values))}"
    return f"{text} Over the values shown, the probability of {label} ranges {span}."


def shap_overall(section: Mapping[str, Any]) -> str:
    """Name the column with the largest attributions, and their direction."""
    top = section["rows"][0]
    by_class = max(top["by_class"], key=lambda item: item["value"])
    text = (
        f"{quote(top['feature'])} has the largest effect: on average it changes the "
        f"probability of {quote(by_class['class'])} by {number(by_class['value'])}"
    )
    if by_class["direction"]:
        text += f", and {DIRECTIONS[by_class['direction']]}"
    return f"{text}."


def row_headline(row: Mapping[str, Any], subject: str) -> str:
    """State what was predicted for a row, and whether it is correct."""
    label, share = quote(row["predicted"]), percent(row["probability"])
    text = f"The {subject} predicts {label} with a probability of {share}"
    if row["right"]:
        return f"{text}, which is correct."
    return f"{text}; the true class is {quote(row['actual'])}."


def row_lime(row: Mapping[str, Any]) -> str:
    """Name the column with the largest LIME coefficient for a row."""
    known = [item for item in row["features"] if item["lime"] is not None]
    if not known or row["lime_is_poor"]:
        return ""
    first = max(known, key=lambda item: abs(item["lime"]))
    name, is_for = quote(first["feature"]), first["lime"] > 0
    verb = "supports" if is_for else "contradicts"
    return f"For LIME, {name} matters most; it {verb} the prediction."


def agreement(section: Mapping[str, Any]) -> str:
    """State how far SHAP and LIME agree."""
    rank, sign = section["rank"], section["sign"]
    over = f"over {count(section['n_rows'], 'row')} and all classes"
    if rank is None:
        why = "one of them gives all columns the same weight"
        return f"SHAP and LIME cannot be compared {over}: {why}."
    finding = "rank the columns differently, so do not rely on one alone"
    if rank >= _AGREES:
        finding = "rank the columns similarly"
    elif rank >= _AGREES_IN_PART:
        finding = "partly agree on the ranking of the columns"
    correlation = f"the mean rank correlation {over} is {fixed(rank)}"
    text = f"SHAP and LIME {finding}: {correlation}."
    if sign is not None:
        text += f" {percent(sign)} of the weight has the same sign."
    return text


def checks(section: Mapping[str, Any]) -> str:
    """State how many of the applicable checks fire."""
    n_fired = len(section["fired"])
    all_of_them = count(n_fired + len(section["silent"]), "applicable check")
    if not n_fired:
        return f"None of the {all_of_them} fires."
    return (
        f"{n_fired} of {all_of_them} {'fires' if n_fired == 1 else 'fire'}. A finding "
        "is not always an error, but it limits what the plots above can show."
    )


def deletion(section: Mapping[str, Any]) -> str:
    """State whether the ranking of a method is better than random orders."""
    name, unit = section["method"], section["unit"]
    verb = "ranks" if section["chance"] <= _SIGNIFICANT else "does not rank"
    area, random_area = fixed(section["area"], 3), fixed(section["random_area"], 3)
    return (
        f"{name[0].upper()}{name[1:]} {verb} the columns better than chance: the mean "
        f"{unit} of the predicted class along the curve is {area}, in random order "
        f"{random_area}."
    )


def stability(rows: Sequence[Mapping[str, Any]]) -> str:
    """Name the method that depends most on the seed."""
    if not rows:
        return "No method was run with other seeds."
    by_method = [f"{row['n_rows']} by {row['method']}" for row in rows]
    again = f"Of the rows compared, {join(by_method)} are explained"
    worst = max(rows, key=lambda row: row["moved"] or 0.0)
    return (
        f"With other seeds, attributions by {worst['method']} change most, by "
        f"{percent(worst['moved'])} of their size. The seed determines the background "
        f"rows and all other random draws of a method. {again} again."
    )
