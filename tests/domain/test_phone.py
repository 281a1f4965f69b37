"""How a cell of a spreadsheet becomes a number that can be dialed, or a reason in plain words."""

import re
from collections.abc import Callable
from contextlib import suppress

import phonenumbers
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.domain.phone import (
    NumberRejected,
    PhoneNumber,
    RejectReason,
    is_region,
    local_format,
    mask,
    normalize,
    normalize_slowly,
    pretty,
)

R = RejectReason

SEED_SAMPLES = {
    "+15551234567": "+15551234567",
    "+15559876543": "+15559876543",
    "+15555550100": "+15555550100",
    "5559876543": "+15559876543",
    "(555) 555-0100": "+15555550100",
    "+15558675310": "+15558675310",
}


@pytest.mark.parametrize(("raw", "e164"), SEED_SAMPLES.items())
def test_the_manuals_sample_numbers_are_accepted_with_a_warning(raw: str, e164: str) -> None:
    number = normalize(raw, region="US")
    assert number.e164 == e164
    assert len(number.warnings) == 1
    assert "no phone company uses" in number.warnings[0]


@pytest.mark.parametrize("raw", SEED_SAMPLES)
def test_a_strict_reading_rejects_the_sample_numbers(raw: str) -> None:
    with pytest.raises(NumberRejected) as rejected:
        normalize(raw, region="US", strict=True)
    assert rejected.value.reason is R.NOT_ASSIGNED


@pytest.mark.parametrize(
    ("raw", "region", "e164"),
    [
        ("+12015550123", "US", "+12015550123"),
        ("+12025550143", "US", "+12025550143"),
        ("+14155550100", "DE", "+14155550100"),
        ("+15005550006", "US", "+15005550006"),
        ("2025550143", "US", "+12025550143"),
        ("2025550143", "us", "+12025550143"),
        ("1 202 555 0143", "US", "+12025550143"),
        ("12025550143", "US", "+12025550143"),
        ("202.555.0143", "US", "+12025550143"),
        ("(202) 555-0143", "US", "+12025550143"),
        ("011 44 20 7946 0000", "US", "+442079460000"),
        ("0044 20 7946 0000", "US", "+442079460000"),
        ("00442079460000", "GB", "+442079460000"),
        ("020 7946 0000", "GB", "+442079460000"),
        ("+44 (0)20 7946 0000", "US", "+442079460000"),
        ("+39 06 698 12345", "US", "+390669812345"),
        ("06 698 12345", "IT", "+390669812345"),
        ("tel:+12025550143", "US", "+12025550143"),
        ("12025550143.0", "US", "+12025550143"),
        ("+12025550143.00", "US", "+12025550143"),
        ("12025550143,0", "US", "+12025550143"),
        ("12,025,550,143", "US", "+12025550143"),
        ("'+12025550143", "US", "+12025550143"),
        ("\u2019+12025550143", "US", "+12025550143"),
        ('="+12025550143"', "US", "+12025550143"),
        ("=12025550143", "US", "+12025550143"),
        ("\u00a0+1\u00a0202\u00a0555\u00a00143\u2003", "US", "+12025550143"),
        ("\u202a+12025550143\u202c", "US", "+12025550143"),
        ("\ufeff+12025550143", "US", "+12025550143"),
        ("+1\u200b2025550143", "US", "+12025550143"),
        ("\uff12\uff10\uff12\uff15\uff15\uff15\uff10\uff11\uff14\uff13", "US", "+12025550143"),
        ("٢٠٢٥٥٥٠١٤٣", "US", "+12025550143"),
        ("+12025550143\n", "US", "+12025550143"),
        ("\x00+12025550143", "US", "+12025550143"),
        ("+12025550143", "", "+12025550143"),
        ("+12025550143", "nowhere", "+12025550143"),
    ],
)
def test_numbers_are_read_as_people_and_spreadsheets_write_them(raw: str, region: str, e164: str) -> None:
    assert normalize(raw, region=region) == PhoneNumber(e164)


@pytest.mark.parametrize(
    "raw",
    [
        "+1 202 555 0143 ext 5",
        "2025550143x5",
        "202-555-0143 ext. 5",
        "+12025550143;ext=5",
        "+1-202-555-0143#5",
        "(202) 555-0143 x 5",
        "202 555 0143 extension 5",
    ],
)
def test_an_extension_is_left_out_with_a_warning(raw: str) -> None:
    number = normalize(raw, region="US")
    assert number.e164 == "+12025550143"
    assert number.warnings == ("The extension 5 was left out: it cannot be dialed.",)


def test_letters_of_a_vanity_number_are_read_as_keys_with_a_warning() -> None:
    assert normalize("1-800-FLOWERS", region="US") == PhoneNumber(
        "+18003569377", ("The letters were read as the keys of a phone: +18003569377.",)
    )


def test_a_foreign_number_without_its_plus_is_read_when_it_can_only_be_that() -> None:
    number = normalize("447400123456", region="US")
    assert number.e164 == "+447400123456"
    assert "begin the number with +" in number.warnings[0]


@pytest.mark.parametrize(
    ("raw", "region", "reason"),
    [
        ("", "US", R.EMPTY),
        ("   ", "US", R.EMPTY),
        ("\u00a0\u200b", "US", R.EMPTY),
        ("''", "US", R.EMPTY),
        ("abc", "US", R.NOT_A_NUMBER),
        ("N/A", "US", R.NOT_A_NUMBER),
        ("-", "US", R.NOT_A_NUMBER),
        ("+", "US", R.NOT_A_NUMBER),
        ("john@example.com", "US", R.NOT_A_NUMBER),
        ("call 2025550143", "US", R.NOT_A_NUMBER),
        ("2025550143 (mobile)", "US", R.NOT_A_NUMBER),
        ("9" * 200, "US", R.NOT_A_NUMBER),
        ("1.20256E+10", "US", R.SCIENTIFIC),
        ("1.5555E+10", "US", R.SCIENTIFIC),
        ("1,5555e10", "DE", R.SCIENTIFIC),
        ("+1 2025550143 / +1 2025550144", "US", R.SEVERAL_NUMBERS),
        ("2025550143;2025550144", "US", R.SEVERAL_NUMBERS),
        ("2025550143,2025550144", "US", R.SEVERAL_NUMBERS),
        ("2025550143 or 2025550144", "US", R.SEVERAL_NUMBERS),
        ("2025550143 2025550144", "US", R.SEVERAL_NUMBERS),
        ("2025550143\n2025550144", "US", R.SEVERAL_NUMBERS),
        ("+12025550143+12025550144", "US", R.SEVERAL_NUMBERS),
        ("2025550143", "", R.NO_COUNTRY),
        ("2025550143", "XX", R.NO_COUNTRY),
        ("+999123456789", "US", R.UNKNOWN_COUNTRY_CODE),
        ("5551234", "US", R.MISSING_AREA_CODE),
        ("911", "US", R.TOO_SHORT),
        ("112", "DE", R.TOO_SHORT),
        ("12345", "US", R.TOO_SHORT),
        ("+44", "US", R.TOO_SHORT),
        ("+1202555014", "US", R.TOO_SHORT),
        ("+120255501430", "US", R.TOO_LONG),
        ("+49 123456789012345", "US", R.TOO_LONG),
        ("20255501439999999", "US", R.TOO_LONG),
    ],
)
def test_what_cannot_be_dialed_is_rejected_with_its_reason(
    raw: str, region: str, reason: RejectReason
) -> None:
    with pytest.raises(NumberRejected) as rejected:
        normalize(raw, region=region)
    assert rejected.value.reason is reason
    assert str(rejected.value).endswith(".")


def test_the_message_of_a_rejection_says_what_to_change() -> None:
    with pytest.raises(NumberRejected, match="Format the column as text, enter the number again"):
        normalize("1.20256E+10", region="US")


def test_a_very_long_text_is_quoted_short() -> None:
    with pytest.raises(NumberRejected) as rejected:
        normalize("x" * 5_000, region="US")
    assert len(str(rejected.value)) < 250


@given(st.text(max_size=40))
def test_any_text_gives_a_number_or_a_reason(raw: str) -> None:
    with suppress(NumberRejected):
        assert re.fullmatch(r"\+[1-9]\d{5,14}", normalize(raw, region="US").e164)


@given(
    st.from_regex(r"\+?[0-9 ().\-/]{5,22}", fullmatch=True),
    st.sampled_from(["US", "GB", "DE", "IN", "IT", ""]),
)
def test_a_normalized_number_is_read_as_itself_in_every_region(raw: str, region: str) -> None:
    try:
        number = normalize(raw, region=region)
    except NumberRejected:
        return
    for elsewhere in ("US", "GB", "JP", ""):
        assert normalize(number.e164, region=elsewhere).e164 == number.e164


@pytest.mark.parametrize(
    ("e164", "masked"),
    [
        ("+12015550123", "+1201•••0123"),
        ("+447900900123", "+4479•••0123"),
        ("+1234567", "+12•••67"),
        ("+123", "•••23"),
        ("not a number", "•••"),
        ("", "•••"),
        ("12015550123", "•••"),
    ],
)
def test_logs_show_a_number_masked(e164: str, masked: str) -> None:
    assert mask(e164).removeprefix("+") == masked.removeprefix("+")


@given(st.from_regex(r"\+[1-9][0-9]{6,14}", fullmatch=True))
def test_a_mask_hides_at_least_three_digits(e164: str) -> None:
    assert sum(char.isdigit() for char in mask(e164)) <= len(e164) - 1 - 3


def test_a_number_is_shown_as_people_write_it() -> None:
    assert pretty("+12015550123") == "+1 201-555-0123"
    assert pretty("+442079460000") == "+44 20 7946 0000"
    assert local_format("+12015550123") == "(201) 555-0123"
    assert local_format("+442079460000") == "+44 20 7946 0000"
    assert pretty("whatever") == local_format("whatever") == "whatever"


@given(st.from_regex(r"\A\+1[2-9][0-9]{9}\Z"))
def test_north_american_numbers_are_shown_as_the_library_shows_them(e164: str) -> None:
    number = phonenumbers.parse(e164)
    assert pretty(e164) == phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL)


def test_regions_are_known_by_their_codes() -> None:
    assert is_region("US")
    assert is_region("gb")
    assert not is_region("")
    assert not is_region("XX")


REGIONS = sorted(phonenumbers.SUPPORTED_REGIONS)
EXAMPLES = {
    region: [
        phonenumbers.national_significant_number(example)
        for kind in range(11)
        if (example := phonenumbers.example_number_for_type(region, kind))
    ]
    for region in REGIONS
}


@st.composite
def plainly_written(draw: st.DrawFn) -> tuple[str, str]:
    """A number close to one that exists, as people write it, and the region it is read in."""
    home, other = draw(st.sampled_from(REGIONS)), draw(st.sampled_from(REGIONS))
    metadata = phonenumbers.PhoneMetadata.metadata_for_region(home)
    assert metadata is not None
    digits = list(draw(st.sampled_from(EXAMPLES[home] or ["2025550143"])))
    for place in draw(st.lists(st.integers(0, len(digits) - 1), max_size=2)):
        digits[place] = draw(st.sampled_from("0123456789"))
    before = draw(st.sampled_from(["+", "", "", "0", metadata.national_prefix or ""]))
    code = str(metadata.country_code) if before == "+" or draw(st.booleans()) else ""
    separator = draw(st.sampled_from(["", " ", "-", "."]))
    pieces = [code, "".join(digits[:3]), "".join(digits[3:6]), "".join(digits[6:])]
    return before + separator.join(filter(None, pieces)), draw(st.sampled_from([home, other, "US"]))


@settings(max_examples=2_000, deadline=None)
@given(written=plainly_written(), strict=st.booleans())
def test_numbers_written_plainly_are_read_as_the_library_reads_them(
    written: tuple[str, str], *, strict: bool
) -> None:
    def told(read: Callable[..., PhoneNumber]) -> PhoneNumber | str:
        try:
            return read(written[0], region=written[1], strict=strict)
        except NumberRejected as rejected:
            return str(rejected)

    assert told(normalize) == told(normalize_slowly)


@pytest.mark.parametrize(
    ("raw", "words"),
    [
        ("+19005550143", "premium-rate"),
        ("900-234-5678", "premium-rate"),
        ("+44 909 879 0000", "premium-rate"),
        ("+8816 3155 5000", "satellite"),
        ("+870 773 111 632", "satellite"),
    ],
)
def test_dear_numbers_are_accepted_with_a_warning(raw: str, words: str) -> None:
    assert words in " ".join(normalize(raw, region="US").warnings)
