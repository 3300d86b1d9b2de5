"""PyTorch's part: functions of tensors without the time that Keras and autograd take.

At the first call with tensors of some shapes, the operations of PyTorch that a function
calls are recorded, gradients included; later calls repeat these alone. To compile them
with ``torch.compile`` takes 20 seconds and makes a step of a small network no faster.
"""

import threading
import types
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from skdnn._runtime import keras_backend, threads

# Operations with numbers from which threads pay: some milliseconds of one core.
_THREADS_PAY = 10**8
# One at a time: recording changes classes of PyTorch for a moment.
_lock = threading.RLock()


class NotRecordableError(Exception):
    """A function is more than operations that depend on nothing but shapes."""


def value_and_gradient(function: Callable[..., Any]) -> Callable[..., Any]:
    """Return a function from tensors to what `function` gives, and loss gradients."""
    import torch

    tree = keras_backend.load().tree

    def both(values: list[Any]) -> tuple[Any, list[Any]]:
        with torch.enable_grad():
            leaves = [value.detach().requires_grad_() for value in values]
            outputs = function(leaves)
            gradients = torch.autograd.grad(outputs[0], leaves, allow_unused=True)
        return tree.map_structure(lambda part: part.detach(), outputs), list(gradients)

    return both


@contextmanager
def seeded(seed: int) -> Iterator[None]:
    """Have PyTorch draw from a seed; its generators are as they were after the block.

    Keras's dropout draws from them where it has no seed of its own.
    """
    import torch

    device = keras_backend.load().ops.zeros(()).device
    with torch.random.fork_rng([] if device.type == "cpu" else [device]):
        torch.manual_seed(seed)
        yield


def flatten(nested: Any) -> list[Any]:
    """Return the tensors in lists and tuples; Keras's own takes five times as long."""
    if not isinstance(nested, list | tuple):
        return [nested]
    return [leaf for part in nested for leaf in flatten(part)]


def pack(structure: Any, leaves: Iterable[Any]) -> Any:
    """Return leaves nested as in `structure`, of lists and tuples."""
    left = iter(leaves)

    def packed(part: Any) -> Any:
        if not isinstance(part, list | tuple):
            return next(left)
        return [packed(each) for each in part]

    return packed(structure)


class Recording(NamedTuple):
    """A function between flat tensors, and how its results are nested."""

    run: Callable[..., list[Any]]
    structure: Any
    n_operations: int  # with numbers, in products

    @contextmanager
    def context(self) -> Iterator[None]:
        """Do what `run` needs around it.

        In small steps several threads would wait for each other more than they work.
        """
        import torch

        is_small = self.n_operations < _THREADS_PAY
        with threads.without_openmp(is_small), torch.inference_mode():
            yield


class Recorded:
    """A function of tensors without side effects, recorded for each of their shapes.

    If `stacked`, it takes and returns those of several calls, on a first axis.
    """

    def __init__(self, function: Callable[..., Any], *, stacked: bool = False):
        self._function, self._stacked = function, stacked
        self._recorded: dict[Any, Recording] = {}

    def __call__(self, *arguments: Any) -> Any:
        recording = self.recording(*arguments)
        with recording.context():
            outputs = recording.run(*flatten(arguments))
        return pack(recording.structure, outputs)

    def recording(self, *arguments: Any) -> Recording:
        """Return what was recorded for tensors like these.

        Raises `NotRecordableError`.
        """
        leaves = flatten(arguments)
        key = tuple((leaf.shape, leaf.dtype) for leaf in leaves)
        if key not in self._recorded:
            with _lock, threads.without_openmp():
                if key not in self._recorded:  # by another thread meanwhile
                    self._recorded[key] = self._record(arguments, leaves)
        return self._recorded[key]

    def _record(self, arguments: Any, leaves: list[Any]) -> Recording:
        import torch
        from torch.utils.flop_counter import FlopCounterMode

        structures = []

        def flat(*leaves: Any) -> list[Any]:
            outputs = self._function(*pack(arguments, leaves))
            structures.append(outputs)
            return flatten(outputs)

        # a fit whose step is recorded draws the same numbers as later ones
        with torch.inference_mode(mode=False), torch.no_grad(), seeded(0):
            leaves = [leaf.clone() for leaf in leaves]  # may be of inference mode
            try:
                module = _operations(flat, leaves, self._stacked)
            except Exception as error:
                raise NotRecordableError(str(error)) from error
            with FlopCounterMode(display=False) as counter:
                module(*leaves)
        structure = pack(structures[-1], [None] * len(flatten(structures[-1])))
        return Recording(module.forward, structure, counter.get_total_flops())


def _operations(function: Callable[..., Any], leaves: Any, stacked: bool) -> Any:
    """Return the operations that a function calls, as a ``GraphModule``."""
    import torch
    from torch.fx.experimental.proxy_tensor import make_fx

    typical = [leaf[0] for leaf in leaves] if stacked else leaves
    module = make_fx(function)(*typical)
    if any(_name(node.target).endswith("_") for node in _calls(module)):  # in place
        module = make_fx(torch.func.functionalize(module))(*typical)
    _simplify(module)
    if stacked:
        module = make_fx(torch.vmap(module))(*leaves)
        _simplify(module)
    _fuse(module)
    for node in _calls(module):
        node.target = _python_function(node)
    module.recompile()
    vars(module).update(module.named_buffers())  # found in a tenth of the time
    return module


def _name(operation: Any) -> str:
    """Return the name of an operation, such as "add_" for "aten::add_.Tensor"."""
    name = getattr(operation, "name", str)()
    return str(name).removeprefix("aten::").split(".")[0]


def _calls(module: Any) -> list[Any]:
    return [node for node in module.graph.nodes if node.op == "call_function"]


def _simplify(module: Any) -> None:
    """Remove operations that copy, repeat others, or are the same at every call."""
    import torch

    graph, known = module.graph, dict[Any, Any]()
    for node in _calls(module):
        source = _repeated(node)
        if source is not None:
            same = source
        elif torch.Tag.nondeterministic_seeded in getattr(node.target, "tags", ()):
            continue
        else:
            key = node.target, repr((node.args, node.kwargs))
            if key not in known:
                known[key] = _constant(module, node) or node
            same = known[key]
        if same is not node:
            node.replace_all_uses_with(same)
            graph.erase_node(node)
    graph.eliminate_dead_code()
    module.recompile()


def _repeated(node: Any) -> Any:
    """Return the argument that a call returns, or a copy of; None if there is none."""
    name, first = _name(node.target), node.args[0] if node.args else None
    if name in ("detach", "alias", "lift_fresh_copy"):
        return first
    if name in ("view", "_unsafe_view", "expand"):
        return first if _kind(first) == _kind(node) else None
    if name in ("mul", "pow") and node.args[1] == 1:
        return first if _kind(first) == _kind(node) else None
    if name == "mul" and _name(getattr(first, "target", None)) == "ones_like":
        other = node.args[1]
        return other if _kind(other) == _kind(node) else None
    return None


def _kind(node: Any) -> Any:
    """Return shape and dtype of a node's tensor, or the node if there is none."""
    value: Any = getattr(node, "meta", {}).get("val")
    return (value.shape, value.dtype) if hasattr(value, "shape") else node


def _fuse(module: Any) -> None:
    """Join operations that PyTorch has as one: of dense layers and running means."""
    for node in _calls(module):
        target, arguments = _joined(module, node)
        if target is not None:
            with module.graph.inserting_before(node):
                fused = module.graph.call_function(target, arguments)
            node.replace_all_uses_with(fused)
    module.graph.eliminate_dead_code()


def _joined(module: Any, node: Any) -> tuple[Any, tuple[Any, ...]]:
    """Return operation and arguments that a sum and its summands are as one."""
    import torch

    aten = torch.ops.aten
    if node.target is not aten.add.Tensor or node.kwargs:
        return None, ()
    first, second = node.args
    if _is(first, aten.mm.default):
        (_, units), dtype = _kind(first)
        if _kind(second) == ((units,), dtype):
            return aten.addmm.default, (second, *first.args)
    if _is(second, aten.mul.Tensor) and _is(second.args[0], aten.sub.Tensor):
        (end, start), share = second.args[0].args, second.args[1]
        value: Any = getattr(module, str(getattr(share, "target", "")), None)
        if (
            start is first
            and _kind(end) == _kind(first)
            and getattr(value, "shape", 0) == ()
        ):
            return aten.lerp.Scalar, (first, end, float(value))
    return None, ()


def _is(node: Any, target: Any) -> bool:
    """Return whether a node calls an operation, for one other node alone."""
    return getattr(node, "target", None) is target and len(node.users) == 1


def _constant(module: Any, node: Any) -> Any:
    """Return a node for what a call gives at every time; None if there is none."""
    import torch

    if any(n.op != "get_attr" for n in node.all_input_nodes):
        return None
    args, kwargs = torch.fx.node.map_arg(
        (node.args, node.kwargs), lambda n: getattr(module, str(n.target))
    )
    value, name = node.target(*args, **kwargs), f"constant_{node.name}"
    if not isinstance(value, torch.Tensor):
        return None
    module.register_buffer(name, value)
    with module.graph.inserting_before(node):
        return module.graph.get_attr(name)


def _python_function(node: Any) -> Any:
    """Return what Python calls an operation by, at half the cost of its full name."""
    import torch

    name = _name(node.target)
    if name == "_to_copy" and set(node.kwargs) == {"dtype"}:
        name = "to"
    function = getattr(torch, name, None)
    if isinstance(function, types.BuiltinFunctionType):
        return function
    method = getattr(torch.Tensor, name, None)
    return method if isinstance(method, types.MethodDescriptorType) else node.target
