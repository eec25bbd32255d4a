"""The drawings of a report, each made of figures alone and always the same: SVG that stands in a page or a notebook.

Colours are a page's own where it names them (`--ink`, `--brand`, ...), so that a drawing follows light and dark.
"""

from __future__ import annotations

import html
import io
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from training.measures.tables import percent
from training.reports.workload import OperatingPoint

Figures = Mapping[str, Any]

COLOURS = {
    "ink": "#1c2421",
    "soft": "#54615c",
    "line": "#d5dcd7",
    "brand": "#0b5c4c",
    "pale": "#cfe5dd",
    "accent": "#c77700",
    "bad": "#a3211b",
}
INK, SOFT, LINE, BRAND, PALE, ACCENT, BAD = COLOURS.values()
WIDTH = 7.6
"""Inches; a page scales the drawing to its own width."""
_STYLE = {
    "svg.fonttype": "none",  # text stays text: small, searchable, read aloud
    "font.size": 10,
    "text.color": INK,
    "axes.edgecolor": LINE,
    "axes.labelcolor": SOFT,
    "axes.labelsize": 9.5,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "xtick.color": SOFT,
    "ytick.color": SOFT,
    "xtick.labelsize": 9,
    "ytick.labelsize": 9,
    "xtick.major.size": 0,
    "ytick.major.size": 0,
    "grid.color": LINE,
    "grid.linewidth": 0.6,
    "legend.frameon": False,
    "legend.fontsize": 9,
}
_LOOSE_ID = re.compile(r' id="[\w.]+_\d+"')
_METADATA = re.compile(r"\s*<metadata>.*?</metadata>", re.DOTALL)
_FONT = re.compile(r"font: ([^;\"']*?px) '[^;\"]*")
_FIRST_DRAWN = 20
"""Complaints from which on an error is worth drawing: among fewer, one mistake makes a peak."""


@dataclass(frozen=True, slots=True)
class Drawing:
    """A drawing as SVG; a page and a notebook show it by themselves."""

    svg: str

    def __html__(self) -> str:
        """Give the SVG to Jinja as it is."""
        return self.svg

    def _repr_html_(self) -> str:
        return f'<div style="max-width:52rem">{self.svg}</div>'


def promise(figures: Figures) -> Drawing:
    """Draw the error among the most certain complaints against their share, with the promise and where the policy stands."""
    points = [point for point in figures["risk_coverage"] if point["coverage"] * figures["rows"] >= _FIRST_DRAWN]
    auto = figures["auto"]
    target = auto["target_error"]

    def draw(axes: Axes) -> None:
        coverage, risk = [100 * point["coverage"] for point in points], [100 * point["risk"] for point in points]
        # Of a handful sent the interval is wide: it and the words above it must fit, or nothing else does.
        top = max(1.12 * max([200 * target, *risk]), 125 * auto["error_interval"][1] if auto["sent"] else 0.0)
        axes.axhspan(0, 100 * target, color=PALE, linewidth=0, alpha=0.6)
        axes.axhline(100 * target, color=BRAND, linewidth=1, linestyle=(0, (4, 3)))
        promised = f"promised: at most {percent(target, 0)}"
        axes.text(100, 100 * target + top * 0.012, promised, color=BRAND, ha="right", va="bottom", fontsize=9)
        axes.plot(coverage, risk, color=INK, linewidth=1.8)
        if auto["sent"]:
            low, high = auto["error_interval"]
            at, error = 100 * auto["coverage"], 100 * auto["error"]
            axes.errorbar(
                [at],
                [error],
                [[max(0.0, error - 100 * low)], [max(0.0, 100 * high - error)]],
                fmt="o",
                color=ACCENT,
                markersize=7,
                linewidth=1.6,
            )
            words = f"sent by itself: {percent(auto['coverage'], 0)} of complaints,\n{percent(auto['error'])} of them wrong"
            start = min(at, 58.0)  # so that the words end inside, and above all that is drawn there
            below = [error for share, error in zip(coverage, risk, strict=True) if start - 2 <= share <= start + 42]
            height = max([100 * target, 100 * high, *below]) + top * 0.06
            line = {"arrowstyle": "-", "color": ACCENT, "linewidth": 0.8, "relpos": (0.02, 0)}
            axes.annotate(words, (at, error), xytext=(start, height), color=ACCENT, fontsize=9.5, va="bottom", arrowprops=line)
        axes.set(xlim=(0, 100), ylim=(0, top), xlabel="of 100 complaints, the most certain first", ylabel="wrong among them")
        axes.yaxis.set_major_formatter("{x:.0f} %")
        axes.grid(axis="y")

    words = (
        f"Line: error among the most certain complaints, rising to {percent(1 - figures['accuracy'], 0)} when all are sent; "
        f"promise at {percent(target, 0)}; sent automatically: {percent(auto['coverage'], 0)}."
    )
    return _drawing("promise", words, 3.6, draw)


def reliability(figures: Figures) -> Drawing:
    """Draw how often answers of each certainty were right, each bin of rows with its 95 % interval."""
    bins = figures["reliability"]

    def draw(axes: Axes) -> None:
        sure, right = [100 * item["confidence"] for item in bins], [100 * item["accuracy"] for item in bins]
        below = [max(0.0, 100 * (item["accuracy"] - item["accuracy_interval"][0])) for item in bins]
        above = [max(0.0, 100 * (item["accuracy_interval"][1] - item["accuracy"])) for item in bins]
        axes.plot([0, 100], [0, 100], color=SOFT, linewidth=1, linestyle=(0, (4, 3)))
        axes.text(71, 75, "means what it says", color=SOFT, fontsize=9, ha="right")
        axes.errorbar(sure, right, [below, above], fmt="o-", color=BRAND, markersize=5, linewidth=1.4, elinewidth=1)
        axes.set(xlim=(0, 100), ylim=(0, 100), xlabel="the model was so sure", ylabel="and so often right")
        axes.xaxis.set_major_formatter("{x:.0f} %")
        axes.yaxis.set_major_formatter("{x:.0f} %")
        axes.grid()

    words = f"{len(bins)} points of equally many complaints; on the diagonal, certainty equals accuracy. ECE {figures['ece']:.3f}."
    return _drawing("reliability", words, 4.2, draw)


def pairs(figures: Figures) -> Drawing:
    """Draw the pairs of agencies most often taken for each other: on either side, whose complaints went astray."""
    found = figures["pairs"]

    def draw(axes: Axes) -> None:
        places = range(len(found))
        ours, theirs = [pair["wrong"][0] for pair in found], [pair["wrong"][1] for pair in found]
        most = max([1, *ours, *theirs])
        axes.barh(places, [-count for count in ours], height=0.62, color=BRAND)
        axes.barh(places, theirs, height=0.62, color=ACCENT)
        for place, pair in zip(places, found, strict=True):
            for side, count, agency in zip((-1, 1), pair["wrong"], pair["agencies"], strict=True):
                align = "right" if side < 0 else "left"
                axes.text(side * (count + most * 0.03), place, str(count), ha=align, va="center", fontsize=9)
                axes.text(side * most * 1.2, place, agency, ha=align, va="center", fontsize=9.5)
        axes.axvline(0, color=LINE, linewidth=1)
        axes.set(xlim=(-2.2 * most, 2.2 * most), ylim=(len(found) - 0.5, -1.3))
        axes.text(-most * 0.05, -0.95, "belonged left, went right →", ha="right", color=BRAND, fontsize=9)
        axes.text(most * 0.05, -0.95, "← belonged right, went left", ha="left", color=ACCENT, fontsize=9)
        axes.set_axis_off()

    words = "; ".join(
        f"{a} and {b}: {first} and {second}" for (a, b), (first, second) in ((p["agencies"], p["wrong"]) for p in found[:5])
    )
    return _drawing("pairs", f"Complaints taken for the other of two agencies. {words}.", 0.6 + 0.27 * len(found), draw)


def agencies(figures: Figures) -> Drawing:
    """Draw precision and recall of every agency that has complaints, the one with most on top."""
    table = sorted(
        ((name, row) for name, row in figures["per_agency"].items() if row["rows"]), key=lambda item: (-item[1]["rows"], item[0])
    )

    def draw(axes: Axes) -> None:
        places = range(len(table))
        recall, precision = [100 * row["recall"] for _, row in table], [100 * row["precision"] for _, row in table]
        axes.hlines(
            places, [min(pair) for pair in zip(recall, precision, strict=True)], list(map(max, recall, precision)), color=LINE
        )
        axes.scatter(recall, places, s=26, color=BRAND, label="recall: found, of its own complaints", zorder=3)
        axes.scatter(
            precision,
            places,
            s=26,
            color=ACCENT,
            marker="D",
            label="precision: right, of those given to it",
            zorder=3,
            facecolors="none",
        )
        axes.set_yticks(places, [f"{name} ({row['rows']})" for name, row in table])
        axes.tick_params(axis="y", labelcolor=INK)
        axes.set(xlim=(-2, 102), ylim=(len(table) - 0.4, -0.6))
        axes.xaxis.set_major_formatter("{x:.0f} %")
        axes.grid(axis="x")
        axes.legend(loc="lower center", bbox_to_anchor=(0.4, 1.0), ncols=2)

    words = f"Precision and recall of {len(table)} agencies, with how many complaints each has; the table below has the numbers."
    return _drawing("agencies", words, 0.8 + 0.185 * len(table), draw)


def workload(points: Sequence[OperatingPoint]) -> Drawing:
    """Draw staff hours against wrong routings, one dot for every promise."""

    def draw(axes: Axes) -> None:
        hours, wrong = [point.hours for point in points], [point.wrong for point in points]
        axes.plot(hours, wrong, "o-", color=BRAND, linewidth=1.4, markersize=6)
        last = (-1.0, -1.0)
        for point in points:
            if (point.hours, point.wrong) != last:  # promises that lead to the same thresholds share a dot
                where = (point.hours, point.wrong)
                axes.annotate(f"{point.target_error:.0%}", where, xytext=(6, 5), textcoords="offset points", fontsize=9)
                last = where
        axes.set(ylim=(0, max([1.0, *wrong]) * 1.15), xlabel="hours of review a month", ylabel="wrong and unseen a month")
        axes.margins(x=0.08)
        axes.grid()

    words = "; ".join(f"promise {point.target_error:.0%}: {point.hours:.0f} hours, {point.wrong:.1f} wrong" for point in points)
    return _drawing("workload", words, 3.6, draw)


def bars(counts: Mapping[str, float], what: str, most: int = 30) -> Drawing:
    """Draw counts by name, in the order given; the first `most` of them."""
    shown = list(counts.items())[:most]

    def draw(axes: Axes) -> None:
        places = range(len(shown))
        axes.barh(places, [count for _, count in shown], height=0.66, color=BRAND)
        for place, (_, count) in zip(places, shown, strict=True):
            axes.text(count, place, f" {count:,}", va="center", fontsize=9, color=SOFT)
        axes.set_yticks(places, [name for name, _ in shown])
        axes.tick_params(axis="y", labelcolor=INK)
        axes.set(ylim=(len(shown) - 0.4, -0.6), xlabel=what)
        axes.margins(x=0.08)
        axes.grid(axis="x")

    words = f"{what}: " + ", ".join(f"{name} {count:,}" for name, count in shown[:10])
    return _drawing("bars", words, 0.6 + 0.22 * len(shown), draw)


def replayed(found: Figures) -> Drawing:
    """Draw a replay by month: what went out by itself, and what of it went wrong, against the promise."""
    months = found["months"]
    names, places = list(months), range(len(months))

    def draw(axes: Axes) -> None:
        axes.bar(places, [row["coverage"] for row in months.values()], width=0.7, color=PALE, label="sent automatically")
        axes.plot(
            places, [row["accuracy"] for row in months.values()], color=BRAND, marker="o", markersize=3, label="accuracy, all"
        )
        axes.plot(
            places, [row["error"] for row in months.values()], color=BAD, marker="o", markersize=3, label="wrong among the sent"
        )
        axes.axhline(found["target_error"], color=ACCENT, linestyle="--", linewidth=1, label="promise")
        axes.set_xticks(places, names, rotation=45, ha="right")
        axes.set(ylim=(0, 1))
        axes.grid(axis="y")
        axes.legend(loc="upper center", ncols=4, bbox_to_anchor=(0.5, 1.15))

    words = ", ".join(
        f"{name}: {percent(row['coverage'], 0)} sent, {percent(row['error'])} of it wrong" for name, row in months.items()
    )
    return _drawing("replay", words, 3.2, draw)


def _drawing(name: str, words: str, height: float, draw: Callable[[Axes], None]) -> Drawing:
    """Draw on fresh axes and write SVG that depends on nothing but what is drawn."""
    style: Any = {**_STYLE, "svg.hashsalt": name}
    with mpl.rc_context(style):
        figure = Figure(figsize=(WIDTH, height), layout="constrained")
        figure.patch.set_visible(False)
        axes = figure.add_subplot()
        axes.patch.set_visible(False)
        draw(axes)
        out = io.StringIO()
        figure.savefig(out, format="svg", metadata={"Date": None})
    return Drawing(_tidy(out.getvalue(), words))


def _tidy(svg: str, words: str) -> str:
    """Leave what a page needs: no prolog, no metadata, no id that two drawings share; the page's colours and font."""
    svg = _METADATA.sub("", _LOOSE_ID.sub("", svg[svg.index("<svg") :]))
    svg = _FONT.sub(r"font: \1 system-ui, 'Segoe UI', Roboto, 'Noto Sans', sans-serif", svg)
    for name, colour in COLOURS.items():
        svg = svg.replace(colour, f"var(--{name}, {colour})")
    return re.sub(
        r'<svg ([^>]*?)width="[^"]*" height="[^"]*"|<svg ', rf'<svg role="img" aria-label="{html.escape(words)}" \1', svg, count=1
    )
