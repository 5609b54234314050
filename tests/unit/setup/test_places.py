"""Where the set-up works, and what it may remove."""

import pytest
from steps import clean_command, places, say, stamp


@pytest.fixture(autouse=True)
def checkout(tmp_path, monkeypatch):
    monkeypatch.delenv("G2P_BUILD", raising=False)
    monkeypatch.setattr(places, "CHECKOUT", tmp_path)
    monkeypatch.setattr(places, "_closed_to_others", lambda place: None)
    return tmp_path


def test_build_lies_in_the_checkout(checkout):
    assert places.build() == checkout / "build"


def test_a_path_too_long_for_a_socket_is_avoided(checkout, monkeypatch):
    monkeypatch.setattr(places, "CHECKOUT", checkout / ("a" * 80))
    assert str(places.build()).startswith("/var/tmp/")
    monkeypatch.setenv("G2P_BUILD", str(checkout / ("a" * 80)))
    with pytest.raises(say.Problem, match="choose another folder"):
        places.build()


def test_a_folder_with_other_things_in_it_is_not_taken(checkout, monkeypatch):
    (checkout / "precious").touch()
    monkeypatch.setenv("G2P_BUILD", str(checkout))
    with pytest.raises(say.Problem, match="holds things"):
        places.prepare_build()


def test_only_what_the_set_up_made_is_removed(checkout):
    places.prepare_build()
    clean_command._remove(checkout / "build")
    assert not (checkout / "build").exists()
    (checkout / "precious").mkdir()
    with pytest.raises(say.Problem, match="stays"):
        clean_command._remove(checkout / "precious")


def test_a_step_is_done_again_when_its_inputs_change_or_its_result_is_gone(checkout):
    result = checkout / "result"
    result.touch()
    assert not stamp.is_fresh("step", [1], [result])
    stamp.finished("step", [1])
    assert stamp.is_fresh("step", [1], [result])
    assert not stamp.is_fresh("step", [2], [result])
    result.unlink()
    assert not stamp.is_fresh("step", [1], [result])
