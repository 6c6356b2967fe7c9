"""Figures of `make bench`: ratios are taken round by round, and targets look at their middle."""

from tests.bench.figures import Figure, Row, Sheet, Target, percentile


def test_a_ratio_is_taken_within_each_round() -> None:
    ours, limit = Figure.of("ms", [2, 20, 4]), Figure.of("ms", [1, 10, 1])

    ratio = Row("x", ours, limit).ratio

    assert ratio is not None
    assert ratio.values == (2, 2, 4)
    assert ratio.median == 2


def test_a_target_is_held_against_the_ratio_where_there_is_a_limit() -> None:
    ours, limit = Figure.of("ms", [5]), Figure.of("ms", [2])

    assert Row("x", ours, limit, Target.at_most(2.5)).is_met is True
    assert Row("x", ours, limit, Target.at_least(2.6)).is_met is False
    assert Row("x", ours, None, Target.at_most(2.5)).is_met is False
    assert Row("x", ours, limit).is_met is None


def test_no_figure_is_shown_without_its_spread() -> None:
    assert str(Figure.of("ms", [3, 1, 2])) == "2 ms (1 … 3)"
    assert str(Figure.of("", [1234.5])) == "1,234"


def test_a_missed_target_shows() -> None:
    table = Sheet([Row("x", Figure.of("ms", [5]), None, Target.at_most(1))]).table()

    assert "| x | 5 ms |  |  | ≤ 1 | **missed** |" in table


def test_percentiles_are_values_that_were_seen() -> None:
    values = [float(each) for each in range(100)]

    assert (percentile(values, 50), percentile(values, 99), percentile([], 50)) == (50, 99, 0)
