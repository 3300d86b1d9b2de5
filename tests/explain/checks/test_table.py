"""The list of checks."""

from dataclasses import fields

from skdnn.explain._checks import CHECKS, Measurements


def test_codes_and_severities():
    assert [(check.code, check.severity) for check in CHECKS] == [
        ("SKD101", "high"),
        ("SKD102", "medium"),
        ("SKD103", "high"),
        ("SKD104", "high"),
        ("SKD105", "low"),
        ("SKD106", "medium"),
        ("SKD107", "medium"),
        ("SKD108", "medium"),
        ("SKD109", "medium"),
        ("SKD110", "low"),
        ("SKD111", "medium"),
        ("SKD112", "medium"),
        ("SKD113", "high"),
        ("SKD114", "medium"),
        ("SKD115", "low"),
        ("SKD116", "low"),
        ("SKD117", "medium"),
    ]


def test_every_measurement_is_needed_by_one_check():
    needed = [check.needs for check in CHECKS if check.needs]
    measured = [field.name for field in fields(Measurements)]
    assert sorted(["problem", *needed]) == sorted(measured)


def test_titles_and_remedies_are_sentences():
    assert len({check.title for check in CHECKS}) == len(CHECKS)
    for check in CHECKS:
        assert not check.title.endswith(".")
        assert check.remedy.endswith(".")
