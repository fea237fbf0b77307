"""A model as files: `model.json` and one `.npy` file per array. No pickles, so loading a model runs no code of its author."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import scipy
import sklearn
from numpy.typing import NDArray

from findmatches.classifier import LinearModel, PairClassifier
from findmatches.columns import ColumnKind
from findmatches.forest import forest_of_arrays
from findmatches.labels import Label
from findmatches.learned_pairs import LearnedPairs
from findmatches.scoring import PairScorer
from findmatches.settings import Settings

# Grows with every change of the files' meaning or of the features that a model expects.
FORMAT = 1
DOCUMENT = "model.json"
_DIGEST = "sha256"
_LINEAR = ("mean", "scale", "weights")
_PAIRS = ("left", "right", "match", "fold", "out_of_fold")

Parts = tuple[Settings, tuple[ColumnKind, ...] | None, PairScorer | None, LearnedPairs, str]


class InvalidModel(ValueError):
    """The folder holds no model that can be read; the message names the file and the remedy."""


def labels_digest(labels: Sequence[Label]) -> str:
    """SHA-256 of the labels in their order, in hexadecimal."""
    text = json.dumps([[label.set_id, label.label, label.key] for label in labels])
    return hashlib.sha256(text.encode()).hexdigest()


def write_model(folder: Path, parts: Parts) -> None:
    """Writes the arrays first and the document last: a folder without a document holds no model."""
    settings, columns, scorer, learned, digest = parts
    arrays = {f"pairs_{name}": getattr(learned, name) for name in _PAIRS}
    classifiers = {"first": scorer.first, "second": scorer.second} if scorer else {}
    for name, classifier in classifiers.items():
        arrays |= {f"{name}_{part}": getattr(classifier.linear, part) for part in _LINEAR}
        arrays |= {f"{name}_trees_{part}": array for part, array in classifier.trees.arrays().items()}
    if folder.exists() and not folder.is_dir():
        raise InvalidModel(f"{folder} is a file. Name a folder for the model.")
    folder.mkdir(parents=True, exist_ok=True)
    (folder / DOCUMENT).unlink(missing_ok=True)
    for stale in folder.glob("*.npy"):
        stale.unlink()
    for name, array in arrays.items():
        np.save(folder / f"{name}.npy", array, allow_pickle=False)
    document = {
        "format": FORMAT,
        "versions": {"numpy": np.__version__, "scipy": scipy.__version__, "scikit-learn": sklearn.__version__},
        "settings": asdict(settings),
        "columns": None if columns is None else [asdict(column) for column in columns],
        "classifiers": {
            name: {"intercept": classifier.linear.intercept, "width": classifier.trees.width}
            for name, classifier in classifiers.items()
        },
        "shift": scorer.shift if scorer else 0.0,
        "labeled_pairs": learned.labeled,
        "labels_sha256": digest,
        "arrays": {name: _file_digest(folder / f"{name}.npy") for name in sorted(arrays)},
    }
    text = json.dumps(document | {_DIGEST: _document_digest(document)}, indent=2)
    (folder / DOCUMENT).write_text(text + "\n", encoding="utf-8")


def read_model(folder: Path) -> Parts:
    """What `write_model` wrote. Raises InvalidModel."""
    document = _document(folder)
    arrays = {name: _array(folder, str(name), digest) for name, digest in document["arrays"].items()}
    try:
        return _parts(document, arrays)
    except ValueError as error:
        saved, installed = document["versions"]["scikit-learn"], sklearn.__version__
        raise InvalidModel(
            f"The model in {folder} cannot be used: {error}. It was saved with scikit-learn {saved}; {installed} is installed. "
            "Fit the model again."
        ) from error


def _document(folder: Path) -> Mapping[str, Any]:
    path = folder / DOCUMENT
    if not path.is_file():
        raise InvalidModel(f"{folder} holds no model: it has no {DOCUMENT}. Name the folder that Model.save wrote.")
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InvalidModel(f"{path} is damaged: it is no JSON document. Save the model again.") from error
    if not isinstance(document, dict) or "format" not in document:
        raise InvalidModel(f"{path} is no model of findmatches: it names no format.")
    if document["format"] != FORMAT:
        raise InvalidModel(
            f"{path} has format {document['format']}; this version of findmatches reads format {FORMAT}. "
            "Fit the model again, or install the version that wrote it."
        )
    if document.pop(_DIGEST, None) != _document_digest(document):
        raise InvalidModel(f"{path} is damaged: its checksum differs. Save the model again.")
    return document


def _array(folder: Path, name: str, digest: str) -> NDArray[Any]:
    path = folder / f"{name}.npy"
    if not path.is_file():
        raise InvalidModel(f"{path} is missing. Copy the whole folder, or save the model again.")
    if _file_digest(path) != digest:
        raise InvalidModel(f"{path} is damaged: its checksum differs. Save the model again.")
    array: NDArray[Any] = np.load(path, allow_pickle=False)
    return array


def _parts(document: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> Parts:
    columns = None if document["columns"] is None else tuple(ColumnKind(**column) for column in document["columns"])
    classifiers = {name: _classifier(name, facts, arrays) for name, facts in document["classifiers"].items()}
    learned = LearnedPairs(labeled=document["labeled_pairs"], **{name: arrays[f"pairs_{name}"] for name in _PAIRS})
    scorer = PairScorer(**classifiers, shift=document["shift"]) if classifiers else None
    return Settings(**document["settings"]), columns, scorer, learned, document["labels_sha256"]


def _classifier(name: str, facts: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> PairClassifier:
    linear = LinearModel(intercept=facts["intercept"], **{part: arrays[f"{name}_{part}"] for part in _LINEAR})
    prefix = f"{name}_trees_"
    of_trees = {part.removeprefix(prefix): array for part, array in arrays.items() if part.startswith(prefix)}
    return PairClassifier(linear, forest_of_arrays(of_trees, facts["width"]))


def _document_digest(document: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()


def _file_digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()
