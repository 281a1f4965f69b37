"""The file of an import: stored, profiled, its columns mapped."""
