"""Activation functions as ONNX nodes, with the formulas of the NumPy ones.

Written with operators that runtimes have for float64 as well.
"""

from collections.abc import Callable

import numpy as np

from skdnn._onnx.graph import Graph


class _Formula:
    """The nodes of one activation in a graph, and constants in its dtype."""

    def __init__(self, graph: Graph, dtype: str) -> None:
        self.graph, self.dtype = graph, dtype

    def number(self, value: float) -> str:
        return self.graph.constant(value, self.dtype)

    def plus(self, a: str, b: float) -> str:
        return self.graph.add("Add", a, self.number(b))

    def times(self, a: str, b: float) -> str:
        return self.graph.add("Mul", a, self.number(b))

    def clip(self, a: str, low: float, high: float) -> str:
        return self.graph.add("Clip", a, self.number(low), self.number(high))

    def positive(self, a: str) -> str:
        return self.graph.add("Max", a, self.number(0))

    def softplus(self, a: str) -> str:
        small = self.graph.add("Exp", self.graph.add("Neg", self.graph.add("Abs", a)))
        log = self.graph.add("Log", self.plus(small, 1))
        return self.graph.add("Add", self.positive(a), log)

    def elu(self, a: str, alpha: float = 1.0, scale: float = 1.0) -> str:
        below = self.graph.add("Min", a, self.number(0))
        below = self.plus(self.graph.add("Exp", below), -1)
        above = self.times(self.positive(a), scale)
        return self.graph.add("Add", above, self.times(below, scale * alpha))

    def gelu(self, a: str) -> str:
        # in float32, where its error is as that of float32
        scaled = self.graph.cast(self.times(a, 0.5**0.5), "float32")
        erf = self.graph.cast(self.graph.add("Erf", scaled), self.dtype)
        return self.graph.add("Mul", self.times(a, 0.5), self.plus(erf, 1))

    def silu(self, a: str) -> str:
        # not as a product with a sigmoid: onnxruntime 1.20 to 1.23 fuse the two to a
        # node that it has for float32 only
        exponential = self.graph.add("Exp", self.graph.add("Neg", a))
        return self.graph.add("Div", a, self.plus(exponential, 1))

    def hard_sigmoid(self, a: str) -> str:
        return self.times(self.clip(self.plus(a, 3), 0, 6), 1 / 6)

    def hard_shrink(self, a: str) -> str:
        far = self.graph.add("Greater", self.graph.add("Abs", a), self.number(0.5))
        return self.graph.add("Where", far, a, self.number(0))

    def soft_shrink(self, a: str) -> str:
        size = self.positive(self.plus(self.graph.add("Abs", a), -0.5))
        return self.graph.add("Mul", self.graph.add("Sign", a), size)

    def sparse_plus(self, a: str) -> str:
        # the square is that of 0 below -1, and of 2 where the line takes over
        root = self.clip(self.plus(a, 1), 0, 2)
        square = self.times(self.graph.add("Mul", root, root), 0.25)
        line = self.positive(self.plus(a, -1))
        return self.graph.add("Add", square, line)

    def squareplus(self, a: str) -> str:
        square = self.plus(self.graph.add("Mul", a, a), 4)
        return self.times(self.graph.add("Add", a, self.graph.add("Sqrt", square)), 0.5)

    def sparsemax(self, a: str, n_units: int) -> str:
        g, last = self.graph, self.graph.constant(-1, np.int64)
        size = g.constant([n_units], np.int64)
        ordered, _ = g.add_many("TopK", 2, a, size, axis=-1)
        above = g.add("CumSum", ordered, last)
        rank = g.constant(np.arange(1, n_units + 1), self.dtype)
        level = g.add("Div", self.plus(above, -1), rank)
        support = g.cast(g.add("Greater", ordered, level), self.dtype)
        axes = g.constant([-1], np.int64)
        total = g.add("ReduceSum", g.add("Mul", support, above), axes, keepdims=1)
        count = g.add("ReduceSum", support, axes, keepdims=1)
        threshold = g.add("Div", self.plus(total, -1), count)
        return self.positive(g.add("Sub", a, threshold))


def _formulas(f: _Formula) -> dict[str, Callable[[str], str]]:
    """Return the formula of each activation of one operand."""
    add = f.graph.add
    return {
        "celu": f.elu,
        "elu": f.elu,
        "exponential": lambda a: add("Exp", a),
        "gelu": f.gelu,
        "hard_shrink": f.hard_shrink,
        "hard_sigmoid": f.hard_sigmoid,
        "hard_silu": lambda a: add("Mul", a, f.hard_sigmoid(a)),
        "hard_tanh": lambda a: f.clip(a, -1, 1),
        "leaky_relu": lambda a: add("Max", a, f.times(a, 0.2)),
        "linear": lambda a: a,
        "log_sigmoid": lambda a: add("Neg", f.softplus(add("Neg", a))),
        "log_softmax": lambda a: add("LogSoftmax", a, axis=-1),
        "mish": lambda a: add("Mul", a, add("Tanh", f.softplus(a))),
        "relu": f.positive,
        "relu6": lambda a: f.clip(a, 0, 6),
        "selu": lambda a: f.elu(a, 1.6732632423543772, 1.0507009873554805),
        "sigmoid": lambda a: add("Sigmoid", a),
        "silu": f.silu,
        "soft_shrink": f.soft_shrink,
        "softmax": lambda a: add("Softmax", a, axis=-1),
        "softplus": f.softplus,
        "softsign": lambda a: add("Div", a, f.plus(add("Abs", a), 1)),
        "sparse_plus": f.sparse_plus,
        "sparse_sigmoid": lambda a: f.clip(f.times(f.plus(a, 1), 0.5), 0, 1),
        "squareplus": f.squareplus,
        "tanh": lambda a: add("Tanh", a),
        "tanh_shrink": lambda a: add("Sub", a, add("Tanh", a)),
    }


def add_activation(
    graph: Graph, value: str, name: str, dtype: str, n_units: int
) -> str:
    """Add an activation of `n_units` units, on the last axis."""
    formula = _Formula(graph, dtype)
    if name == "sparsemax":
        return formula.sparsemax(value, n_units)
    return _formulas(formula)[name](value)
