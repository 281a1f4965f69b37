"""The carrier's settings, given at its start. It reads no environment variables and no files."""

from dataclasses import dataclass

DEFAULT_ACCOUNT_SID = "AC" + "ca11" * 8
"""The carrier's only account, unless the settings name another. Well-formed, but no account at Twilio."""

DEFAULT_AUTH_TOKEN = "5ca1ab1e" * 4
"""The account's token: signs webhooks and authenticates REST requests. It is public: it protects nothing else."""

DEFAULT_NUMBERS = ("+12015550123", "+12025550143", "+14155550100", "+13125550142", "+17185550176")
"""The numbers the account owns at the start. Valid, and from the ranges reserved for fiction."""

TEST_NUMBER = "+15005550006"
"""Twilio's magic `From` number, which is always accepted."""


@dataclass(frozen=True, slots=True)
class SimulatorSettings:
    """Settings of one carrier.

    `speed`: how many carrier seconds pass in one real second. `seed`: decides, with the number dialed, who answers
    and how. `calls_per_second`: the account's CPS, in carrier seconds; calls above it wait in the carrier's
    queue, as at Twilio (there 1 to 30).
    """

    port: int = 3001
    host: str = "127.0.0.1"
    speed: float = 1.0
    seed: int = 1
    account_sid: str = DEFAULT_ACCOUNT_SID
    auth_token: str = DEFAULT_AUTH_TOKEN
    numbers: tuple[str, ...] = DEFAULT_NUMBERS
    calls_per_second: float = 30.0
