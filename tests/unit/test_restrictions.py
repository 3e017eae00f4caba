"""A system that refuses user namespaces: users are told which tier is left, why, and what helps."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from autograder.cli import doctor
from autograder.judge import warm
from autograder.sandbox import probe
from autograder.sandbox.policy import OWN_LIBRARY, SandboxError, Tier
from autograder.sandbox.restrictions import user_namespaces_restricted

APPARMOR = "kernel/apparmor_restrict_unprivileged_userns"
DEBIAN = "kernel/unprivileged_userns_clone"
LIMIT = "user/max_user_namespaces"


def settings(root: Path, **values: str) -> Path:
    for name, value in values.items():
        path = root / {"apparmor": APPARMOR, "debian": DEBIAN, "limit": LIMIT}[name]
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{value}\n")
    return root


@pytest.mark.parametrize(
    ("values", "setting", "remedy"),
    [
        ({"apparmor": "1", "limit": "96365"}, "apparmor_restrict_unprivileged_userns is 1", "=0`"),
        ({"debian": "0", "limit": "96365"}, "unprivileged_userns_clone is 0", "=1`"),
        ({"limit": "0"}, "max_user_namespaces is 0", "=10000`"),
    ],
    ids=["Ubuntu 24.04", "Debian 10", "switched off"],
)
def test_names_the_setting_and_what_an_administrator_can_do(
    tmp_path: Path, values: dict[str, str], setting: str, remedy: str
) -> None:
    told = user_namespaces_restricted(settings(tmp_path, **values), superuser=False)
    assert setting in told
    assert "An administrator can allow them, with `sysctl -w " in told
    assert remedy in told


def test_nothing_is_said_where_nothing_restricts(tmp_path: Path) -> None:
    free = settings(tmp_path, apparmor="0", debian="1", limit="96365")
    assert user_namespaces_restricted(free, superuser=False) == ""
    assert user_namespaces_restricted(tmp_path / "an older kernel", superuser=False) == ""
    restricted = settings(tmp_path / "Ubuntu", apparmor="1", limit="96365")
    assert user_namespaces_restricted(restricted, superuser=True) == ""


def on_ubuntu(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, *works: Tier) -> None:
    """An ordinary user of Ubuntu 24.04, for whom these tiers work."""
    restricted = settings(tmp_path, apparmor="1", limit="96365")

    def attempt(tier: Tier) -> probe.Finding:
        return probe.Finding(tier, "" if tier in works else "Operation not permitted")

    def told() -> str:
        return user_namespaces_restricted(restricted, superuser=False)

    monkeypatch.setattr(probe, "attempt", attempt)
    monkeypatch.setattr(probe, "user_namespaces_restricted", told)


def test_doctor_and_grade_say_why_the_weaker_tier_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    on_ubuntu(monkeypatch, tmp_path, "flat")
    monkeypatch.delenv(warm.TIER_VARIABLE, raising=False)
    (line,) = (line for line in doctor.report() if line.topic == "isolation")
    assert line.status == "note"
    assert line.text.startswith("'flat' will be used")
    assert "AppArmor keeps ordinary users from using user namespaces" in line.text

    assert warm.policy_here(None, "numpy", OWN_LIBRARY).tier == "flat"
    told = capsys.readouterr().err
    assert "tier 'flat'" in told
    assert "An administrator can allow them" in told
    assert warm.policy_here("flat", "numpy", OWN_LIBRARY).tier == "flat"
    assert capsys.readouterr().err == "", "who asks for a tier knows why"


def test_a_system_that_really_refuses_says_so() -> None:
    """In a user namespace that may have no further ones, where the system lets us make it."""
    code = "from autograder.sandbox import probe; probe.choose('userns')"
    script = f'echo 0 > /proc/sys/{LIMIT} && exec "$0" -c "$1"'
    command = ["unshare", "--user", "--map-root-user", "sh", "-c", script, sys.executable, code]
    if probe.attempt("userns").reason:
        with pytest.raises(SandboxError, match="cannot isolate"):
            probe.choose("userns")
        return
    done = subprocess.run(command, capture_output=True, text=True)
    last = done.stderr.strip().splitlines()[-1]
    assert "this host cannot isolate student code (userns: " in last
    assert "user namespaces are switched off here (user.max_user_namespaces is 0)" in last
