"""Icons: always decoration beside words, so always hidden from screen readers."""

import reflex as rx
from reflex_components_lucide.icon import Icon


def glyph(name: str, *, size: int = 16, class_name: str = "") -> rx.Component:
    """Return the lucide icon `name` (a literal: a Var would bundle every icon there is)."""
    return Icon.create(name, size=size, aria_hidden="true", class_name=class_name)
