"""The same table matched by other libraries: `.venv-bench/bin/python bench/matching/peers.py NAME FILE OUTPUT`.

Written as their documentation advises: `splink` for people, with comparisons and blocking rules picked by hand and its
parameters estimated without labels; `splink-any` for any table, at the threshold that the truth shows to be its best;
dedupe with 50 matching and 50 distinct labeled pairs. No import of our own code.
"""

import csv
import importlib
import json
import os
import random
import sys
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

NAMES = ["given", "family", "street", "town"]
CODES = ["number", "postcode", "born", "insurance"]
_SPLINK = ["pandas", "duckdb", "splink.comparison_library"]
IMPORTED = {"splink": _SPLINK, "splink-any": _SPLINK, "dedupe": ["dedupe"]}
THRESHOLDS = (0.01, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 0.999, 0.9999)


# Each matcher is imported only where it is run: importing takes time and memory.
# ruff: noqa: PLC0415


def splink(rows: list[dict[str, str | None]]) -> list[str]:
    import pandas as pd
    import splink.comparison_library as cl
    from splink import DuckDBAPI, Linker, SettingsCreator, block_on

    frame = pd.DataFrame(rows).drop(columns=["truth"])
    comparisons = [cl.JaroWinklerAtThresholds(name, [0.8]).configure(term_frequency_adjustments=True) for name in NAMES]
    comparisons += [cl.DamerauLevenshteinAtThresholds(name, 1) for name in CODES]
    rules = [
        block_on("insurance"),
        block_on("family", "given"),
        block_on("born", "family"),
        block_on("postcode", "number"),
        block_on("street", "town"),
    ]
    settings = SettingsCreator(
        link_type="dedupe_only",
        unique_id_column_name="pk",
        comparisons=comparisons,
        blocking_rules_to_generate_predictions=rules,
    )
    linker = Linker(DuckDBAPI().register(frame), settings)
    linker.training.estimate_probability_two_random_records_match([block_on("insurance")], recall=0.7)
    linker.training.estimate_u_using_random_sampling(max_pairs=1e6)
    linker.training.estimate_parameters_using_expectation_maximisation(block_on("family", "given"))
    linker.training.estimate_parameters_using_expectation_maximisation(block_on("born"))
    predicted = linker.inference.predict(threshold_match_probability=0.5)
    return _clusters(linker, predicted, 0.95, rows)


def splink_any(rows: list[dict[str, str | None]]) -> list[str]:
    """Every column by Jaro-Winkler; blocked on each value or its beginning, unless too many rows share it."""
    import pandas as pd
    import splink.comparison_library as cl
    from splink import DuckDBAPI, Linker, SettingsCreator
    from splink.blocking_rule_library import CustomRule

    names = [name for name in rows[0] if name not in {"pk", "truth"}]
    keys = [f'"{name}"' for name in names] + [f'substr("{name}", 1, {length})' for name in names for length in (5, 10)]
    rules = [
        CustomRule(f"l.{key} = r.{key}".replace("l.substr(", "substr(l.").replace("r.substr(", "substr(r."))
        for key, count in ((key, _pairs_sharing(key, rows)) for key in keys)
        if 0 < count < 100 * len(rows)
    ]
    settings = SettingsCreator(
        link_type="dedupe_only",
        unique_id_column_name="pk",
        comparisons=[cl.JaroWinklerAtThresholds(name, [0.95, 0.85, 0.7]) for name in names],
        blocking_rules_to_generate_predictions=rules,
    )
    linker = Linker(DuckDBAPI().register(pd.DataFrame(rows).drop(columns=["truth"])), settings)
    linker.training.estimate_u_using_random_sampling(max_pairs=1e6)
    for rule in rules[:3]:
        linker.training.estimate_parameters_using_expectation_maximisation(rule)
    predicted = linker.inference.predict(threshold_match_probability=min(THRESHOLDS))
    candidates = [_clusters(linker, predicted, threshold, rows) for threshold in THRESHOLDS]
    truth = [str(row["truth"]) for row in rows]
    return max(candidates, key=lambda clusters: _f1(clusters, truth))


def _clusters(linker: Any, predicted: Any, threshold: float, rows: list[dict[str, str | None]]) -> list[str]:  # noqa: ANN401  splink's
    clusters = linker.clustering.cluster_pairwise_predictions_at_threshold(predicted, threshold_match_probability=threshold)
    frame = clusters.as_pandas_dataframe()
    cluster_of = dict(zip(frame["pk"], frame["cluster_id"], strict=True))
    return [str(cluster_of[row["pk"]]) for row in rows]


def _pairs_sharing(key: str, rows: list[dict[str, str | None]]) -> int:
    name, length = key.split('"')[1], int(key.rstrip(")").rpartition(" ")[2]) if key.startswith("substr") else None
    values = [row[name] for row in rows]
    return _pairs([value[:length] for value in values if value])


def _pairs(values: Sequence[object]) -> int:
    return sum(count * (count - 1) // 2 for count in Counter(values).values())


def _f1(predicted: Sequence[str], truth: Sequence[str]) -> float:
    correct = _pairs(list(zip(predicted, truth, strict=True)))
    return 2 * correct / (_pairs(predicted) + _pairs(truth))


def dedupe(rows: list[dict[str, str | None]]) -> list[str]:
    import dedupe as library

    generator = random.Random(0)  # noqa: S311 - picks what to label
    fields = [name for name in rows[0] if name not in {"pk", "truth"}]
    data = {number: {name: row[name] or None for name in fields} for number, row in enumerate(rows)}
    matcher = library.Dedupe([library.variables.String(name, has_missing=True) for name in fields], num_cores=2)
    matcher.prepare_training(data)
    rows_of: dict[str | None, list[int]] = {}
    for number, row in enumerate(rows):
        rows_of.setdefault(row["truth"], []).append(number)
    duplicates = [numbers[:2] for numbers in rows_of.values() if len(numbers) > 1]
    match = [(data[left], data[right]) for left, right in generator.sample(duplicates, min(50, len(duplicates)))]
    distinct = [
        (data[left], data[right])
        for left, right in (generator.sample(range(len(rows)), 2) for _ in range(50))
        if rows[left]["truth"] != rows[right]["truth"]
    ]
    matcher.mark_pairs({"match": match, "distinct": distinct})
    matcher.train()
    cluster_of = {}
    for cluster, (numbers, _) in enumerate(matcher.partition(data, 0.5)):
        cluster_of.update(dict.fromkeys(numbers, str(cluster)))
    return [cluster_of[number] for number in range(len(rows))]


def main() -> None:
    with Path(sys.argv[2]).open(encoding="utf-8", newline="") as file:
        rows: list[dict[str, str | None]] = [
            {name: value or None for name, value in row.items()} for row in csv.DictReader(file)
        ]
    for module in IMPORTED[sys.argv[1]]:  # importing is no part of the job
        importlib.import_module(module)
    started, cpu_before = time.perf_counter(), sum(os.times()[:4])
    predicted = {"splink": splink, "splink-any": splink_any, "dedupe": dedupe}[sys.argv[1]](rows)
    seconds, cpu = time.perf_counter() - started, sum(os.times()[:4]) - cpu_before
    Path(sys.argv[3]).write_text("\n".join(predicted), encoding="utf-8")
    print(json.dumps({"seconds": seconds, "cpu": cpu}))


if __name__ == "__main__":
    main()
