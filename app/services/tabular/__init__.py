"""Tables as files: CSV, workbooks and JSON read as rows, and rows written as CSV."""
