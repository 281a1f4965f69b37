"""Twilio's errors: a table of the codes this carrier answers with, their HTTP status and message."""

from http import HTTPStatus

from starlette.responses import JSONResponse

_REFUSALS: dict[int, tuple[int, str]] = {
    20001: (400, "Invalid parameter"),
    20003: (401, "Authenticate"),
    20004: (405, "Method not allowed"),
    20005: (403, "Account not active"),
    20404: (404, "The requested resource was not found"),
    20429: (429, "Too Many Requests"),
    20500: (500, "An internal server error has occurred"),
    21201: (400, "No 'To' number is specified"),
    21205: (400, "Url is not a valid URL"),
    21210: (400, "The source phone number provided is not yet verified for your account"),
    21211: (400, "Invalid 'To' Phone Number"),
    21212: (400, "Invalid 'From' Phone Number"),
    21213: (400, "No 'From' number is specified"),
    21214: (400, "The phone number you are attempting to call cannot be reached"),
    21215: (
        400,
        (
            "Account not authorized to call this phone number. "
            "Perhaps you need to enable some geographic permissions"
        ),
    ),
    21216: (400, "Account not allowed to call this phone number"),
    21220: (400, "Unable to update record. Call is not in-progress. Cannot redirect"),
    21262: (400, "AsyncAmdStatusCallback is required when AsyncAmd is true"),
    21266: (400, "'To' and 'From' number cannot be the same"),
    21408: (
        403,
        "Permission to send an SMS has not been enabled for the region indicated by the 'To' number",
    ),
    21602: (400, "Message body is required"),
    21603: (400, "A 'From' phone number is required"),
    21604: (400, "A 'To' phone number is required"),
    21606: (400, "The 'From' phone number provided is not a valid message-capable Twilio phone number"),
    21609: (400, "The 'StatusCallback' URL is not a valid URL"),
    21610: (400, "Attempt to send to unsubscribed recipient"),
    21611: (429, "This 'From' number has exceeded the maximum number of queued messages"),
    21612: (400, "The 'To' phone number is not currently reachable using the 'From' phone number via SMS"),
    21614: (400, "'To' number is not a valid mobile number"),
    21617: (400, "The concatenated message body exceeds the 1600 character limit"),
    21626: (400, "Invalid 'StatusCallbackEvent'"),
    30409: (409, "The message is not in a state in which it can be cancelled"),
    35114: (400, "SendAt time must be between 900 seconds and 35 days (3024000 seconds) in the future"),
    35118: (400, "MessagingServiceSid is required to schedule a message"),
}


class RequestRefused(Exception):
    """The carrier refuses the request. `code` is Twilio's error code, `status` its HTTP status."""

    def __init__(self, code: int, detail: str = "") -> None:
        self.code = code
        self.status, words = _REFUSALS[code]
        self.message = f"{words}: {detail}" if detail else words
        super().__init__(f"{code} {self.message}")

    def response(self) -> JSONResponse:
        """Return the error as Twilio's REST API writes it."""
        headers = (
            {"WWW-Authenticate": 'Basic realm="Twilio API"'}
            if self.status == HTTPStatus.UNAUTHORIZED
            else None
        )
        return JSONResponse(
            {
                "code": self.code,
                "message": self.message,
                "more_info": f"https://www.twilio.com/docs/errors/{self.code}",
                "status": self.status,
            },
            self.status,
            headers=headers,
        )
