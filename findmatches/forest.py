"""Trained trees as plain arrays: the same predictions as scikit-learn's, and files that hold no code.

Extremely randomized trees: Geurts, Ernst and Wehenkel, 2006. They are grown by scikit-learn, and its compiled trees predict.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.tree._tree import Tree

Matrix = NDArray[np.float32]

_CLASSES = np.array([2])
_OUTPUTS = 1
_NO_CHILD = -1


@dataclass(frozen=True)
class Forest:
    """Trees over `width` features; each is a compiled tree of scikit-learn with two classes, different and match."""

    trees: tuple[Any, ...]
    width: int

    def probability(self, features: Matrix) -> NDArray[np.float64]:
        """The mean share of matches in the leaves, 0..1, per row of `features`; shape (rows,)."""
        contiguous = np.ascontiguousarray(features, np.float32)
        total = np.zeros(len(features))
        for tree in self.trees:
            total += tree.predict(contiguous)[:, 1]
        return total / len(self.trees)

    @property
    def feature_importances(self) -> NDArray[np.float64]:
        """How much each feature reduces the trees' impurity; sums to 1, or to 0 if no tree splits."""
        of_trees = [tree.compute_feature_importances(normalize=True) for tree in self.trees if tree.node_count > 1]
        total: NDArray[np.float64] = np.sum(of_trees, axis=0) if of_trees else np.zeros(self.width)
        return total / max(float(total.sum()), 1e-12)

    def arrays(self) -> dict[str, NDArray[Any]]:
        """The nodes of all trees, one tree after the other, and where each begins."""
        states = [tree.__getstate__() for tree in self.trees]
        nodes = np.concatenate([state["nodes"] for state in states])
        by_field = {f"nodes_{name}": np.ascontiguousarray(nodes[name]) for name in nodes.dtype.names or ()}
        return {
            **by_field,
            "values": np.concatenate([state["values"] for state in states]),
            "node_counts": np.array([state["node_count"] for state in states], np.int64),
            "depths": np.array([state["max_depth"] for state in states], np.int64),
        }


def grown_forest(classifier: ExtraTreesClassifier) -> Forest:
    """The trees of a fitted classifier of two classes."""
    return Forest(tuple(tree.tree_ for tree in classifier.estimators_), int(classifier.n_features_in_))


def forest_of_arrays(arrays: Mapping[str, NDArray[Any]], width: int) -> Forest:
    """The inverse of `Forest.arrays`. Raises ValueError if the arrays are no trees that the installed scikit-learn can use."""
    layout = Tree(width, _CLASSES, _OUTPUTS).__getstate__()["nodes"].dtype
    fields = {name.removeprefix("nodes_") for name in arrays if name.startswith("nodes_")}
    if fields != set(layout.names):
        raise ValueError("the installed scikit-learn stores trees in another way")
    nodes = np.zeros(len(arrays["values"]), layout)
    for name in layout.names:
        nodes[name] = arrays[f"nodes_{name}"]
    trees, first = [], 0
    for count, depth in zip(arrays["node_counts"].tolist(), arrays["depths"].tolist(), strict=True):
        own = np.ascontiguousarray(nodes[first : first + count])
        _check_nodes(own, count, width)
        tree = Tree(width, _CLASSES, _OUTPUTS)
        values = np.ascontiguousarray(arrays["values"][first : first + count])
        tree.__setstate__({"max_depth": depth, "node_count": count, "nodes": own, "values": values})
        trees.append(tree)
        first += count
    return Forest(tuple(trees), width)


def _check_nodes(nodes: NDArray[Any], count: int, width: int) -> None:
    """A compiled tree follows its node numbers without a check: wrong ones would read foreign memory."""
    is_leaf = nodes["left_child"] == _NO_CHILD
    children = np.concatenate([nodes["left_child"][~is_leaf], nodes["right_child"][~is_leaf]])
    # A child comes after its parent, so that every path ends.
    parents = np.tile(np.flatnonzero(~is_leaf), 2)
    features = nodes["feature"][~is_leaf]
    if len(nodes) != count or not count:
        raise ValueError("a tree has no nodes")
    if (children <= parents).any() or (children >= count).any() or (features < 0).any() or (features >= width).any():
        raise ValueError("a tree's nodes are out of order")
