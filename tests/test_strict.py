import math

import pytest

from lggkit import strict

NO_JSON = {
    "empty": b"",
    "garbage": b"garbage",
    "deep": b"[" * 200_000,
    "deep but closed": b"[" * 200 + b"]" * 200,
    "deep objects": b'{"a":' * 100_000,
    "NaN": b'{"a": NaN}',
    "Infinity": b"[-Infinity]",
    "too large": b"[1e999]",
    "400 digits": b'{"a": ' + b"9" * 400 + b"}",
    "5000 digits": b"-" + b"9" * 5000,
    "twice": b'{"a": 1, "a": 2}',
    "twice below": b'{"b": [{"a": 1, "a": 1}]}',
    "no UTF-8": b'{"a": "\xff"}',
    "NUL bytes": b"\0\0\0\0",
    "NUL in a text": b'{"a": "\\u0000"}',
    "half a surrogate": b'{"a": "\\ud800"}',
    "cut": b'{"a": [1, 2',
}


@pytest.mark.parametrize("line", NO_JSON.values(), ids=NO_JSON)
def test_what_is_no_strict_json_is_a_value_error_in_one_line(line):
    with pytest.raises(ValueError) as told:
        strict.loads(line)
    assert "\n" not in str(told.value) and len(str(told.value)) < 300


def test_strict_json_is_read_as_it_is():
    assert strict.loads(b'{"a": [1, -2.5, true, null, "\xc3\xb6"], "b": {}}') == {
        "a": [1, -2.5, True, None, "ö"],
        "b": {},
    }
    assert strict.loads(str(2**63 - 1)) == 2**63 - 1


PATHS = [
    "../../escaped/x",
    "/etc/x",
    "a/b/c",
    "a\\b",
    "a/..",
    "../a",
    "a/b\n",
    "a/b\0",
    "",
    "/",
    "A/b",
    "a/b.c",
]


@pytest.mark.parametrize("value", [*PATHS, None, 3, ["a/b"], "a/²", "a/" + "b" * 300])
def test_names_of_sections_cannot_leave_their_folder(value):
    with pytest.raises(ValueError, match=r"experiment is .*<paper>/<section>"):
        strict.experiment(value)


@pytest.mark.parametrize(
    "value", ["..", ".", "a/b", "a\\b", "", " ", "a b", "a\n", "a\0", "-x", [1], None, "x" * 99]
)
def test_names_of_arms_and_arrays_are_no_paths(value):
    for check in (strict.arm, strict.array):
        with pytest.raises(ValueError, match="letters, digits"):
            check(value)


def test_numpy_cannot_write_an_array_named_file():
    with pytest.raises(ValueError, match="'file'"):
        strict.array("file")


@pytest.mark.parametrize(
    "value", ["", "0" * 15, "0" * 17, "G" * 16, "../" + "0" * 13, "A" * 16, 7, "0" * 16 + "\n"]
)
def test_keys_are_sixteen_hexadecimal_digits(value):
    with pytest.raises(ValueError, match="16 hexadecimal digits"):
        strict.key(value)


@pytest.mark.parametrize("value", [True, "1", None, [1], math.nan, math.inf, 10**400])
def test_numbers_are_finite_and_no_truth_values(value):
    with pytest.raises(ValueError, match="x is"):
        strict.number("x", value)


def test_dates_order_whatever_zone_they_name():
    assert strict.moment("2026-01-01T12:00:00") == strict.moment("2026-01-01T13:00:00+01:00")
    assert strict.moment("") is None
    with pytest.raises(ValueError, match="date is 'yesterday'"):
        strict.moment("yesterday")
