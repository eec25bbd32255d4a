"""Tables of figures that can be read anywhere: in a terminal, in Markdown, in a page, in a notebook."""

from __future__ import annotations

import html
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from training.measures import figures

Figures = Mapping[str, Any]
SOME_ROWS = 10
"""Complaints from which on an agency's own figures are worth pointing at."""


@dataclass(frozen=True, slots=True)
class Table:
    """Headings, and rows of as many cells. The first `words` columns are words, set to the left; the rest are figures."""

    headings: Sequence[str]
    rows: Sequence[Sequence[str]]
    words: int = 1

    def text(self, indent: str = "") -> str:
        """Write it for a terminal, in columns two blanks apart."""
        lines = [self.headings, *self.rows]
        widths = [max(len(line[column]) for line in lines) for column in range(len(self.headings))]
        return "\n".join(
            indent
            + "  ".join(
                cell.ljust(width) if column < self.words else cell.rjust(width)
                for column, (cell, width) in enumerate(zip(line, widths, strict=True))
            ).rstrip()
            for line in lines
        )

    def markdown(self) -> str:
        """Write it as a table of GitHub's Markdown."""
        rule = ["---" if column < self.words else "---:" for column in range(len(self.headings))]
        escaped = ([cell.replace("|", "\\|").replace("\n", " ") for cell in line] for line in (self.headings, rule, *self.rows))
        return "\n".join(f"| {' | '.join(line)} |" for line in escaped)

    def __html__(self) -> str:
        """Write it as HTML: what Jinja asks for, and a notebook under another name."""
        head = "".join(
            f'<th scope="col"{self._align(column)}>{html.escape(cell)}</th>' for column, cell in enumerate(self.headings)
        )
        body = "".join(
            "<tr>" + "".join(f"<td{self._align(column)}>{html.escape(cell)}</td>" for column, cell in enumerate(row)) + "</tr>"
            for row in self.rows
        )
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"

    _repr_html_ = __html__

    def _align(self, column: int) -> str:
        return f' style="text-align:{"left" if column < self.words else "right"}"'


def percent(share: float, digits: int = 1) -> str:
    """Write a share as a percentage: 61.2 %."""
    return f"{100 * share:.{digits}f} %"


def interval(pair: Sequence[float], digits: int = 1) -> str:
    """Write an interval of shares as percentages: 59.7 to 62.7 %."""
    low, high = pair
    return f"{100 * low:.{digits}f} to {100 * high:.{digits}f} %"


def key_figures(found: Figures) -> Table:
    """Sum a model up, each figure with its interval where it has one."""
    rows = found["rows"]

    def share(words: str, value: float, pair: Sequence[float] | None = None) -> tuple[str, str, str]:
        return words, percent(value), interval(pair or figures.wilson(round(value * rows), rows))

    def number(words: str, name: str) -> tuple[str, str, str]:
        pair = found.get(f"{name}_interval")
        return words, f"{found[name]:.3f}", f"{pair[0]:.3f} to {pair[1]:.3f}" if pair else ""

    auto = found["auto"]
    # What went out by itself is among a desk's verdicts only where it was audited: the two shares below count that.
    ours = ", of these as they are" if auto["traffic"] != rows else ""
    lines = [
        ("complaints judged on", f"{rows:,}", ""),
        share(f"accuracy{ours}", found["accuracy"], found["accuracy_interval"]),
        *([share("accuracy, acceptable agencies too", found["acceptable_accuracy"])] if "acceptable_accuracy" in found else []),
        share("right one among the first three", found["top3"]),
        number("macro-F1", "macro_f1"),
        number("calibration error (ECE)", "ece"),
        number("area under risk-coverage (AURC)", "aurc"),
        share("sent by itself", auto["coverage"], auto["coverage_interval"]),
        share("wrong among those sent", auto["error"], auto["error_interval"])
        if auto["sent"]
        else ("wrong among those sent", "none sent", ""),
    ]
    if "list" in found:
        lines.append(share("right one in the admin's list", found["list"]["coverage"]))
        lines.append(("agencies in that list, on average", f"{found['list']['mean_length']:.1f}", ""))
    return Table(("figure", "value", "95 % interval"), lines)


def promise_kept(found: Figures) -> str:
    """Say in a line what was promised of automatic routing, and what became of it."""
    auto = found["auto"]
    promised = f"Promised with {percent(auto['confidence'], 0)} confidence: at most {100 * auto['target_error']:g} % wrong"
    if not auto["sent"]:
        return f"{promised}; nothing went out by itself"
    said = {True: "kept", False: "NOT KEPT", None: "too few to tell whether it is kept"}
    went = f"{auto['sent']:,} of {found['rows']:,} went out by themselves, {auto['wrong']:,} wrong"
    if auto["traffic"] != found["rows"]:
        out = f"{auto['traffic_sent']:,} of {auto['traffic']:,} went out by themselves"
        went = f"{out}; of the {auto['sent']:,} of them that people judged, {auto['wrong']:,} wrong"
    return f"{promised}; {went}: {percent(auto['error'])} ({interval(auto['error_interval'])}), {said[is_kept(found)]}"


def is_kept(found: Figures) -> bool | None:
    """Tell whether the promise was kept; None where the complaints judged are too few to tell."""
    auto = found["auto"]
    return figures.kept(auto["error"], auto["cases"], auto["target_error"], auto["confidence"])


def flattered(found: Figures) -> str:
    """Warn where a model is judged by what it was trained on."""
    return f"CAUTION: the model was trained on {found['seen']:,} of these {found['rows']:,} complaints; the figures flatter it"


def promise_cases(policy: Mapping[str, Any]) -> str:
    """Say how many calibration cases stand behind the thresholds of a policy, as it is written in a manifest."""
    value, cases = policy["overall"]
    none = "There is no threshold over all: too many of the surest answers were wrong, or there are too few"
    overall = f"{cases:,} calibration cases stand behind the threshold {value:.3f}" if cases else none
    own = [f"{agency} {value:.3f} ({cases:,})" for agency, (value, cases) in sorted(policy["per_agency"].items()) if cases]
    never = [agency for agency, (_, cases) in sorted(policy["per_agency"].items()) if not cases]
    return (
        ". ".join(
            part
            for part in (
                overall,
                f"Thresholds of their own, with cases: {', '.join(own)}" if own else "",
                f"Always looked at: {', '.join(never)}" if never else "",
            )
            if part
        )
        + "."
    )


def weakest(found: Figures, most: int) -> list[tuple[str, Mapping[str, float]]]:
    """Name the agencies with the lowest F1, of those with complaints enough to say so."""
    known = [(agency, row) for agency, row in found["per_agency"].items() if row["rows"] >= SOME_ROWS]
    return sorted(known, key=lambda item: (item[1]["f1"], item[0]))[:most]


def agencies(found: Figures, chosen: Iterable[str] | None = None, *, names: bool = True) -> Table:
    """Show precision, recall and F1 of the agencies given, or of all, the one with most complaints first."""
    table = found["per_agency"]
    listed = sorted(table, key=lambda agency: (-table[agency]["rows"], agency)) if chosen is None else chosen
    lines = [
        (
            agency,
            *([_name(found, agency)] if names else []),
            f"{row['rows']:,}",
            f"{row['named']:,}",
            percent(row["precision"], 0),
            percent(row["recall"], 0),
            interval(figures.wilson(round(row["recall"] * row["rows"]), int(row["rows"])), 0),
            f"{row['f1']:.2f}",
        )
        for agency, row in ((agency, table[agency]) for agency in listed)
    ]
    headings = ("agency", *(["name"] if names else []), "complaints", "given to it", "precision", "recall", "95 % interval", "F1")
    return Table(headings, lines, words=2 if names else 1)


def confusions(found: Figures, most: int = 10) -> Table:
    """List the commonest mistakes, in one direction each."""
    lines = [(item["truth"], item["said"], f"{item['rows']:,}") for item in found["confusions"][:most]]
    return Table(("belonged to", "went to", "complaints"), lines, words=2)


def pairs(found: Figures) -> Table:
    """List the pairs of agencies most often taken for each other."""
    lines = [
        (first, second, *(f"{count:,}" for count in (*pair["wrong"], *pair["right"])))
        for pair in found["pairs"]
        for first, second in [pair["agencies"]]
    ]
    return Table(("one", "other", "one's given to other", "other's given to one", "one's right", "other's right"), lines, words=2)


def risk(found: Figures) -> Table:
    """Say what each tenth more of automatic routing would cost in wrong ones."""
    lines = []
    for wanted in range(10, 101, 10):
        point = next((point for point in found["risk_coverage"] if point["coverage"] >= wanted / 100 - 1e-9), None)
        if point:
            lines.append((percent(point["coverage"], 0), percent(point["risk"]), percent(point["confidence"])))
    return Table(("sent, most certain first", "wrong among them", "certainty of the last"), lines, words=0)


def reliability(found: Figures) -> Table:
    """Say how often answers of each certainty were right."""
    lines = [
        (percent(item["confidence"]), percent(item["accuracy"]), interval(item["accuracy_interval"]), f"{item['rows']:,}")
        for item in found["reliability"]
    ]
    return Table(("so sure", "so often right", "95 % interval", "complaints"), lines, words=0)


def taken_away(found: Figures) -> Table:
    """Compare accuracy where something was taken away from the complaints."""
    whole = ("all as they are", f"{found['rows']:,}", percent(found["accuracy"]), interval(found["accuracy_interval"]))
    rest = [
        (name, f"{item['rows']:,}", percent(item["accuracy"]), interval(item["accuracy_interval"]))
        for name, item in found.get("taken_away", {}).items()
    ]
    return Table(("complaints", "rows", "accuracy", "95 % interval"), [whole, *rest])


def slices(found: Figures, *, worse_only: bool = False) -> Table:
    """Show what complaints of each kind get; `worse_only` those that fare worse than the rest, beyond chance."""
    lines = [
        (
            f"{item['kind']}: {item['name']}" + (" *" if item["worse"] and not worse_only else ""),
            f"{item['rows']:,}",
            percent(item["accuracy"]),
            interval(item["accuracy_interval"]),
            percent(item["auto"]["coverage"]),
            percent(item["auto"]["error"]) if item["auto"]["sent"] else "none sent",
            interval(item["auto"]["error_interval"]) if item["auto"]["sent"] else "",
        )
        for item in found["slices"]
        if item["worse"] or not worse_only
    ]
    return Table(("complaints", "rows", "accuracy", "95 % interval", "sent by itself", "wrong of these", "95 % interval"), lines)


def rules(found: Figures) -> Table:
    """Say what each rule of authority did: right answers without it and with it."""
    lines = [
        (
            item["id"],
            ("on" if item["on"] else "off") + ("" if item["moves"] else ", asks for review"),
            f"{item['fired']:,}",
            f"{item['right_without']:,}",
            f"{item['right_with']:,}",
            f"{item['right_with'] - item['right_without']:+,}",
        )
        for item in found.get("rules", ())
    ]
    return Table(("rule", "state", "fired", "right without", "right with", "gain"), lines, words=2)


def reasons(found: Figures) -> Table:
    """Count why complaints were not sent by themselves; one may have several reasons."""
    counts = found.get("reasons", {})
    return Table(
        ("reason", "complaints", "share"), [(name, f"{count:,}", percent(count / found["rows"])) for name, count in counts.items()]
    )


def aspects(found: Figures) -> Table:
    """Say how well kind, wrongdoing, what is missing, no complaint and emergencies are told, each on rows not trained on."""
    measured = found.get("aspects", {})
    lines = [
        (name, f"{item['rows']:,}", percent(item["precision"], 0), percent(item["recall"], 0), f"{item['f1']:.2f}")
        for name, item in measured.items()
        if isinstance(item, Mapping) and "precision" in item and name not in measured.get("left_out", ())
    ]
    return Table(("aspect", "complaints", "precision", "recall", "F1"), lines)


def _name(found: Figures, agency: str) -> str:
    return str(found.get("agencies", {}).get(agency, ""))
