"""The sentence that goes with each picture.

Plain text only: names are put in as they are, and escaped when they are rendered.
"""

from itertools import pairwise
from typing import Any

from skdnn.explain._text.formatting import (
    count,
    fixed,
    interval,
    number,
    percent,
    quote,
    signed,
)


def separated(a: dict[str, Any], b: dict[str, Any]) -> bool | None:
    """Tell whether two intervals do not touch; None if one has none."""
    bounds = [a.get("low"), a.get("high"), b.get("low"), b.get("high")]
    if any(bound is None for bound in bounds):
        return None
    return bool(a["low"] > b["high"] or b["low"] > a["high"])


def verdict(summary: dict[str, Any]) -> str:
    """Say in one sentence how good the model is, and beside what."""
    scores, n_rows = summary["scores"], summary["n_rows"]
    digits = 0 if n_rows < 1000 else 1

    def share(value: float | None) -> str:
        return percent(value, digits)

    rows = {row["name"]: row for row in scores["rows"]}
    accuracy = rows["accuracy"]
    text = (
        f"On {count(n_rows, 'held-out row')} the {summary['subject']} is right for "
        f"{interval(accuracy['model'], share)}."
    )
    guess = share(accuracy["baseline"]["value"])
    simple = accuracy["simple"]["value"]
    if simple is None:
        return f"{text} Always guessing the largest class is right for {guess}."
    return (
        f"{text} Logistic regression is right for {share(simple)}, always guessing the "
        f"largest class for {guess}."
    )


def compared(scores: dict[str, Any], subject: str) -> str:
    """Say whether the model beats the simple one, as far as the rows can tell."""
    if scores["simple_missing"]:
        return (
            "There is no logistic regression to compare with: "
            f"{scores['simple_missing']}."
        )
    lead = scores["lead"]
    if lead["low"] is None or lead["low"] <= 0 <= lead["high"]:
        ahead = "These rows cannot tell them apart"
    elif lead["value"] > 0:
        ahead = f"The {subject} is ahead"
    else:
        ahead = "Logistic regression is ahead"
    return (
        f"{ahead}: accuracy of the {subject} minus accuracy of logistic regression is "
        f"{interval(lead, lambda v: signed(v, 2))}, over the same bootstrap draws."
    )


def data(n_rows: int, n_columns: int, n_numbers: int, n_missing: int) -> str:
    """Say how large the table is, and of what."""
    if n_numbers == n_columns:
        kinds = "of numbers"
    elif n_numbers == 0:
        kinds = "of words"
    else:
        kinds = f"{n_numbers} of numbers and {n_columns - n_numbers} of words"
    missing = "No cell is missing."
    if n_missing:
        share = percent(n_missing / (n_rows * n_columns))
        are = "is" if n_missing == 1 else "are"
        missing = f"{count(n_missing, 'cell')} {are} missing, {share} of all."
    table = f"{count(n_rows, 'held-out row')} with {count(n_columns, 'column')}"
    return f"{table}, {kinds}. {missing}"


def confusion(section: dict[str, Any], n_rows: int, subject: str) -> str:
    """Name the commonest mistake."""
    right = section["n_right"]
    if right == n_rows:
        return f"All {count(n_rows, 'row')} are on the diagonal: there is no mistake."
    worst = section["largest"][0]
    return (
        f"{count(right, 'row')} of {n_rows:,} are on the diagonal. The commonest "
        f"mistake: {count(worst['n'], 'row')} of {quote(worst['actual'])} taken for "
        f"{quote(worst['predicted'])}."
    )


def calibration(section: dict[str, Any], subject: str) -> str:
    """Compare how sure the model is with how often it is right."""
    sure, right = section["mean_confidence"], section["accuracy"]
    gap = sure - right
    error = section["error"]
    if abs(gap) < 0.02:
        judged = "On average its confidence fits"
    elif gap > 0:
        judged = "On average it is too sure of itself"
    else:
        judged = "On average it is more often right than it claims"
    return (
        f"{judged}: it gives its predictions a probability of {percent(sure)} and is "
        f"right for {percent(right)}. The expected calibration error is "
        f"{interval(error)}; 0 is perfect, and few rows make it look larger."
    )


def network(name: str, is_drawn: bool) -> str:
    """Say how to read the drawing."""
    if not is_drawn:
        return f"What this {name} says about itself."
    return (
        "Columns enter on the left, probabilities of the classes leave on the right. A "
        "line is a weight: blue if positive, orange if negative, strong if large."
    )


def training(section: dict[str, Any]) -> str:
    """Say where the losses ended beside the baseline."""
    epochs = count(section["n_epochs"], "epoch")
    last, base = section["loss"][-1], section["baseline_loss"]
    text = f"After {epochs} the training loss is {number(last)}"
    if base is not None and last is not None:
        side = "below" if last < base else "not below"
        text += f", {side} the baseline of {number(base)} (class shares only)"
    text += "."
    if section["best_epoch"] is not None:
        best = section["val_loss"][section["best_epoch"] - 1]
        text += (
            f" The validation loss was lowest in epoch {section['best_epoch']}: "
            f"{number(best)}."
        )
        if base is not None and best is not None and best >= base:
            text += " It never got below the baseline: the network learned nothing."
    return text


def importance(section: dict[str, Any]) -> str:
    """Name the columns that matter most, and whether their order is certain."""
    rows = section["rows"]
    top = rows[0]
    if top["value"] is None or top["value"] <= 0:
        return "Shuffling any single column does not lower the score."
    text = (
        f"{quote(top['feature'])} matters most: shuffling it lowers the "
        f"{section['scoring']} by {interval(top)}."
    )
    if len(rows) > 1:
        apart = separated(top, rows[1])
        second = quote(rows[1]["feature"])
        if apart is False:
            text += f" Its lead over {second} is not separated: the intervals touch."
        elif apart:
            text += f" {second} comes next with {interval(rows[1])}."
    unclear = sum(1 for row in rows if (row["low"] is not None and row["low"] <= 0))
    if unclear:
        text += f" For {count(unclear, 'column')} of {len(rows)} the interval holds 0."
    return text


def profile(curve: dict[str, Any]) -> str:
    """Say which class a column moves most, and how."""
    line = max(curve["lines"], key=lambda item: item["range"])
    values = [v for v in line["values"] if v is not None]
    if not values or line["range"] < 0.005:
        return f"{quote(curve['feature'])} hardly moves the mean probabilities."
    label = quote(line["class"])
    if curve["words"]:
        low, high = values.index(min(values)), values.index(max(values))
        return (
            f"The mean probability of {label} is lowest at "
            f"{quote(curve['x'][low])} ({percent(values[low])}) and highest at "
            f"{quote(curve['x'][high])} ({percent(values[high])})."
        )
    steps = [b - a for a, b in pairwise(values)]
    up, down = sum(s for s in steps if s > 0), -sum(s for s in steps if s < 0)
    first, last = percent(values[0]), percent(values[-1])
    if min(up, down) <= 0.1 * max(up, down):
        verb = "rises" if up > down else "falls"
        move = f"{verb} from {first} to {last}"
    else:
        move = f"moves between {percent(min(values))} and {percent(max(values))}"
    span = f"{number(curve['x'][0])} to {number(curve['x'][-1])}"
    return (
        f"As {quote(curve['feature'])} goes from {span}, the mean probability of "
        f"{label} {move}."
    )


def accumulated(curve: dict[str, Any]) -> str:
    """Say between which changes a column moves the class that it moves most."""
    line = max(curve["lines"], key=lambda item: item["range"])
    values = [v for v in line["values"] if v is not None]
    if not values or line["range"] < 0.005:
        return f"{quote(curve['feature'])} hardly moves the probabilities."
    low, high = values.index(min(values)), values.index(max(values))

    def at(i: int) -> str:
        place = curve["x"][i]
        return quote(place) if curve["words"] else number(place)

    return (
        f"Along {quote(curve['feature'])} the probability of {quote(line['class'])} "
        f"moves by {fixed(line['range'])}: {signed(values[low], 2)} at {at(low)}, "
        f"{signed(values[high], 2)} at {at(high)}."
    )


def ceteris_paribus(curve: dict[str, Any]) -> str:
    """Say how far the row's output of a class moves along one of its cells."""
    line = max(curve["lines"], key=lambda item: item["range"])
    values = [v for v in line["values"] if v is not None]
    own = curve["own"] if curve["words"] else number(curve["own"], 4)
    if not values or line["range"] < 0.005:
        return f"No other cell than {own} changes much."
    return (
        f"Now {own}. The probability of {quote(line['class'])} could be anything from "
        f"{percent(min(values))} to {percent(max(values))}."
    )


def shap_overall(section: dict[str, Any]) -> str:
    """Name the column that moves the probabilities most, and which way."""
    top = section["rows"][0]
    by_class = max(top["by_class"], key=lambda item: item["value"])
    text = (
        f"{quote(top['feature'])} moves the prediction most: on average by "
        f"{number(by_class['value'])} in the probability of {quote(by_class['class'])}"
    )
    direction = by_class["direction"]
    if direction == "raises":
        text += ", and higher values raise it"
    elif direction == "lowers":
        text += ", and higher values lower it"
    return f"{text}."


def row_header(row: dict[str, Any], subject: str) -> str:
    """Say what was predicted for a row, and whether that is right."""
    said = (
        f"The {subject} says {quote(row['predicted'])} with a probability of "
        f"{percent(row['probability'])}"
    )
    if row["right"]:
        return f"{said}, and that is right."
    return f"{said}; it is {quote(row['actual'])}."


def row_lime(row: dict[str, Any]) -> str:
    """Name the cell that LIME puts first for a row."""
    lime = [b for b in row["features"] if b["lime"] is not None]
    if not lime or row["lime_is_poor"]:
        return ""
    first = max(lime, key=lambda b: abs(b["lime"]))
    verb = "for" if first["lime"] > 0 else "against"
    return f"LIME puts {quote(first['feature'])} first, {verb} the prediction."


def agreement(section: dict[str, Any]) -> str:
    """Say whether SHAP and LIME tell the same story."""
    rank, sign = section["rank"], section["sign"]
    over = f"over {count(section['n_rows'], 'row')} and all classes"
    if rank is None:
        return (
            f"SHAP and LIME cannot be compared {over}: one of them sees no difference."
        )
    if rank >= 0.7:
        judged = "SHAP and LIME largely put the columns in the same order"
    elif rank >= 0.4:
        judged = "SHAP and LIME put the columns partly in the same order"
    else:
        judged = (
            "SHAP and LIME put the columns in different orders, so trust neither alone"
        )
    text = f"{judged}: their mean rank correlation {over} is {fixed(rank)}."
    if sign is not None:
        text += f" {percent(sign)} of their weight has the same sign."
    return text


def checks(section: dict[str, Any]) -> str:
    """Say how many checks fire, of those that apply."""
    n_fired = len(section["fired"])
    n_all = n_fired + len(section["silent"])
    if not n_fired:
        return f"All {count(n_all, 'check')} that apply are silent: nothing was found."
    verb = "fires" if n_fired == 1 else "fire"
    return (
        f"{n_fired} of {count(n_all, 'check')} that apply {verb}. What they found need "
        "not be wrong, but it limits what the pictures above can say."
    )


def deletion(section: dict[str, Any]) -> str:
    """Say whether the order of a method beats random orders."""
    beats = section["chance"] <= 0.05
    judged = "finds" if beats else "does not find"
    name = section["method"]
    return (
        f"{name[0].upper()}{name[1:]} {judged} what the predictions hang on: on "
        f"average along the curve the {section['unit']} of the predicted class is "
        f"{fixed(section['area'], 3)}, in random order "
        f"{fixed(section['random_area'], 3)}."
    )


def stability(rows: list[dict[str, Any]]) -> str:
    """Say which method depends most on the seed."""
    if not rows:
        return "No method was asked again."
    worst = max(rows, key=lambda row: row["moved"] or 0.0)
    return (
        f"With other seeds, attributions of {worst['method']} move most, by "
        f"{percent(worst['moved'])} of their size. A seed draws the background rows "
        "and whatever else a method draws."
    )
