"""One student's earlier notebooks, graded and made fit to be loaded by later ones."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from autograder.grading import in_kernel_pairs
from autograder.grading.beside import bare, digest_of, seen_by
from autograder.grading.given_cells import modules_written_by
from autograder.grading.grade import grade
from autograder.grading.job import Job
from autograder.grading.material import Material, Name
from autograder.grading.prerequisites import Loadable, instructors, loadable
from autograder.judge.caches import Pair, pairs_for
from autograder.judge.kernel import Kernel, KernelDied, KernelLimits
from autograder.judge.registry import checks_for
from autograder.judge.results import GradedNotebook
from autograder.judge.student import Student, StudentError
from autograder.judge.zygote import Zygote
from autograder.notebook.template import Template

LOAD_SECONDS = 15.0  # imports and definitions take a fraction of one


@dataclass
class EarlierWork:
    """What a student's notebooks find when they load earlier ones.

    ``handed_in`` holds the student's notebooks by file name, earlier assignments' too. A notebook
    that has no entry in ``verdicts`` yet is graded when it is needed, and has one from then on;
    ``attempts`` are the numbers of these hand-ins.
    """

    material: Material
    student: str
    handed_in: dict[str, bytes]
    zygote: Callable[[], Zygote]
    verdicts: dict[Name, GradedNotebook] = field(default_factory=dict)
    loadable: dict[Name, Loadable] = field(default_factory=dict)  # what has been made ready
    attempts: dict[Name, int] = field(default_factory=dict)

    def files_for(self, template: Template) -> tuple[dict[str, bytes], tuple[str, ...]]:
        """The notebooks to put beside one that is graded, and what of them is the instructor's."""
        needed = self.material.needs(template)
        files, notes = {**self._modules(needed), **self.as_handed_in(template)}, []
        for name in needed:
            ready = self._loadable(name)
            if ready.content:
                files[f"{name[1]}.ipynb"] = ready.content
            notes += ready.notes
        return files, tuple(notes)

    def as_handed_in(self, template: Template) -> dict[str, bytes]:
        """What this notebook can see, all of it the student's; of notebooks the bare sources."""
        of_course = {name[1]: self.material.templates[name] for name in self.material.templates}
        files = {}
        for name, data in self.seen_by(template).items():
            stem = name.removesuffix(".ipynb")
            if stem == name:
                files[name] = data
            elif content := bare(data, of_course.get(stem)):
                files[name] = content
        return files

    def seen_by(self, template: Template) -> dict[str, bytes]:
        """The student's files that this notebook can see, as they were handed in."""
        own = self.handed_in.get(f"{template.notebook}.ipynb")
        needed = [notebook for _, notebook in self.material.needs(template)]
        return seen_by(template.notebook, own, self.handed_in, needed)

    def _modules(self, names: Iterable[Name]) -> dict[str, bytes]:
        """What notebooks may import: modules that their cells write, or that were handed in."""
        found: dict[str, bytes] = {}
        for _, notebook in names:
            found |= modules_written_by(self.handed_in.get(f"{notebook}.ipynb", b""))
        return found | {n: data for n, data in self.handed_in.items() if n.endswith(".py")}

    def _loadable(self, name: Name) -> Loadable:
        if name not in self.loadable:
            self.loadable[name] = self._prepare(name)
        return self.loadable[name]

    def _prepare(self, name: Name) -> Loadable:
        notebook = name[1]
        own = self.handed_in.get(f"{notebook}.ipynb")
        solved = self.material.solved.get(name)
        if solved is None:  # without solutions there is nothing to replace anything with
            return Loadable(bare(own, self.material.templates[name]) if own else b"")
        template = self.material.templates[name]
        if not own:
            return loadable(template, None, solved)
        course = self.material.course
        checks, pairs = checks_for(*name, course), pairs_for(*name, course)
        graded, misfits = self._graded(name), set[str]()
        while True:  # each turn but the last finds another misfit
            ready = loadable(template, graded, solved, checks, pairs, misfits)
            if not ready.doubtful:
                return ready
            files = self._modules([*self.loadable, name])
            files |= {f"{n}.ipynb": loaded.content for (_, n), loaded in self.loadable.items()}
            files[f"{notebook}.ipynb"] = ready.content
            found = self._tried(template, files, pairs if ready.notes else ())
            mixed = ", with the instructor's part in it" if ready.notes else ""
            if found is None:
                return instructors(notebook, solved, f"could not be loaded{mixed}")
            if not found:
                return ready
            if found <= misfits:
                return instructors(notebook, solved, f"did not work{mixed}")
            misfits |= found

    def _graded(self, name: Name) -> GradedNotebook:
        if name not in self.verdicts:
            template = self.material.templates[name]
            files, notes = self.files_for(template)
            own = self.handed_in[f"{template.notebook}.ipynb"]
            job = Job(
                student=self.student,
                template=template,
                submission=own,
                checks=checks_for(*name, self.material.course),
                course=self.material.course,
                secret=self.material.secret,
                files=files,
                handed_in=digest_of(own, self.seen_by(template)),
                attempt=self.attempts.get(name, 1),
                substituted=notes,
                signatures=self.material.signatures,
            )
            self.verdicts[name] = grade(job, self.zygote())
        return self.verdicts[name]

    def _tried(
        self, template: Template, files: dict[str, bytes], pairs: Sequence[Pair]
    ) -> set[str] | None:
        """The forward functions whose backward ones do not go with them, in a kernel of its own.

        None where the definitions of the notebook do not run to their end.
        """
        limits = KernelLimits(cell_seconds=LOAD_SECONDS, call_seconds=LOAD_SECONDS)
        kernel = Kernel(self.zygote().fork(files=files, packages=template.packages()), limits)
        asked = [(pair.forward, pair.backward, pair.arguments, pair.wrt) for pair in pairs]
        try:
            student = Student(kernel, {})
            found = student.apply(
                in_kernel_pairs.misfits, template.notebook, asked, seconds=LOAD_SECONDS
            )
        except (KernelDied, StudentError):
            return None
        finally:
            kernel.close()
        # The kernel may answer anything; what it says can only bring it the instructor's.
        names = {pair.forward for pair in pairs}
        if not isinstance(found, list | tuple):
            return names
        return {name for name in found if isinstance(name, str)} & names
