"""What the desk decided that names of another system mean: remembered, so that next week's export asks only about new ones."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from sqlalchemy import Connection, insert, select, update
from sqlalchemy.exc import IntegrityError

from model.register import Register
from service.clock import now
from service.imports.name_proposals import MAX_NAME, is_region, plain
from service.storage.tables import name_mapping

LEFT = "-"
"""Target of a name that is none of ours: its complaints are left where they are."""
OPEN = "?"
"""Target of a name that is nobody in particular, such as the whole government: its complaints wait for a decision."""
MAX_CATEGORY = 200


@dataclass(frozen=True)
class Targets:
    """The mapping of a source: (name, category) as compared -> agency, LEFT or OPEN. An empty category fits every one."""

    known: Mapping[tuple[str, str], str] = field(default_factory=dict)

    def of(self, name: str, category: str = "") -> str:
        """Answer what a name means; empty where nobody decided yet. The whole government is nobody in particular until told."""
        key = plain(name)
        found = self.known.get((key, plain(category)[:MAX_CATEGORY])) or self.known.get((key, ""))
        return found or (OPEN if is_region(name) else "")

    def exactly(self, name: str, category: str = "") -> str:
        """Answer what was decided for this very name and category, and nothing else."""
        return self.known.get((plain(name), plain(category)[:MAX_CATEGORY]), "")


def load(connection: Connection, source: str) -> Targets:
    """Read the mapping of a source."""
    rows = connection.execute(
        select(name_mapping.c.name, name_mapping.c.category, name_mapping.c.agency).where(name_mapping.c.source == source)
    )
    return Targets({(row.name, row.category): row.agency for row in rows})


def save(connection: Connection, source: str, decided: Mapping[tuple[str, str], str], by: int) -> int:
    """Remember what names mean; an empty target forgets a name's category. Answers how many changed."""
    before = load(connection, source).known
    changed = 0
    for (written, topic), target in sorted(decided.items()):  # in one order, or two who save would wait for each other
        key = (plain(written)[:MAX_NAME], plain(topic)[:MAX_CATEGORY])
        if before.get(key, "") == target:
            continue
        values = {"agency": target, "decided_at": now(), "decided_by": by}
        where = (name_mapping.c.source == source, name_mapping.c.name == key[0], name_mapping.c.category == key[1])
        new = insert(name_mapping).values(source=source, name=key[0], category=key[1], **values)
        try:
            with connection.begin_nested():
                connection.execute(update(name_mapping).where(*where).values(values) if key in before else new)
        except IntegrityError:  # the same form, sent twice at once
            connection.execute(update(name_mapping).where(*where).values(values))
        changed += 1
    return changed


def wrong_targets(targets: Iterable[str], register: Register) -> list[str]:
    """Answer those targets that are neither an agency of the register nor LEFT, OPEN or empty."""
    return [target for target in targets if target not in ("", LEFT, OPEN) and target not in register.by_id]
