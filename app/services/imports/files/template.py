"""The template for imports, to download and fill in."""

from app.services.tabular.csv_text import BYTE_ORDER_MARK, csv_rows


def template_csv() -> str:
    """Return a CSV with columns that are recognized by their names, and two people as an example."""
    return BYTE_ORDER_MARK + csv_rows(
        [
            ["phone_number", "name", "email", "company", "time_zone", "appointment_date"],
            ["+12025550143", "Ann Lee", "ann@example.com", "Acme Corp", "America/New_York", "2026-03-01"],
            ["+442079460000", "Bob Wilson", "bob@example.com", "Wilson Ltd", "Europe/London", "2026-03-02"],
        ]
    )
