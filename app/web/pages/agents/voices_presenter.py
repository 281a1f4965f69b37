"""Voices and languages to choose from: neural voices that Twilio's <Say> knows, and their languages."""

from typing import Final

LANGUAGES: Final[tuple[tuple[str, str], ...]] = (
    ("en-US", "English (US)"),
    ("en-GB", "English (UK)"),
    ("en-AU", "English (Australia)"),
    ("en-IN", "English (India)"),
    ("es-US", "Spanish (US)"),
    ("es-MX", "Spanish (Mexico)"),
    ("es-ES", "Spanish (Spain)"),
    ("fr-FR", "French (France)"),
    ("fr-CA", "French (Canada)"),
    ("de-DE", "German"),
    ("it-IT", "Italian"),
    ("pt-BR", "Portuguese (Brazil)"),
    ("pt-PT", "Portuguese (Portugal)"),
    ("nl-NL", "Dutch"),
    ("pl-PL", "Polish"),
    ("sv-SE", "Swedish"),
    ("ja-JP", "Japanese"),
)
"""Language code -> its words."""

_NAMES: Final[dict[str, tuple[str, ...]]] = {
    "en-US": ("Joanna", "Ruth", "Danielle", "Salli", "Matthew", "Stephen", "Gregory", "Joey"),
    "en-GB": ("Amy", "Emma", "Brian", "Arthur"),
    "en-AU": ("Olivia",),
    "en-IN": ("Kajal",),
    "es-US": ("Lupe", "Pedro"),
    "es-MX": ("Mia", "Andres"),
    "es-ES": ("Lucia", "Sergio"),
    "fr-FR": ("Lea", "Remi"),
    "fr-CA": ("Gabrielle", "Liam"),
    "de-DE": ("Vicki", "Daniel"),
    "it-IT": ("Bianca", "Adriano"),
    "pt-BR": ("Camila", "Thiago"),
    "pt-PT": ("Ines",),
    "nl-NL": ("Laura",),
    "pl-PL": ("Ola",),
    "sv-SE": ("Elin",),
    "ja-JP": ("Kazuha", "Takumi"),
}

VOICES: Final[dict[str, tuple[tuple[str, str], ...]]] = {
    language: tuple((f"Polly.{name}-Neural", name) for name in names) for language, names in _NAMES.items()
}
"""Language code -> its voices: (what Twilio calls it, what people call it)."""

DEFAULT_VOICE: Final = VOICES["en-US"][0][0]
DEFAULT_LANGUAGE: Final = "en-US"

_LANGUAGE_OF: Final = {voice: language for language, voices in VOICES.items() for voice, _ in voices}
_WORDS: Final = {voice: words for voices in VOICES.values() for voice, words in voices}
_LANGUAGE_WORDS: Final = dict(LANGUAGES)


def language_of(voice: str) -> str | None:
    """Return the language a voice speaks; None for a voice that is not listed."""
    return _LANGUAGE_OF.get(voice)


def voice_words(voice: str) -> str:
    """Return the voice's plain name, such as `Joanna`; an unlisted voice keeps its carrier name."""
    return _WORDS.get(voice, voice)


def language_words(language: str) -> str:
    """Return the language's name; an unlisted language keeps its code."""
    return _LANGUAGE_WORDS.get(language, language)
