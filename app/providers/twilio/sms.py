"""Keywords in text messages on which the carrier acts: STOP, START, HELP."""

import re
from typing import Final

from app.providers.base import Keyword
from app.providers.script import says_stop

_KEYWORDS: Final = {
    Keyword.STOP: ("STOP", "STOPALL", "UNSUBSCRIBE", "CANCEL", "END", "QUIT", "REVOKE", "OPTOUT"),
    Keyword.START: ("START", "YES", "UNSTOP"),
    Keyword.HELP: ("HELP", "INFO"),
}
"""Twilio's default keywords: https://help.twilio.com/articles/223134027."""

_KEYWORD_OF: Final = {word: keyword for keyword, words in _KEYWORDS.items() for word in words}


def keyword_in(body: str) -> Keyword | None:
    """Return the keyword of a text: the whole text is one, or it opts out in free words."""
    word = re.sub(r"[\W_]+", "", body).upper()
    found = _KEYWORD_OF.get(word)
    if found is None and says_stop(body):
        return Keyword.STOP
    return found
