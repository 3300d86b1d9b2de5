"""The classifier and the rows that are explained, validated and coded as floats."""
