from __future__ import annotations

import pytest

from evaluation.metrics.score_file import read_scores


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("s.csv", "name,score\ncrack/000.png,1.5\ngood/part.7,-2e-3\n"),
        ("s.csv", "crack/000,1.5\n\n good/part.7 ,-0.002"),
        ("s.csv", "\ufeffcrack/000.tiff,1.5\r\ngood/part.7.npy,-0.002\r\n"),
        ("s.json", '{"crack/000": 1.5, "good/part.7": -0.002}'),
    ],
)
def test_scores_are_read_by_plain_name(tmp_path, name, text):
    (tmp_path / name).write_text(text, encoding="utf-8")
    assert read_scores(tmp_path / name) == {"crack/000": 1.5, "good/part.7": -0.002}


@pytest.mark.parametrize(
    ("name", "text", "sentence"),
    [
        ("s.csv", "a,1\nb,two\n", "line 2: 'two' is not a score"),
        ("s.csv", "a,1,2\n", "line 1: expected two columns"),
        ("s.csv", "a,nan\n", "the score of a is not a finite number"),
        ("s.csv", "a,1\na.png,2\n", "line 2: a occurs twice"),
        ("s.json", "{", "s.json cannot be read as scores"),
        ("s.json", "[1]", "one object"),
        ("s.json", '{"a": null}', "the score of a is not a finite number"),
        ("s.json", '{"a": true}', "the score of a is not a finite number"),
        ("s.json", '{"a": 1, "a": 2}', "a occurs twice"),
        pytest.param("s.json", f'{{"a": {10**400}}}', "the score of a is not a finite", id="huge"),
        pytest.param("s.csv", f"{'a' * 200_000},1\n", "s.csv cannot be read as scores", id="long"),
    ],
)
def test_a_broken_file_names_the_place(tmp_path, name, text, sentence):
    (tmp_path / name).write_text(text)
    with pytest.raises(ValueError, match=sentence):
        read_scores(tmp_path / name)


def test_a_missing_file_is_said(tmp_path):
    with pytest.raises(ValueError, match=r"none\.csv cannot be read"):
        read_scores(tmp_path / "none.csv")
