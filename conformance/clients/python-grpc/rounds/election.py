"""Elections, which this client does not have: built from its transactions and watches in the layout of etcd's own.

A candidate's key is `name/<lease id in hex>`; the candidate whose key was created first leads.
"""

from dataclasses import dataclass

import pyetcd
from pyetcd.events import DeleteEvent

from checks import Checks, Task, equal
from connect import fresh_name, plain


@dataclass
class Candidate:
    """One candidate in an election, under a lease of its own."""

    etcd: pyetcd.MultiEndpointEtcd3Client
    name: str
    value: str

    def enter(self) -> None:
        """Takes a place in the queue."""
        txn = self.etcd.transactions
        self.lease = self.etcd.lease(10)
        self.key = f"{self.name}/{self.lease.id:x}"
        created, responses = self.etcd.transaction(
            [txn.create(self.key) == 0], [txn.put(self.key, self.value, lease=self.lease)], []
        )
        equal(created, True)
        self.revision = responses[0].response_put.header.revision

    def wait(self) -> None:
        """Returns once every older candidate is gone."""
        while (older := self._nearest_older()) is not None:
            key, revision = older
            events, cancel = self.etcd.watch(key, start_revision=revision + 1)
            next(event for event in events if isinstance(event, DeleteEvent))
            cancel()

    def proclaim(self, value: str) -> bool:
        """Replaces the value if the candidate's key is still its own."""
        txn = self.etcd.transactions
        put = txn.put(self.key, value, lease=self.lease)
        return self.etcd.transaction([txn.create(self.key) == self.revision], [put], [])[0]

    def resign(self) -> bool:
        """Removes the candidate's key if it is still its own."""
        txn = self.etcd.transactions
        return self.etcd.transaction([txn.create(self.key) == self.revision], [txn.delete(self.key)], [])[0]

    def _nearest_older(self) -> tuple[bytes, int] | None:
        older = [meta for meta in candidates(self.etcd, self.name) if meta.create_revision < self.revision]
        return (older[-1].key, older[-1].response_header.revision) if older else None


def candidates(etcd: pyetcd.MultiEndpointEtcd3Client, name: str) -> list:
    """The candidates' keys, the leader's first."""
    return [meta for _, meta in etcd.get_prefix(f"{name}/", sort_target="create", sort_order="ascend")]


def leader(etcd: pyetcd.MultiEndpointEtcd3Client, name: str) -> bytes | None:
    """What the leader has proclaimed."""
    found = list(etcd.get_prefix(f"{name}/", sort_target="create", sort_order="ascend"))
    return found[0][0] if found else None


def run(checks: Checks) -> None:
    checks.run("election: candidates lead in the order they came, handing over by resigning", in_order)
    checks.run("election: a leader whose lease is gone is followed by the next", lost_with_lease)


def in_order() -> None:
    name = fresh_name("order")
    with plain() as one, plain() as other, plain() as third:
        queue = [Candidate(one, name, "first"), Candidate(other, name, "second"), Candidate(third, name, "third")]
        for candidate in queue:
            candidate.enter()
        waiting = [Task(candidate.wait) for candidate in queue]
        for candidate, task in zip(queue, waiting):
            task.result()
            equal(leader(one, name), candidate.value.encode())
            equal(candidate.proclaim(f"{candidate.value} again"), True)
            equal(leader(one, name), f"{candidate.value} again".encode())
            equal(candidate.resign(), True)
            equal(candidate.proclaim("too late"), False)
        equal(leader(one, name), None)


def lost_with_lease() -> None:
    name = fresh_name("lost")
    with plain() as one, plain() as other:
        first, second = Candidate(one, name, "first"), Candidate(other, name, "second")
        first.enter()
        second.enter()
        first.wait()
        waiting = Task(second.wait)
        other.revoke_lease(first.lease.id)
        waiting.result()
        equal(leader(one, name), b"second")
        equal(first.proclaim("still here"), False)
        second.resign()
