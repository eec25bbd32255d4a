"""What comes in: one complaint, bounded in length, with only its text certain to be there."""

from __future__ import annotations

from dataclasses import dataclass

MAX_TEXT = 20_000
"""Characters of a text that are read; the longest real one seen has under 9,000."""
MAX_TITLE = 500


@dataclass(frozen=True, slots=True)
class Complaint:
    """A citizen's complaint as the form gave it.

    `kecamatan` and `desa` are what the reporter chose in the form, often empty.
    `confidential` is LAPOR!'s *rahasia*: such a report never goes out automatically.
    """

    text: str
    title: str = ""
    kecamatan: str = ""
    desa: str = ""
    id: str = ""
    received_at: str = ""
    confidential: bool = False

    @property
    def fields(self) -> tuple[tuple[str, str], ...]:
        """The parts that are read, each with its name; spans of evidence refer to them."""
        return (("title", self.title[:MAX_TITLE]), ("text", self.text[:MAX_TEXT]))
