"""Many payments at the same time, in threads that know nothing of records."""

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

Task = TypeVar("Task")
Result = TypeVar("Result")


class Pace:
    """Lets `per_second` callers through in a second, evenly; all at once when it is 0. Safe between
    threads."""

    def __init__(
        self,
        per_second: float,
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[float], None] = time.sleep,
    ):
        self._gap = 1 / per_second if per_second else 0.0
        self._clock, self._sleep = clock, sleep
        self._next = clock()
        self._lock = threading.Lock()

    def wait(self) -> None:
        if not self._gap:
            return
        with self._lock:
            turn = max(self._next, self._clock())
            self._next = turn + self._gap
        if (ahead := turn - self._clock()) > 0:
            self._sleep(ahead)


class Workers:
    """`parallel` threads with a connection of their own each, made by `connect` when it is first needed."""

    def __init__(self, connect: Callable[[], Any], parallel: int, pace: Pace):
        self._connect = connect
        self._pace = pace
        self._own = threading.local()
        self._connections: list[Any] = []
        self._pool = ThreadPoolExecutor(parallel, thread_name_prefix="mojaloop")

    def __enter__(self) -> "Workers":
        return self

    def __exit__(self, *_exception: object) -> None:
        self._pool.shutdown()
        for connection in self._connections:
            connection.close()

    def run(
        self,
        work: Callable[[Any, Task], Result],
        tasks: Sequence[Task],
        seconds: float,
        left_over: Callable[[Task], Result],
        alone: bool = False,
    ) -> list[Result]:
        """`work(connection, task)` for each task, in their order. What has not begun after `seconds` does not
        begin any more, and is answered by `left_over(task)`. `alone`: one after the other."""
        until = time.monotonic() + seconds

        def one(task: Task) -> Result:
            if time.monotonic() <= until:  # else thousands would take their turns one after the other
                self._pace.wait()
            return left_over(task) if time.monotonic() > until else work(self.connection(), task)

        return list(map(one, tasks) if alone else self._pool.map(one, tasks))

    def connection(self) -> Any:
        """The calling thread's own."""
        if not hasattr(self._own, "connection"):
            self._own.connection = self._connect()
            self._connections.append(self._own.connection)
        return self._own.connection
