"""How much of a table is held in memory at once; the guide states these sizes."""

# Tables of no more bytes, as float64, are read whole and trained on as arrays are.
IN_MEMORY_BYTES = 2**27
# Rows of about this many bytes are read, encoded and shuffled at once.
BLOCK_BYTES = 2**24
# Rows that quantiles, bins and initial weights come from, at most.
SAMPLED_ROWS, SAMPLED_BYTES = 2**16, 2**26
# Rows left out for validation, at most.
HELD_OUT_ROWS, HELD_OUT_BYTES = 100_000, 2**25
# The fewest rows of the two, however wide they are.
FEWEST_ROWS = 4_000
# Levels of a column, and classes, at most.
MOST_LEVELS = 10_000
MOST_CLASSES = 10_000


def block_rows(n_columns: int) -> int:
    """Return how many rows are read at once."""
    return max(1024, BLOCK_BYTES // (8 * max(1, n_columns)))


def most_rows(n_columns: int, rows: int, n_bytes: int) -> int:
    """Return a number of rows that is at most `rows`, and of at most some bytes."""
    return min(rows, max(FEWEST_ROWS, n_bytes // (8 * max(1, n_columns))))
