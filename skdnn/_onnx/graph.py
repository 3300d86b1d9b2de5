"""An ONNX graph that grows node by node."""

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

# Of the standard operators; runtimes since 2023 have it (onnxruntime 1.15).
OPSET = 19
_IR_VERSION = 9
_INSTALL = 'pip install "skdnn[onnx]"'


def load_onnx() -> Any:
    """Return the package onnx; ``ImportError`` with a remedy if it is missing."""
    try:
        import onnx
    except ImportError as error:
        raise ImportError(
            f"skdnn.io.to_onnx needs the package onnx, which is optional. {_INSTALL}"
        ) from error
    return onnx


def load_skl2onnx() -> Any:
    """Return the package skl2onnx; ``ImportError`` with a remedy if it is missing."""
    try:
        import skl2onnx
    except ImportError as error:
        raise ImportError(
            "skdnn.io.to_onnx needs the package skl2onnx for pipelines and other "
            f"estimators of scikit-learn. {_INSTALL}"
        ) from error
    return skl2onnx


class Graph:
    """Nodes, constants, inputs and outputs of a model that is built.

    Values are strings, the names of tensors. Names of `taken` are not given to nodes.
    """

    def __init__(self, taken: Iterable[str] = ()) -> None:
        self.onnx = load_onnx()
        self.nodes: list[Any] = []
        self.constants: list[Any] = []
        self._inputs: list[Any] = []
        self.outputs: list[Any] = []
        self._taken = set(taken)

    def input(self, name: str, dtype: str, n_columns: int) -> str:
        """Add an input of shape (n_samples, n_columns)."""
        self._inputs.append(self._describe(name, dtype, [None, n_columns]))
        return name

    def output(self, value: str, name: str, dtype: str, shape: Sequence[Any]) -> None:
        """Have the model return a value by a name."""
        self.nodes.append(self.onnx.helper.make_node("Identity", [value], [name]))
        self.outputs.append(self._describe(name, dtype, shape))

    def constant(self, value: Any, dtype: Any = None) -> str:
        """Add a constant tensor."""
        array = np.asarray(value, dtype=dtype)
        name = self._name("constant")
        make = self.onnx.numpy_helper.from_array
        if array.dtype.kind in "OU":
            array = array.astype(object)
        self.constants.append(make(np.asarray(array, order="C"), name=name))
        return name

    def add(self, kind: str, *values: str, **attributes: Any) -> str:
        """Add a node of one output."""
        return self.add_many(kind, 1, *values, **attributes)[0]

    def add_many(
        self, kind: str, n_outputs: int, *values: str, **attributes: Any
    ) -> list[str]:
        """Add a node of several outputs."""
        names = [self._name(kind) for _ in range(n_outputs)]
        node = self.onnx.helper.make_node(kind, list(values), names, **attributes)
        self.nodes.append(node)
        return names

    def cast(self, value: str, dtype: str) -> str:
        return self.add("Cast", value, to=self._element(dtype))

    def model(self, documentation: str, metadata: dict[str, str]) -> Any:
        """Return the checked model."""
        helper = self.onnx.helper
        graph = helper.make_graph(
            self.nodes, "skdnn", self._inputs, self.outputs, self.constants
        )
        model = helper.make_model(
            graph,
            opset_imports=[helper.make_opsetid("", OPSET)],
            ir_version=_IR_VERSION,
            producer_name="skdnn",
            doc_string=documentation,
        )
        helper.set_model_props(model, metadata)
        self.onnx.checker.check_model(model, full_check=True)
        return model

    def _name(self, kind: str) -> str:
        number = len(self.nodes) + len(self.constants)
        name = f"{kind}_{number}"
        while name in self._taken:
            name += "_"
        self._taken.add(name)
        return name

    def _describe(self, name: str, dtype: str, shape: Sequence[Any]) -> Any:
        dims = ["n_samples" if size is None else size for size in shape]
        make = self.onnx.helper.make_tensor_value_info
        return make(name, self._element(dtype), dims)

    def _element(self, dtype: str) -> int:
        if dtype == "string":
            return int(self.onnx.TensorProto.STRING)
        return int(self.onnx.helper.np_dtype_to_tensor_dtype(np.dtype(dtype)))
