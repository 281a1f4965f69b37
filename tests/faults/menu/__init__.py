"""The fault menu: scenarios by theme, and the card that lists them."""
