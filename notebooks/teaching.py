"""The teacher's page: `python notebooks/teaching.py` writes notebooks/TEACHING.md.

    python notebooks/teaching.py                    write the page
    python notebooks/teaching.py --check            is the page in step? (nothing is written)
    python notebooks/teaching.py --measure [NN…]    execute lessons, time them, write the page

Titles and minutes come from the lessons' sources, exercises and common mistakes from
`dreamkit.exercises`, seconds from notebooks/timings.json; plans, questions and warnings are written
by hand in notebooks/teaching_notes.md.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.append(str(HERE))  # so that this file can be imported as well as run

import build

from dreamkit.exercises import Exercise, all_exercises, check

PAGE, NOTES, TIMINGS = HERE / "TEACHING.md", HERE / "teaching_notes.md", HERE / "timings.json"
PARTS = {"Plan": "Plan (minutes)", "Show": "Show", "Ask": "Ask", "Expect": "Expect"}
_PLAN = re.compile(r"- (\d+) · \S")


@dataclass(frozen=True)
class Lesson:
    """What a lesson's source says of it: "09", "The photo matters", 30."""

    number: str
    title: str
    minutes: int
    stem: str


def lessons() -> list[Lesson]:
    """The lessons there are, in order. ValueError for an opening without a title or minutes."""
    found = []
    for source in build.sources():
        opening = build.read(source).cells[0].source
        title, minutes = (
            re.match(r"# (\d\d[a-z]?) · (.+)", opening),
            re.search(r"\*\*Minutes:\*\*\D*(\d+)", opening),
        )
        if not (title and minutes):
            raise ValueError(f"{source.name} opens without '# NN · Title' or without its minutes")
        found.append(Lesson(title[1], title[2].strip(), int(minutes[1]), source.stem))
    return found


def notes(text: str) -> dict[str, dict[str, str]]:
    """{"course": {"": text}, "09": {"Plan": …, "Show": …}} of the hand-written notes.

    ValueError for a heading it does not know.
    """
    found: dict[str, dict[str, str]] = {}
    for section in re.split(r"^## ", text, flags=re.MULTILINE)[1:]:
        head, _, body = section.partition("\n")
        first, *parts = re.split(r"^### ", body, flags=re.MULTILINE)
        written = {"": first.strip()} if first.strip() else {}
        for part in parts:
            name, _, content = part.partition("\n")
            if name.strip() not in PARTS:
                raise ValueError(
                    f"notes of {head.strip()}: unknown part {name.strip()!r}; there are "
                    f"{', '.join(PARTS)}"
                )
            written[name.strip()] = content.strip()
        found[head.strip()] = written
    return found


def planned(plan: str) -> int:
    """The minutes of a plan: the sum of its lines "- 5 · what is done"."""
    return sum(int(minutes) for minutes in _PLAN.findall(plan))


def page() -> str:
    """The whole of TEACHING.md."""
    written, timings = notes(NOTES.read_text(encoding="utf-8")), measured()
    found, exercises = lessons(), all_exercises().values()
    parts = [
        "# Teaching this course",
        "*Made by `python notebooks/teaching.py`; do not edit. The words are in "
        "`teaching_notes.md`.*",
        written["course"][""],
        _overview(found, exercises, timings),
    ]
    for lesson in found:
        parts.append(
            _plan(
                lesson,
                [e for e in exercises if e.lesson == lesson.number],
                written.get(lesson.number, {}),
            )
        )
    parts += [
        "## Common mistakes",
        "What each exercise takes for a mistake, and what it then says. A student sees the "
        "message only; "
        "the left column is for you.",
    ]
    parts += [
        _mistakes(exercise)
        for exercise in exercises
        if exercise.lesson in {lesson.number for lesson in found}
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def _overview(found: list[Lesson], exercises, timings: dict[str, dict]) -> str:
    rows = ["| lesson | minutes | exercises | runs in | longest cell |", "|---|---|---|---|---|"]
    for lesson in found:
        own = [e for e in exercises if e.lesson == lesson.number]
        time = timings.get(lesson.stem)
        runs, longest = (
            (f"{time['seconds']:.0f} s", f"{time['longest']:.0f} s")
            if time
            else ("not measured", "")
        )
        rows.append(
            f"| {lesson.number} · {lesson.title} | {lesson.minutes} | {len(own)} in "
            f"{sum(e.minutes for e in own)} min "
            f"| {runs} | {longest} |"
        )
    total = sum(time["seconds"] for time in timings.values())
    minutes = sum(lesson.minutes for lesson in found)
    return "\n".join(
        [
            "## At a glance",
            "",
            *rows,
            "",
            f"In all {minutes} minutes of class. "
            f"Measured: {len(timings)} of {len(found)} lessons, {total:.0f} s together "
            "(two cores, wall time).",
        ]
    )


def _plan(lesson: Lesson, exercises: list[Exercise], written: dict[str, str]) -> str:
    lines = [
        f"## {lesson.number} · {lesson.title}",
        f"{lesson.minutes} minutes · `{lesson.stem}.ipynb` · "
        f"slides: `python notebooks/build.py --slides {lesson.number}`",
    ]
    lines += [f"### {title}\n\n{written[part]}" for part, title in PARTS.items() if part in written]
    if not written:
        lines.append("No plan is written yet.")
    if exercises:
        rows = [
            f"- {stars(e.difficulty)} {e.title} (`{e.name}`, {e.minutes} min): "
            f"{len(e.mistakes)} mistakes are known, "
            f"[see below](#{anchor(mistakes_title(e))})"
            for e in exercises
        ]
        lines += ["### Exercises", "\n".join(rows)]
    return "\n\n".join(lines)


def _mistakes(exercise: Exercise) -> str:
    rows = [
        f"### {mistakes_title(exercise)}",
        "",
        "| the mistake | what the student reads |",
        "|---|---|",
    ]
    rows += [
        f"| {cell(mistake.what)} | {cell(check(exercise.name, mistake.answer).message)} |"
        for mistake in exercise.mistakes
    ]
    return "\n".join(rows)


def mistakes_title(exercise: Exercise) -> str:
    return f"Lesson {exercise.lesson}: {exercise.title}"


def anchor(title: str) -> str:
    """The link to a heading as GitHub makes it: lower case, no punctuation, hyphens for spaces."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


def stars(difficulty: int) -> str:
    return "★" * difficulty + "☆" * (3 - difficulty)


def cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")


def measured() -> dict[str, dict]:
    """The last measured times: {stem: {"seconds": whole lesson, "longest": slowest cell}}."""
    return json.loads(TIMINGS.read_text(encoding="utf-8")) if TIMINGS.exists() else {}


def measure(numbers: list[str]) -> None:
    """Executes the lessons and notes their seconds, to the tenth."""
    known = measured()
    for source in build.sources(numbers):
        seconds = build.execute(build.read(source)).seconds.values()
        known[source.stem] = {"seconds": round(sum(seconds), 1), "longest": round(max(seconds), 1)}
        print(f"{source.stem}: {sum(seconds):.1f} s")
        TIMINGS.write_text(
            json.dumps(dict(sorted(known.items())), indent=1) + "\n", encoding="utf-8"
        )


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "numbers", nargs="*", metavar="NN", help="lessons to measure; all if none are given"
    )
    parser.add_argument("--check", action="store_true", help="only say whether the page is in step")
    parser.add_argument(
        "--measure", action="store_true", help="execute lessons and note how long they take"
    )
    options = parser.parse_args(arguments)
    if options.check:
        late = not PAGE.exists() or PAGE.read_text(encoding="utf-8") != page()
        print(
            "notebooks/TEACHING.md is not in step; run: python notebooks/teaching.py"
            if late
            else "notebooks/TEACHING.md is in step"
        )
        return int(late)
    if options.measure:
        measure(options.numbers)
    PAGE.write_text(page(), encoding="utf-8")
    print(f"wrote notebooks/{PAGE.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
