"""Jobs: each calls one operation of the services."""
