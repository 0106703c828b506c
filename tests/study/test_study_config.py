"""What a study.toml says is read strictly."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from study_files import articles, write_study

import newsnest.corpus
from newsnest.cluster import Reduction
from newsnest.errors import InputError
from newsnest.pipeline import Options
from newsnest.study.config import STAGES, read_config
from newsnest.study.run import command_of
from newsnest.study.space import (
    KEYWORDS,
    PIPELINE,
    Choices,
    Range,
    asked_in_pipeline,
    asked_in_training,
    options_with,
    training_settings,
)
from newsnest.study.toml import line_of

TUNING = '[tuning]\narticles = "a.jsonl"\nlabel = "story"\n'
ENCODERS = '[encoders]\nnames = ["tfidf"]\n'


def write(folder: Path, text: str) -> Path:
    return write_study(folder, text, {"a.jsonl": articles(4)})


def test_a_full_file_is_read(tmp_path: Path):
    config = read_config(
        write(
            tmp_path,
            TUNING
            + """fields = {text = "body"}
[report]
held_out = 0.25
[study]
storage = "other.db"
seed = 3
[encoders]
names = ["minilm", "tfidf"]
seeds = [4]
sample = 0.5
[training]
trials = 3
report_to = ["tensorboard", "wandb"]
[training.settings]
loss = ["mnr", "guided"]
learning_rate = {low = 1e-5, high = 1e-4, log = true}
epochs = 2
lora = ["none", 8]
[pipeline]
trials = 7
[pipeline.settings]
min_similarity.story = {low = 0.1, high = 0.5}
reduce = ["none", "pca"]
dims = {low = 8, high = 32, step = 8}
clusterer = ["rac", "kmeans"]
kmeans_clusters = [5, 10]
[keywords.settings]
keyword_terms = [100, 1000]
""",
        )
    )
    assert [stage.name for stage in config.stages] == list(STAGES)
    assert config.storage == tmp_path / "other.db" and config.page == tmp_path / "other.html"
    assert dict(config.read.fields) == {"text": "body"} and config.held_out == 0.25
    encoders, training, pipeline, keywords = config.stages
    assert (encoders.trials, encoders.seeds, encoders.sample) == (2, (4,), 0.5)
    assert encoders.space == {"encoder": Choices(("minilm", "tfidf"))}
    assert training.space["learning_rate"] == Range(1e-5, 1e-4, log=True)
    assert training.space["epochs"] == Choices((2,))
    assert list(pipeline.space) == [
        "clusterer", "kmeans_clusters", "reduce", "dims", "min_similarity.story",
    ]  # fmt: skip
    assert pipeline.space["dims"] == Range(8, 32, step=8) and pipeline.space["dims"].whole
    assert (pipeline.metric, keywords.metric) == ("bcubed_f1", "npmi")
    assert config.training is not None and config.training.report_to == ("tensorboard", "wandb")


def test_without_labels_other_metrics_are_the_usual_ones(tmp_path: Path):
    text = (
        '[tuning]\narticles = "a.jsonl"\n' + ENCODERS + "[pipeline.settings]\ntime_weight = 0.1\n"
    )
    stages = read_config(write(tmp_path, text)).stages
    assert [stage.metric for stage in stages] == ["auroc", "silhouette"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[tuning", r"study.toml: must be TOML, got: Expected '\]'"),
        (ENCODERS, r"\[tuning\] must be there, got none"),
        (TUNING, r"must have a stage, got none of encoders, training, pipeline, keywords"),
        (TUNING + "[pipelin]\n", r"line 4: \[pipelin\] must be a known.*Did you mean 'pipeline'"),
        (TUNING + ENCODERS + "seed = [1]\n", r"line 6: \[encoders\] seed must .*'seeds'"),
        (TUNING + ENCODERS + "seeds = [1, 1]\n", r"line 6: .*seeds must be different whole"),
        (TUNING + ENCODERS + "sample = 1.5\n", r"line 6: .*sample must be a number above 0 and at"),
        (TUNING + ENCODERS + 'metric = "f1"\n', r"line 6: .*metric must be one of bcubed_f1"),
        (TUNING + '[encoders]\nnames = ["minlm"]\n', r"line 5: .*names: .*Did you mean 'minilm'"),
        (TUNING + "[encoders]\nnames = []\n", r"line 5: .*names must be a text or a list of texts"),
        (TUNING + '[encoders]\nnames = ["tfidf", "tfidf"]\n', "names must be different encoders"),
        ('[tuning]\narticles = "b.jsonl"\n' + ENCODERS, r"line 2: .*must name a file that exists"),
        ('[tuning]\narticles = "~nobody-here/b"\n' + ENCODERS, "line 2: .*name a file that exists"),
        ('[tuning]\narticles = 3\n' + ENCODERS, r"line 2: .*articles must be a text or a list"),
        ('[tuning]\nlabel = "s"\n' + ENCODERS, r"line 1: .*articles must name a file, got none"),
        ('study = 1\n' + TUNING + ENCODERS, r"line 1: \[study\] must be a table"),
        (TUNING + '[study]\nlevel = "storey"\n' + ENCODERS, r"line 5: .*Did you mean 'story'"),
        (TUNING + "[study]\nseed = -1\n" + ENCODERS, r"line 5: .*seed must be a whole number"),
        (TUNING + '[study]\nstorage = "a.html"\n' + ENCODERS, r"line 5: .*storage must not end in"),
        (TUNING + "[study]\nstorage = 3\n" + ENCODERS, r"line 5: .*storage must be a text, got 3"),
        (TUNING + '[report]\ngold = "a.jsonl"\n' + ENCODERS, r"line 5: .*gold must stand with"),
        (TUNING + '[report]\narticles = "a.jsonl"\nheld_out = 0.3\n' + ENCODERS, r"line 6: .*out"),
        (TUNING + '[report]\narticles = "a.jsonl"\n' + ENCODERS, r"line 5: .*have gold labels"),
        (TUNING + 'profile = "regional"\n' + ENCODERS, r"line 4: \[tuning\] profile: "),
        (TUNING + 'fields = {txt = "b"}\n' + ENCODERS, r"line 4: \[tuning\] fields: .*'txt'"),
        (TUNING + "[pipeline]\ntrials = 0\nsettings = {time_weight = 0.1}\n", "5: .*trials must"),
        (TUNING + "[pipeline]\ntrials = 2\n", r"line 4: .*settings must be a table of settings"),
        (TUNING + '[tuning.x]\n', r"line 4: \[tuning\] x must be a known key, got an unknown one"),
    ],
)  # fmt: skip
def test_what_is_wrong_names_file_line_and_cure(tmp_path: Path, text: str, message: str):
    with pytest.raises(InputError, match=message):
        read_config(write(tmp_path, text))


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            "dmis = [3]",
            "line 5: .*dmis must be a known key, got an unknown one.*Did you mean 'dims'",
        ),
        (
            "min_similarity.storey = 0.1",
            "line 5: .*storey must be a known key.*Did you mean 'story'",
        ),
        ("dims = []", "line 5: .*dims must be a value, or a list of different ones"),
        ("dims = [8, 8]", "line 5: .*dims must be a value, or a list of different ones"),
        ('dims = ["8"]', "line 5: .*dims must be whole numbers"),
        ("dims = [1]", "line 5: .*dims must be at least 2"),
        ("dims = {low = 8, high = 8}", "line 5: .*high must be more than low, 8, got 8"),
        ("dims = {low = 8.5, high = 9}", "line 5: .*low must be a whole number, got 8.5"),
        ("dims = {low = 8}", "line 5: .*high must be a whole number, got None"),
        (
            "dims = {low = 8, hihg = 9}",
            "line 5: .*hihg must be a known key, got an unknown one.*Did you mean 'high'",
        ),
        ("dims = {low = 8, high = 9, step = 5}", "line 5: .*step must be above 0 and divide"),
        ("dims = {low = 8, high = 13, step = 3}", "line 5: .*step must be above 0 and divide"),
        ("dims = {low = 8, high = 9, default = 1}", "line 5: .*default must be true or false"),
        ("dims = {low = 8, high = 9, default = true}", "line 5: .*default must stand with what"),
        ("dims = [8]", r"line 5: \[pipeline.settings\] dims must be used together with the other"),
        ("hdbscan_size = 4", "line 5: .*hdbscan_size must be used together with the other"),
        ("dims = {low = 8, high = 9, log = 1}", "line 5: .*log must be true or false"),
        (
            "time_weight = {low = 0.0, high = 0.5, log = true}",
            "line 5: .*log must stand with a low",
        ),
        (
            "time_weight = {low = 0.0, high = 1.5}",
            r"line 5: .*time_weight must be in \[0, 1\), got",
        ),
        ("clusterer = {low = 1, high = 2}", "line 5: .*clusterer must be a value or a list"),
        ('clusterer = ["rac", "hdbscn"]', "line 5: .*Did you mean 'hdbscan'"),
        ('clusterer = ["kmeans"]', "kmeans_clusters must be given with the clusterer kmeans"),
        ('reduce = ["pca"]', "dims must be at least 2 with pca, got None"),
        ('reduce = "tsne"', "line 5: .*reduce must be one of none, pca, truncate, umap"),
        ("min_similarity.story = 2", r"line 5: .*min_similarity must be in \[-1, 1\]"),
        ('keep_copies = "yes"', "line 5: .*keep_copies must be true or false"),
        ("hdbscan_size = 1", "line 5: .*the number of hdbscan must be at least 2"),
    ],
)
def test_what_is_wrong_with_a_setting_is_said(tmp_path: Path, settings: str, message: str):
    with pytest.raises(InputError, match=message):
        read_config(write(tmp_path, TUNING + "[pipeline.settings]\n" + settings + "\n"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            '[training.settings]\nloss = ["mrn"]\n',
            "line 5: .*loss must be one of mnr.*Did you mean",
        ),
        ("[training.settings]\nepoch = 2\n", "line 5: .*Did you mean 'epochs'"),
        (
            "[training.settings]\nseed = 2\n",
            "line 5: .*seed must be a known key, got an unknown one",
        ),
        (
            "[training.settings]\nguide_margin = 0.1\n",
            "5: .*guide_margin must be used together",
        ),
        (
            "[training.settings]\nepochs = {low = 0, high = 2}\n",
            "line 5: .*epochs must be more than",
        ),
        (
            "[training]\ndata = 'a.jsonl'\nshare = 0.3\n[training.settings]\nepochs = 2\n",
            "share must be left out beside data",
        ),
        ('[training]\nbase = "static"\n[training.settings]\nepochs = 2\n', "base must be a transf"),
        (
            ENCODERS + "[training.settings]\nepochs = 2\n",
            r"\[training\] must start from a transformer, got none among the encoders tfidf",
        ),
        (
            '[encoders]\nnames = ["minilm"]\n[training]\nbase = "minilm"\n'
            "[training.settings]\nepochs = 2\n",
            "base must be left out beside",
        ),
        ('[training]\ndata = "b.csv"\n[training.settings]\nepochs = 2\n', "must name a file that"),
    ],
)
def test_what_is_wrong_with_a_training_is_said(tmp_path: Path, text: str, message: str):
    with pytest.raises(InputError, match=message):
        read_config(write(tmp_path, TUNING + text))


def test_a_gold_metric_needs_labels(tmp_path: Path):
    text = '[tuning]\narticles = "a.jsonl"\n' + ENCODERS + 'metric = "bcubed_f1"\n'
    with pytest.raises(InputError, match="line 5: .*metric must do without gold labels"):
        read_config(write(tmp_path, text))


def test_a_file_that_is_not_there_or_not_utf8_is_said(tmp_path: Path):
    with pytest.raises(InputError, match=r"must be a study's \.toml file, got No such file"):
        read_config(tmp_path / "study.toml")
    (tmp_path / "study.toml").write_bytes(b"\xff")
    with pytest.raises(InputError, match="must be UTF-8"):
        read_config(tmp_path / "study.toml")


def test_every_option_of_a_run_that_is_a_setting_is_one_of_the_options():
    plain = [name for name in (*PIPELINE, *KEYWORDS) if "." not in name]
    fields = set(Options.__dataclass_fields__)
    assert set(plain) - fields == {"hdbscan_size", "kmeans_clusters"}
    assert {"loss", "learning_rate", "max_pairs", "columns"} <= set(training_settings())
    assert list(training_settings())[:2] == ["loss", "negatives"]


def test_settings_that_mean_nothing_are_not_asked_for():
    assert not asked_in_pipeline("dims", {"reduce": "none"})
    assert asked_in_pipeline("dims", {"reduce": "pca"})
    assert not asked_in_pipeline("min_similarity.story", {"clusterer": "kmeans"})
    assert asked_in_pipeline("min_similarity.story", {})
    assert not asked_in_pipeline("hdbscan_size", {"clusterer": "kmeans"})
    assert not asked_in_training("negatives", {"loss": "megabatch"})
    assert not asked_in_training("mining_margin", {"loss": "mnr", "negatives": 0})
    assert asked_in_training("guide", {"loss": "guided"})


def test_settings_make_options():
    chosen = {"clusterer": "kmeans", "kmeans_clusters": 7, "reduce": "pca", "dims": 9}
    options = options_with(Options(encoder="tfidf"), {**chosen, "min_similarity.theme": 0.1})
    assert (options.clusterer, options.reduce, options.dims) == ("kmeans:7", "pca", 9)
    assert options.min_similarity == {"theme": 0.1} and options.encoder == "tfidf"
    assert Reduction(options.reduce, options.dims).dims == 9


def test_lines_are_found_in_tables_dotted_keys_and_above():
    text = '# a\n[a]\n"b" = 1\n[a.c]\nd.e = 2\nf = {\n  g = 1 }\n'
    assert line_of(text, ["a", "b"]) == 3
    assert line_of(text, ["a", "c", "d", "e"]) == 5
    assert line_of(text, ["a", "c", "f", "low"]) == 6
    assert line_of(text, ["a", "z"]) == 2
    assert line_of(text, ["x"]) is None


def test_a_folder_named_as_a_known_encoder_is_not_taken_for_it(tmp_path: Path, tiny_model: Path):
    shutil.copytree(tiny_model, tmp_path / "mine")
    (tmp_path / "static").mkdir()
    config = read_config(
        write(tmp_path, TUNING + '[encoders]\nnames = ["static", "mine"]\nmetric = "mrr"\n')
    )
    assert config.stages[0].space == {"encoder": Choices(("static", "mine"))}
    assert config.places == {"static": "static", "mine": str(tmp_path / "mine")}


def test_a_study_is_the_same_wherever_the_command_runs_and_its_folder_lies(
    tmp_path: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
):
    folder = tmp_path / "here"
    folder.mkdir()
    shutil.copytree(tiny_model, folder / "mine")
    text = TUNING + '[encoders]\nnames = ["mine"]\n[training]\ndata = "t.jsonl"\n'
    files = {"a.jsonl": articles(4), "t.jsonl": articles(4, seed=9)}
    file = write_study(folder, text + "[training.settings]\nepochs = 1\n", files)
    said = read_config(file).content()
    assert set(said["files"]) == {"mine"}
    monkeypatch.chdir(folder)
    assert read_config(Path("study.toml")).content() == said
    folder.rename(tmp_path / "there")
    assert read_config(tmp_path / "there" / "study.toml").content() == said
    with (tmp_path / "there" / "mine" / "config.json").open("a") as model:
        model.write("\n")
    assert read_config(tmp_path / "there" / "study.toml").content()["files"] != said["files"]


def test_a_profile_is_meant_from_the_folder_of_the_file_on(tmp_path: Path):
    builtin = Path(newsnest.corpus.__file__).with_name("profiles") / "fr-regional.toml"
    shutil.copy(builtin, tmp_path / "own.toml")
    config = read_config(write(tmp_path, TUNING + 'profile = "own.toml"\n' + ENCODERS))
    assert config.profile == str(tmp_path / "own.toml")
    assert f"--profile {tmp_path}/own.toml" in command_of(Options(read=config.read), config)
