"""One student's earlier notebooks, graded and made fit to be loaded by later ones."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from autograder.grading.grade import Job, grade
from autograder.grading.material import Material, Name
from autograder.grading.prerequisites import Loadable, instructors, loadable
from autograder.judge.kernel import Kernel, KernelDied, KernelLimits
from autograder.judge.registry import checks_for
from autograder.judge.results import GradedNotebook
from autograder.judge.zygote import Zygote
from autograder.notebook.template import Template

LOAD_SECONDS = 15.0  # imports and definitions take a fraction of one


@dataclass
class EarlierWork:
    """What a student's notebooks find when they load earlier ones.

    ``handed_in`` holds the student's notebooks by file name, earlier assignments' too. A notebook
    that has no entry in ``verdicts`` yet is graded when it is needed, and has one from then on.
    """

    material: Material
    student: str
    handed_in: dict[str, bytes]
    zygote: Callable[[], Zygote]
    verdicts: dict[Name, GradedNotebook] = field(default_factory=dict)
    loadable: dict[Name, Loadable] = field(default_factory=dict)  # what has been made ready

    def files_for(self, template: Template) -> tuple[dict[str, bytes], tuple[str, ...]]:
        """The notebooks to put beside one that is graded, and what of them is the instructor's."""
        files, notes = dict(self.handed_in), []
        for name in self.material.needs(template):
            ready = self._loadable(name)
            if ready.content:
                files[f"{name[1]}.ipynb"] = ready.content
            notes += ready.notes
        return files, tuple(notes)

    def _loadable(self, name: Name) -> Loadable:
        if name not in self.loadable:
            self.loadable[name] = self._prepare(name)
        return self.loadable[name]

    def _prepare(self, name: Name) -> Loadable:
        notebook = name[1]
        own = self.handed_in.get(f"{notebook}.ipynb")
        solved = self.material.solved.get(name)
        if solved is None:  # without solutions there is nothing to put in the place of anything
            return Loadable(own or b"")
        template = self.material.templates[name]
        ready = loadable(template, self._graded(name) if own else None, solved)
        files = {f"{n}.ipynb": loaded.content for (_, n), loaded in self.loadable.items()}
        files[f"{notebook}.ipynb"] = ready.content
        if own and ready.doubtful and not self._can_be_loaded(template, files):
            return instructors(notebook, solved, "could not be loaded")
        return ready

    def _graded(self, name: Name) -> GradedNotebook:
        if name not in self.verdicts:
            template = self.material.templates[name]
            files, notes = self.files_for(template)
            own = self.handed_in[f"{template.notebook}.ipynb"]
            secret = self.material.secret
            job = Job(
                student=self.student,
                template=template,
                submission=own,
                checks=checks_for(*name),
                secret=secret,
                files=files,
                substituted=notes,
                signatures=self.material.signatures,
            )
            self.verdicts[name] = grade(job, self.zygote())
        return self.verdicts[name]

    def _can_be_loaded(self, template: Template, files: dict[str, bytes]) -> bool:
        """Whether its definitions run to their end, in a kernel of their own."""
        limits = KernelLimits(cell_seconds=LOAD_SECONDS)
        kernel = Kernel(self.zygote().fork(files=files, packages=template.packages()), limits)
        try:
            asks = f"from cs231n_lib.notebooks import load\nload({template.notebook!r});"
            return kernel.run_cell(asks).ok
        except KernelDied:
            return False
        finally:
            kernel.close()
