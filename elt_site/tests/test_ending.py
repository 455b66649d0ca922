"""A command that does not listen ends all the same, and everything else stays as Python has it."""

import signal
import subprocess
import sys
import time

import pytest
from django.conf import settings

from elt_site import ending

DEAF = """
import time
from elt_site import ending

def abandon():
    print("abandoned", flush=True)

with ending.interruptible("Interrupted, in a test.", abandon):
    ending.run(lambda: print("begun", flush=True) or time.sleep(60), lambda: None)
"""


def test_what_does_not_end_is_ended() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", DEAF],
        cwd=settings.BASE_DIR,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "begun\n"
        sent = time.monotonic()
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=60)
    assert time.monotonic() - sent < 2
    assert (process.returncode, out, err) == (143, "abandoned\n", "Interrupted, in a test.\n")


def test_without_a_signal_nothing_changes() -> None:
    before = [signal.getsignal(number) for number in ending.SIGNALS]
    with ending.interruptible(ending.SENTENCE, lambda: None):
        assert [signal.getsignal(number) for number in ending.SIGNALS] != before
        assert ending.run(lambda: 42, lambda: None) == 42
        with pytest.raises(ZeroDivisionError):
            ending.run(lambda: 1 / 0, lambda: None)
    assert [signal.getsignal(number) for number in ending.SIGNALS] == before


def test_a_signal_raises_once_and_gives_up_until_the_work_is_over() -> None:
    # In a process of its own, which a signal is going to end.
    script = (
        "import signal, time\nfrom elt_site import ending\ngiven = []\n"
        "def work():\n"
        "    signal.raise_signal(signal.SIGINT)\n"
        "    while len(given) < 3: time.sleep(0.01)\n"
        "try:\n"
        "    with ending.interruptible('Interrupted.', lambda: None):\n"
        "        ending.run(work, lambda: given.append(1))\n"
        "except ending.Interrupted as interrupt:\n"
        "    print(interrupt, interrupt.number, len(given) >= 3)\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", script],
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (result.stdout, result.stderr) == ("Interrupted. 2 True\n", "")


def test_other_commands_take_signals_as_python_does() -> None:
    code = "import signal; print(signal.getsignal(2).__name__, signal.getsignal(15).name)"
    result = subprocess.run(
        [sys.executable, "manage.py", "shell", "--no-imports", "-c", code],
        cwd=settings.BASE_DIR,
        capture_output=True,
        text=True,
        check=True,
    )
    assert result.stdout == "default_int_handler SIG_DFL\n"
