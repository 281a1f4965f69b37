"""Run TwiML: fetch a document, perform its verbs with the person on the call, follow redirects."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from urllib.parse import urljoin
from xml.etree import ElementTree as ET

from app.simulator.clock import SimulatedClock
from app.simulator.fields import call_fields
from app.simulator.journal import note_exchange
from app.simulator.personas import PersonaReply, PersonCalled
from app.simulator.signature import Fields
from app.simulator.state import SimulatedCall
from app.simulator.webhooks import CustomerAnswer, NoAnswer, Webhooks

_CHARACTERS_A_SECOND = 15.0
_PLAY_SECONDS = 5.0
"""How long any recording plays: the carrier does not fetch it."""
_APPLICATION_ERROR_SECONDS = 3.0
_XML_TYPES = frozenset({"text/xml", "application/xml", "text/html"})
_MOST_DOCUMENTS = 500
"""A script that redirects endlessly is stopped after so many."""


@dataclass(frozen=True, slots=True)
class Source:
    """The next document: an address, with the form fields to send, or the document itself."""

    url: str = ""
    method: str = "POST"
    fields: tuple[tuple[str, str], ...] = ()
    document: str = ""


class ApplicationError(Exception):
    """A document failed. `code`: 11200 not retrieved, 12100 not valid TwiML, 12300 wrong content type."""

    def __init__(self, code: int, why: str) -> None:
        self.code = code
        super().__init__(f"{code} {why}")


class _HungUp(Exception):
    """The document ended the call."""


class Script:
    """Runs the TwiML of one answered call."""

    def __init__(
        self,
        *,
        call: SimulatedCall,
        person: PersonCalled,
        account_sid: str,
        webhooks: Webhooks,
        clock: SimulatedClock,
        fallback: Source | None,
    ) -> None:
        self._call = call
        self._person = person
        self._account_sid = account_sid
        self._webhooks = webhooks
        self._clock = clock
        self._fallback = fallback
        self._base = ""
        self._verbs: dict[str, Callable[[ET.Element], Awaitable[Source | None]]] = {
            "Say": self._say,
            "Play": self._play,
            "Pause": self._pause,
            "Gather": self._gather,
            "Redirect": self._redirect,
            "Hangup": self._hang_up,
            "Reject": self._hang_up,
        }

    async def follow(self, source: Source) -> None:
        """Run this document and those that follow; return when the script is over: the carrier then hangs up."""
        following: Source | None = source
        try:
            for _ in range(_MOST_DOCUMENTS):
                if following is None:
                    return
                following = await self._perform(await self._load(following))
        except _HungUp:
            return
        except ApplicationError as error:
            self._hear("carrier", f"An application error has occurred. ({error})")
            await self._clock.sleep(_APPLICATION_ERROR_SECONDS)

    async def _load(self, source: Source) -> ET.Element:
        try:
            return await self._load_from(source)
        except ApplicationError as error:
            if self._fallback is None or source.document:
                raise
            fields = (("ErrorCode", str(error.code)), ("ErrorUrl", source.url.split("#")[0]))
            return await self._load_from(Source(self._fallback.url, self._fallback.method, fields))

    async def _load_from(self, source: Source) -> ET.Element:
        if source.document:
            return _parse(source.document)
        self._base = source.url.split("#")[0]
        fields = [*call_fields(self._call, self._account_sid, "in-progress"), *source.fields]
        answer = await self._ask(source, fields)
        if not answer.text.strip():
            return ET.Element("Response")
        if answer.content_type == "text/plain":
            return _spoken(answer.text)
        if answer.content_type not in _XML_TYPES:
            raise ApplicationError(12300, f"invalid content type {answer.content_type}")
        return _parse(answer.text)

    async def _ask(self, source: Source, fields: Fields) -> CustomerAnswer:
        try:
            answer = await self._webhooks.fetch(source.url, fields, method=source.method)
        except NoAnswer as error:
            note_exchange(self._call, source.method, source.url, fields, None)
            raise ApplicationError(11200, "HTTP retrieval failure") from error
        note_exchange(self._call, source.method, source.url, fields, answer)
        if not answer.is_success:
            raise ApplicationError(11200, f"HTTP retrieval failure: {answer.status}")
        return answer

    async def _perform(self, document: ET.Element) -> Source | None:
        for verb in document:
            perform = self._verbs.get(verb.tag)
            if perform is None:
                raise ApplicationError(12100, f"this carrier does not know <{verb.tag}>")
            following = await perform(verb)
            if following is not None:
                return following
        return None

    async def _say(self, verb: ET.Element) -> Source | None:
        text = " ".join("".join(verb.itertext()).split())
        for _ in range(max(1, _integer(verb, "loop", 1))):
            self._hear("agent", text)
            await self._clock.sleep(len(text) / _CHARACTERS_A_SECOND)
        return None

    async def _play(self, verb: ET.Element) -> Source | None:
        for _ in range(max(1, _integer(verb, "loop", 1))):
            self._hear("recording", (verb.text or verb.get("digits") or "").strip())
            await self._clock.sleep(_PLAY_SECONDS)
        return None

    async def _pause(self, verb: ET.Element) -> Source | None:
        await self._clock.sleep(_integer(verb, "length", 1))
        return None

    async def _redirect(self, verb: ET.Element) -> Source | None:
        return self._source((verb.text or "").strip(), verb.get("method", "POST"))

    async def _hang_up(self, verb: ET.Element) -> Source | None:
        raise _HungUp(verb.tag)

    async def _gather(self, verb: ET.Element) -> Source | None:
        inputs = verb.get("input", "dtmf").split()
        for prompt in verb:
            if prompt.tag not in {"Say", "Play", "Pause"}:
                raise ApplicationError(12100, f"<{prompt.tag}> is not allowed in <Gather>")
            await self._verbs[prompt.tag](prompt)
        timeout = float(_integer(verb, "timeout", 5))
        reply = self._person.reply(dtmf="dtmf" in inputs, speech="speech" in inputs, prompt=self._said())
        if reply is None or reply.after > timeout:
            await self._clock.sleep(timeout)
            reply = None
        else:
            await self._listen(verb, reply, timeout)
        if reply is None and verb.get("actionOnEmptyResult") != "true":
            return None
        return self._source(verb.get("action", ""), verb.get("method", "POST"), _gathered(inputs, reply))

    async def _listen(self, verb: ET.Element, reply: PersonaReply, patience: float) -> None:
        await self._clock.sleep(reply.after)
        self._hear("person", reply.speech or f"[presses {reply.digits}]")
        if reply.speech:
            await self._clock.sleep(len(reply.speech) / _CHARACTERS_A_SECOND + 1.0)
        elif _integer(verb, "numDigits", 0) != len(reply.digits):
            await self._clock.sleep(patience)

    def _source(self, url: str, method: str, fields: tuple[tuple[str, str], ...] = ()) -> Source:
        if not url and not self._base:
            raise ApplicationError(11200, "no address to go to")
        return Source(urljoin(self._base, url) if url else self._base, method, fields)

    def _said(self) -> str:
        return " ".join(line["text"] for line in self._call.heard if line["who"] == "agent")

    def _hear(self, who: str, text: str) -> None:
        moment = self._clock.now().isoformat(timespec="milliseconds")
        self._call.heard.append({"at": moment, "who": who, "text": text})


def _gathered(inputs: list[str], reply: PersonaReply | None) -> tuple[tuple[str, str], ...]:
    if reply is not None and reply.speech:
        return (("SpeechResult", reply.speech), ("Confidence", "0.93"), ("Language", "en-US"))
    fields: list[tuple[str, str]] = []
    if "dtmf" in inputs:
        fields += [("Digits", reply.digits if reply else ""), ("FinishedOnKey", ""), ("msg", "Gather End")]
    if "speech" in inputs and reply is None:
        fields += [("SpeechResult", ""), ("Confidence", "0.0"), ("Language", "en-US")]
    return tuple(fields)


def _parse(text: str) -> ET.Element:
    try:
        document = ET.fromstring(text)  # noqa: S314  # the customer's own document
    except ET.ParseError as error:
        raise ApplicationError(12100, f"document parse failure: {error}") from error
    if document.tag != "Response":
        raise ApplicationError(12100, f"the root is <{document.tag}>, not <Response>")
    return document


def _spoken(text: str) -> ET.Element:
    document = ET.Element("Response")
    ET.SubElement(document, "Say").text = text
    return document


def _integer(verb: ET.Element, name: str, default: int) -> int:
    value = verb.get(name, "")
    return int(value) if value.isdecimal() else default
