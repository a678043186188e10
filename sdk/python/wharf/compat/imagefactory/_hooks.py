"""A cloud plugin's say before the image of its target is built: whether at all, and with which content in the guest."""

from __future__ import annotations

import json

from wharf.compat.imagefactory import _unit
from wharf.compat.imagefactory._content import contributions
from wharf.compat.imagefactory._kept import Kept
from wharf.compat.imagefactory._order import image, order
from wharf.context import HookContext
from wharf.role import After, Before, Hooks, Step


class CloudHooks(Hooks):
    """`builder_should_create_target_image` and `builder_will_create_target_image`; the third one is the build's."""

    def __init__(self, kept: Kept) -> None:
        self._kept = kept

    def before(self, step: Step, context: HookContext) -> Before:
        """Asks the delegate. A plugin that answers no has made the image itself, or wants none."""
        subject = step.subject
        base = image(step.parent, context.work_dir) if step.parent else {}
        wanted = order(
            "asked",
            context,
            str(subject.get("target", "")),
            {"base": base, "target": {}},
            template=json.dumps(subject["template"]) if subject.get("template") else "",
            parameters=step.parameters,
            settings=step.instance.settings,
        )
        with self._kept.lent(context, keep=True) as process:
            told = process.call(wanted, context)
        if told["should"]:
            answer = Before.proceed()
            for one in contributions(told["content"]):
                answer.contribution(one)
            return answer
        self._kept.end(context.job_number)
        if "data" not in told:
            return Before.skip()
        name = _unit.safe(str(subject.get("name", "")))
        return Before.replace(_unit.unit("image_target", name, told, context.work_dir))

    def after(self, step: Step, context: HookContext) -> After:
        """Lets the delegate go, however the step ended."""
        self._kept.end(context.job_number)
        return After.unchanged()
