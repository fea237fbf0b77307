"""What an incremental matching did with the rows of an earlier output and with new ones."""

from collections.abc import Sequence
from typing import Any

from findmatches import Matches


def incremental_report(keys: Sequence[str], known: Sequence[str | None], matches: Matches) -> dict[str, Any]:
    """A JSON document. `keys`: each row's primary key; `known`: its match id in the earlier output, or None.

    `kept`: rows with their earlier match id; all of them keep it. `joined`: new rows in a group of the earlier output.
    `new`: new rows in groups of their own. `merged`: earlier groups that are one thing by now. Each keeps its id, because
    other systems may hold it, so somebody has to decide.
    """
    earlier = {match_id for match_id in known if match_id}
    new_rows = [(key, match_id) for key, before, match_id in zip(keys, known, matches.match_id, strict=True) if not before]
    joined = [{"key": key, "matchId": match_id} for key, match_id in new_rows if match_id in earlier]
    new = [match_id for _, match_id in new_rows if match_id not in earlier]
    return {
        "kept": {"rows": len(keys) - len(new_rows), "groups": len(earlier)},
        "joined": {"rows": len(joined), "groups": len({row["matchId"] for row in joined}), "members": joined},
        "new": {"rows": len(new), "groups": len(set(new))},
        "merged": {"groups": len(matches.mergeable), "matchIds": [list(ids) for ids in matches.mergeable]},
    }
