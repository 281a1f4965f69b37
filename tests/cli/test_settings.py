"""The settings read their own variables and nobody else's."""

from pathlib import Path

import pytest

from app.domain.legal_hours import LegalHours
from app.runtime.config import Settings
from app.runtime.context import NotConfigured, build_context
from app.runtime.migrations import PROJECT


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


def test_a_wrong_table_of_legal_hours_stops_the_start_and_names_the_rule(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "hours.toml"
    packaged = LegalHours.load()
    file.write_text('version = "2"\n[[rule]]\nlaw = "US-FL"\n')
    monkeypatch.setenv("CALLSHEET_LEGAL_HOURS", str(file))
    monkeypatch.setenv("DATABASE_URL", "postgresql+psycopg://nowhere/")
    monkeypatch.setenv("REDIS_URL", "redis://nowhere/")
    with pytest.raises(NotConfigured, match=r"CALLSHEET_LEGAL_HOURS.*rule 1 \(US-FL\): name is missing"):
        build_context(Settings())
    monkeypatch.setenv("CALLSHEET_LEGAL_HOURS", str(PROJECT / "app" / "domain" / "data" / "legal_hours.toml"))
    assert LegalHours.load(Settings().legal_hours_file) == packaged
