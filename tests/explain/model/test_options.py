import pytest

from skdnn.explain._model.options import check_count, check_option


def test_options_and_counts():
    check_option("kind", "bar", ["bar"])
    with pytest.raises(ValueError, match=r"`kind` must be one of .*Did you mean 'bar'"):
        check_option("kind", "bars", ["bar"])
    check_count("n", 2, 2)
    for value in (1, 2.0, True, "2", None):
        with pytest.raises(ValueError, match="`n` must be a whole number, at least 2"):
            check_count("n", value, 2)
