"""From a table to the numbers a network receives."""
