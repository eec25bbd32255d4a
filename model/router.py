"""The way of a complaint: from its text to a routing. Pure: no clock, no database, no network."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Self

from model import artifact as artifacts
from model.artifact import Artifact, ArtifactError
from model.aspect_facts import Case
from model.aspects import Aspects, Findings
from model.complaint import Complaint
from model.faults import InvalidData
from model.matters import several
from model.place import unit_of
from model.policy import MAX_CANDIDATES, Policy
from model.reader import Reader, Reading
from model.register import Agency
from model.reliability import Reliability
from model.routing import Decision, FiredRule, Reason, Routing
from model.scorer import Arrays, Scorer, Scores

MAX_PLACES = 30
"""Places that a routing names, the first in the text: a text of nothing but names would make one of eight times its own length."""


class Router:
    """Answers who is responsible. Read-only after construction; threads share one."""

    def __init__(self, artifact: Artifact) -> None:
        """Compile an artifact. Raises SalurError where its parts do not fit each other or this program."""
        manifest = artifact.manifest
        self.version = artifact.version
        self.register = artifact.register
        self.manifest: Mapping[str, Any] = manifest
        self.reader = Reader(artifact.register)
        if self.reader.analyzer.stemmer.digest != manifest.get("stemmer"):
            remedy = "`make retrain` trains one with this, and says how to put it live"
            raise ArtifactError(f"{self.version}: trained with another stemmer, dictionary or lexicon; {remedy}")
        agencies = manifest["agencies"]
        if unknown := sorted(set(agencies) - self.register.by_id.keys()):
            raise ArtifactError(f"{self.version}: agencies that its register does not have: {', '.join(unknown)}")
        self.scorer = Scorer(artifact.vocabulary, Arrays.of(artifact.arrays, len(artifact.vocabulary), len(agencies)), agencies)
        self._aspects = Aspects.from_dict(manifest["aspects"])
        self._aspects.fits(agencies, len(artifact.arrays["bias"]) - len(agencies))
        self._reliability = Reliability.from_dict(manifest["reliability"])
        self.policy = Policy.from_dict(manifest["policy"])

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Load and verify a version's folder. Raises SalurError: a digest, a format, a stemmer that is not right."""
        try:
            return cls(artifacts.load(folder))
        except InvalidData as error:  # its digests are right: an earlier program, which trained it, took what this one refuses
            raise ArtifactError(f"{folder}: mend the region's own folder and train again, for its copy says {error}") from error
        except KeyError as error:
            raise ArtifactError(f"{folder}: {error} is missing from the manifest or the arrays") from error
        except (TypeError, ValueError, AttributeError, IndexError, OverflowError) as error:
            raise ArtifactError(f"{folder}: manifest and arrays are not as training writes them: {error}") from error

    def route(self, complaint: Complaint, *, evidence: bool = True) -> Routing:
        """Answer who is responsible, how sure that is, and whether a person must look first.

        Without `evidence` the words that decided are left out, which saves about a fifth of the time.
        """
        return self.route_all([complaint], evidence=evidence)[0]

    def route_all(self, complaints: Sequence[Complaint], *, evidence: bool = True) -> list[Routing]:
        """Route several complaints, each as `route` does.

        Step by step rather than one by one: what a step works with stays in the processor's caches, which saves a fifth.
        """
        readings = [self.reader.read(complaint) for complaint in complaints]
        scores = [self.scorer.scores(reading.matter) for reading in readings]
        return [self._judge(*pair, evidence) for pair in zip(readings, scores, strict=True)]

    def _judge(self, reading: Reading, scores: Scores, evidence: bool) -> Routing:
        words = reading.matter
        moved, fired = self.reader.apply_rules(self.scorer.ranked(scores), reading)
        candidates = self._reliability.recalibrate(moved[:MAX_CANDIDATES])
        first = self.register.by_id[candidates[0].agency]
        case = Case(reading.complaint, reading.words, reading.found, reading.place, scores.probabilities)
        findings = self._aspects.read(scores.columns[len(self.scorer.agencies) :], case)
        unit = unit_of(first, reading.place, self.register)
        reasons = [
            *self.policy.doubts(candidates, len(words), scores.known),
            *_objections(reading, fired, findings, first),
        ]
        if not reasons and several(reading, self.scorer, scores):  # last, because it costs most
            reasons.append(Reason.SEVERAL_MATTERS)
        missing = findings.missing
        if first.per and not unit:
            reasons.append(Reason.PLACE_NEEDED)
            missing = tuple(dict.fromkeys(("lokasi", *missing)))
        return Routing(
            decision=_decide(reasons),
            agency=first.id,
            unit=unit,
            candidates=candidates,
            reasons=tuple(reasons),
            missing=missing,
            kind=findings.kind,
            oversight=findings.oversight,
            kecamatan=reading.place.kecamatan,
            desa=reading.place.desa,
            places=reading.found[:MAX_PLACES],
            rules=fired,
            evidence=self.scorer.evidence(words, scores, *(candidate.agency for candidate in candidates[:2])) if evidence else (),
            guarantee=self.policy.guarantee(first.id),
            model_version=self.version,
            listed=self.policy.listed(candidates),
            emergency=self.reader.what_to_do(reading) if findings.emergency else "",
        )


def _decide(reasons: Sequence[Reason]) -> Decision:
    """Ask where nothing but the place is wanting; where anything else is, a person looks."""
    if not reasons:
        return Decision.AUTO
    return Decision.ASK if set(reasons) == {Reason.PLACE_NEEDED} else Decision.REVIEW


def _objections(reading: Reading, fired: Sequence[FiredRule], findings: Findings, first: Agency) -> Iterator[Reason]:
    """Say what speaks against sending it by itself, however sure the model is."""
    if reading.place.conflict:
        yield Reason.PLACE_CONFLICT
    if any(not rule.agency for rule in fired):
        yield Reason.AUTHORITY_CONFLICT
    if findings.oversight:
        yield Reason.OVERSIGHT
    if reading.complaint.confidential:
        yield Reason.CONFIDENTIAL
    if not findings.is_complaint:
        yield Reason.NOT_A_COMPLAINT
    if not first.active_on(reading.complaint.received_at):
        yield Reason.AGENCY_INACTIVE
