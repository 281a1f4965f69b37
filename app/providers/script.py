"""The script of a call, and the meaning of a person's answer."""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final


@dataclass(frozen=True, slots=True, kw_only=True)
class CallScript:
    """What a call says, already rendered for one person."""

    greeting: str
    """It begins with who is calling."""
    agenda: str
    question: str | None
    closing: str
    language: str
    """BCP 47, as `en-US`."""
    voice: str | None
    """The carrier's name for a voice; None: its default for the language."""


@dataclass(frozen=True, slots=True)
class SpokenLine:
    """One line of a conversation. Lines with the same key are the same line."""

    key: str
    speaker: str
    """`agent` or `contact`."""
    text: str


class Reply(StrEnum):
    """The meaning of a person's answer."""

    CONFIRM = "confirm"
    DECLINE = "decline"
    OPT_OUT = "opt_out"
    UNCLEAR = "unclear"
    NOTHING = "nothing"


KEYS: Final = {"1": Reply.CONFIRM, "2": Reply.DECLINE, "9": Reply.OPT_OUT}

_OPT_OUT_PHRASES = re.compile(
    r"""
      \b(?:stop|quit|cease)\s+(?:calling|phoning|ringing|texting|messaging|contacting|bothering|harassing|these|this|it|now)\b
    | \b(?:stop|end)\s+(?:\w+\s+){0,3}(?:calls?|texts?|messages?)\b
    | \b(?:do\s*n[o']?t|don.?t|never|not)\s+(?:ever\s+)?(?:call|phone|ring|text|message|contact)\b(?!\s+ended)
    | \b(?:remove|take|delete)\s+(?:me|us|my\s+(?:name|number|phone(?:\s+number)?)|this\s+number)\b
    | \b(?:opt|opting)[\s-]*(?:me\s+)?out\b
    | \bunsubscribe\b | \bdo\s+not\s+call\s+list\b | \bleave\s+me\s+alone\b | \brevoke\b
    | \bno\s+more\s+(?:calls?|texts?|messages?)\b
    | \b(?:no\s+me\s+llame[ns]?|deje[n]?\s+de\s+llamar)\b
    """,
    re.VERBOSE,
)
"""Revocation by any reasonable means (47 CFR 64.1200(a)(10)), anywhere in a sentence."""

_OPT_OUT_ALONE = re.compile(
    r"(?:please\s+)?(?:just\s+)?(?:stop|quit|end|revoke|opt\s*out|unsubscribe)(?:\s+please)?"
)
"""Words that revoke only if nothing else is said: "I'll stop by" does not revoke."""

_UNSURE = re.compile(
    r"\b(?:not\s+sure|do\s*n[o']?t\s+know|don.?t\s+know|maybe|perhaps|who\s+is\s+this|what|repeat|pardon)\b"
)
_AGREEABLE_NO = re.compile(r"\bno\s+(?:problem|worries|doubt)\b|\bwhy\s+not\b")
_DECLINE = re.compile(
    r"\b(?:no|nope|nah|not|can\s*not|can.?t|won.?t|unable|cancel|decline|never|nein|non|nicht|reschedule)\b"
)
_CONFIRM = re.compile(
    r"\b(?:yes|yeah|yep|yup|sure|ok|okay|confirm|confirmed|correct|right|absolutely|definitely|of\s+course|certainly"
    r"|agree|agreed|fine|sounds\s+good|will\s+be\s+there|si|sí|claro|oui|ja|sim)\b"
)


_PLAIN_QUOTES: Final = {0x2018: "'", 0x2019: "'"}


def says_stop(text: str) -> bool:
    """Tell whether the person asks not to be contacted again."""
    words = _normal(text)
    return bool(_OPT_OUT_ALONE.fullmatch(words) or _OPT_OUT_PHRASES.search(words))


def meaning_of(*, digits: str, speech: str) -> Reply:
    """Return the meaning of a keypress or spoken words.

    A key takes precedence over words, and an opt-out over all other words.
    """
    if digits:
        return KEYS.get(digits[0], Reply.UNCLEAR)
    words = _normal(speech)
    if not words:
        return Reply.NOTHING
    if says_stop(words):
        return Reply.OPT_OUT
    if _UNSURE.search(words):
        return Reply.UNCLEAR
    return _yes_or_no(words)


def _yes_or_no(words: str) -> Reply:
    agreeable = _AGREEABLE_NO.search(words) is not None
    rest = _AGREEABLE_NO.sub(" ", words)
    yes, no = agreeable or bool(_CONFIRM.search(rest)), bool(_DECLINE.search(rest))
    if yes == no:
        return Reply.UNCLEAR
    return Reply.CONFIRM if yes else Reply.DECLINE


def _normal(text: str) -> str:
    """Return the words in lower case, without punctuation and with plain quotes."""
    plain = text.lower().translate(_PLAIN_QUOTES)
    return " ".join(re.sub(r"[^\w\s'-]", " ", plain).split())
