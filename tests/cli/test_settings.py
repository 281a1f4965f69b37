"""The settings read their own variables and nobody else's."""

from pathlib import Path

import pytest

from app.runtime.config import Settings


def test_variables_of_the_shell_and_the_platform_are_not_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HOME", "PORT", "SECRET"):
        monkeypatch.setenv(name, "/somewhere")
    settings = Settings()
    assert (settings.home, settings.port, settings.secret) == (Path(".callsheet"), 3000, None)


def test_our_own_variables_are_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CALLSHEET_HOME", "/elsewhere")
    monkeypatch.setenv("CALLSHEET_PORT", "4000")
    settings = Settings()
    assert (settings.home, settings.port) == (Path("/elsewhere"), 4000)
    assert settings.public_url == "http://localhost:4000"


def test_code_names_a_setting_by_its_field() -> None:
    assert Settings(port=5000).port == 5000
