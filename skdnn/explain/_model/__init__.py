"""The classifier and the rows that are explained, checked and coded."""
