"""Changes on their way to a search server. What waits are the index rows (SearchRow) newer than the server's mark, so nothing
needs to be noted that a rollback or a lost message could make untrue."""

from catalog import jobs
from catalog.search.backends import get_backend
from catalog.search.backends.base import EngineDown

KIND = "search.feed"


def ask() -> None:
    """In the transaction that changed index rows: once it commits, they are sent."""
    jobs.enqueue(KIND, key=KIND)


@jobs.job_handler(KIND)
def feed(job) -> dict:
    """While the server is away the work is left: the clock asks again (catch_up)."""
    try:
        return {"sent": get_backend().feed()}
    except EngineDown as error:
        return {"postponed": str(error)[:200]}


def catch_up() -> bool:
    """From the clock: ask for a feed when something waits and the server is there to take it."""
    behind = get_backend().is_behind()
    if behind:
        ask()
    return behind
