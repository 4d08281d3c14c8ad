"""What signals to end do to the process that takes them."""

import contextvars
import os
import signal
import time

import pytest

from lggkit.study.running.stopping import stoppable
from lggkit.training.pace import time_is_up


def test_a_first_signal_is_the_end_of_the_budget_and_a_second_interrupts():
    before = signal.getsignal(signal.SIGTERM)
    with stoppable() as stopped:
        assert not time_is_up(()) and stopped == []
        os.kill(os.getpid(), signal.SIGTERM)
        assert time_is_up(()) and stopped == [signal.SIGTERM]
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGTERM)
    assert not time_is_up(()) and signal.getsignal(signal.SIGTERM) is before


def test_a_signal_is_heard_in_a_context_that_is_not_the_programs():
    with stoppable() as stopped:
        contextvars.copy_context().run(os.kill, os.getpid(), signal.SIGTERM)
        assert time_is_up(()) and stopped == [signal.SIGTERM]
    assert not time_is_up(())


def test_what_does_not_end_is_interrupted_after_a_while():
    waited_through = False
    with stoppable(patience=0.05), pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(60)
        waited_through = True
        time.sleep(0.1)
    assert not waited_through


def test_no_signal_comes_after_what_ended_in_time():
    before = signal.signal(signal.SIGTERM, lambda *_: pytest.fail("a late signal"))
    try:
        with stoppable(patience=0.05) as stopped:
            os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(0.2)
        assert stopped == [signal.SIGTERM]
    finally:
        signal.signal(signal.SIGTERM, before)


def test_what_is_ignored_stays_ignored(monkeypatch):
    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with stoppable() as stopped:
            os.kill(os.getpid(), signal.SIGHUP)
            assert stopped == [] and not time_is_up(())
    finally:
        signal.signal(signal.SIGHUP, before)
