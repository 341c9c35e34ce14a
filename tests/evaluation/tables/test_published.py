from __future__ import annotations

import pytest

from evaluation.tables.published import PublishedRow, published_tables

TABLES = published_tables()
ROWS = [
    pytest.param(number, row, id=f"{number}-{row.key}") for number in TABLES for row in TABLES[number].rows
]


def test_all_twelve_tables_with_their_rows():
    rows = {number: len(table.rows) for number, table in TABLES.items()}
    assert rows == {
        "I": 7, "II": 7, "III": 7, "IV": 5, "V": 5, "VI": 4, "VII": 4,
        "VIII": 6, "IX": 6, "X": 8, "XI": 6, "XII": 3,
    }  # fmt: skip


@pytest.mark.parametrize(("number", "row"), ROWS)
def test_rows_are_whole_or_say_why_not(number: str, row: PublishedRow):
    assert len(row.values) == len(TABLES[number].classes) == 10
    assert all(value is None or 0.4 < value <= 1.0 for value in row.values)
    assert bool(row.gap) == (None in row.values or row.mean is None)
    assert row.provenance


@pytest.mark.parametrize(("number", "row"), ROWS)
def test_printed_means_are_those_of_their_classes(number: str, row: PublishedRow):
    if row.mean is None or row.class_mean is None:
        assert row.gap
        return
    borne_out = abs(row.class_mean - row.mean) <= 0.0005 + 1e-9
    assert borne_out == (not row.misprint), f"{number} {row.key}: {row.class_mean:.4f}, printed {row.mean}"


def test_misprints_are_these_three():
    found = {f"{number} {row.key}" for number, table in TABLES.items() for row in table.rows if row.misprint}
    assert found == {"I only_rgb", "VIII point_bert", "XII full"}


@pytest.mark.parametrize(
    ("key", "one", "other"),
    [
        ("only_pc", "II", "IV"), ("only_pc", "II", "VIII"), ("only_pc", "III", "V"), ("only_pc", "III", "IX"),
        ("only_rgb", "II", "VIII"), ("only_rgb", "III", "IX"), ("full", "II", "VI"), ("full", "III", "VII"),
    ],
)  # fmt: skip
def test_a_setting_printed_twice_is_printed_alike(key: str, one: str, other: str):
    assert TABLES[one].row(key).values == TABLES[other].row(key).values


def test_only_the_torn_places_have_gaps():
    gaps = {(number, row.key) for number, table in TABLES.items() for row in table.rows if row.gap}
    assert gaps == {("I", "ast"), ("VI", "shot_10")}
    assert TABLES["VI"].row("shot_10").best_mean == pytest.approx(0.821, abs=5e-4)
    assert TABLES["I"].row("ast").best_mean == 0.976


def test_an_unknown_row_is_named():
    with pytest.raises(KeyError, match="no row 'fpfh'"):
        TABLES["II"].row("fpfh")
