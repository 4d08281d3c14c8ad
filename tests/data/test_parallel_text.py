import lzma

import pytest
import torch

from lggkit.data import DataUnavailable, invented, read_table, verses

HEAD = "book\tchapter\tverse\tgenre\ten\tfr\n"
ROWS = 'G\t1\t1\tlaw\tIn "the\tAu\nG\t1\t2\tlaw\tb\tc\nM\t1\t1\tletters\td\te\nR\t1\t1\trevelation\tf\tg\n'


@pytest.fixture
def root(tmp_path):
    (tmp_path / "parallel-text").mkdir()
    with lzma.open(tmp_path / "parallel-text/verses.tsv.xz", "wt", encoding="utf-8") as file:
        file.write(HEAD + ROWS)
    return tmp_path


def test_verses_join_the_testament_and_keep_chapters(root):
    text = verses(root)
    assert text.classes == ("law", "new testament") and text.labels.tolist() == [0, 0, 1, 1]
    assert text.documents.tolist() == [0, 0, 1, 2] and text.texts["en"][0] == 'In "the'
    assert text.languages == ("en", "fr") and text.subset(torch.tensor([2])).texts["fr"] == ("e",)


def test_any_table_is_read(tmp_path):
    file = tmp_path / "reviews.csv"
    file.write_text('id,label,a,b\n1,good,"x, y",z\n2,bad,u,v\n')
    reviews = read_table(file, ("a", "b"))
    assert reviews.texts["a"] == ("x, y", "u") and reviews.classes == ("bad", "good")
    with pytest.raises(ValueError, match="lacks the column c"):
        read_table(file, ("a", "c"))
    with pytest.raises(DataUnavailable, match=r"there is no .*none\.csv"):
        read_table(tmp_path / "none.csv", ("a", "b"))


def test_stars_are_sorted_by_number(tmp_path):
    file = tmp_path / "reviews.csv"
    file.write_text("id,label,a,b\n1,10,x,y\n2,2,u,v\n3,1,u,v\n")
    assert read_table(file, ("a", "b")).ordered is False
    stars = read_table(file, ("a", "b"), ordered=True)
    assert stars.ordered and stars.classes == ("1", "2", "10") and stars.labels.tolist() == [2, 1, 0]
    assert stars.subset(torch.tensor([0])).ordered
    file.write_text("id,label,a,b\n1,good,x,y\n")
    with pytest.raises(ValueError, match="a label is 'good': give numbers where they are ordered"):
        read_table(file, ("a", "b"), ordered=True)


def test_parts_share_no_document():
    text = invented(400)
    parts = text.split((0.5, 0.2, 0.3), torch.Generator().manual_seed(0))
    seen = [set(text.documents[part].tolist()) for part in parts]
    assert not seen[0] & seen[1] and not seen[1] & seen[2] and sum(map(len, parts)) == 400
    with pytest.raises(ValueError, match="ask for fewer"):
        text.balanced(parts[0], 300)
    with pytest.raises(ValueError, match="sum to 1"):
        text.split((0.9, 0.9), torch.Generator())
