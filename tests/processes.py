"""Work in other processes at the same moment, and processes that die.

The work is a function of a test module with picklable arguments. Processes are forked from a clean server that has the
heavy libraries loaded, so that eight of them cost little.
"""

import multiprocessing
import traceback
from collections.abc import Callable
from multiprocessing.context import ForkServerProcess
from typing import Any

_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload(
    [
        "pytest",
        "hypothesis",
        "psycopg",
        "migrations.chain",
        "tests.resources.builders",
        "tests.resources.mail_kills",
        "tests.resources.qbo.dying_sync",
    ]
)
_LONGEST_SECONDS = 120


def at_once(count: int, work: Callable[..., Any], *arguments: Any) -> list[Any]:
    """What `work(number, *arguments)` returned in each of `count` processes that began together; raises if one failed."""
    barrier, answers = _CONTEXT.Barrier(count), _CONTEXT.Queue()
    started = [_start(_answer, barrier, answers, work, number, arguments) for number in range(count)]
    try:
        received = [answers.get(timeout=_LONGEST_SECONDS) for _ in started]
    finally:
        for process in started:
            process.join(timeout=_LONGEST_SECONDS)
            process.close()
        answers.close()
    failures = [text for _, failed, text in received if failed]
    assert not failures, "\n".join(failures)
    return [answer for _, _, answer in sorted(received, key=lambda one: one[0])]


def exit_code(work: Callable[..., Any], *arguments: Any) -> int | None:
    """How a process ended that did this work: negative if a signal killed it."""
    process = _start(work, *arguments)
    process.join(timeout=_LONGEST_SECONDS)
    code = process.exitcode
    process.close()
    return code


def _start(target: Callable[..., Any], *arguments: Any) -> ForkServerProcess:
    process = _CONTEXT.Process(target=target, args=arguments, daemon=True)
    process.start()
    return process


def _answer(barrier: Any, answers: Any, work: Callable[..., Any], number: int, arguments: tuple[Any, ...]) -> None:
    try:
        barrier.wait(timeout=_LONGEST_SECONDS)
        answers.put((number, False, work(number, *arguments)))
    except BaseException:  # noqa: BLE001 - whatever it was, the test must hear of it
        answers.put((number, True, traceback.format_exc()))
