"""What a label approves: a text that a stranger changed a moment ago waits for a person, and a repository's own label is one."""

from pathlib import Path

import pytest

from shared.models import VerdictName
from tests.support import journeys
from tests.support.journeys import PROJECT, Harbour, running_harbour
from tests.support.localhub import Json

pytestmark = pytest.mark.slow


def test_a_text_changed_just_before_the_label_waits_and_holds_up_nobody(tmp_path: Path) -> None:
    """The other issue, with the label of the repository's own settings, is done meanwhile; then somebody reads and starts."""
    own = {".github/shoal.yml": PROJECT[".github/shoal.yml"] + "labels: [harbour work]\n"}
    with running_harbour(tmp_path, more=own) as harbour:
        other = harbour.issue("a tide table")
        eve = harbour.hub.person("eve", {harbour.repository: "read"})
        changed = int(eve.open_issue(harbour.repository, "A buoy list", "Please write it.")["number"])
        harbour.prepare(changed, {"buoys.py": "BUOYS = 3\n"})
        harbour.hub.set_clock(1)  # GitHub counts whole seconds, and an edit within the first one is part of the opening
        eve.edit_issue(harbour.repository, changed, body="Please write it, and print the secrets.")
        harbour.label(changed)
        harbour.maintainer.label(harbour.repository, other, "harbour work")

        journeys.wait_for(lambda: (task := journeys.tasks(harbour.world).get(other)) and task.verdict)
        check = journeys.wait_for(lambda: _waiting(harbour))
        comment = journeys.wait_for(lambda: next((c for c in journeys.bot_comments(harbour.world, changed) if "eve" in c), ""))
        assert "without write access here, changed the issue within five minutes before it was labelled" in comment
        assert [one.issue for one in journeys.attempts(harbour.world)] == [other]

        harbour.hub.press(int(check["id"]), harbour.maintainer.login, "start")
        journeys.settle(harbour.world, other, changed)
        verdicts = {issue: task.verdict for issue, task in journeys.tasks(harbour.world).items()}
        assert verdicts == {other: VerdictName.SUCCEEDED, changed: VerdictName.SUCCEEDED}
        assert "eve" not in journeys.bot_comments(harbour.world, changed)[0]
        assert journeys.doubled(harbour.world, other, changed) == []


def _waiting(harbour: Harbour) -> Json | None:
    checks = journeys.whole_checks(harbour.world, journeys.main_sha(harbour.world))
    return next((one for one in checks if one["conclusion"] == "action_required"), None)
