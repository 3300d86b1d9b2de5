"""The options that several commands have."""

from pathlib import Path
from typing import Annotated

import typer

_READING, _EXPLAINING = "How the table is read", "What the report is about"

Data = Annotated[
    Path,
    typer.Argument(
        help="The table: CSV, TSV, Parquet or Excel, also .gz; - is the standard "
        "input. The first line holds the names of the columns.",
        metavar="DATA",
        show_default=False,
    ),
]
Model = Annotated[
    Path,
    typer.Argument(
        help="The model file, of skdnn train or tune.",
        metavar="MODEL",
        show_default=False,
    ),
]
Target = Annotated[
    str | None,
    typer.Option("--target", "-t", help="The column to predict.", show_default=False),
]
Drop = Annotated[
    list[str] | None,
    typer.Option(
        "--drop",
        help="A column to leave out; may be repeated.",
        rich_help_panel=_READING,
        show_default=False,
    ),
]
Id = Annotated[
    list[str] | None,
    typer.Option(
        "--id",
        help="A column that identifies the rows; may be repeated. none: there is "
        "none. Default: columns named like one, with another value in each row.",
        rich_help_panel=_READING,
        show_default=False,
    ),
]
Missing = Annotated[
    list[str] | None,
    typer.Option(
        "--missing",
        help="What is written for a missing value, such as NA or -999; may be "
        "repeated, and replaces those that are recognised.",
        rich_help_panel=_READING,
        show_default=False,
    ),
]
Separator = Annotated[
    str | None,
    typer.Option(
        "--separator",
        help="What separates cells: one character, tab or blanks. Default: determined.",
        rich_help_panel=_READING,
        show_default=False,
    ),
]
Decimal = Annotated[
    str | None,
    typer.Option(
        "--decimal",
        help="The decimal sign: . or , Default: determined.",
        rich_help_panel=_READING,
        show_default=False,
    ),
]
Encoding = Annotated[
    str | None,
    typer.Option(
        "--encoding",
        help="Such as utf-8, cp1252 or utf-16. Default: determined.",
        rich_help_panel=_READING,
        show_default=False,
    ),
]
Dates = Annotated[
    str | None,
    typer.Option(
        "--dates",
        help="day-first or month-first, of dates such as 03/04/2024. Default: the "
        "order that fits all of a column, and in predict and explain that of the "
        "training.",
        rich_help_panel=_READING,
        show_default=False,
    ),
]
Positive = Annotated[
    str | None,
    typer.Option(
        "--positive",
        help="The positive one of two classes. Default: one with a name such as yes "
        "or 1, else the rarer one.",
        show_default=False,
    ),
]
Group = Annotated[
    str | None,
    typer.Option(
        "--group",
        help="A column whose groups of rows are compared, such as sex.",
        rich_help_panel=_EXPLAINING,
        show_default=False,
    ),
]
Costs = Annotated[
    list[str] | None,
    typer.Option(
        "--costs",
        help="The cost of a mistake, TRUE:PREDICTED=COST, such as bad:good=5; may be "
        "repeated, others cost 1. Of two classes also MISSED:FALSE, such as 5:1.",
        rich_help_panel=_EXPLAINING,
        show_default=False,
    ),
]
Actionable = Annotated[
    list[str] | None,
    typer.Option(
        "--actionable",
        help="How a column can be changed, COLUMN=RULE: no, yes, up, down, or levels "
        "such as low,medium,high; may be repeated.",
        rich_help_panel=_EXPLAINING,
        show_default=False,
    ),
]
TestSize = Annotated[
    float,
    typer.Option(
        "--test-size",
        help="Share of the rows that are held out, between 0 and 1.",
    ),
]
Seed = Annotated[
    int,
    typer.Option("--seed", help="Seed of all random numbers.", min=0, max=2**32 - 1),
]
KeepRows = Annotated[
    int,
    typer.Option(
        "--keep-rows",
        help="Rows that the model file keeps, readable by anyone who has it; predict "
        "compares new rows with them (novelty). About 1000 are enough.",
        min=0,
    ),
]
Output = Annotated[
    Path | None,
    typer.Option("--output", "-o", help="The file to write.", show_default=False),
]
Checkpoint = Annotated[
    Path | None,
    typer.Option(
        "--checkpoint",
        help="A file that keeps the state of training: the same command, started "
        "again after it was ended, continues from there. It is not deleted.",
        show_default=False,
    ),
]
Force = Annotated[
    bool, typer.Option("--force", help="Replace the output file if it exists.")
]
Json = Annotated[
    bool, typer.Option("--json", help="Print one JSON object, for programs.")
]
