"""The syntax of S3 paths, and which of them callers may use."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from core.errors import InvalidRequest
from core.paths import (
    MAX_LENGTH,
    AllowedPrefixes,
    CallerPrefixes,
    check_input_object,
    check_output_folder,
    transform_id_of_upload,
)

WHOLE_BUCKET = AllowedPrefixes.parse("s3://bucket/")
ALLOWED = AllowedPrefixes.parse("s3://bucket/sets/, s3://other-bucket/a/b")
PART = st.text(st.characters(exclude_categories=["Cc", "Cs"], exclude_characters="/\x7f"), min_size=1, max_size=20)
KEYS = st.lists(PART.filter(lambda part: part not in (".", "..")), min_size=1, max_size=5).map("/".join)


@pytest.mark.parametrize("path", ["s3://bucket/sets", "s3://bucket/sets/", "s3://bucket/sets//"])
def test_output_folder_is_the_same_with_or_without_its_slash(path: str) -> None:
    assert check_output_folder(path, WHOLE_BUCKET) == "s3://bucket/sets/"


@pytest.mark.parametrize(
    "path",
    [
        "bucket/sets",
        "s3:/bucket/sets",
        "s3:///sets",
        "S3://bucket/sets",
        "s3a://bucket/sets",
        "https://bucket.s3.amazonaws.com/sets",
        "s3://",
        " s3://bucket/sets",
    ],
)
def test_malformed_s3_path_is_rejected_with_the_right_form(path: str) -> None:
    for check in (check_output_folder, check_input_object):
        with pytest.raises(InvalidRequest, match="must be of the form s3://bucket/key"):
            check(path, WHOLE_BUCKET)


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("s3://b/sets", "a bucket name of 1 characters: 'b'; bucket names have 3 to 63"),
        ("s3://ab/sets", "a bucket name of 2 characters"),
        (f"s3://{'b' * 64}/sets", "a bucket name of 64 characters"),
        ("s3://Bucket/sets", "an invalid bucket name: 'Bucket'"),
        ("s3://bucket_/sets", "an invalid bucket name"),
        ("s3://-bucket/sets", "an invalid bucket name"),
        ("s3://bucket@evil/sets", "an invalid bucket name"),
        ("s3://bucket/a\nb", "control characters"),
        ("s3://bucket/a\x00b", "control characters"),
    ],
)
def test_what_is_wrong_with_a_path_is_named(path: str, reason: str) -> None:
    for read in (check_output_folder, check_input_object):
        with pytest.raises(InvalidRequest, match=f"has {reason}"):
            read(path, WHOLE_BUCKET)


@pytest.mark.parametrize(
    "path", ["s3://bucket/../x", "s3://bucket/a/./b", "s3://bucket/a//b", "s3://bucket//a", "s3://bucket/.."]
)
def test_path_cannot_leave_its_prefix(path: str) -> None:
    for check in (check_output_folder, check_input_object):
        with pytest.raises(InvalidRequest, match="must not have empty"):
            check(path, WHOLE_BUCKET)


@pytest.mark.parametrize(
    ("path", "is_allowed"),
    [
        ("s3://bucket/sets", True),
        ("s3://bucket/sets/a/b", True),
        ("s3://other-bucket/a/b/c", True),
        ("s3://bucket/setsa", False),
        ("s3://bucket/set", False),
        ("s3://bucket", False),
        ("s3://other-bucket/a", False),
        ("s3://third/sets", False),
    ],
)
def test_paths_below_an_allowed_prefix_are_allowed(path: str, is_allowed: bool) -> None:  # noqa: FBT001  a table's column
    if is_allowed:
        assert check_output_folder(path, ALLOWED) == f"{path}/"
    else:
        with pytest.raises(InvalidRequest, match="allowed: s3://bucket/sets/, s3://other-bucket/a/b/"):
            check_output_folder(path, ALLOWED)


def test_without_prefixes_every_path_is_rejected() -> None:
    with pytest.raises(InvalidRequest, match="allowed: none"):
        check_input_object("s3://bucket/one.csv", AllowedPrefixes.parse(""))


@pytest.mark.parametrize("path", ["s3://bucket/", "s3://bucket/labels/"])
def test_import_of_a_folder_is_rejected(path: str) -> None:
    with pytest.raises(InvalidRequest, match="must name one S3 object"):
        check_input_object(path, WHOLE_BUCKET)


def test_error_points_at_the_field() -> None:
    with pytest.raises(InvalidRequest) as output:
        check_output_folder("x", WHOLE_BUCKET)
    with pytest.raises(InvalidRequest) as upload:
        check_input_object("x", WHOLE_BUCKET)
    assert [error.pointer for error in output.value.errors] == ["#/outputS3Path"]
    assert [error.pointer for error in upload.value.errors] == ["#/inputS3Path"]


@given(st.integers(min_value=900, max_value=1100))
def test_output_folder_leaves_room_for_the_run_id(length: int) -> None:
    path = "s3://bucket/".ljust(length, "a")
    try:
        folder = check_output_folder(path, WHOLE_BUCKET)
    except InvalidRequest as error:
        assert "is too long" in str(error)  # noqa: PT017  both outcomes are right, each with its bound
        assert length > MAX_LENGTH - 40
    else:
        assert len(f"{folder}{'f' * 32}/") <= MAX_LENGTH


@given(KEYS)
def test_any_key_below_an_allowed_prefix_is_accepted_unchanged(key: str) -> None:
    path = f"s3://bucket/sets/{key}"
    assert check_input_object(path, ALLOWED) == path


@given(st.text(max_size=60))
def test_any_text_is_below_an_allowed_prefix_or_rejected(text: str) -> None:
    for path in (text, f"s3://{text}", f"s3://bucket/{text}", f"s3://bucket/sets{text}"):
        try:
            accepted = check_input_object(path, ALLOWED)
        except InvalidRequest:
            continue
        assert ALLOWED.allow(accepted)
        assert not {"", ".", ".."} & set(accepted.removeprefix("s3://").split("/"))


@pytest.mark.parametrize("text", ["bucket/prefix", "s3://", "s3://bucket,x", "arn:aws:s3:::bucket"])
def test_malformed_prefix_setting_is_rejected(text: str) -> None:
    with pytest.raises(ValueError, match="allowed S3 prefixes"):
        AllowedPrefixes.parse(text)


@given(st.lists(KEYS, max_size=4))
def test_prefix_is_the_same_with_or_without_its_slash(keys: list[str]) -> None:
    assume(not any("," in key or key.strip() != key for key in keys))
    bare = AllowedPrefixes.parse(",".join(f"s3://bucket/{key}" for key in keys))
    closed = AllowedPrefixes.parse(" , ".join(f"s3://bucket/{key}/" for key in keys))
    assert bare == closed


@pytest.mark.parametrize(
    ("key", "transform_id"),
    [
        ("labels/tfm-1/one.csv", "tfm-1"),
        ("team/a/labels/tfm-1/one.csv", "tfm-1"),
        ("labels/labels/tfm-1/one.csv", "tfm-1"),
        ("labels/tfm-1/with blank.csv", "tfm-1"),
        ("labels/tfm-1/.csv", "tfm-1"),
        ("labels/tfm-1/sub/one.csv", "tfm-1"),
        ("labels/tfm-1/2026/11/one.csv", "tfm-1"),
        ("labels/tfm-1/labels/tfm-2/one.csv", "tfm-2"),
        ("labels/tfm-1/labels/one.csv", "tfm-1"),
        ("labels//tfm-1/one.csv", "tfm-1"),
        ("labels/tfm-1//one.csv", "tfm-1"),
        ("labels/tfm-1/./one.csv", "tfm-1"),
        ("labels/tfm-1/~$one.csv", "tfm-1"),
        ("Labels/tfm-1/one.csv", None),
        ("labels/one.csv", None),
        ("mylabels/tfm-1/one.csv", None),
        ("labels/tfm-1/one.CSV", "tfm-1"),
        ("labels/tfm-1/one.cSv", "tfm-1"),
        ("labels/tfm-1/one.csv.gz", None),
        ("labels/tfm 1/one.csv", None),
        ("labels/tfm-1/one.csv\n", None),
    ],
)
def test_key_of_an_upload_names_its_transform(key: str, transform_id: str | None) -> None:
    assert transform_id_of_upload(key) == transform_id


@pytest.mark.parametrize(
    ("caller", "expected"),
    [
        ("alice", ("s3://bucket/sets/alice/",)),
        ("bob", ("s3://bucket/sets/",)),  # his are wider than the service's own
        ("carol", ()),
        ("somebody else", ("s3://bucket/sets/shared/",)),
    ],
)
def test_caller_may_use_its_own_prefixes_within_the_allowed_ones(caller: str, expected: tuple[str, ...]) -> None:
    prefixes_by_caller = {
        "alice": ["s3://bucket/sets/alice"],
        "bob": ["s3://bucket/"],
        "carol": [],
        "*": ["s3://bucket/sets/shared/"],
    }
    caller_prefixes = CallerPrefixes({name: AllowedPrefixes.of(prefixes) for name, prefixes in prefixes_by_caller.items()})
    assert caller_prefixes.narrow(AllowedPrefixes.parse("s3://bucket/sets/"), caller).prefixes == expected


def test_caller_without_an_entry_may_use_all_allowed_prefixes() -> None:
    assert CallerPrefixes({"alice": AllowedPrefixes(())}).narrow(ALLOWED, "bob") is ALLOWED
