"""Mutation testing: which changes of the code do the tests of a module not notice?

Cosmic Ray changes an operator, a comparison, a number or a keyword of a module, at
one place at a time; then the module's tests run, in a copy of the project. A change
that no test notices is printed. Where an operator has several replacements, one is
drawn for each place; annotations of types are left.

    pip install cosmic-ray
    python benchmarks/mutation.py                       # all modules listed below
    python benchmarks/mutation.py shap_sampling --sample 50 --jobs 2
"""

import argparse
import ast
import difflib
import json
import multiprocessing
import os
import queue
import random
import shutil
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[1]
# Modules, and the tests that are to notice their changes.
TESTS = {
    "_network/numpy_forward": ["network/test_numpy_forward.py"],
    "_network/prediction": [
        "network/test_prediction.py",
        "network/test_numpy_forward.py",
    ],
    "_training/loop": ["training/test_loop.py", "training/test_callbacks.py"],
    "explain/_methods/shap_sampling": ["explain/methods/test_shap_sampling.py"],
    "_tabular/encoder": ["tabular/test_encoder.py"],
    "_estimator/conformal": ["estimator/test_conformal.py"],
}
# Tests of other modules in these files, each of half a minute.
LEFT_OUT = [
    "training/test_loop.py::test_the_signal_of_the_user_reaches_the_caller",
    "training/test_callbacks.py::test_a_global_dtype_policy_changes_nothing",
]
# Imported once: they start no threads, which would not survive a fork.
PRELOADED = [
    "hypothesis",
    "keras",
    "matplotlib",
    "pandas",
    "pytest",
    "shap",
    "sklearn.ensemble",
]
TIMEOUT = 300  # seconds for the tests of one change; an endless loop is noticed too


class Mutant(NamedTuple):
    """A changed module: what was changed, and its code."""

    operator: str
    line: int
    code: str


def annotations(code: str) -> set[int]:
    """Return the positions, as line * 1000 + column, of annotations of types."""
    nodes = []
    for node in ast.walk(ast.parse(code)):
        nodes += [getattr(node, "annotation", None), getattr(node, "returns", None)]
    return {
        line * 1000 + column
        for node in filter(None, nodes)
        for line in range(node.lineno, node.end_lineno + 1)
        for column in range(
            node.col_offset if line == node.lineno else 0,
            node.end_col_offset if line == node.end_lineno else 1000,
        )
    }


def mutants(path: Path, seed: int) -> list[Mutant]:
    """Return the changes of a module: of each kind and place, one."""
    from cosmic_ray.ast import ast_nodes, get_ast
    from cosmic_ray.mutating import mutate_code
    from cosmic_ray.plugins import get_operator, operator_names

    code = path.read_text()
    typed = annotations(code)
    tree = get_ast(code)
    places: dict[tuple[str, tuple[int, int]], list] = {}
    for name in operator_names():
        if get_operator(name).arguments():
            continue
        operator = get_operator(name)()
        starts = (
            start
            for node in ast_nodes(tree)
            for start, _ in operator.mutation_positions(node)
        )
        for occurrence, start in enumerate(starts):
            if start[0] * 1000 + start[1] not in typed:
                kind = name.split("_")[0]
                places.setdefault((kind, start), []).append((name, occurrence))
    draw = random.Random(seed)
    chosen = [(*draw.choice(places[place]), place[1][0]) for place in sorted(places)]
    return [
        Mutant(name, line, mutate_code(code, get_operator(name)(), occurrence))
        for name, occurrence, line in chosen
    ]


def run_tests(tree: str, tests: list[str]) -> None:
    """Exit with 0 if all tests pass: the main function of a process."""
    os.chdir(tree)
    sys.path.insert(0, tree)
    sys.dont_write_bytecode = True  # a change may keep size and time of a file
    with Path(os.devnull).open("w") as nothing:
        os.dup2(nothing.fileno(), 1)
        os.dup2(nothing.fileno(), 2)
    import pytest

    options = ["-x", "-q", "--assert=plain", "-p", "no:cacheprovider", "-p", "no:cov"]
    options += [f"--deselect=tests/{name}" for name in LEFT_OUT]
    os._exit(int(pytest.main([*options, *(f"tests/{name}" for name in tests)])))


def survives(mutant: Mutant, name: str, trees: queue.Queue, context) -> bool:
    """Return whether all tests pass with a change."""
    tree = trees.get()
    path = Path(tree) / "skdnn" / f"{name}.py"
    original = path.read_text()
    try:
        path.write_text(mutant.code)
        process = context.Process(target=run_tests, args=(tree, TESTS[name]))
        process.start()
        process.join(TIMEOUT)
        if process.is_alive():
            process.kill()
            process.join()
        return process.exitcode == 0
    finally:
        path.write_text(original)
        trees.put(tree)


def difference(original: str, changed: str) -> str:
    """Return the lines of a change."""
    lines = difflib.unified_diff(
        original.splitlines(), changed.splitlines(), n=0, lineterm=""
    )
    return "\n".join(line for line in list(lines)[2:] if not line.startswith("@@"))


def measure(name: str, arguments, trees: queue.Queue, context) -> dict:
    """Run the tests of one module for each change, and print the survivors."""
    path = ROOT / "skdnn" / f"{name}.py"
    original = path.read_text()
    if not survives(Mutant("none", 0, original), name, trees, context):
        raise SystemExit(f"The tests of {name} fail without a change.")
    every = mutants(path, arguments.seed)
    drawn = every
    if arguments.sample and arguments.sample < len(every):
        drawn = random.Random(arguments.seed).sample(every, arguments.sample)
    drawn = sorted(drawn, key=lambda mutant: mutant.line)
    n_survivors = 0
    with ThreadPoolExecutor(arguments.jobs) as pool:
        kept = pool.map(lambda m: survives(m, name, trees, context), drawn)
        for mutant, alive in zip(drawn, kept, strict=True):
            if alive:
                n_survivors += 1
                print(f"{name}.py:{mutant.line} {mutant.operator}")
                print(difference(original, mutant.code), flush=True)
    return {
        "module": name,
        "changes": len(every),
        "tried": len(drawn),
        "noticed": len(drawn) - n_survivors,
        "share": round(1 - n_survivors / len(drawn), 3),
    }


def main() -> None:
    """Measure the modules whose names contain one of the arguments."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("modules", nargs="*", help="parts of names; default: all")
    parser.add_argument("--sample", type=int, help="changes to try of each module")
    parser.add_argument("--jobs", type=int, default=os.cpu_count())
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    names = [
        name
        for name in TESTS
        if not arguments.modules or any(part in name for part in arguments.modules)
    ]
    os.environ |= {"CI": "true", "OMP_NUM_THREADS": "1", "TF_CPP_MIN_LOG_LEVEL": "3"}
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(PRELOADED)
    trees: queue.Queue = queue.Queue()
    with tempfile.TemporaryDirectory() as folder:
        for job in range(arguments.jobs):
            tree = Path(folder) / str(job)
            for part in ("skdnn", "tests"):
                shutil.copytree(
                    ROOT / part,
                    tree / part,
                    ignore=shutil.ignore_patterns("__pycache__"),
                )
            shutil.copy(ROOT / "pyproject.toml", tree)
            trees.put(str(tree))
        rows = [measure(name, arguments, trees, context) for name in names]
    print("\n".join(json.dumps(row) for row in rows))


if __name__ == "__main__":
    main()
