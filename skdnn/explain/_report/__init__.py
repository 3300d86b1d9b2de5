"""The report: results -> summary dict -> one HTML page. See README.md beside this."""
