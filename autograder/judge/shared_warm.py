"""One warm process of a kind for all workers of a machine: each gets a twin of it.

What is started here forks no kernel. It is there to be forked, so that its imports are made once
and are in memory once, however many workers there are.
"""

from __future__ import annotations

import threading
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from autograder.host.warm_process import WarmProcess
from autograder.judge.warm import policy_here
from autograder.sandbox.policy import Library, Packages, Policy, SandboxError


class SharedWarm:
    """Context manager. ``launched``: a process that has been started with these packages already.

    How this host isolates is found out in the background, at once.
    """

    def __init__(
        self,
        tier: str | None,
        packages: Packages,
        library: Library,
        launched: WarmProcess | None = None,
    ) -> None:
        self._library = library
        self._pool = ThreadPoolExecutor(1, "policy")
        self._policy = self._pool.submit(policy_here, tier, packages, library)
        self._lock = threading.Lock()
        self._warm: dict[Packages, WarmProcess] = {}
        self._asking: dict[Packages, threading.Lock] = defaultdict(threading.Lock)
        self._closed = False
        if launched is not None:
            self._warm[packages] = launched

    def __enter__(self) -> SharedWarm:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def twin(self, packages: Packages) -> tuple[WarmProcess, Policy]:
        """A process of one's own, as warm as the others, and its policy. Raises SandboxError."""
        policy = self._policy.result()
        with self._lock:
            asking = self._asking[packages]
        with asking:  # one request at a time; the first waits for the imports
            return self._living(packages).twin(), replace(policy, packages=packages)

    def close(self) -> None:
        """End them; what still imports is not waited for. Twins live on. Idempotent."""
        with self._lock:
            self._closed = True
            started = dict(self._warm)
        for process in started.values():
            process.kill()  # there is nothing in it to be saved, and who waits for it is told
        self._pool.shutdown()
        for packages, process in started.items():
            with self._asking[packages]:
                process.close()

    def _living(self, packages: Packages) -> WarmProcess:
        """One to take twins of, started anew where it has died."""
        with self._lock:
            if self._closed:
                raise SandboxError("zygote", "grading has ended")
            known = self._warm.get(packages)
            if known is None or known.died(0.0):
                if known is not None:
                    known.close()
                known = WarmProcess.launch(packages, library=self._library)
                self._warm[packages] = known
            return known
