import nbformat
import pytest

from lggkit.study.publishing import notebooks
from lggkit.study.publishing.notebooks import check_parameters, find_notebooks, pair, read, run_notebook
from lggkit.study.publishing.parameters import value_of

SOURCE = """\
# %% [markdown]
# # A title

# %% tags=["parameters"]
scale = "smoke"  # smoke, reduced or paper
draws = 3

# %% tags=["nbval-check-output"]
from pathlib import Path
print(scale, draws, Path.cwd().name)
"""


@pytest.fixture
def source(tmp_path):
    path = tmp_path / ".clone" / "notebooks" / "lgg" / "s1.py"
    path.parent.mkdir(parents=True)
    path.write_text(SOURCE)
    return path


@pytest.fixture
def fake_run(monkeypatch):
    """papermill without a kernel: the parameters are injected, every code cell is numbered and timed."""
    papermill = pytest.importorskip("papermill")

    def execute(notebook, partial, parameters, cwd, **_):
        prepared = papermill.iorw.load_notebook_node(notebook)
        done = papermill.parameterize.parameterize_notebook(prepared, parameters) if parameters else prepared
        done.metadata["papermill"] = {"input_path": partial, "duration": 1.0}
        for count, cell in enumerate((c for c in done.cells if c.cell_type == "code"), start=1):
            cell.execution_count = count
            cell.metadata["papermill"] = {"duration": 0.5}
            cell.outputs = [nbformat.v4.new_output("stream", text=cwd)]
        return done

    monkeypatch.setattr(papermill, "execute_notebook", execute)


def test_find_prefers_the_source_and_skips_checkpoints(source):
    lonely, failed = source.with_name("s0.ipynb"), source.with_name(".s1.failed.ipynb")
    checkpoint = source.parent / ".ipynb_checkpoints" / "s9.ipynb"
    for path in (lonely, failed, source.with_suffix(".ipynb"), checkpoint):
        path.parent.mkdir(exist_ok=True)
        path.write_text("{}")
    assert find_notebooks(source.parents[2]) == [lonely, source]


def test_reading_gives_papermill_a_language_and_stable_ids(source):
    first, again = read(source), read(source)
    assert first.metadata.kernelspec.language == "python"
    assert [c.id for c in first.cells] == ["cell-00", "cell-01", "cell-02"]
    assert nbformat.writes(first) == nbformat.writes(again)
    nbformat.validate(first)


def test_a_missing_notebook_is_named(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"nowhere\.py does not exist"):
        read(tmp_path / "nowhere.py")


def test_unknown_parameters_are_refused_with_those_that_exist(source):
    check_parameters(source, {"scale": "reduced", "draws": 5})
    with pytest.raises(ValueError, match="no parameter 'scales'; it has: scale, draws"):
        check_parameters(source, {"scales": "smoke"})


def test_run_refuses_unknown_parameters_before_it_starts(source, tmp_path, fake_run):
    with pytest.raises(ValueError, match="no parameter 'scales'"):
        run_notebook(source, tmp_path / "out" / "s1.ipynb", {"scales": "smoke"})
    assert not (tmp_path / "out").exists()


def test_run_leaves_the_source_alone_and_hides_the_injected_cell(source, tmp_path, fake_run):
    out = run_notebook(source, tmp_path / "out" / "s1.ipynb", {"scale": "smoke"})
    assert source.read_text() == SOURCE and not source.with_suffix(".ipynb").exists()
    done = nbformat.read(out, as_version=4)
    injected = [c for c in done.cells if "injected-parameters" in c.metadata.get("tags", [])]
    assert len(injected) == 1 and "remove-cell" in injected[0].metadata.tags
    assert "papermill" not in str(done.metadata) + "".join(str(c.metadata) for c in done.cells)
    assert list(out.parent.iterdir()) == [out]


def test_images_are_made_lean_before_they_are_written(source, tmp_path, fake_run, monkeypatch):
    def mark(notebook):
        notebook.metadata["lean"] = True

    monkeypatch.setattr(notebooks, "lean_outputs", mark)
    out = run_notebook(source, tmp_path / "s1.ipynb", {})
    assert nbformat.read(out, as_version=4).metadata.lean


def test_pair_writes_the_same_cells_with_outputs(source, fake_run):
    done = nbformat.read(pair(source), as_version=4)
    assert [c.source for c in done.cells] == [c.source for c in read(source).cells]
    assert [c.get("execution_count") for c in done.cells] == [None, 1, 2]
    assert done.cells[2].metadata.tags == ["nbval-check-output"]


def test_pairs_are_found_however_they_are_named_while_others_change_the_folder(source, monkeypatch):
    monkeypatch.chdir(source.parent)
    seen = []
    monkeypatch.setattr(notebooks, "pair", seen.append)
    notebooks.main(["pair", source.name])
    assert seen == [source.resolve()]


def test_pair_refuses_a_source_that_does_not_start_at_smoke(source):
    source.write_text(SOURCE.replace('"smoke"', '"paper"'))
    with pytest.raises(ValueError, match="commit it with 'smoke'"):
        pair(source)


def test_a_failed_run_leaves_no_output(source, tmp_path, monkeypatch):
    papermill = pytest.importorskip("papermill")

    def fail(*_, **__):
        raise RuntimeError("a cell raised")

    monkeypatch.setattr(papermill, "execute_notebook", fail)
    with pytest.raises(RuntimeError):
        run_notebook(source, tmp_path / "out" / "s1.ipynb", {})
    assert not (tmp_path / "out" / "s1.ipynb").exists()


def test_a_real_kernel_runs_in_the_notebooks_own_folder(source, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    notebooks.main(["run", str(source), str(tmp_path / "s1.ipynb"), "-p", "draws", "7"])
    done = nbformat.read(tmp_path / "s1.ipynb", as_version=4)
    assert done.cells[-1].outputs[0].text == "smoke 7 lgg\n"


VALUES = {
    "False": False,
    "True": True,
    "None": None,
    "false": False,
    "null": None,
    "3": 3,
    "-2": -2,
    "1_000": 1000,
    "1e-3": 1e-3,
    ".5": 0.5,
    "smoke": "smoke",
    "no": "no",
    "": "",
    "[1, 2]": [1, 2],
    '"False"': "False",
    "2026-01-01": "2026-01-01",
}


@pytest.mark.parametrize(("text", "value"), VALUES.items())
def test_values_are_what_papermill_makes_of_them(text, value):
    made = value_of(text)
    assert made == value and type(made) is type(value)
    cli = pytest.importorskip("papermill.cli")
    if text not in ("false", "null", "[1, 2]", '"False"'):
        assert cli._resolve_type(text) == value


@pytest.mark.parametrize("workers", ["0", "-1", "two", "", "1.5"])
def test_a_number_of_workers_that_cannot_be_is_one_sentence(workers, capsys):
    with pytest.raises(SystemExit) as ended:
        notebooks.main(["pair", "--workers", workers])
    assert ended.value.code == 2 and "give an integer from 1 on" in capsys.readouterr().err


@pytest.mark.parametrize("place", ["file/s1.ipynb", "folder.ipynb", "s1.py", "out"])
def test_an_output_that_cannot_be_written_is_found_before_anything_runs(source, tmp_path, monkeypatch, place):
    (tmp_path / "file").write_text("in the way")
    (tmp_path / "folder.ipynb").mkdir()
    monkeypatch.setattr(notebooks, "_execute", lambda *_: pytest.fail("it was run"))
    with pytest.raises(SystemExit, match=r"^error: cannot write"):
        notebooks.main(["run", str(source), str(tmp_path / place)])


def test_what_a_notebook_left_out_is_named_and_the_command_fails(source, tmp_path, monkeypatch):
    said = "x.jsonl, line 3 is not a record and was left out: garbage"

    def execute(path, *_):
        done = read(path)
        done.cells[-1]["outputs"] = [nbformat.v4.new_output("stream", name="stderr", text=said + "\nother\n")]
        return done

    monkeypatch.setattr(notebooks, "_execute", execute)
    with pytest.raises(SystemExit) as ended:
        notebooks.main(["run", str(source), str(tmp_path / "s1.ipynb")])
    assert ended.value.code == said and (tmp_path / "s1.ipynb").exists()
