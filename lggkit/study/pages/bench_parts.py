"""The parts of a benchmark on the performance page: its tables, and sentences that follow from its rows."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pandas as pd

from lggkit.study.pages.benchmarks import DRAWN, Bench, Row, recorded

SECTIONS = ("training", "seeds", "graph", "memory")
NOTHING = "No benchmark of this kind is recorded yet."
NOT_RUN, NO_BREAK = "–", "\N{NO-BREAK SPACE}"


def page_parts(folder: Path) -> dict[str, str]:
    """MyST by name: ``bench-training`` and the like for each of `SECTIONS`, ``benchmarks`` for the others."""
    recordings = recorded(folder)
    parts = {f"bench-{name}": [b for b in recordings if b.name == name] for name in SECTIONS}
    parts["benchmarks"] = [b for b in recordings if b.name not in SECTIONS]
    return {name: "\n\n".join(map(shown, benches)) or NOTHING for name, benches in parts.items()}


def shown(bench: Bench) -> str:
    """All that the page shows of a benchmark."""
    return "\n\n".join(text for part in PARTS if (text := part(bench)))


def duration(seconds: float) -> str:
    """Three digits of a time in the unit that suits it: ``3.18 ms``, ``33.7 s``, not to be broken."""
    value, unit = (seconds, "s") if seconds >= 1 else (1e3 * seconds, "ms")
    return f"{value:.3g}{NO_BREAK}{unit}"


def size(count: float) -> str:
    """Three digits of a number of bytes, in megabytes (10⁶) or gigabytes: ``812 MB``, ``1.23 GB``."""
    value, unit = (count / 1e9, "GB") if count >= 1e9 else (count / 1e6, "MB")
    return (f"{value:.3g}" if value < 999.5 else f"{value:.0f}") + NO_BREAK + unit


def times(bench: Bench) -> str:
    rows = bench.of_kind("time")
    frame = pd.DataFrame([_compared(row, "seconds", duration) for row in rows])
    for column, key, text in (("set-up", "setup_seconds", duration), ("peak memory", "peak_bytes", size)):
        if any(_pair(row, key) for row in rows):
            frame[column] = [" / ".join(text(value) for value in _pair(row, key)) for row in rows]
    return bench.table(frame, f"{bench.title}: {bench.statistic}") if rows else ""


def _pair(row: Row, key: str) -> list[float]:
    """What a row has of ours and of the reference beside their times, where it has it."""
    values = (row.get(f"ours_{key}", row.get(key)), row.get(f"reference_{key}"))
    return [value for value in values if value]


def memory(bench: Bench) -> str:
    rows = bench.of_kind("memory")
    frame = pd.DataFrame([_compared(row, "bytes", size) for row in rows])
    return bench.table(frame, bench.title, "memory" if bench.of_kind("time") else "") if rows else ""


def _compared(row: Row, key: str, text: Callable[[float], str]) -> dict[str, str]:
    reference, ratio = row[f"reference_{key}"], row["ratio"]
    return {
        "what": row["name"],
        "lggkit": text(row[f"ours_{key}"]),
        "the usual way": NOT_RUN if reference is None else text(reference),
        "ratio": NOT_RUN if ratio is None else f"{ratio:.2f}" if ratio >= 0.01 else f"{ratio:.1g}",
        "equal values": "yes" if row["equal"] else "NO",
    }


def profile(bench: Bench) -> str:
    """Steps side by side, a row a part."""
    steps = {f"{row['network']}, {row['name']}": _spent(row) for row in bench.of_kind("profile")}
    frame = pd.DataFrame(steps).rename_axis("").reset_index()
    caption = "What a training step spends its time on, and what its convolutions take when nothing else runs"
    return bench.table(frame, caption, "profile") if steps else ""


def _spent(row: Row) -> dict[str, str]:
    shares = {part: f"{100 * share:.0f}{NO_BREAK}%" for part, share in row["shares"].items()}
    alone = duration(row["convolutions_alone_seconds"])
    return {"the step": duration(row["seconds"]), **shares, "its convolutions alone": alone}


def bounds(bench: Bench) -> str:
    """For each row with a target: whether it is met, and if not, what bounds it."""
    aimed = [row for row in bench.of_kind("time") if "target" in row]
    lines = [f"- {_against_target(row, _profiles(bench, row['network']))}" for row in aimed]
    return "\n".join([f"Against the targets, on {bench.machine}:", "", *lines]) if lines else ""


def _profiles(bench: Bench, network: str) -> list[Row]:
    return [row for row in bench.of_kind("profile") if row["network"] == network]


def _against_target(row: Row, profiles: Sequence[Row]) -> str:
    reached = f"{row['network']}: × {row['ratio']:.2f}, aimed at × {row['target']:g}"
    if row["ratio"] >= row["target"]:
        return f"{reached}, which is met."
    telling = [profile for profile in profiles if profile["convolutions_alone_seconds"] > 0]
    return f"{reached}, which is missed. {_limits(row, telling[0]) if telling else ''}".strip()


def _limits(row: Row, ours: Row) -> str:
    """What the profile of our step says about a row's ratio."""
    others = {part: s for part, s in ours["shares"].items() if "convolution" not in part} or {"the rest": 0}
    most = max(others, key=others.get)
    floor, reference = ours["convolutions_alone_seconds"], row["reference_seconds"]
    left = reference / row["target"] - floor
    room = f"{duration(left)} for all the rest" if left > 0 else "no time for anything else"
    return (
        f"Convolutions are {100 * (1 - sum(others.values())):.0f} % of our step, {most} "
        f"{100 * others[most]:.0f} %. Alone, the convolutions take {duration(floor)}, and a step of nothing "
        f"else would be × {reference / floor:.2f}; the target leaves {room}."
    )


def strategies(bench: Bench) -> str:
    """What was fastest of several ways to train several models, and what the library keeps."""
    ways = sorted((row for row in bench.of_kind("time") if "strategy" in row), key=lambda row: -row["ratio"])
    if not ways:
        return ""
    order = ", ".join(f"*{row['strategy']}* × {row['ratio']:.2f}" for row in ways)
    choices = ", ".join(f"*{row['strategy']}* as {row['kept']}" for row in ways if row["kept"])
    none = " None of them beats one model after another." if ways[0]["ratio"] <= 1 else ""
    return f"In order of their ratios, on {bench.machine}: {order}.{none} The library keeps {choices}."


def roof(bench: Bench) -> str:
    rows = bench.of_kind("roof")
    did = " and ".join(f"{row['rate'] / 1e9:.3g} G{row['unit']} ({row['name']})" for row in rows)
    return f"Measured in the same run, on {bench.machine}: {did}." if rows else ""


def figure(bench: Bench) -> str:
    if bench.name not in DRAWN:
        return ""
    return "\n".join(
        [
            f"```{{figure}} ../_generated/{bench.picture}",
            f":name: fig-{bench.picture.removesuffix('.png')}",
            ":alt: Time on logarithmic axes; the library's line lies below the usual way's.",
            f"{_grown(bench)}.",
            "```",
        ]
    )


def _grown(bench: Bench) -> str:
    how = f"forward and backward, on {bench.machine}: growth with"
    if bench.name == "topology":
        return f"Death times of eight sets of points, {how} the points of a set"
    maps = ", and with the number of maps" if any("depths" in row for row in bench.rows) else ""
    return f"Graph ($k = 5$) and label variation ($L^2$), {how} the batch size at 512 features{maps}"


PARTS: list[Callable[[Bench], str]] = [times, memory, profile, bounds, strategies, roof, figure]
