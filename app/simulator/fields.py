"""The form fields of every webhook, as Twilio fills them. City, state and zip are not known: present and blank."""

from datetime import datetime

from app.simulator import wire
from app.simulator.signature import Fields
from app.simulator.state import Message, SimulatedCall


def call_fields(call: SimulatedCall, account_sid: str, status: str) -> Fields:
    """Return the fields of every request about a call."""
    return [
        ("AccountSid", account_sid),
        ("ApiVersion", wire.API_VERSION),
        ("CallSid", call.sid),
        ("CallStatus", status),
        ("Direction", call.direction),
        *party_fields("To", call.to),
        *party_fields("Called", call.to),
        *party_fields("From", call.from_),
        *party_fields("Caller", call.from_),
    ]


def call_progress_fields(call: SimulatedCall, account_sid: str, status: str, now: datetime) -> Fields:
    """Return the fields of a status callback, with those of the end if the call has ended."""
    fields = call_fields(call, account_sid, status)
    fields += [
        ("Timestamp", wire.rfc2822(now) or ""),
        ("CallbackSource", "call-progress-events"),
        ("SequenceNumber", str(call.callbacks_fired)),
    ]
    if not call.is_live:
        fields += _ending_fields(call)
    return fields


def _ending_fields(call: SimulatedCall) -> Fields:
    seconds = call.duration or 0
    fields: Fields = [("CallDuration", str(seconds)), ("Duration", str(wire.billed_minutes(seconds)))]
    if call.sip_code is not None:
        fields.append(("SipResponseCode", str(call.sip_code)))
    if call.answered_by is not None:
        fields.append(("AnsweredBy", call.answered_by))
    return fields


def party_fields(name: str, number: str) -> Fields:
    """Return the number and place of one side of the call; of the place only the country is known."""
    return [
        (name, number),
        (f"{name}City", ""),
        (f"{name}State", ""),
        (f"{name}Zip", ""),
        (f"{name}Country", wire.country(number)),
    ]


def message_status_fields(message: Message, account_sid: str, now: datetime) -> Fields:
    """Return the fields of a message's status callback."""
    fields: Fields = [
        ("AccountSid", account_sid),
        ("ApiVersion", wire.API_VERSION),
        ("From", message.from_ or ""),
        ("MessageSid", message.sid),
        ("MessageStatus", message.status),
        ("SmsSid", message.sid),
        ("SmsStatus", message.status),
        ("To", message.to),
    ]
    if message.messaging_service_sid is not None:
        fields.append(("MessagingServiceSid", message.messaging_service_sid))
    if message.error_code is not None:
        fields += [("ErrorCode", str(message.error_code)), ("ErrorMessage", message.error_message or "")]
    if message.status in {"delivered", "undelivered"}:
        fields.append(("RawDlrDoneDate", now.strftime("%y%m%d%H%M")))
    return fields


def inbound_message_fields(message: Message, account_sid: str) -> Fields:
    """Return the fields of the webhook for a text from a person."""
    return [
        ("AccountSid", account_sid),
        ("ApiVersion", wire.API_VERSION),
        ("Body", message.body),
        *party_fields("From", message.from_ or ""),
        ("MessageSid", message.sid),
        ("NumMedia", "0"),
        ("NumSegments", str(wire.segments(message.body))),
        ("SmsMessageSid", message.sid),
        ("SmsSid", message.sid),
        ("SmsStatus", "received"),
        *party_fields("To", message.to),
    ]
