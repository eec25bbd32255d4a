"""The review: who may decide what, that it is decided once, and that it can be taken back. On both databases."""

from __future__ import annotations

import datetime as dt
import threading
from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select, update

from service.clock import WorkCalendar, now
from service.complaints import claims, retention, review
from service.complaints.review import AlreadyDecided, Choice, Claimed, NotFound, NotPossible
from service.desk import cases, waiting
from service.desk.waiting import Cursor, Filter
from service.storage.database import Database
from service.storage.tables import audit_log, complaint, decision, routing, standing, verdict
from tests.service.conftest import officer

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.service.conftest import Api

pytestmark = pytest.mark.parametrize("database_url", ["sqlite", "postgresql"], indirect=True)
MINUTES = 10
TODAY = dt.date(2026, 3, 4)


@pytest.fixture
def budi(database: Database) -> int:
    """Another officer."""
    return officer(database, "budi", "Budi Santoso")


def arrive(api: Api, *texts: str, **more: Any) -> list[int]:
    """Let complaints arrive; answers their numbers."""
    numbers = []
    for text in texts:
        answer = api.post("/complaints", json={"text": text, "kecamatan": "Bengalon", **more})
        assert answer.status_code == 201, answer.text
        assert answer.json is not None
        numbers.append(answer.json["number"])
    return numbers


def decide(database: Database, number: int, who: int, choice: Choice, seen: int | None = None, **more: Any) -> review.Saved:
    with database.write() as connection:
        return review.decide(connection, number, choice, who, seen, MINUTES, **more)


def state(database: Database, number: int) -> Any:
    with database.read() as connection:
        return connection.execute(select(standing).where(standing.c.complaint_id == number)).one()


def rows(database: Database, table: Any) -> list[Any]:
    with database.read() as connection:
        return list(connection.execute(select(table).order_by(table.c.id)))


def test_a_verdict_is_kept_told_and_logged(api: Api, database: Database, siti: int) -> None:
    (number,) = arrive(api, "lampu jalan mati")
    saved = decide(database, number, siti, Choice("dishub", also=("pln",), note="telepon 081234567890"))
    assert (saved.outcome, saved.agency, saved.again) == ("changed", "dishub", False)
    (kept,) = rows(database, verdict)
    assert (kept.outcome, kept.agency, kept.also, kept.account_id, kept.origin, kept.blind) == (
        "changed",
        "dishub",
        ["pln"],
        siti,
        "desk",
        False,
    )
    assert "081234567890" not in kept.note
    (told,) = rows(database, decision)
    assert (told.decided_by, told.outcome, told.agency, told.verdict_id) == ("person", "changed", "dishub", kept.id)
    logged = rows(database, audit_log)[-1]
    assert (logged.action, logged.object, logged.account_id) == ("decided", f"complaint:{number}", siti)
    assert logged.detail == {"outcome": "changed", "agency": "dishub"}, "and not a word of a note or a question"
    stands = state(database, number)
    assert (stands.state, stands.queue, stands.agency, stands.verdict_id) == ("decided", "", "dishub", kept.id)


def test_the_models_own_agency_confirms_it(api: Api, database: Database, siti: int) -> None:
    (number,) = arrive(api, "sampah di pasar")
    assert decide(database, number, siti, Choice("dlh")).outcome == "confirmed"


@pytest.mark.parametrize(
    ("choice", "becomes"),
    [
        (Choice(outcome="needs-info", missing=("lokasi",), question="Di mana?"), "asked"),
        (Choice(outcome="not-a-complaint"), "closed"),
    ],
)
def test_a_verdict_without_an_agency_moves_the_complaint(
    api: Api, database: Database, siti: int, choice: Choice, becomes: str
) -> None:
    (number,) = arrive(api, "sampah di pasar")
    decide(database, number, siti, choice)
    assert state(database, number).state == becomes
    assert rows(database, decision)[-1].missing == list(choice.missing)


def test_the_seconds_count_from_the_claim(api: Api, database: Database, siti: int) -> None:
    (number,) = arrive(api, "sampah di pasar")
    with database.write() as connection:
        assert claims.take(connection, number, siti, MINUTES)
        opened = now() + dt.timedelta(minutes=MINUTES) - dt.timedelta(seconds=7)
        connection.execute(update(standing).where(standing.c.complaint_id == number).values(claimed_until=opened))
    decide(database, number, siti, Choice("dlh"))
    assert 7 <= rows(database, verdict)[0].seconds < 17
    assert (state(database, number).claimed_by, state(database, number).claimed_until) == (None, None)


def test_what_somebody_has_open_nobody_else_decides(api: Api, database: Database, siti: int, budi: int) -> None:
    (number,) = arrive(api, "sampah di pasar")
    with database.write() as connection:
        assert claims.take(connection, number, siti, MINUTES)
        assert not claims.take(connection, number, budi, MINUTES)
    with pytest.raises(Claimed, match="Siti Aminah"):
        decide(database, number, budi, Choice("dlh"))
    assert rows(database, verdict) == []


def test_who_has_a_complaint_open_may_open_it_again_and_gets_it_as_their_next_but_nobody_else_does(
    api: Api, database: Database, siti: int, budi: int
) -> None:
    first, second = arrive(api, "sampah di pasar", "lampu jalan padam")
    with database.write() as connection:
        assert claims.take(connection, first, siti, MINUTES)
        assert claims.take(connection, first, siti, MINUTES)
        assert claims.take_next(connection, budi, MINUTES) == second
        assert claims.take_next(connection, siti, MINUTES) == first
        assert claims.take_next(connection, budi, MINUTES) == second


def test_what_is_decided_is_held_for_nobody(api: Api, database: Database, siti: int, budi: int) -> None:
    (number,) = arrive(api, "sampah di pasar")
    decide(database, number, siti, Choice("dlh"))
    with database.write() as connection:
        assert not claims.take(connection, number, budi, MINUTES)
        assert claims.take_next(connection, budi, MINUTES) is None


def test_what_was_held_too_long_anybody_decides(api: Api, database: Database, siti: int, budi: int) -> None:
    (number,) = arrive(api, "sampah di pasar")
    with database.write() as connection:
        assert claims.take(connection, number, siti, minutes=-1)
    assert decide(database, number, budi, Choice("dlh")).agency == "dlh"
    assert rows(database, verdict)[0].seconds is None, "how long the other one had it open is not this one's time"


def test_a_claim_ends_by_itself(api: Api, database: Database, siti: int, budi: int) -> None:
    (number,) = arrive(api, "sampah di pasar")
    with database.write() as connection:
        assert claims.take(connection, number, siti, minutes=-1)
        assert claims.take(connection, number, budi, MINUTES)
    assert state(database, number).claimed_by == budi


def test_a_second_opinion_is_told_who_was_first(api: Api, database: Database, siti: int, budi: int) -> None:
    (number,) = arrive(api, "sampah di pasar")
    decide(database, number, siti, Choice("dlh"))
    with pytest.raises(AlreadyDecided, match="Siti Aminah"):
        decide(database, number, budi, Choice("dpupr"))
    assert len(rows(database, verdict)) == 1


def test_the_same_form_twice_is_kept_once(api: Api, database: Database, siti: int) -> None:
    (number,) = arrive(api, "sampah di pasar")
    first = decide(database, number, siti, Choice("dlh", note="cepat"))
    again = decide(database, number, siti, Choice("dlh", note="cepat"))
    assert (again.verdict_id, again.again) == (first.verdict_id, True)
    assert len(rows(database, verdict)) == len(rows(database, decision)) == 1
    with pytest.raises(AlreadyDecided, match="Anda sendiri"):
        decide(database, number, siti, Choice("dlh", note="lain"))


GIVEN = Choice("dlh", also=("pln",), note="cepat")


@pytest.mark.parametrize(
    "other",
    [
        replace(GIVEN, agency="dpupr"),
        replace(GIVEN, unit="Bengalon"),
        replace(GIVEN, also=()),
        replace(GIVEN, also=("dishub",)),
        replace(GIVEN, missing=("lokasi",)),
        replace(GIVEN, question="Di mana?"),
        replace(GIVEN, note=""),
        Choice(outcome="not-a-complaint"),
    ],
)
def test_another_form_is_never_answered_as_if_it_were_kept(api: Api, database: Database, siti: int, other: Choice) -> None:
    (number,) = arrive(api, "sampah di pasar")
    first = decide(database, number, siti, GIVEN)
    for seen in (None, first.verdict_id):  # of a page from before the verdict, or from after it
        with pytest.raises(AlreadyDecided, match="Anda sendiri"):
            decide(database, number, siti, other, seen=seen)
        assert decide(database, number, siti, replace(GIVEN, also=("dlh", "pln")), seen=seen).again
    assert len(rows(database, verdict)) == 1


def test_a_form_from_before_a_colleague_asked_the_reporter_is_not_taken(api: Api, database: Database, siti: int, budi: int) -> None:
    (number,) = arrive(api, "sampah di pasar")
    decide(database, number, siti, Choice(outcome="needs-info", missing=("lokasi",), question="Di mana?"))
    with pytest.raises(AlreadyDecided, match="Siti Aminah"):
        decide(database, number, budi, Choice("dlh"))
    assert state(database, number).state == "asked"


def test_what_was_found_to_be_no_complaint_is_decided_only_after_that_is_undone(api: Api, database: Database, siti: int) -> None:
    (number,) = arrive(api, "sampah di pasar")
    closed = decide(database, number, siti, Choice(outcome="not-a-complaint"))
    with pytest.raises(AlreadyDecided, match="Anda sendiri"):
        decide(database, number, siti, Choice("dlh"), seen=closed.verdict_id)


def test_the_same_form_of_somebody_else_or_of_yesterday_is_not_the_same(api: Api, database: Database, siti: int, budi: int) -> None:
    (number,) = arrive(api, "sampah di pasar")
    decide(database, number, siti, GIVEN)
    with pytest.raises(AlreadyDecided, match="Siti Aminah"):
        decide(database, number, budi, GIVEN)
    with database.write() as connection:
        connection.execute(update(verdict).values(decided_at=now() - dt.timedelta(days=1)))
    with pytest.raises(AlreadyDecided, match="Anda sendiri"):
        decide(database, number, siti, GIVEN)
    with database.write() as connection:
        connection.execute(update(verdict).values(account_id=None))
    with pytest.raises(AlreadyDecided, match="instansi lewat API"):
        decide(database, number, siti, GIVEN)


def test_only_its_own_office_confirms_a_family(api: Api, database: Database, siti: int) -> None:
    here, there = arrive(api, "pak lurah malas", "bu lurah malas")
    assert decide(database, here, siti, Choice("kecamatan", unit="Bengalon")).outcome == "confirmed"
    assert decide(database, there, siti, Choice("kecamatan", unit="Sangatta Utara")).outcome == "changed"


def test_a_verdict_is_told_to_be_somebodys_by_its_own_number(api: Api, database: Database, siti: int, budi: int) -> None:
    given = {who: decide(database, arrive(api, f"sampah {who}")[0], who, Choice("dlh")).verdict_id for who in (siti, budi)}
    with database.read() as connection:
        assert {(who, of): review.is_by(connection, given[of], who) for who in given for of in given} == {
            (siti, siti): True,
            (siti, budi): False,
            (budi, siti): False,
            (budi, budi): True,
        }


def test_a_complaint_that_does_not_exist_is_named_so(database: Database, siti: int) -> None:
    with pytest.raises(NotFound):
        decide(database, 77, siti, Choice("dlh"))
    with database.write() as connection, pytest.raises(NotFound):
        review.undo(connection, 77, 77, siti, MINUTES)


def test_undo_adds_a_row_and_brings_the_complaint_back(api: Api, database: Database, siti: int, budi: int) -> None:
    (number,) = arrive(api, "lampu jalan mati")
    before = state(database, number)
    saved = decide(database, number, siti, Choice("dishub"))
    with database.write() as connection:
        assert review.undo(connection, number, saved.verdict_id, budi, MINUTES) == (number,)
    kept = rows(database, verdict)
    assert [(row.outcome, row.supersedes) for row in kept] == [("changed", None), ("undone", saved.verdict_id)]
    logged = rows(database, audit_log)[-1]
    assert (logged.action, logged.object, logged.detail) == ("undone", f"complaint:{number}", {"verdict": saved.verdict_id})
    assert kept[-1].account_id == logged.account_id == budi, "it is put down to whoever took it back"
    assert [row.outcome for row in rows(database, decision)] == ["changed", "undone"]
    after = state(database, number)
    assert (after.state, after.queue, after.agency, after.rank, after.verdict_id) == (
        before.state,
        before.queue,
        before.agency,
        before.rank,
        None,
    )
    assert after.claimed_by == budi
    with database.write() as connection, pytest.raises(AlreadyDecided, match="dibatalkan"):
        review.undo(connection, number, saved.verdict_id, siti, MINUTES)
    assert decide(database, number, budi, Choice("dpupr")).outcome == "confirmed"


def test_what_is_undone_is_an_emergency_still(api: Api, database: Database, siti: int) -> None:
    (number,) = arrive(api, "kebakaran di pasar")
    before = state(database, number)
    saved = decide(database, number, siti, Choice("dishub"))
    with database.write() as connection:
        review.undo(connection, number, saved.verdict_id, siti, MINUTES)
    assert state(database, number).rank == before.rank


@pytest.mark.parametrize(
    ("decision", "version", "queue"),
    [("ask", "palsu-1", "ask"), ("review", "palsu-1", "review"), ("review", "", "no-model"), ("auto", "palsu-1", "")],
)
def test_what_is_undone_is_where_the_models_answer_had_put_it(
    api: Api, database: Database, siti: int, decision: str, version: str, queue: str
) -> None:
    (number,) = arrive(api, "sampah di pasar")
    with database.write() as connection:
        connection.execute(update(routing).values(decision=decision, model_version=version))
    saved = decide(database, number, siti, Choice("dpupr"))
    with database.write() as connection:
        review.undo(connection, number, saved.verdict_id, siti, MINUTES)
    assert (state(database, number).state, state(database, number).queue) == ("waiting" if queue else "sent", queue)


def test_undoing_a_later_verdict_lets_the_earlier_one_stand(api: Api, database: Database, siti: int) -> None:
    (number,) = arrive(api, "lampu jalan mati")
    asked = decide(database, number, siti, Choice(outcome="needs-info", missing=("lokasi",), question="Di mana?"))
    for _ in range(2):
        answered = decide(database, number, siti, Choice("dishub"), seen=asked.verdict_id)
        with database.write() as connection:
            review.undo(connection, number, answered.verdict_id, siti, MINUTES)
        stands = state(database, number)
        assert (stands.state, stands.verdict_id, stands.agency) == ("asked", asked.verdict_id, "dpupr")


def test_undoing_the_last_of_three_verdicts_lets_the_second_stand(api: Api, database: Database, siti: int) -> None:
    api.post("/complaints", json={"id": "B-1", "text": "lampu jalan mati", "kecamatan": "Bengalon"})
    asked = decide(database, 1, siti, Choice(outcome="needs-info", missing=("lokasi",), question="Di mana?"))
    second = decide(database, 1, siti, Choice("dishub"), seen=asked.verdict_id)
    api.post("/complaints/B-1/outcome", json={"outcome": "bukan-wewenang", "agency": "pln"})
    with database.write() as connection:
        review.undo(connection, 1, state(database, 1).verdict_id, siti, MINUTES)
    stands = state(database, 1)
    assert (stands.state, stands.agency, stands.verdict_id) == ("decided", "dishub", second.verdict_id)


def test_one_verdict_serves_only_those_of_the_group_that_wait(api: Api, database: Database, siti: int) -> None:
    text = "sampah menumpuk di belakang pasar induk sudah seminggu tidak diangkut petugas {}"
    first, sent, asked, closed = arrive(api, *(text.format(end) for end in ("", "pasti", "ya", "bu")))
    decide(database, asked, siti, Choice(outcome="needs-info", missing=("lokasi",), question="Di mana?"))
    decide(database, closed, siti, Choice(outcome="not-a-complaint"))
    assert decide(database, first, siti, Choice("dpupr"), others=[sent, asked, closed]).passed_over == (
        (sent, ""),
        (asked, ""),
        (closed, ""),
    )
    assert [state(database, number).state for number in (sent, asked, closed)] == ["sent", "asked", "closed"]


def test_one_verdict_serves_the_group_and_undo_takes_it_back_whole(api: Api, database: Database, siti: int, budi: int) -> None:
    text = "sampah menumpuk di belakang pasar induk sudah seminggu tidak diangkut petugas {}"
    numbers = arrive(api, *(text.format(end) for end in ("", "ya", "pak", "bu", "dong")))
    (stranger,) = arrive(api, "KTP saya hilang")
    with database.write() as connection:
        assert [review.first_of(connection, number) for number in (*numbers, stranger)] == [numbers[0]] * 5 + [stranger]
        assert claims.take(connection, numbers[4], budi, MINUTES)
    saved = decide(database, numbers[0], siti, Choice("dlh"), others=[*numbers[1:], stranger])
    assert saved.others == tuple(numbers[1:4]), "not what somebody else has open, and not what is no neighbour"
    assert saved.passed_over == ((numbers[4], "Budi Santoso"),)
    assert [state(database, number).state for number in (*numbers, stranger)] == ["decided"] * 4 + ["waiting"] * 2
    with database.write() as connection:
        assert review.undo(connection, numbers[0], saved.verdict_id, siti, MINUTES) == tuple(numbers[:4])
    assert {state(database, number).state for number in numbers} == {"waiting"}


def test_undoing_a_group_leaves_what_of_it_was_purged(api: Api, database: Database, siti: int) -> None:
    text = "sampah menumpuk di belakang pasar induk sudah seminggu tidak diangkut petugas {}"
    older, younger = arrive(api, *(text.format(end) for end in ("", "ya")))
    saved = decide(database, younger, siti, Choice("dlh"), others=[older])
    assert saved.others == (older,)
    with database.write() as connection:
        long_ago = now() - dt.timedelta(days=2_000)
        connection.execute(update(complaint).where(complaint.c.id == older).values(stored_at=long_ago))
    assert retention.purge(database, now() - dt.timedelta(days=1_000)).complaints == 1
    with database.write() as connection:
        assert review.undo(connection, younger, saved.verdict_id, siti, MINUTES) == (younger,)
    assert [state(database, number).state for number in (older, younger)] == ["decided", "waiting"]


def test_undoing_a_group_waits_for_whoever_has_one_of_it_and_holds_none_meanwhile(api: Api, database: Database, siti: int) -> None:
    if database.engine.dialect.name == "sqlite":
        pytest.skip("SQLite has one writer")
    first, second = arrive(api, *(f"lampu jalan di simpang tiga mati lagi malam ini {n}" for n in "ab"))
    given = decide(database, second, siti, Choice("dishub"), others=[first])
    assert given.others == (first,)
    undone: list[Sequence[int]] = []

    def undo() -> None:
        with database.write() as connection:
            undone.append(review.undo(connection, second, given.verdict_id, siti, MINUTES))

    taking_back = threading.Thread(target=undo)
    with database.write() as connection:
        held = select(standing.c.complaint_id).with_for_update()
        connection.execute(held.where(standing.c.complaint_id == first)).one()
        taking_back.start()
        taking_back.join(0.5)
        assert taking_back.is_alive()
        connection.execute(held.where(standing.c.complaint_id == second)).one()  # free: else each would wait for the other
    taking_back.join(10)
    assert undone == [(second, first)]


def test_what_the_agency_returned_waits_at_the_front_again(api: Api, database: Database, siti: int) -> None:
    (fresh,) = arrive(api, "sampah di pasar")
    answer = api.post("/complaints", json={"id": "B-1", "text": "sampah pasti", "kecamatan": "Bengalon"})
    assert answer.json is not None
    assert answer.json["decision"] == "auto"
    assert api.post("/complaints/B-1/outcome", json={"outcome": "bukan-wewenang"}).status_code == 200
    stands = state(database, answer.json["number"])
    assert (stands.state, stands.queue, stands.agency) == ("waiting", "returned", "dlh"), "and its proposal stands again"
    with database.write() as connection:
        assert claims.take_next(connection, siti, MINUTES) == answer.json["number"] > fresh
        review.undo(connection, stands.complaint_id, stands.verdict_id, siti, MINUTES)
    assert state(database, answer.json["number"]).rank > stands.rank, "and no more at the front once that is undone"


def test_skipping_gives_the_next_and_releases_the_last(api: Api, database: Database, siti: int, budi: int) -> None:
    numbers = arrive(api, "sampah di pasar", "jalan rusak", "KTP hilang")
    with database.write() as connection:
        first = claims.take_next(connection, siti, MINUTES)
        assert first == numbers[0]
        claims.release(connection, first, budi)
        assert not claims.take(connection, first, budi, MINUTES), "nobody lets go of what another holds"
        ends = connection.execute(select(standing.c.claimed_until).where(standing.c.complaint_id == first)).scalar_one()
        assert claims.take(connection, first, siti, MINUTES)
        claims.release(connection, first, siti, until=ends.isoformat())
        assert not claims.take(connection, first, budi, MINUTES), "what was opened again since is held still"
        claims.release(connection, first, siti)
        second = claims.take_next(connection, siti, MINUTES, skipped=[first])
        assert second == numbers[1]
        assert claims.take_next(connection, budi, MINUTES) == first
        assert claims.take_next(connection, siti, MINUTES, skipped=numbers) is None


def test_whoever_asks_for_the_next_at_the_same_moment_gets_another_and_waits_for_nobody(
    api: Api, database: Database, siti: int, budi: int
) -> None:
    if database.engine.dialect.name == "sqlite":
        pytest.skip("SQLite has one writer")
    first, second = arrive(api, "sampah di pasar", "lampu jalan padam")
    with database.write() as mine, database.write() as theirs:
        assert claims.take_next(mine, siti, MINUTES) == first
        assert claims.take_next(theirs, budi, MINUTES) == second


def test_two_people_and_two_hundred_complaints_each_decided_once(api: Api, database: Database, siti: int, budi: int) -> None:
    numbers = arrive(api, *(f"sampah di pasar nomor {number}" for number in range(200)))
    done: dict[int, list[int]] = {siti: [], budi: []}
    errors: list[BaseException] = []

    def work(who: int) -> None:
        try:
            with database.write() as connection:
                number = claims.take_next(connection, who, MINUTES)
            while number is not None:
                with database.write() as connection:
                    review.decide(connection, number, Choice("dlh", note=f"oleh {who}"), who, None, MINUTES)
                    done[who].append(number)
                    number = claims.take_next(connection, who, MINUTES)
        except BaseException as error:  # told by the test, not by the thread
            errors.append(error)

    threads = [threading.Thread(target=work, args=(who,)) for who in done]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120)
    assert errors == []
    assert sorted(done[siti] + done[budi]) == sorted(numbers)
    assert done[siti], "one of the two did nothing"
    assert done[budi], "one of the two did nothing"
    per_complaint = Counter(row.complaint_id for row in rows(database, verdict))
    assert set(per_complaint.values()) == {1}
    assert len(per_complaint) == len(rows(database, decision)) == 200
    assert {row.complaint_id: row.account_id for row in rows(database, verdict)} == {
        number: who for who, decided in done.items() for number in decided
    }


def test_two_people_at_the_same_complaint_decide_it_once(api: Api, database: Database, siti: int, budi: int) -> None:
    numbers = arrive(api, *(f"sampah di pasar nomor {number}" for number in range(20)))
    won: list[int] = []
    lost: list[NotPossible] = []
    for number in numbers:
        start = threading.Barrier(2, timeout=60)

        def race(who: int, number: int = number, start: threading.Barrier = start) -> None:
            start.wait()
            try:
                won.append(decide(database, number, who, Choice("dlh" if who == siti else "dpupr")).verdict_id)
            except NotPossible as error:
                lost.append(error)

        threads = [threading.Thread(target=race, args=(who,)) for who in (siti, budi)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
    assert len(won) == len(lost) == len(rows(database, verdict)) == len(numbers)


def test_the_queue_is_read_page_by_page_without_loss(api: Api, database: Database, siti: int) -> None:
    numbers = arrive(api, *(f"sampah di pasar nomor {number}" for number in range(23)))
    seen: list[int] = []
    after: Cursor | None = None
    with database.read() as connection:
        while True:
            page, ahead = waiting.entries(connection, Filter(), TODAY, now(), 10, after, limit=5)
            seen += [entry.id for entry in page]
            if ahead is None:
                break
            after = Cursor.read(str(ahead))
            assert after == ahead
    assert sorted(seen) == sorted(numbers)
    assert len(seen) == len(set(seen))


def test_the_queue_is_filtered_and_counted(api: Api, database: Database, siti: int) -> None:
    arrive(api, "sampah di pasar", "jalan rusak", received_at="2026-02-25T08:00:00+08:00")
    arrive(api, "KTP hilang", kecamatan="Sangatta Utara")
    arrive(api, "jalan pasti rusak")
    today = WorkCalendar(ZoneInfo("Asia/Makassar")).today()
    with database.read() as connection:

        def found(**wanted: str) -> int:
            return len(waiting.entries(connection, Filter.read(wanted), today, now(), 10)[0])

        counts = waiting.count(connection, today)
        assert (counts.total, counts.more, counts.overdue) == (3, False, 2)
        assert counts.agencies == {"disdukcapil": 1, "dlh": 1, "dpupr": 1}
        assert counts.reasons == {"low-confidence": 3}
        assert counts.kecamatan == {"Bengalon": 2, "Sangatta Utara": 1}
        assert found() == 3
        assert found(instansi="dlh") == 1
        assert found(alasan="low-confidence") == 3
        assert found(alasan="oversight") == 0
        assert found(kecamatan="Sangatta Utara") == 1
        assert found(umur="terlambat") == found(umur="7-hari") == found(umur="3-hari") == 2
        assert found(umur="entah") == 3
        assert found(instansi="dlh", kecamatan="Sangatta Utara") == 0


def test_the_queue_is_in_the_order_of_urgency_and_says_who_has_what_open_and_why_it_waits(
    api: Api, database: Database, siti: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    (newer,) = arrive(api, "sampah di pasar")
    (older,) = arrive(api, "jalan rusak, selain itu lampu mati", received_at="2026-02-25T08:00:00+08:00")
    (done,) = arrive(api, "KTP hilang")
    decide(database, done, siti, Choice("disdukcapil"))
    with database.write() as connection:
        assert claims.take(connection, newer, siti, MINUTES)
        assert claims.take(connection, older, siti, minutes=-1)
    with database.read() as connection:
        listed, _ = waiting.entries(connection, Filter(), TODAY, now(), 10)
        assert [(one.id, one.held_by) for one in listed] == [(older, ""), (newer, "Siti Aminah")]
        assert [one.id for one in waiting.entries(connection, Filter(alasan="several-matters"), TODAY, now(), 10)[0]] == [older]
        counts = waiting.count(connection, TODAY)
        assert (counts.total, counts.more, counts.reasons) == (2, False, {"low-confidence": 1, "several-matters": 1})
        monkeypatch.setattr(waiting, "COUNTED", 2)
        assert waiting.count(connection, TODAY).more


def test_the_place_of_a_confidential_emergency_tells_nothing_to_whoever_may_not_open_it(api: Api, database: Database) -> None:
    (ordinary, secret, open_) = (
        *arrive(api, "sampah di pasar"),
        *arrive(api, "kebakaran", confidential=True),
        *arrive(api, "kebakaran"),
    )
    (also_secret,) = arrive(api, "jalan rusak", confidential=True)
    today = WorkCalendar(ZoneInfo("Asia/Makassar")).today()
    with database.read() as connection:

        def listed(*, veiled: bool) -> list[int]:
            first, ahead = waiting.entries(connection, Filter(), today, now(), MINUTES, limit=3, veiled=veiled)
            rest, end = waiting.entries(connection, Filter(), today, now(), MINUTES, ahead, limit=3, veiled=veiled)
            assert end is None
            return [one.id for one in (*first, *rest)]

        assert listed(veiled=False) == [secret, open_, ordinary, also_secret]
        assert listed(veiled=True) == [open_, ordinary, secret, also_secret]


@pytest.mark.parametrize(("days", "late", "today"), [(-1, 0, 0), (0, 0, 1), (1, 1, 0)])
def test_what_is_due_today_is_late_tomorrow(api: Api, database: Database, days: int, late: int, today: int) -> None:
    (number,) = arrive(api, "sampah di pasar")
    day = state(database, number).due + dt.timedelta(days=days)
    with database.read() as connection:
        counts = waiting.count(connection, day)
        found = [len(waiting.entries(connection, Filter(umur=age), day, now(), 10)[0]) for age in ("terlambat", "hari-ini")]
    assert [counts.overdue, counts.today] == found == [late, today]


@pytest.mark.parametrize("text", ["", "1", "~", "1~", "x~1", "1~x", "1e400~1", "nan~1", "1~1" + "0" * 60])
def test_a_broken_cursor_never_breaks_the_queue(api: Api, database: Database, text: str) -> None:
    arrive(api, "sampah di pasar")
    with database.read() as connection:
        assert len(waiting.entries(connection, Filter(), TODAY, now(), 10, Cursor.read(text))[0]) <= 1


def test_only_the_office_that_itself_sent_a_complaint_back_has_refused_it(api: Api, database: Database, siti: int) -> None:
    def read(number: int) -> cases.Case:
        with database.read() as connection:
            found = cases.load(connection, number)
        assert found is not None
        return found

    for name in ("B-1", "B-2"):
        api.post("/complaints", json={"id": name, "text": "pak lurah pasti", "kecamatan": "Bengalon"})
    api.post("/complaints/B-1/outcome", json={"outcome": "accepted"})
    assert read(1).refused_by == frozenset()
    api.post("/complaints/B-2/outcome", json={"outcome": "bukan-wewenang"})
    assert read(2).refused_by == {("kecamatan", "Bengalon")}
    decide(database, 2, siti, Choice("dlh"), seen=state(database, 2).verdict_id)
    assert read(2).refused_by == {("kecamatan", "Bengalon")}
    api.post("/complaints/B-2/outcome", json={"outcome": "bukan-wewenang", "agency": "dpupr"})
    assert read(2).refused_by == {("kecamatan", "Bengalon"), ("dlh", "")}
    (third,) = arrive(api, "sampah di pasar")
    decide(database, third, siti, Choice("dpupr"))
    assert read(third).refused_by == frozenset(), "a person mended it"


def test_like_complaints_that_were_decided_are_shown_but_never_confidential_ones(api: Api, database: Database, siti: int) -> None:
    past = arrive(
        api,
        "tumpukan sampah di belakang pasar induk tidak diangkut",
        "kucing tetangga berisik setiap malam dan sampah",
        "sampah pungli di belakang pasar induk tidak diangkut",
    )
    (secret,) = arrive(api, "tumpukan sampah di belakang pasar induk tidak diangkut", confidential=True)
    for number in (*past, secret):
        decide(database, number, siti, Choice("dlh"))
    (asked,) = arrive(api, "sampah menumpuk di belakang pasar induk sejak lebaran")
    with database.read() as connection:
        case = cases.load(connection, asked)
        assert case is not None
        assert [like.id for like in cases.precedents(connection, case)] == [past[0]]


def test_precedents_are_what_people_decided_of_the_first_two_candidates_the_likest_first(
    api: Api, database: Database, siti: int
) -> None:
    """The candidates are dlh, dishub and then the others."""
    text = "tumpukan sampah di belakang pasar induk tidak diangkut"
    less, more, third, undecided = arrive(api, f"{text} petugas kebersihan kecamatan", text, text, text)
    for number, agency in ((less, "dlh"), (more, "dishub"), (third, "dpupr")):
        decide(database, number, siti, Choice(agency))
    asked, secret = *arrive(api, text), *arrive(api, text, confidential=True)
    with database.read() as connection:

        def found(number: int, *but: int) -> list[int]:
            case = cases.load(connection, number)
            assert case is not None
            return [like.id for like in cases.precedents(connection, case, but)]

        assert found(asked) == found(undecided) == [more, less]
        assert found(asked, more) == [less]
        assert found(more) == [less], "none is its own precedent"
        assert found(secret) == []


def test_of_a_large_group_the_first_and_the_newest_stand_beside_a_complaint(api: Api, database: Database) -> None:
    numbers = arrive(api, *(f"tumpukan sampah di belakang pasar induk tidak diangkut {number}" for number in range(22)))
    with database.read() as connection:
        beside = [member.id for member in cases.members(connection, numbers[-1])]
        assert beside == [*reversed(numbers[2:-1]), numbers[0]]
        assert {review.first_of(connection, number) for number in numbers} == {numbers[0]}


def test_what_a_purged_complaint_became_stays_as_it_is(api: Api, database: Database, siti: int) -> None:
    (past,) = arrive(api, "tumpukan sampah di belakang pasar induk")
    saved = decide(database, past, siti, Choice("dlh"))
    with database.write() as connection:
        connection.execute(update(complaint).where(complaint.c.id == past).values(purged_at=now()))
        with pytest.raises(NotPossible, match="sudah dihapus"):
            review.undo(connection, past, saved.verdict_id, siti, MINUTES)
        with pytest.raises(NotPossible, match="sudah dihapus"):
            review.decide(connection, past, Choice("dpupr"), siti, saved.verdict_id, MINUTES)
    assert state(database, past).state == "decided"


def test_a_purged_complaint_is_nobodys_example(api: Api, database: Database, siti: int) -> None:
    (past,) = arrive(api, "tumpukan sampah di belakang pasar induk tidak diangkut")
    decide(database, past, siti, Choice("dlh"))
    with database.write() as connection:
        connection.execute(update(complaint).where(complaint.c.id == past).values(purged_at=now()))
    (asked,) = arrive(api, "tumpukan sampah belakang pasar induk sejak lebaran")
    with database.read() as connection:
        case = cases.load(connection, asked)
        assert case is not None
        assert cases.precedents(connection, case) == []
