"""The use cases, one folder for each noun. A folder imports only from those below it; `README.md` has the order."""
