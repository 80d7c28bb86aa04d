"""The full round of etcd3gw against the servers that the environment names (../driver/servers.mjs).

One line per check on standard output; exit code 1 if one of them failed.
"""

import os
import sys

from checks import Checks
from rounds import auth, election, kv, lease, lock, tls, watch


def main() -> None:
    checks = Checks()
    for module in (kv, watch, lease, lock, election, auth, tls):
        module.run(checks)
    sys.stdout.flush()
    sys.stderr.flush()
    # A check that broke off may have left a thread waiting for ever.
    os._exit(1 if checks.failed else 0)


if __name__ == "__main__":
    main()
