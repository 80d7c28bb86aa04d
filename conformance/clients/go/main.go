// Command go runs etcd's own Go client, with its concurrency, recipes and other packages, against a server and prints
// one line per check: `ok <words>` or `FAILED <words>: <why>`. It leaves starting the servers, and the environment
// variables that say where they are, to ../run.mjs.
package main

import (
	"fmt"
	"os"
	"time"

	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
)

const dialTimeout = 5 * time.Second

func main() {
	client, err := dial(os.Getenv("HOLDFAST_ENDPOINT"))
	if err != nil {
		fmt.Printf("FAILED connect: %v\n", err)
		os.Exit(1)
	}
	check("connect", func(t *test) { t.put(client, t.prefix+"a", "1") })
	if failures > 0 {
		// Without a server, every check would wait for its deadline and say the same.
		os.Exit(1)
	}
	areas := []func(*clientv3.Client){
		checkKV, checkTxn, checkWatch, checkLease, checkSessions, checkMutex, checkLockService, checkElection, checkSTM,
		checkBarriers, checkQueues, checkRWMutex, checkWrappers, checkMaintenance,
	}
	for _, area := range areas {
		area(client)
	}
	checkAuth()
	checkTLS()
	_ = client.Close()
	if failures > 0 {
		os.Exit(1)
	}
}

// configFor is what all clients of this program have in common; the client's own log stays silent.
func configFor(endpoint string) clientv3.Config {
	return clientv3.Config{Endpoints: []string{endpoint}, DialTimeout: dialTimeout, Logger: zap.NewNop()}
}

func dial(endpoint string) (*clientv3.Client, error) {
	return clientv3.New(configFor(endpoint))
}
