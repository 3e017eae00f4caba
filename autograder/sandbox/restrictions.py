"""Settings of this system that keep a user from making user namespaces, and who can change them.

The kernel's own answer is no more than "Operation not permitted", or "No space left on device".
"""

from __future__ import annotations

import os
from pathlib import Path

SETTINGS = Path("/proc/sys")
_APPARMOR = "kernel.apparmor_restrict_unprivileged_userns"  # Ubuntu, since 23.10
_DEBIAN = "kernel.unprivileged_userns_clone"  # a patch of Debian's and Arch's kernels
_LIMIT = "user.max_user_namespaces"


def user_namespaces_restricted(settings: Path = SETTINGS, *, superuser: bool | None = None) -> str:
    """Why user namespaces cannot be had, and what an administrator can do; or nothing.

    ``settings`` is where the kernel shows its settings. A superuser is subject to the limit only.
    """
    if superuser is None:
        superuser = os.geteuid() == 0
    if _value(settings, _LIMIT) == "0":
        return f"user namespaces are switched off here ({_LIMIT} is 0). {_remedy(_LIMIT, '10000')}"
    if superuser:
        return ""
    if _value(settings, _APPARMOR) == "1":
        return (
            f"AppArmor keeps ordinary users from using user namespaces here ({_APPARMOR} is 1, as "
            f"Ubuntu has it). {_remedy(_APPARMOR, '0')}, or with a profile for Python alone"
        )
    if _value(settings, _DEBIAN) == "0":
        return (
            f"ordinary users may not make user namespaces here ({_DEBIAN} is 0). "
            f"{_remedy(_DEBIAN, '1')}"
        )
    return ""


def _remedy(setting: str, value: str) -> str:
    return (
        f"An administrator can allow them, with `sysctl -w {setting}={value}` "
        "(docs/installation.md#user-namespaces)"
    )


def _value(settings: Path, name: str) -> str:
    try:
        return settings.joinpath(*name.split(".")).read_text().strip()
    except OSError:
        return ""  # this kernel does not know it
