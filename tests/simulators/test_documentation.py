"""README.md names everything there is: options, outcomes, faults, calls of the control port."""

import re

from payment_hub_ee import control_api, faults, outcomes, settings
from process import HERE

README = (HERE / "README.md").read_text()


def test_options():
    assert set(re.findall(r"`(--[a-z-]+)", README)) == set(_options())


def _options():
    names = []
    for group in settings.GROUPS:
        group(lambda name, **_settings: names.append(name))
    return names


def test_outcomes():
    assert dict(re.findall(r"^\| `(\d{4})` \| `(\w+)` \|", README, re.M)) == outcomes.SUFFIXES
    assert outcomes.OUTCOMES.keys() == {"paid", *outcomes.SUFFIXES.values()}


def test_faults():
    table = README.partition("## Faults")[2].partition("## Control port")[0]
    rows = re.findall(r"^\| ((?:`\w+` ?)+)\|", table, re.M)
    assert set(re.findall(r"\w+", " ".join(rows))) == faults.KINDS.keys()


def test_control_calls():
    table = README.partition("## Control port")[2]
    hub = type("Hub", (), {"requests": [], "sent_callbacks": []})
    routes = control_api.ControlApi(hub, faults.Faults(), None, {})._routes
    calls = {f"{method} {pattern.pattern}" for method, pattern, _target in routes._entries}
    assert calls == set(re.findall(r"`((?:GET|POST|DELETE) /\w+)", table))
