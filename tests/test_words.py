"""The project is written in the terms of its field; words of its own are not used.

`TERMS` maps what must not be written to what is written instead. Run
`python tests/test_words.py PATH ...` for the places in files and folders.
"""

import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SUFFIXES = {".py", ".md", ".j2", ".toml", ".yml", ".yaml", ".html"}
PLACES = [
    "skdnn", "tests", "docs", "examples", "benchmarks", ".github", ".ci/run",
    ".pre-commit-config.yaml", "pyproject.toml", "README.md", "CHANGELOG.md",
    "CONTRIBUTING.md",
]  # fmt: skip
# The nouns that "rows a step" and "a column a class" are made of.
COUNTED = (
    "rows?|columns?|cells?|lines?|threads?|stacks?|evaluations|ms|milliseconds|"
    "seconds?|minutes?|calls?|methods?|one|booleans?|values?|numbers?|inputs?|fits?|"
    "labels?|sets|steps?|networks?|times|factors?|rates?|functions?|epochs?|files?|"
    "rounds?|losses|MB|MiB|megabytes"
)
UNITS = (
    "row|column|class|step|batch|epoch|core|thread|fit|fold|candidate|feature|call|"
    "page|sample|member|file|label|layer|level|network|worker|rule|player|refit|"
    "model|second|minute|value|unit|category|cell|outer fold|round|shape"
)
TERMS = {
    # distributive "a", and signs
    rf"\b(?:{COUNTED}) an? (?:{UNITS})\b(?! (?:of|is|has|may|that|whose)\b)": "per",
    r"(?<=[\d}])\x20%(?![\d}({])(?!\x20[\d(]|\x20\w+[\])])": "95%",
    # nouns
    r"\broads?\b|_roads?\b|\broad_": "execution, code path",
    r"\btruth(?: |[_-])values?\b": "boolean",
    r"(?<!tape\.)\bwatch(?:e[sd]|ing)?\b|Watch\b|\bwatched_|_watch\b": "monitor",
    r"\bcourse\b|Course\b|_course\b|\bcourse_": "config, summary, training",
    r"judg(?:e|ing|ment)": "evaluate, score; validation, out-of-fold scores",
    r"(?<!in\x20)\bfronts?\b(?! of)|_fronts?\b|\bfront_|(?<=[a-z])Front|\bFront": (
        "input encoding"
    ),
    r"sharp": "inverse temperature, calibrated",
    r"\bramps?\b|_ramps?\b|\bramp_|_ramp_": "piecewise-linear encoding (PLE)",
    r"\bpieces?\b|\bpieces_|_pieces\b": "bins",
    r"\btwins?\b|_twins?\b": "reference implementation",
    r"(?<!\")\brooms?\b(?!\")": "package, capacity",
    r"\bthe house\b": "the project",
    r"\bkin\b": "variants, similar",
    r"\bforeign\b": "third-party",
    r"\b(?:same|another|other) story\b": "the same ranking, result",
    # verbs of people, for code
    r"\btold\b|_told\b|\btold_|\btells?\b|\btelling\b": "result, report, return",
    r"\bsays\b|\bsaid\b|\bsaying\b|_said\b|_says\b": "state, report; text, message",
    r"\bhears?\b|\bheard\b": "receive, be notified",
    r"\basks\b|\basked\b|\basking\b|_asked\b": "query, request, evaluate, predict",
    r"\bspeaks?\b|\bspoken\b|\bspeaking\b": "print, log, be about",
    r"(?<!never\x20)\bseen\b(?! (?:in|during|at|by) (?:training|fit|`fit`))|_seen\b": (
        "known, training rows, input, calls"
    ),
    r"\b(?:go|goes|going|went|gone)(?: |_)on\b": "resume, continue",
    r"\bcomes? to\b|\bcame to\b": "output, logits, value",
    r"\blets? go of\b": "release, clear",
    r"\blook(?:s|ed|ing)?(?: |_)at\b": "inspect, evaluate",
    r"\b(?:made|make|makes)(?: |[_-])up\b": "synthetic",
    r"\bhand(?:s|ed|ing)? (?:\w+ )?over\b": "pass",
    r"\bmend(?:s|ed|ing)?\b|_mended\b": "fix",
    r"\bbends?\b|\bbent\b": "distort, clip smoothly",
    r"\bstands? in for\b|\bstand-ins?\b": "replace, stub",
    # turns of phrase
    r"\bcannot be(?=[.,;:)\"'|]| and\b| or\b| such\b)": "invalid",
    r"\bas (?:it|they) (?:is|was|are|were|stands?|comes?)"
    r"(?=[.,;:)\"'|]| (?:and|but|with|without|by|go)\b)": "unchanged, as is, raw",
    r"\banew\b": "again, from scratch",
    r"\bbesides\b": "also, in addition",
    r"\bbut for\b": "except for",
    r"\bfor (?:lack|want) of\b": "without",
    r"\bso far as\b": "if, where",
    r", be it\b": "even if",
    r"\ball else\b": "everything else",
    r"\bso many\b(?! that)": "the number, n",
    r"\bhonest(?:y|ly)?\b|honesty": "unbiased, cross-validated",
    r"\bsurest\b": "most confident",
    r"\blikeliest\b": "most probable",
    r"\bthe like\b": "similar",
    r"\bthe least\b(?! squares)": "minimum; fewest, smallest",
    r"\bvast\b": "large",
    r"\bnobody\b|\beverybody\b": "(name the subject)",
    r"\b(?:is|are) no (?:table|network|number|estimator|frame|class)s?\b": "is not a",
    # kinds of columns, and results
    r"\b(?:columns?|cells?|frames?|tables?|lists?) of words\b"
    r"|\bwords(?:,| and| or) (?:numbers|categor|missing|booleans|integers)"
    r"|\b(?:numbers|categories)(?:,| and| or) words\b|\bwords? columns?\b": (
        "strings, text columns"
    ),
    r"\bcolumns? of numbers\b|\bnumber columns?\b": "numeric columns",
    r"(?<![.\w\"`])found (?:=|\+=|\|=) |(?<![.\w\"`])found(?:\[|\.(?=\w)|:|,? =)"
    r"|\bin found\b": "values, results",
}
PATTERNS = {
    # a phrase may be broken by the end of a line, and by the mark of a comment
    re.compile(pattern.replace(" ", r"(?:\s+(?:#:?\s+)?)")): term
    for pattern, term in TERMS.items()
}


def files(place: Path) -> Iterator[Path]:
    """Yield the text files in a file or folder."""
    if place.is_file():
        yield place
    for path in sorted(place.rglob("*")):
        if path.suffix in SUFFIXES and "site" not in path.parts:
            yield path


def places_of_old_words(path: Path) -> Iterator[str]:
    """Yield line, words and the term to use for each place in a file."""
    if path.name == Path(__file__).name:
        return
    text = path.read_text("utf-8")
    for pattern, term in PATTERNS.items():
        for match in pattern.finditer(text):
            line = text.count("\n", 0, match.start()) + 1
            words = " ".join(match[0].split())
            yield f"{path}:{line}: {words!r} -> {term}"


@pytest.mark.parametrize("place", PLACES)
def test_the_terms_of_the_field_are_used(place):
    assert (ROOT / place).exists()
    old = [
        words.removeprefix(f"{ROOT}/")
        for path in files(ROOT / place)
        for words in places_of_old_words(path)
    ]
    assert old == []


@pytest.mark.parametrize(
    "text",
    [
        "One column a class.",
        "rows a\n    # step",
        "an interval of 95 % holds",
        'f"{share:.0f} % of"',
        "training goes on",
        "rows that cannot be.",
        "told = model",
    ],
)
def test_an_old_word_is_found(text):
    assert any(pattern.search(text) for pattern in PATTERNS)


@pytest.mark.parametrize(
    "text",
    [
        "a random walk through one column of a table",
        "i = 7 % 2 and {% if n == 1 %}",
        "rows that cannot be read",
        "categories not seen during fit",
        "recommended abroad",
    ],
)
def test_a_term_of_the_field_is_left_alone(text):
    assert not any(pattern.search(text) for pattern in PATTERNS)


if __name__ == "__main__":
    for argument in sys.argv[1:] or PLACES:
        for path in files(Path(argument)):
            for words in sorted(
                places_of_old_words(path), key=lambda place: int(place.split(":")[1])
            ):
                print(words)  # noqa: T201 - a command
