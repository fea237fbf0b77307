"""Which stage feeds which. The exchange decides where the stages run."""

from findmatches.blocks.block import Stage
from findmatches.stages import collective, comparison, encode, guests, ranking, search, terms

COUNT_LONG_WORDS = (Stage("read texts", encode.count_long_words, reads=("cells",)),)
ENCODE = (
    Stage("read rows", encode.encode, consumes=("cells",)),
    Stage("count values", encode.count_values, consumes=("values",)),
)
IDENTIFY = (
    Stage("compare rows", encode.identify, reads=("all rows",)),
    Stage("find identical rows", encode.find_identical, consumes=("identities",)),
)
TOKENIZE = (
    Stage("read terms", terms.tokenize, consumes=("all rows",)),
    Stage("count terms", terms.sum_counts, consumes=("counts",)),
)
PAIR_WORDS = (
    Stage("pair words", terms.count_word_pairs, reads=("terms",)),
    Stage("count pairs of words", terms.sum_counts, consumes=("counts",)),
)
# From "unique" pairs to their ranks: how similar they are by all terms.
_COMPARE_TERMS = (
    Stage("exchange terms", guests.ship_terms, consumes=("term requests",), reads=("terms",)),
    Stage("compare terms", ranking.compare_terms, consumes=("unique", "guest terms"), reads=("terms",)),
)
SEARCH = (
    Stage("index rare terms", search.postings, consumes=("word pairs",), reads=("terms",)),
    Stage("list records by term", search.list_records, consumes=("postings",)),
    Stage("search pairs", search.search, consumes=("lists",)),
    Stage("collect pairs", guests.request_terms, consumes=("searched",)),
    *_COMPARE_TERMS,
    Stage("rank neighbors", ranking.rank, consumes=("ends",)),
    Stage("keep nearest neighbors", ranking.keep_nearest, consumes=("similar", "ranked")),
)
# Pairs that the search did not propose: labeled ones, identical rows, transitive pairs.
ADD_PAIRS = (
    Stage("collect more pairs", guests.request_terms, consumes=("searched",)),
    *_COMPARE_TERMS,
    Stage("rank more pairs", ranking.rank_more, consumes=("ends",), reads=("neighbors",)),
    Stage("keep more pairs", ranking.keep_all, consumes=("similar", "ranked")),
)
_COMPARE_VALUES = (
    Stage("exchange rows", guests.ship_rows, consumes=("row requests",), reads=("rows", "terms")),
    Stage(
        "compare values",
        comparison.compare_values,
        consumes=("chosen", "guest rows", "guest row terms"),
        reads=("rows", "terms"),
    ),
)
COMPARE_ALL = (Stage("choose all pairs", comparison.choose_all, reads=("pairs",)), *_COMPARE_VALUES)
COMPARE_MORE = (Stage("choose more pairs", comparison.choose_more, consumes=("more pairs",)), *_COMPARE_VALUES)
COMPARE_SAMPLE = (Stage("sample pairs", comparison.choose_sample, reads=("pairs",)), *_COMPARE_VALUES)
COMPARE_PROBABLE = (Stage("choose probable pairs", comparison.choose_probable, reads=("pairs",)), *_COMPARE_VALUES)
SHOW_FEATURES = (Stage("collect examples", comparison.show_features, reads=("candidate features", "new features")),)
SCORE_CANDIDATES = (Stage("score pairs", comparison.score_candidates_first, reads=("candidate features",)),)
SCORE_NEW = (Stage("score more pairs", comparison.score_first, reads=("new features",)),)
RELATE = (
    Stage("sum scores", collective.sum_scores, reads=("candidate features", "features", "first score")),
    Stage("sum rates", collective.sum_rates, consumes=("sums", "best")),
    Stage(
        "relate pairs",
        collective.relate,
        consumes=("rates", "two best", "places"),
        reads=("candidate features", "features", "first score"),
    ),
)
SCORE_AGAIN = (
    Stage(
        "score pairs again",
        collective.score_second,
        consumes=("collective",),
        reads=("candidate features", "features", "first score"),
    ),
)
