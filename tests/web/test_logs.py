"""What is logged of an event never tells a secret."""

import logging

import pytest

from app.web.logs import keep_secrets_out, redacted


@pytest.mark.parametrize(
    "text",
    [
        "headers: {'cookie': 'a=1; callsheet_session=secret-value', 'host': 'x'}",
        'payload={"password": "secret-value", "email": "ann@example.com"}',
        "callsheet_session=secret-value; other=1",
        "callsheet_browser=secret-value; other=1",
        "Error transforming event argument 'key_id' with value 'secret-value\nx' and type hint '<class 'int'>'",
    ],
)
def test_cookies_and_passwords_are_taken_out(text: str) -> None:
    assert "secret-value" not in redacted(text)


def test_a_record_is_short_and_can_be_written() -> None:
    assert len(redacted("x" * 900_000)) <= 500
    assert redacted("half a \ud800 character").encode()


def test_a_record_of_reflex_is_redacted_before_it_is_written(caplog: pytest.LogCaptureFixture) -> None:
    before = logging.getLogRecordFactory()
    try:
        keep_secrets_out()
        logging.getLogger("reflex_base.event").error(
            "failed: %s", {"cookie": "callsheet_session=secret-value"}
        )
        assert "secret-value" not in caplog.text
        assert "failed" in caplog.text
    finally:
        logging.setLogRecordFactory(before)
