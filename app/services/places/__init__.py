"""Places: where contacts may be, and when people there may be contacted."""
