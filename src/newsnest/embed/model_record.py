"""newsnest.json: what a model folder says of its levels, its training and its calibration."""

import json
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Self

from newsnest.drafts import drafted
from newsnest.errors import EncoderError

RECORD_FILE = "newsnest.json"

# Recipes wrote these under "chosen", or beside it.
_MOVED = ("prefix", "max_length")
_RULES = ("partner", "alone", "together")  # that a story_rule is made of
_LARGEST = 64 << 20  # bytes of a JSON file of a model
_DEEPEST = 100  # lists and objects in each other
_TEXTS, _NUMBERS, _OBJECTS = (
    ("recipe", "run", "prefix"),
    ("max_length", "seed"),
    ("base", "settings", "chosen", "validation", "versions"),
)


@dataclass(frozen=True, slots=True)
class LevelRecord:
    """One level of a model.

    Parameters
    ----------
    name
        theme, topic or story.
    dims
        How many leading dimensions the level compares.
    min_similarity
        Calibrated cosine, by text alone; None: not calibrated.
    dated
        Calibrated cosine of two articles of the same moment; None: not calibrated.
    """

    name: str
    dims: int
    min_similarity: float | None = None
    dated: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelRecord:
    """Content of newsnest.json; `newsnest train` writes it, `newsnest calibrate` adds to it.

    A folder without the file has the empty record: a plain sentence-transformers model.

    Parameters
    ----------
    recipe
        The recipe that trained the model.
    run
        Digest of all that decides the outcome of the training.
    levels
        Coarse to fine; empty where the model was not trained for levels.
    rotate
        Whether a run turns vectors to the principal axes of the corpus; None: only without levels.
    base
        The model it was trained from: name, SHA-256 by file, and the `origin` that one had.
    data
        The files it was trained on: name, digest, how they were read, and counts.
    settings
        Of the recipe, by name.
    prefix, max_length
        Put before every text, and tokens read of a text; None: not recorded.
    chosen
        What the recipe chose where settings leave it open, and the device it ran on.
    validation
        Scores before and after training.
    versions
        Of the packages that decide the outcome.
    seed
        None: not recorded.
    calibration
        By level: the evidence for what was calibrated, and the files it was calibrated on.
    story_rule
        The rule that stories are cut by, learnt from labels (`newsnest.cluster.StoryRule.fields`);
        empty: the one that comes with newsnest, or the min_similarity of the level.
    details
        What a single recipe records, at the top level of the file: loss, stages, preflight, …

    Example
    -------
    >>> record = ModelRecord(levels=(LevelRecord("story", 384),), seed=7)
    >>> record.as_dict()
    {'levels': [{'name': 'story', 'dims': 384, 'min_similarity': None}], 'seed': 7}
    """

    recipe: str = ""
    run: str = ""
    levels: tuple[LevelRecord, ...] = ()
    rotate: bool | None = None
    base: Mapping[str, Any] = field(default_factory=dict)
    data: tuple[Mapping[str, Any], ...] = ()
    settings: Mapping[str, Any] = field(default_factory=dict)
    prefix: str | None = None
    max_length: int | None = None
    chosen: Mapping[str, Any] = field(default_factory=dict)
    validation: Mapping[str, Any] = field(default_factory=dict)
    versions: Mapping[str, str] = field(default_factory=dict)
    seed: int | None = None
    calibration: Mapping[str, Any] = field(default_factory=dict)
    story_rule: Mapping[str, Any] = field(default_factory=dict)
    details: Mapping[str, Any] = field(default_factory=dict)

    @property
    def training_digests(self) -> frozenset[str]:
        """Digests of the files the model was trained on; older records hold their SHA-256."""
        return _digests(self.data)

    @property
    def origin(self) -> str:
        """Name of the model it goes back to through all its training; "" where none is recorded."""
        if self.recipe == "static":  # from another encoder, but not like it
            return "static"
        return str(self.base.get("origin") or self.base.get("name", ""))

    @property
    def calibration_digests(self) -> frozenset[str]:
        """Digests of the files the model was calibrated on."""
        return _digests(
            file for entry in self.calibration.values() for file in entry.get("data", ())
        )

    @classmethod
    def read(cls, folder: Path) -> Self:
        """Read newsnest.json in a folder; the empty record where there is none.

        Raises
        ------
        EncoderError
            If it cannot be read, is not a JSON object, or a field is not what it must be.
        """
        path = folder / RECORD_FILE
        if not path.is_file():
            return cls()
        try:
            content = read_json(path)
        except ValueError as error:
            raise _wrong(f"{path} must be JSON, got: {error}") from error
        except OSError as error:
            raise EncoderError(
                f"load_encoder: {path} must be a file that can be read, got: {error.strerror}. "
                "Check its permissions."
            ) from error
        if not isinstance(content, dict):
            raise _wrong(f"{path} must hold a JSON object, got {type(content).__name__}")
        levels = content.pop("levels", [])
        if not isinstance(levels, list) or not all(map(_is_level, levels)):
            raise _wrong(
                f"{path}: levels must be a list of objects with name, dims and perhaps "
                f"min_similarity, got {levels!r:.200}"
            )
        for key in _MOVED:
            if isinstance(content.get("chosen"), dict) and key in content["chosen"]:
                content.setdefault(key, content["chosen"].pop(key))
        _check_kinds(path, content)
        _check_story_rule(path, content.get("story_rule", {}), levels)
        known = {field.name for field in fields(cls)} - {"details"}
        return cls(
            levels=tuple(
                LevelRecord(*map(level.get, ("name", "dims", "min_similarity", "dated")))
                for level in levels
            ),
            data=tuple(content.pop("data", ())),
            details={key: value for key, value in content.items() if key not in known},
            **{key: value for key, value in content.items() if key in known},
        )

    def write(self, folder: Path) -> None:
        """Write newsnest.json at once: a reader sees the old record or the new one, never half.

        Raises
        ------
        EncoderError
            If the folder cannot be written to.
        """
        try:
            write_json(folder / RECORD_FILE, self.as_dict())
        except OSError as error:
            raise EncoderError(
                f"ModelRecord.write: {folder} must be a folder that can be written to, got: "
                f"{error}. Copy the model to a folder of your own."
            ) from error

    def as_dict(self) -> dict[str, Any]:
        """Return what the file holds; fields without a value are left out."""
        content = {field.name: getattr(self, field.name) for field in fields(self)}
        content["levels"] = [_level_content(level) for level in self.levels]
        content["data"] = list(self.data)
        del content["details"]
        kept = {key: value for key, value in content.items() if value not in (None, [], {})}
        return {key: v for key, v in kept.items() if v != "" or key in _MOVED} | dict(self.details)


def read_json(path: Path) -> Any:
    """Return what a JSON file holds; ValueError where it is none, too large or too deep."""
    if path.stat().st_size > _LARGEST:
        raise ValueError(f"more than {_LARGEST >> 20} MB")
    deep = f"more than {_DEEPEST} lists or objects in each other"
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except RecursionError as error:
        raise ValueError(deep) from error
    level = [content]
    for _ in range(_DEEPEST + 1):
        level = [one for one in level if isinstance(one, dict | list)]
        if not level:
            return content
        level = [part for one in level for part in (one.values() if isinstance(one, dict) else one)]
    raise ValueError(deep)


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write a JSON file by way of a draft beside it, which takes its name once it is complete."""
    with drafted(path) as draft, draft.open("w", encoding="utf-8") as file:
        json.dump(content, file, indent=1, ensure_ascii=False)
        file.flush()
        os.fsync(file.fileno())


def _level_content(level: LevelRecord) -> dict[str, Any]:
    content = asdict(level)
    if level.dated is None:
        del content["dated"]
    return content


def _digests(files: Iterable[Mapping[str, Any]]) -> frozenset[str]:
    return frozenset(file[key] for file in files for key in ("digest", "sha256") if key in file)


def _wrong(problem: str) -> EncoderError:
    return EncoderError(f"load_encoder: {problem}. Correct or delete it.")


def _check_kinds(path: Path, content: Mapping[str, Any]) -> None:
    """Raise EncoderError where a field is of another kind than `ModelRecord` says."""
    calibration = content.get("calibration", {})
    entries = calibration.values() if isinstance(calibration, dict) else [None]
    files = [one.get("data", []) if isinstance(one, dict) else None for one in entries]
    right = {
        "rotate": ("true or false", isinstance(content.get("rotate", False), bool)),
        "data": ("a list of objects", _are_files(content.get("data", []))),
        "calibration": ("an object of objects with their data", all(map(_are_files, files))),
        **{name: ("text", isinstance(content.get(name) or "", str)) for name in _TEXTS},
        **{name: ("a whole number", _is_whole(content.get(name) or 0)) for name in _NUMBERS},
        **{name: ("an object", isinstance(content.get(name, {}), dict)) for name in _OBJECTS},
    }
    for name, (kind, holds) in right.items():
        if not holds:
            raise _wrong(f"{path}: {name} must be {kind}, got {content[name]!r:.200}")


def _are_files(value: Any) -> bool:
    """Tell whether it is a list of objects whose digests, where they have any, are text."""
    return isinstance(value, list) and all(
        isinstance(one, dict) and all(isinstance(one.get(k, ""), str) for k in ("digest", "sha256"))
        for one in value
    )


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _is_level(level: Any) -> bool:
    """Tell whether it has a name, how many leading dimensions it sees, and cosines or null."""
    return (
        isinstance(level, dict)
        and isinstance(level.get("name"), str)
        and _is_whole(level.get("dims"))
        and level["dims"] >= 1
        and all(_is_cosine(level.get(key)) for key in ("min_similarity", "dated"))
    )


def _check_story_rule(path: Path, rule: Any, levels: Sequence[Mapping[str, Any]]) -> None:
    """Raise EncoderError unless it is empty or has numbers by name, and is the only word on it."""
    if rule == {}:
        return
    parts = [rule.get(name) for name in _RULES] if isinstance(rule, dict) else []
    if not parts or set(rule) != set(_RULES) or not all(map(_is_linear, parts)):
        raise _wrong(
            f"{path}: story_rule must be an object with {', '.join(_RULES)}, each of coefficients "
            f"by name and an intercept, got {rule!r:.200}"
        )
    if any(own["name"] == "story" and own.get("min_similarity") is not None for own in levels):
        raise _wrong(
            f"{path}: stories must have a story_rule or a min_similarity, got both, and only one "
            "can cut them"
        )


def _is_linear(value: Any) -> bool:
    if not isinstance(value, dict) or set(value) != {"coefficients", "intercept"}:
        return False
    named = value["coefficients"]
    return isinstance(named, dict) and all(map(_is_number, [*named.values(), value["intercept"]]))


def _is_number(value: Any) -> bool:
    # NaN is not below, and an integer may be too large for a float.
    return isinstance(value, int | float) and abs(value) <= sys.float_info.max


def _is_cosine(value: Any) -> bool:
    return value is None or (isinstance(value, int | float) and -1 <= value <= 1)
