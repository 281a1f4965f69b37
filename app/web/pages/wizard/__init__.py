"""The campaign wizard: five steps, each an address of its own, over a draft that is a row of the database."""
