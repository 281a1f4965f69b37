"""Settings: every environment variable that Callsheet reads, described once."""

from functools import lru_cache
from ipaddress import IPv4Network, IPv6Network, ip_network
from pathlib import Path
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

DEFAULT_TWILIO_API_URL = "https://api.twilio.com"
SIMULATED_KIND = "twilio"
"""Whose API the simulator speaks."""

Network = IPv4Network | IPv6Network


class Settings(BaseSettings):
    """Process configuration, read from the environment.

    Raises `pydantic.ValidationError` with the name of the variable that has a wrong value.
    """

    # Code sets the fields by their names. The prefix prevents that from the environment, where HOME and PORT have
    # other meanings.
    model_config = SettingsConfigDict(
        env_prefix="CALLSHEET_FIELD_", extra="ignore", frozen=True, populate_by_name=True
    )

    home: Path = Field(
        Path(".callsheet"),
        validation_alias="CALLSHEET_HOME",
        description="Data directory of the embedded servers, logs and secrets.",
    )
    port: int = Field(
        3000,
        validation_alias="CALLSHEET_PORT",
        ge=1,
        le=65535,
        description="The one port of UI, API and webhooks.",
    )
    public_url_setting: str | None = Field(
        None,
        validation_alias="CALLSHEET_PUBLIC_URL",
        description="The URL under which carriers and browsers reach Callsheet; default http://localhost:PORT.",
    )
    trusted_proxies: Annotated[tuple[Network, ...], NoDecode] = Field(
        (),
        validation_alias="CALLSHEET_TRUSTED_PROXIES",
        description="Networks of trusted proxies, comma-separated: their X-Forwarded-For and -Proto count.",
    )
    api_requests_per_minute: int = Field(
        1_200,
        validation_alias="CALLSHEET_API_REQUESTS_PER_MINUTE",
        ge=0,
        description="Requests per minute that one API key may make to one web process; 0: no limit.",
    )
    allowed_hosts_setting: str = Field(
        "",
        validation_alias="CALLSHEET_ALLOWED_HOSTS",
        description="More host names to answer to, beside the public URL's, comma-separated.",
    )
    legal_hours_file: Path | None = Field(
        None,
        validation_alias="CALLSHEET_LEGAL_HOURS",
        description="A table of legal hours to use instead of app/domain/data/legal_hours.toml.",
    )
    rehearsal_clock_file: Path | None = Field(
        None,
        validation_alias="CALLSHEET_REHEARSAL_CLOCK",
        description="A file with seconds to put the clock forward (or back); only with the simulated carrier.",
    )
    secret: SecretStr | None = Field(
        None,
        validation_alias="CALLSHEET_SECRET",
        description="Key of callback signatures. `up` makes it in the home; all machines need the same one.",
    )
    database_url: str | None = Field(
        None,
        validation_alias="DATABASE_URL",
        description="PostgreSQL to use instead of the embedded one.",
    )
    redis_url: str | None = Field(
        None,
        validation_alias="REDIS_URL",
        description="Redis or Valkey to use instead of the embedded one.",
    )
    carrier: str = Field(
        SIMULATED_KIND,
        validation_alias="CALLSHEET_CARRIER",
        description="The kind of carrier, as app/providers/registry.py names it.",
    )
    twilio_account_sid: str | None = Field(
        None,
        validation_alias="TWILIO_ACCOUNT_SID",
        description="Twilio account; none: the simulator.",
    )
    twilio_auth_token: SecretStr | None = Field(
        None,
        validation_alias="TWILIO_AUTH_TOKEN",
        description="Twilio auth token; none: the simulator.",
    )
    twilio_api_url: str | None = Field(
        None,
        validation_alias="TWILIO_API_URL",
        description="A carrier that speaks Twilio's API elsewhere.",
    )
    simulator_port: int = Field(
        3001,
        validation_alias="SIMULATOR_PORT",
        ge=1,
        le=65535,
        description="Port of the carrier simulator.",
    )
    simulator_speed: float = Field(
        1.0,
        validation_alias="SIMULATOR_SPEED",
        gt=0,
        allow_inf_nan=False,
        description="How many times faster than real time the simulator runs.",
    )
    simulator_seed: int = Field(
        1, validation_alias="SIMULATOR_SEED", description="The seed of the simulator's random choices."
    )
    carrier_simulated: bool = Field(
        False,
        validation_alias="CALLSHEET_CARRIER_SIMULATED",
        description="Set by `up`, `demo`, `bench` and the tests for their children when the carrier is the simulator.",
    )

    reconcile_speed: float = Field(
        1.0,
        validation_alias="CALLSHEET_RECONCILE_SPEED",
        gt=0,
        description="How many times faster the reconciler's waits pass, to match SIMULATOR_SPEED. "
        "Only with the simulated carrier.",
    )

    @field_validator("database_url")
    @classmethod
    def _use_the_psycopg_driver(cls, url: str | None) -> str | None:
        """Accept the usual schemes of a PostgreSQL URL, and select the driver that we install."""
        if url is None:
            return None
        scheme, separator, rest = url.partition("://")
        if not separator or scheme not in {
            "postgres",
            "postgresql",
            "postgresql+psycopg",
        }:
            raise ValueError("DATABASE_URL must be a postgresql:// URL")
        return f"postgresql+psycopg://{rest}"

    @field_validator("allowed_hosts_setting")
    @classmethod
    def _are_bare_names(cls, names: str) -> str:
        """Require names that can be compared with a `Host` header without its port."""
        if any(set(name.strip()) & set("/@*") or ":" in name.replace("::", "") for name in names.split(",")):
            raise ValueError("CALLSHEET_ALLOWED_HOSTS must be host names such as calls.internal,10.0.0.5")
        return names

    @field_validator("public_url_setting")
    @classmethod
    def _is_a_bare_address(cls, url: str | None) -> str | None:
        """Require only scheme and host: signatures and redirects use this URL."""
        if not url:
            return None
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
            raise ValueError("CALLSHEET_PUBLIC_URL must be an address such as https://calls.example.com")
        if parts.path.strip("/"):
            raise ValueError(
                "CALLSHEET_PUBLIC_URL must end with the host: Callsheet is not served under a path"
            )
        return url

    @field_validator("trusted_proxies", mode="before")
    @classmethod
    def _are_networks(cls, given: object) -> object:
        """Read `10.0.0.0/8, 2001:db8::1`; a single address is a network too."""
        return tuple(map(_network, filter(None, given.split(",")))) if isinstance(given, str) else given

    @model_validator(mode="after")
    def _ports_differ(self) -> Self:
        if self.port == self.simulator_port and not self.has_carrier:
            raise ValueError("SIMULATOR_PORT must be another port than CALLSHEET_PORT")
        return self

    @model_validator(mode="after")
    def _carrier_is_whole_or_absent(self) -> Self:
        sid, token = self.twilio_account_sid, self.twilio_auth_token
        if (sid is None) != (token is None):
            missing = "TWILIO_AUTH_TOKEN" if token is None else "TWILIO_ACCOUNT_SID"
            raise ValueError(
                f"{missing} is not set: give both TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN, or neither"
            )
        if self.twilio_api_url is not None and sid is None:
            raise ValueError("TWILIO_API_URL needs TWILIO_ACCOUNT_SID and TWILIO_AUTH_TOKEN")
        return self

    @property
    def public_url(self) -> str:
        """The public base URL without a trailing slash."""
        return (self.public_url_setting or f"http://localhost:{self.port}").rstrip("/")

    @property
    def allowed_hosts(self) -> tuple[str, ...]:
        """The host names to answer to, beside those of the public URL and of this machine."""
        return tuple(filter(None, (name.strip().lower() for name in self.allowed_hosts_setting.split(","))))

    @property
    def served_over_https(self) -> bool:
        """Whether the public URL is https; cookies are then `Secure`."""
        return urlsplit(self.public_url).scheme == "https"

    @property
    def has_carrier(self) -> bool:
        """Whether a real carrier is set up; otherwise `up` starts the simulator."""
        return self.carrier != SIMULATED_KIND or bool(self.twilio_account_sid)

    @property
    def carrier_speed(self) -> float:
        """How many carrier seconds pass in one real second: 1 unless the carrier is simulated."""
        return self.reconcile_speed if self.carrier_simulated else 1.0

    @property
    def carrier_api_url(self) -> str:
        """The base URL of Twilio's REST API, or of a compatible one, without a trailing slash."""
        return (self.twilio_api_url or DEFAULT_TWILIO_API_URL).rstrip("/")


def _network(written: str) -> Network:
    try:
        network = ip_network(written.strip())
    except ValueError as error:
        raise ValueError(
            f"CALLSHEET_TRUSTED_PROXIES: “{written.strip()}” is no network ({error}). "
            "Write addresses or networks with commas between them, such as 127.0.0.1, 10.0.0.0/8"
        ) from error
    if network.prefixlen == 0:
        raise ValueError(
            f"CALLSHEET_TRUSTED_PROXIES: {network} is everybody, so anybody could choose their address. "
            "Name the networks of your proxies"
        )
    return network


@lru_cache(maxsize=1)
def get_settings() -> Settings:
    """Return this process's settings. They are read once; tests call `get_settings.cache_clear()`."""
    return Settings()
