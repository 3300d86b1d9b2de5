"""The loop over the batches of an epoch, with a recorded step for each."""

import contextlib
from collections.abc import Callable
from typing import Any

from skdnn._training.recording import Recorded, flatten, pack


class RecordedEpochs:
    """Epochs with one kind of step: what other backends compile as a whole.

    If `stacked`, those of several networks, which take each step in common; all tensors
    but the sizes have a first axis for the networks.
    """

    def __init__(
        self,
        functions: Any,
        step: Callable[..., Any],
        make_state: Callable[..., Any],
        *,
        stacked: bool = False,
    ):
        def of_batch(state: Any, sums: Any, batch: Any, numbers: Any) -> Any:
            count = len(batch[0])
            return step(make_state(*state), sums, batch, count, None, numbers)

        def with_state(name: str) -> Recorded:
            function = getattr(functions, name)
            return Recorded(
                lambda state, other: function(make_state(*state), other),
                stacked=stacked,
            )

        self._step = Recorded(of_batch, stacked=stacked)
        self._begin, self._end = with_state("begin_epoch"), with_state("end_epoch")
        self._logits = Recorded(
            lambda *arguments: functions.logits(*arguments), stacked=stacked
        )
        self._axis = int(stacked)

    def __call__(
        self, state: Any, rows: list[Any], sizes: Any, numbers: Any, *held: Any
    ) -> tuple[Any, ...]:
        """Return the state at the end, figures, and any logits after each epoch."""
        import torch

        n_epochs, n, batch_size = sizes.tolist()
        axis, figures, logits = self._axis, [], []
        steps = iter(numbers.unbind(axis))
        epochs = zip(*(part.split(n, axis) for part in rows), strict=True)
        for epoch, of_epoch in enumerate(epochs):
            sums = self._begin(state, numbers.new_full(numbers.shape[:axis], epoch))
            batches = zip(*(p.split(batch_size, axis) for p in of_epoch), strict=True)
            state, sums = self._batches(state, sums, batches, steps)
            state, of_epoch = self._end(state, sums)
            figures.append(of_epoch)
            if held:
                logits.append(self._logits(state[0], state[1], held[0]))
        assert len(figures) == n_epochs
        parts = (figures, logits) if held else (figures,)
        return state, *(torch.stack(part, axis) for part in parts)

    def _batches(self, state: Any, sums: Any, batches: Any, numbers: Any) -> Any:
        """Take a step for each batch."""
        carried = flatten((state, sums))
        steps: dict[Any, Any] = {}
        with contextlib.ExitStack() as stack:
            for batch in batches:
                now, shape = next(numbers), batch[0].shape
                if shape not in steps:  # the first one, or the last if it is short
                    parts = pack((state, sums), carried)
                    recording = self._step.recording(*parts, batch, now)
                    stack.enter_context(recording.context())
                    steps[shape] = recording.run
                carried = steps[shape](*carried, *batch, now)
        return pack((state, sums), carried)
