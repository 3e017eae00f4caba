"""``python -m autograder``: one verb per stage. No logic here.

Exit status: 0 everything was graded, 1 something needs a human, 2 wrong use.
"""

from __future__ import annotations

import sys
from pathlib import Path

import click

from autograder.cli.add_question import add_question
from autograder.cli.calendar import calendar
from autograder.cli.checks import checks
from autograder.cli.collect import collect
from autograder.cli.command import NEEDS_HUMAN, isolation_option, reports_errors, root_option
from autograder.cli.export import export, gradescope
from autograder.cli.hand_out import hand_out
from autograder.cli.new_course import new_course
from autograder.cli.regrade import regrade
from autograder.cli.similar import similar
from autograder.cli.watch import watch
from cs231n_lib.extras import version


def _show_version(context: click.Context, _option: click.Parameter, wanted: bool) -> None:
    if wanted:
        click.echo(f"autograder {version()}")
        context.exit()


@click.group(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120},
    epilog="Exit status: 0 everything was graded, 1 something needs a human, 2 wrong use.",
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_show_version,
    help="Show the version and exit.",
)
def main() -> None:
    """Release assignments, grade what comes back in isolation, and give feedback.

    Run it in a course folder (the one with source/, release/ and submitted/).
    """


@main.command()
@click.argument("assignments", nargs=-1)
@root_option
@reports_errors
def release(assignments: tuple[str, ...], root: Path) -> None:
    """Generate release/ from source/ (default: every assignment).

    Lists what it writes: the notebooks, and the other files, which are copied unchanged. A file
    that looks like a solution is refused. Sources of an older format, or without ids for their
    cells, are brought up to date first.
    """
    from autograder.authoring.release import release as make

    for path in make(root, assignments or None, click.echo):
        click.echo(path.relative_to(root.resolve()))


@main.command()
@click.argument("assignment")
@click.option(
    "--students", "--student", default="*", metavar="GLOB", help="Only students whose name matches."
)
@click.option("--notebooks", default="*", metavar="GLOB", help="Only notebooks whose name matches.")
@click.option(
    "--workers",
    type=click.IntRange(1),
    help="Processes on this machine. [default: as many as it has cores and memory for]",
)
@click.option(
    "--scheduler", metavar="ADDRESS", help="Grade on the dask cluster with this scheduler instead."
)
@click.option(
    "--gpus",
    is_flag=True,
    help="Give a GPU to notebooks that want one: of this machine, or of the cluster's workers.",
)
@click.option("--force", is_flag=True, help="Grade again what is unchanged.")
@click.option("--json", "as_json", is_flag=True, help="Print verdicts as JSON, nothing else.")
@isolation_option
@root_option
@reports_errors
def grade(
    assignment: str,
    students: str,
    notebooks: str,
    workers: int | None,
    scheduler: str | None,
    gpus: bool,
    force: bool,
    as_json: bool,
    isolation: str | None,
    root: Path,
) -> None:
    """Grade submissions; write autograded/, gradebook, report/.

    Reads submitted/STUDENT/ASSIGNMENT/NOTEBOOK.ipynb. What is graded and unchanged is not graded
    again, so after an interruption the same command continues where it stopped. Written answers
    are left to people, in the formgrader.
    """
    from autograder.cli.grading_start import GradingOptions, started

    if scheduler and workers:
        raise click.UsageError("--workers is for this machine; a cluster has the workers it has")
    options = GradingOptions(workers, scheduler, isolation, gpus, quiet=as_json)
    root = root.resolve()
    with started(root, assignment, options, students, notebooks, force=force) as start:
        if not as_json and (told := start.told(options)):
            click.echo(told)
        from autograder.cli.grade import grade_with_progress  # takes half a second

        done = grade_with_progress(
            root, assignment, students, notebooks, force=force, options=options, start=start
        )
    sys.exit(NEEDS_HUMAN if any(graded.needs_human for graded in done) else 0)


@main.command()
@click.argument("assignment")
@click.option("--student", "students", multiple=True, help="Only this student (repeatable).")
@click.option(
    "--checks/--no-checks",
    default=None,
    help="Show what each check found, or only points and written comments. [default: as last "
    "time; at first --checks]",
)
@click.option(
    "--after",
    metavar="DATE",
    help="Show only points until then: a date or time in the course's time zone, or `now`. "
    "[default: as last time; at first now]",
)
@click.option("--anyway", is_flag=True, help="Exit with 0 even if answers are still unread.")
@click.option(
    "--solutions",
    is_flag=True,
    help="Instead, write the model answers as pages, into solutions/; not before the due date.",
)
@click.option("--early", is_flag=True, help="With --solutions: also before the due date.")
@root_option
@reports_errors
def feedback(
    assignment: str,
    students: tuple[str, ...],
    checks: bool | None,
    after: str | None,
    anyway: bool,
    solutions: bool,
    early: bool,
    root: Path,
) -> None:
    """Write the feedback pages, as students will see them.

    What --checks and --after say is kept for the assignment: the formgrader's button and nbgrader's
    own command follow it too. Pages are made anew each time, so one command in a daily job shows
    the points at once and the rest when the date has come.

    Answers that nobody has read yet are counted in no total, and stderr says how many there are.
    Exit status 1: there are some (unless --anyway), or a page could not be made as it should.

    With --solutions it writes solutions/ASSIGNMENT/, for you to hand out: pages of the source
    notebooks, without rubrics and hidden tests. It refuses to do so before the due date in the
    gradebook (that of whoever was given the most time) and before the date of --after.
    """
    from autograder.feedback.disclosure import set_disclosure, what_is_shown

    if early and not solutions:
        raise click.UsageError("--early is about --solutions")
    if solutions and (students or anyway):
        raise click.UsageError("--solutions are the same for all: no --student, no --anyway")
    root = root.resolve()
    set_disclosure(root, assignment, checks=checks, after=after)
    if solutions:
        from autograder.feedback.solutions import write_solutions

        for path in write_solutions(root, assignment, early=early):
            click.echo(path.relative_to(root))
        return
    from autograder.feedback.pages import write_feedback

    made = write_feedback(root, assignment, students or None)
    report = root / "report" / assignment
    if (report / "index.html").is_file():  # links to the pages that there are now
        from autograder.cli.grade import report_on

        report_on(root, assignment, report, {})
    for path in made.pages:
        click.echo(path.relative_to(root))
    click.echo(what_is_shown(root, assignment, unread=bool(made.unread)), err=True)
    for line in made.warnings():
        click.echo(line, err=True)
    sys.exit(NEEDS_HUMAN if made.problems or (made.unread and not anyway) else 0)


@main.command()
@click.argument("what", nargs=-1, metavar="[ASSIGNMENT | PATH]...")
@click.option("--jobs", type=click.IntRange(1), help="Notebooks at a time (default: as cores).")
@root_option
@reports_errors
def notebooks(what: tuple[str, ...], jobs: int | None, root: Path) -> None:
    """Run source notebooks and compare their outputs.

    Default: all of source/. Each cell runs under nbval; see docs/notebooks.md.
    Exit status 1: a cell is red, that is, it raised an error or its output is not the stored one;
    or nbval is not installed.
    """
    from autograder.cli.notebooks import run_with_summary

    sys.exit(0 if run_with_summary(root.resolve(), what, jobs) else NEEDS_HUMAN)


@main.command()
@click.argument(
    "paths", nargs=-1, required=True, metavar="PATH...", type=click.Path(path_type=Path)
)
@reports_errors
def refresh(paths: tuple[Path, ...]) -> None:
    """Run edited source notebooks and write them back in canonical form.

    Outputs of cells tagged nbval-check-output are stored anew. Cells get names: that of their
    grade_id, or one after their content in place of a random one, which JupyterLab gives and cannot
    change. A notebook in which a cell fails stays as it was.
    """
    from autograder.authoring.refresh import refresh as run

    for path in paths:
        click.echo(f"running {path} ...")
        for old, new in run(path).items():
            click.echo(f"cell {old} is now {new}")
        click.echo(f"refreshed {path}")


@main.command()
@root_option
def doctor(root: Path) -> None:
    """Show which isolation this host offers, and the versions installed.

    And whether the packages that course.toml names can be imported, in a course that has one.
    """
    from autograder.cli.doctor import main as examine

    sys.exit(examine(root.resolve()))


@main.command()
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    default="demo",
    show_default=True,
    help="Where to build it.",
)
@root_option
@reports_errors
def demo(folder: Path, root: Path) -> None:
    """Build a sample class, grade it, and write its report and feedback."""
    from autograder.cli.demo import run_demo

    run_demo(root.resolve(), folder.resolve())


@main.command()
@click.argument("assignment")
@click.argument("notebooks", nargs=-1)
@click.option("--only", default="", help="Only mutants of this function (Class.method, cell ID).")
@click.option("--jobs", type=click.IntRange(1), help="Processes. [default: one per core]")
@click.option("--json", "as_json", is_flag=True, help="Print every mutant as JSON.")
@click.option(
    "--document",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write the tables into this Markdown file.",
)
@root_option
@reports_errors
def mutate(
    assignment: str,
    notebooks: tuple[str, ...],
    only: str,
    jobs: int | None,
    as_json: bool,
    document: Path | None,
    root: Path,
) -> None:
    """Measure the hidden checks: break the solutions in many ways and count what is noticed.

    Exit status 1 when fewer than 97 % of the automatic mutants are noticed, or a hand-written one
    is not.
    """
    from autograder.cli.mutate import mutate as run

    options = {"jobs": jobs, "only": only, "as_json": as_json, "document": document}
    good = run(root.resolve(), assignment, notebooks, **options)
    sys.exit(0 if good else 1)


@main.command()
@click.argument("assignment")
@click.argument("notebooks", nargs=-1)
@click.option("--times", type=click.IntRange(1), default=200, show_default=True)
@click.option(
    "--others",
    type=click.IntRange(0),
    default=20,
    show_default=True,
    help="Times for each correct solution in another style.",
)
@click.option("--jobs", type=click.IntRange(1), help="Processes. [default: one per core]")
@root_option
@reports_errors
def flakes(
    assignment: str,
    notebooks: tuple[str, ...],
    times: int,
    others: int,
    jobs: int | None,
    root: Path,
) -> None:
    """Grade correct solutions, ours and others, with many seeds: does one ever lose a point?"""
    from autograder.cli.mutate import flakes as run

    options = {"times": times, "others": others, "jobs": jobs}
    sys.exit(0 if run(root.resolve(), assignment, notebooks, **options) else 1)


# Those with a module of their own.
for command in (
    add_question,
    calendar,
    checks,
    collect,
    export,
    gradescope,
    hand_out,
    new_course,
    regrade,
    similar,
    watch,
):
    main.add_command(command)
