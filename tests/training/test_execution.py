import pytest

from skdnn._training.execution import XLA_PAYS_STEPS, choose_execution


@pytest.mark.parametrize("n_steps", [1, XLA_PAYS_STEPS])
def test_batch_sizes_share_what_is_compiled(n_steps):
    # folds of a table have fewer rows than the table, and smaller batches
    assert len({choose_execution(52, size, n_steps) for size in range(9, 17)}) == 1


@pytest.mark.parametrize("batch_size", [1, 9, 16, 200, 5000])
@pytest.mark.parametrize("n_steps", [1, XLA_PAYS_STEPS])
def test_a_block_is_of_whole_batches_no_more_than_are_compiled_for(batch_size, n_steps):
    execution = choose_execution(52, batch_size, n_steps)
    rows = execution.rows_at_once(batch_size)
    assert 0 < rows <= execution.block_rows
    assert rows % batch_size == 0
    at_most = choose_execution(52, batch_size, XLA_PAYS_STEPS).padded_steps(0)
    assert rows // batch_size <= at_most
    # another batch would be too many rows or steps
    full = (rows + batch_size > execution.block_rows, rows // batch_size == at_most)
    assert any(full)
    assert execution.epochs_at_once(rows, batch_size) == 1
