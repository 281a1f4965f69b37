"""The file of an import: stores it, profiles it and maps its columns."""
