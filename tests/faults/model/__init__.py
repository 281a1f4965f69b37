"""A model of everything that may happen to one campaign, in any order, on a virtual clock and a real PostgreSQL."""
