"""Cases with their notebooks in the order of the course."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from autograder.notebook.order import Order
from autograder.report.cases import Cases, Listing


def in_order(cases: Cases, order: Order) -> Cases:
    """The same cases."""

    def listed(found: Listing) -> Listing:
        return replace(found, cases=tuple(sorted(found.cases, key=lambda c: order(c.notebook))))

    def counted(found: Mapping[str, Mapping[str, int]]) -> Mapping[str, Mapping[str, int]]:
        return {name: found[name] for name in order.sort(found)}

    return Cases(
        needs_human=tuple(replace(k, found=listed(k.found)) for k in cases.needs_human),
        interrupted=listed(cases.interrupted),
        repaired=listed(cases.repaired),
        substituted=listed(cases.substituted),
        fallbacks=listed(cases.fallbacks),
        retried=listed(cases.retried),
        outcomes=counted(cases.outcomes),
        devices=counted(cases.devices),
        waiting=cases.waiting,
    )
