"""Files with tables: reads CSV, workbooks and JSON as rows, and writes rows as CSV."""
