"""Sentences on rivals: which classifier to use, and what a deep network adds."""

import math
from collections.abc import Mapping
from functools import partial
from typing import Any

from skdnn.explain._report.origin import rows_noun
from skdnn.explain._text.formatting import (
    count,
    fixed,
    interval,
    join,
    percent,
    quote,
    signed,
)

MANY_ROWS = 1000  # from which percentages have a decimal
_CURVE_DIFFERS = 0.1  # of a probability
_N_COLUMNS, _N_CAUTIONS = 3, 3  # on the first screen
_PAIR_ACTS = math.log(1.2)  # of the log odds, beyond two standard errors
_HOW_TO_GET_RIVALS = (
    "No simpler model was trained to compare with: the report needs the classes of the "
    "background rows (y_background)."
)
_HOW_TO_GET_RIVALS_BY_COMMAND = (
    "No simpler model was trained to compare with: the model file does not keep the "
    "classes of its training rows. skdnn report trains a network and simpler models on "
    "the same rows."
)


def verdict(summary: Mapping[str, Any]) -> str:
    """State how accurate the model is, what simpler ones reach, and which to use."""
    share = partial(percent, digits=0 if summary["n_rows"] < MANY_ROWS else 1)
    section, subject = summary["scores"], summary["subject"]
    accuracy = next(r for r in section["rows"] if r["name"] == "accuracy")
    rows = count(summary["n_rows"], rows_noun(summary["origin"]["overlap"]))
    right = interval(accuracy["model"], share)
    text = f"The {subject} is correct for {right} of {rows}"
    text += "; always predicting their most frequent class would be correct for "
    text += f"{share(accuracy['baseline']['value'])}."
    parts = [text, summary["origin"]["words"], advice(section, subject)]
    return " ".join(part for part in parts if part)


def how_to_get_rivals(*, is_command: bool) -> str:
    """State why there is no simpler model, to readers of a command or of Python."""
    return _HOW_TO_GET_RIVALS_BY_COMMAND if is_command else _HOW_TO_GET_RIVALS


def advice(section: Mapping[str, Any], subject: str) -> str:
    """State which of the classifiers these rows recommend."""
    if not section["has_labels"]:
        return str(section["how_to_get_rivals"])
    rivals = {rival["name"]: rival for rival in section["rivals"]}
    if section["recommended"] is not None:
        rival = rivals[section["recommended"]]
        use = f"Use {rival['name']}, the simpler model"
        if rival["name"] == "class shares":
            use = f"Do not use the {subject}: class shares alone do as well"
        return f"{use}: {_not_worse(rival, subject)}"
    ahead = [r for r in rivals.values() if _side(r) < 0]
    if ahead:
        best = min(ahead, key=lambda r: r["scores"]["log_loss"]["value"])
        return (
            f"{_name(best)} does better on these rows: {_differences(best, subject)}."
        )
    simple = rivals.get("logistic regression")
    if simple is None:
        return f"The {subject} does better than class shares alone."
    return (
        f"The {subject} does better than logistic regression trained on "
        f"{_rows_of(simple, section)}: {_differences(simple, subject)}."
    )


def _side(rival: Mapping[str, Any]) -> int:
    """Return 1 if the model is better by a score and worse by none, -1 if the rival."""
    sides = [score["better"] for score in rival["differences"].values()]
    return (max(sides) > 0) * (min(sides) >= 0) - (min(sides) < 0) * (max(sides) <= 0)


def _rows_of(rival: Mapping[str, Any], section: Mapping[str, Any]) -> str:
    if rival["n_trained"] == section["n_background"]:
        return "the background rows"
    return f"{rival['n_trained']:,} of the background rows"


def _not_worse(rival: Mapping[str, Any], subject: str) -> str:
    """State that a rival is better, or that the rows do not show which is better."""
    if _side(rival) < 0:
        return f"it does better on these rows ({_differences(rival, subject)})."
    return (
        f"these rows do not show that the {subject} does better "
        f"({_differences(rival, subject)})."
    )


def _differences(rival: Mapping[str, Any], subject: str) -> str:
    accuracy, loss = (rival["differences"][k] for k in ("accuracy", "log_loss"))
    points = partial(signed, digits=3)
    return (
        f"{subject} minus {rival['name']}: accuracy {interval(accuracy, points)}, "
        f"log loss {interval(loss, points)}"
    )


def _name(rival: Mapping[str, Any]) -> str:
    name = rival["name"] if rival["n_trained"] is not None else quote(rival["name"])
    return str(name[0].upper() + name[1:])


def first_screen(summary: Mapping[str, Any]) -> dict[str, list[str]]:
    """Name the columns that matter most, and what not to rely on."""
    scoring = summary["permutation_importance"]["scoring"]
    rows = summary["permutation_importance"]["rows"]
    clear = [row for row in rows if row["low"] is not None and row["low"] > 0]
    columns = [
        f"{quote(row['feature'])}: shuffled, the {scoring} falls by "
        f"{interval(row, partial(fixed, digits=3))}"
        for row in clear[:_N_COLUMNS]
    ]
    if not columns:
        columns = [f"No column clearly lowers the {scoring} when it is shuffled."]
    serious = [one for one in summary["checks"]["fired"] if one["severity"] != "low"]
    cautions = [f"{one['of']}: {one['words']}" for one in serious[:_N_CAUTIONS]]
    if len(serious) > _N_CAUTIONS:
        left = count(len(serious) - _N_CAUTIONS, "more finding")
        cautions.append(f"{left} under Checks.")
    if not cautions:
        cautions = ["No check of high or medium severity fires."]
    return {"columns": columns, "cautions": cautions}


def scores(section: Mapping[str, Any], subject: str) -> str:
    """State for each rival whether the model does better."""
    parts = []
    if not section["has_labels"]:
        parts.append(section["how_to_get_rivals"])
    parts += [f"{reason[0].upper()}{reason[1:]}." for reason in section["missing"]]
    parts += [_compared(rival, section, subject) for rival in section["rivals"]]
    return " ".join(parts)


def _compared(
    rival: Mapping[str, Any], section: Mapping[str, Any], subject: str
) -> str:
    name = _name(rival)
    if rival["n_trained"] is not None and rival["n_trained"] < section["n_background"]:
        name += f" (trained on {_rows_of(rival, section)} only)"
    verb = "are" if rival["name"] == "class shares" else "is"
    sides = {k: score["better"] for k, score in rival["differences"].items()}
    named = {"accuracy": "accuracy", "log_loss": "log loss"}
    won = [named[k] for k, side in sides.items() if side > 0]
    lost = [named[k] for k, side in sides.items() if side < 0]
    if won and lost:
        finding = f"{verb} worse by {join(won)}, better by {join(lost)}"
    elif won or lost:
        finding = f"{verb} {'worse' if won else 'better'} by {join(won or lost)}"
    else:
        does = "do" if rival["name"] == "class shares" else "does"
        finding = (
            f"{does} not differ clearly from the {subject} by accuracy or log loss"
        )
    return f"{name} {finding}."


def depth(section: Mapping[str, Any], subject: str) -> str:
    """State which curves, pairs and kinds of rows differ from the linear model's."""
    parts = []
    curved = [c for c in section["curves"] if c["largest"] >= _CURVE_DIFFERS]
    if curved:
        items = [
            f"{quote(c['feature'])} (by up to {percent(c['largest'])} for "
            f"{quote(c['class'])})"
            for c in curved
        ]
        parts.append(f"Its curves differ from logistic regression along {join(items)}.")
    pairs = [pair for pair in section["pairs"] if acts_together(pair)]
    if pairs:
        items = [
            f"{quote(p['features'][0])} and {quote(p['features'][1])} (factor "
            f"{fixed(math.exp(p['value']))}, for {quote(p['class'])})"
            for p in pairs
        ]
        parts.append(
            "Columns that change the odds together, beyond the product of their own "
            f"effects: {join(items)}."
        )
    parts += [_group(group, subject) for group in section["groups"]]
    if not parts:
        return (
            "No gain over logistic regression is visible here: no curve of the "
            f"{subject} differs by {percent(_CURVE_DIFFERS)}, no pair of the first "
            "columns acts together, and none of "
            f"{count(section['n_groups'], 'kind')} of rows is predicted better."
        )
    if not section["groups"]:
        parts.append(
            f"None of {count(section['n_groups'], 'kind')} of rows is predicted better "
            "by one of the two (5% level, all kinds together)."
        )
    return " ".join(parts)


def acts_together(pair: Mapping[str, Any]) -> bool:
    """Return whether a joint effect is not small, not noise, and not also linear."""
    least = pair["value"] - 2 * pair["std_error"]
    return bool(least > _PAIR_ACTS + pair["linear"])


def _group(group: Mapping[str, Any], subject: str) -> str:
    more = group["n_right"] > group["n_linear_right"]
    better, other = (subject, "logistic regression")[:: 1 if more else -1]
    counts = (group["n_right"], group["n_linear_right"])[:: 1 if more else -1]
    article = "The " if more else ""
    name = f"{article}{better}"
    return (
        f"{name[0].upper()}{name[1:]} is better where {quote(group['feature'])} is "
        f"{group['group']}: {counts[0]} of {count(group['n'], 'row')} correct, "
        f"{other} {counts[1]}."
    )
