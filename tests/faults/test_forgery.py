"""F12, the verdict: forged, altered and genuine webhooks are judged as Twilio's own validator judges them."""

from tests.faults.forging import disagreements


def test_ten_thousand_fuzzed_requests_get_the_verdict_of_twilios_own_validator() -> None:
    believed, differing = disagreements(10_000, seed=1)
    assert differing == []
    assert 500 < believed < 9_500
