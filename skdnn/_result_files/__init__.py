"""Predictions and explanations of many rows, written to Parquet files in parts."""
