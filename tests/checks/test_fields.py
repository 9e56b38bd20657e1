"""Data that a stranger wrote: a wrong field is a ValueError in one line."""

import pytest

from dreamkit.checks import fields
from dreamkit.checks.numbers import check_index, is_number, is_whole

HUGE = 10**400  # an int that no float can hold; JSON allows it


@pytest.mark.parametrize(
    "value",
    [HUGE, -HUGE, float("nan"), float("inf"), True, "3", None, [1]],
    ids=lambda value: repr(value)[:6],
)
def test_what_is_not_a_number_in_range_is_one_line(value):
    for kind in (fields.number(0, 16), fields.integer(0, 16)):
        with pytest.raises(
            ValueError, match=r"'power' must be a (whole )?number from 0 to 16; "
        ) as error:
            kind(value, "'power'")
        assert "\n" not in str(error.value) and len(str(error.value)) < 130


def test_numbers_are_checked_with_their_bounds():
    assert is_number(HUGE) and is_whole(HUGE, 0) and not is_number(HUGE, 0, 1e300)
    assert is_whole(0, 0, 0) and not is_whole(-1, 0) and not is_whole(1.0)
    assert not is_number(float("inf"), 0) and not is_number(float("nan")) and not is_number(1j)


@pytest.mark.parametrize("given", [-1, 4, 1.0, True, "1", None])
def test_an_index_out_of_range_says_the_range(given):
    with pytest.raises(
        ValueError, match=f"class {given} is out of range: the net has 4, from 0 to 3"
    ):
        check_index("class", given, 4, "the net")
    check_index("class", 3, 4, "the net")


def test_fields_are_taken_with_their_defaults():
    kinds = {
        "name": fields.text,
        "kind": fields.one_of("a", "b"),
        "power": fields.Default(fields.number(0, 16), 2),
        "stopped": fields.optional(fields.integer(1, 9)),
    }
    whole = {"name": "x", "kind": "a", "power": 2, "stopped": None}
    assert fields.take({"name": "x", "kind": "a"}, "it", kinds) == whole
    assert fields.take(whole | {"more": 1}, "it", kinds, loose=True) == whole
    for wrong, message in (
        ([], "it must be fields with values; given: a list"),
        (whole | {"more": 1}, "it has no field 'more'; allowed: name, kind, power, stopped"),
        ({"kind": "a"}, "it lacks the field 'name'"),
        (whole | {"kind": "c"}, "'kind' of it must be a or b; given: 'c'"),
        (whole | {"name": "y" * 257}, "'name' of it must be a text of at most 256 characters"),
    ):
        with pytest.raises(ValueError, match=message):
            fields.take(wrong, "it", kinds)


def test_hashes_and_truths():
    assert fields.sha256("", "it") == "" and fields.sha256("0f" * 32, "it") == "0f" * 32
    assert fields.truth(False, "it") is False
    for kind, wrong in ((fields.sha256, "0F" * 32), (fields.sha256, "ab"), (fields.truth, 0)):
        with pytest.raises(
            ValueError, match=r"it must be (a sha256 in hex|true or false); given: "
        ):
            kind(wrong, "it")
