"""What the carrier is told when it starts. It reads no environment and no file of the product."""

from dataclasses import dataclass

DEFAULT_ACCOUNT_SID = "AC" + "ca11" * 8
"""The carrier's only account, unless the settings name another. Well-formed, never Twilio's."""

DEFAULT_AUTH_TOKEN = "5ca1ab1e" * 4
"""Its token: signs the webhooks and opens the REST API. Public on purpose, it opens nothing else."""

DEFAULT_NUMBERS = ("+12015550123", "+12025550143", "+14155550100", "+13125550142", "+17185550176")
"""The numbers the account owns at the start. Valid by number plan, in the range reserved for fiction."""

TEST_NUMBER = "+15005550006"
"""Twilio's magic `From` that is always good."""


@dataclass(frozen=True, slots=True)
class SimulatorSettings:
    """Settings of one carrier.

    `speed`: how many carrier seconds pass in one real second. `seed`: with the numbers dialed it decides who
    answers and how. `calls_per_second`: the account's CPS, in carrier seconds; calls above it wait in the
    carrier's queue, as at Twilio (1 to 30 there).
    """

    port: int = 3001
    host: str = "127.0.0.1"
    speed: float = 1.0
    seed: int = 1
    account_sid: str = DEFAULT_ACCOUNT_SID
    auth_token: str = DEFAULT_AUTH_TOKEN
    numbers: tuple[str, ...] = DEFAULT_NUMBERS
    calls_per_second: float = 30.0
