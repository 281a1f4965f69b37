"""Parts of the page: components."""
