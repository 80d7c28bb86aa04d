"""Runs checks one after another and prints what became of each; small assertions with readable reasons."""

import contextlib
import sys
import threading
import traceback
from collections.abc import Callable, Iterator

import grpc

# A check that has not ended by then has failed: it waits for something that does not come.
CHECK_DEADLINE_SECONDS = 30


class Checks:
    """Runs checks and counts the failed ones."""

    def __init__(self) -> None:
        self.failed = 0

    def run(self, words: str, body: Callable[[], None]) -> None:
        """Runs one check, which passes by returning and fails by raising."""
        task = Task(body)
        try:
            task.result(CHECK_DEADLINE_SECONDS)
            print(f"ok {words}", flush=True)
        except Exception as error:
            self.failed += 1
            print(f"FAILED {words}: {in_one_line(error)}", flush=True)
            traceback.print_exception(error, file=sys.stderr)


class Task:
    """A function that runs in a thread of its own."""

    def __init__(self, body: Callable[[], object]) -> None:
        self._body = body
        self._value: object = None
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            self._value = self._body()
        except BaseException as error:
            self._error = error

    def result(self, seconds: float = CHECK_DEADLINE_SECONDS) -> object:
        """What the function returned or raised. Raises TimeoutError when it has not ended by then."""
        self._thread.join(seconds)
        if self._thread.is_alive():
            raise TimeoutError(f"not done after {seconds} s")
        if self._error is not None:
            raise self._error
        return self._value


def equal(actual: object, expected: object) -> None:
    """Raises unless both are equal."""
    if actual != expected:
        raise AssertionError(f"got {actual!r}, expected {expected!r}")


@contextlib.contextmanager
def refused(code: grpc.StatusCode, details: str) -> Iterator[None]:
    """Expects a gRPC error with this code and these words in it."""
    try:
        yield
    except grpc.RpcError as error:
        equal(error.code(), code)
        if details not in error.details():
            raise AssertionError(f"got {error.details()!r}, expected {details!r}") from error
    else:
        raise AssertionError(f"was not refused with {code.name} {details!r}")


@contextlib.contextmanager
def raises(error_class: type[Exception]) -> Iterator[None]:
    """Expects an error of this class of the client."""
    try:
        yield
    except error_class:
        return
    raise AssertionError(f"did not raise {error_class.__name__}")


def in_one_line(error: BaseException) -> str:
    """The class and message of an error without line breaks."""
    message = f"{error.code().name} {error.details()}" if isinstance(error, grpc.RpcError) else str(error)
    return " ".join(f"{type(error).__name__}: {message}".split())
