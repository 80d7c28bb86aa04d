package main

// Authentication on the server that is there for it, and TLS with client certificates.

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"os"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
)

const (
	rootPassword  = "root-secret"
	limitedName   = "go-user"
	limitedRole   = "go-role"
	limitedSecret = "limited-secret"
	allowedPrefix = "go/auth/"
)

// checkAuth leaves the server as it found it: without authentication, users and roles.
func checkAuth() {
	check("auth: enable, limited user, refusals, disable", func(t *test) {
		endpoint := os.Getenv("HOLDFAST_AUTH_ENDPOINT")
		plain, err := dial(endpoint)
		t.no(err)
		t.cleanup(func() { _ = plain.Close() })
		t.cleanup(func() { removeUsers(plain) })
		t.addUsers(plain)
		_, err = plain.AuthEnable(t.ctx)
		t.no(err)
		root := t.login(endpoint, "root", rootPassword)
		t.cleanup(func() {
			ctx, cancel := context.WithTimeout(context.Background(), dialTimeout)
			defer cancel()
			_, _ = root.AuthDisable(ctx)
		})
		limited := t.login(endpoint, limitedName, limitedSecret)
		checkAccess(t, plain, limited, root)
		checkWrongPassword(t, endpoint)
		checkRevokedRole(t, root, limited)
		_, err = root.AuthDisable(t.ctx)
		t.no(err)
		t.put(plain, allowedPrefix+"a", "open again")
	})
	check("auth: the server is left without users and roles", func(t *test) {
		client, err := dial(os.Getenv("HOLDFAST_AUTH_ENDPOINT"))
		t.no(err)
		defer client.Close()
		status, err := client.AuthStatus(t.ctx)
		t.no(err)
		t.equal("enabled", status.Enabled, false)
		users, err := client.UserList(t.ctx)
		t.no(err)
		t.equal("users", len(users.Users), 0)
		roles, err := client.RoleList(t.ctx)
		t.no(err)
		t.equal("roles", len(roles.Roles), 0)
	})
}

func (t *test) addUsers(c *clientv3.Client) {
	_, err := c.AuthEnable(t.ctx)
	t.wants(rpctypes.ErrRootUserNotExist, err)
	_, err = c.RoleAdd(t.ctx, "root")
	t.no(err)
	_, err = c.UserAdd(t.ctx, "root", rootPassword)
	t.no(err)
	_, err = c.UserGrantRole(t.ctx, "root", "root")
	t.no(err)
	_, err = c.RoleAdd(t.ctx, limitedRole)
	t.no(err)
	_, err = c.RoleAdd(t.ctx, limitedRole)
	t.wants(rpctypes.ErrRoleAlreadyExist, err)
	end := clientv3.GetPrefixRangeEnd(allowedPrefix)
	_, err = c.RoleGrantPermission(t.ctx, limitedRole, allowedPrefix, end, clientv3.PermissionType(clientv3.PermReadWrite))
	t.no(err)
	_, err = c.UserAdd(t.ctx, limitedName, limitedSecret)
	t.no(err)
	_, err = c.UserGrantRole(t.ctx, limitedName, limitedRole)
	t.no(err)
	role, err := c.RoleGet(t.ctx, limitedRole)
	t.no(err)
	t.equal("permitted", string(role.Perm[0].Key), allowedPrefix)
	user, err := c.UserGet(t.ctx, limitedName)
	t.no(err)
	t.equal("roles of the user", user.Roles, []string{limitedRole})
}

func removeUsers(c *clientv3.Client) {
	ctx, cancel := context.WithTimeout(context.Background(), dialTimeout)
	defer cancel()
	for _, user := range []string{limitedName, "root"} {
		_, _ = c.UserDelete(ctx, user)
	}
	for _, role := range []string{limitedRole, "root"} {
		_, _ = c.RoleDelete(ctx, role)
	}
	_, _ = c.Delete(ctx, "go/", clientv3.WithPrefix())
}

// login is a client that stays open until the check ends.
func (t *test) login(endpoint, user, password string) *clientv3.Client {
	config := configFor(endpoint)
	config.Username, config.Password = user, password
	client, err := clientv3.New(config)
	t.no(err)
	t.cleanup(func() { _ = client.Close() })
	return client
}

func checkAccess(t *test, plain, limited, root *clientv3.Client) {
	t.put(limited, allowedPrefix+"a", "1")
	t.equal("allowed", t.values(limited, allowedPrefix, clientv3.WithPrefix()), []string{allowedPrefix + "a=1"})
	_, err := limited.Put(t.ctx, "go/elsewhere", "1")
	t.wants(rpctypes.ErrPermissionDenied, err)
	_, err = limited.Get(t.ctx, "go/", clientv3.WithPrefix())
	t.wants(rpctypes.ErrPermissionDenied, err)
	_, err = limited.Txn(t.ctx).Then(clientv3.OpPut(allowedPrefix+"b", "1"), clientv3.OpGet("go/elsewhere")).Commit()
	t.wants(rpctypes.ErrPermissionDenied, err)
	_, err = limited.UserAdd(t.ctx, "another", "x")
	t.wants(rpctypes.ErrPermissionDenied, err)
	refused := receive(t, "answer of the watch", limited.Watch(t.ctx, "go/", clientv3.WithPrefix()))
	t.that("the watch is refused", refused.Canceled && refused.Err() != nil)
	allowed := limited.Watch(t.ctx, allowedPrefix, clientv3.WithPrefix(), clientv3.WithCreatedNotify())
	t.equal("created", receive(t, "created", allowed).Created, true)
	_, err = plain.Get(t.ctx, allowedPrefix+"a")
	t.wants(rpctypes.ErrUserEmpty, err)
	t.put(root, "go/elsewhere", "1")
	t.put(root, allowedPrefix+"a", "2")
	t.equal("events", t.events(allowed, 1), []string{"PUT " + allowedPrefix + "a=2"})
}

func checkWrongPassword(t *test, endpoint string) {
	config := configFor(endpoint)
	config.Username, config.Password = limitedName, "wrong"
	client, err := clientv3.New(config)
	if err == nil {
		defer client.Close()
		_, err = client.Get(t.ctx, allowedPrefix+"a")
	}
	t.wants(rpctypes.ErrAuthFailed, err)
}

// checkRevokedRole also proves that the client gets itself a new token: the change makes its old one stale.
func checkRevokedRole(t *test, root, limited *clientv3.Client) {
	_, err := root.UserRevokeRole(t.ctx, limitedName, limitedRole)
	t.no(err)
	_, err = limited.Get(t.ctx, allowedPrefix+"a")
	t.wants(rpctypes.ErrPermissionDenied, err)
	_, err = root.UserGrantRole(t.ctx, limitedName, limitedRole)
	t.no(err)
	t.equal("allowed again", t.values(limited, allowedPrefix+"a"), []string{allowedPrefix + "a=2"})
}

func checkTLS() {
	check("tls: with a client certificate", func(t *test) {
		client, err := clientv3.New(tlsConfig(t, true))
		t.no(err)
		defer client.Close()
		t.put(client, t.prefix+"a", "1")
		t.equal("value", t.values(client, t.prefix+"a"), []string{"a=1"})
		watch := t.watch(client, clientv3.WithPrefix())
		t.put(client, t.prefix+"a", "2")
		t.equal("events", t.events(watch, 1), []string{"PUT a=2"})
	})
	check("tls: refused without a client certificate", func(t *test) {
		t.refusedBy(tlsConfig(t, false))
	})
	check("tls: refused in plain text", func(t *test) {
		t.refusedBy(configFor(os.Getenv("HOLDFAST_TLS_ENDPOINT")))
	})
}

func tlsConfig(t *test, withCertificate bool) clientv3.Config {
	pem, err := os.ReadFile(os.Getenv("HOLDFAST_TLS_CA"))
	t.no(err)
	authorities := x509.NewCertPool()
	t.that("the authority can be read", authorities.AppendCertsFromPEM(pem))
	settings := &tls.Config{RootCAs: authorities, MinVersion: tls.VersionTLS12}
	if withCertificate {
		pair, err := tls.LoadX509KeyPair(os.Getenv("HOLDFAST_TLS_CERT"), os.Getenv("HOLDFAST_TLS_KEY"))
		t.no(err)
		settings.Certificates = []tls.Certificate{pair}
	}
	config := configFor(os.Getenv("HOLDFAST_TLS_ENDPOINT"))
	config.TLS = settings
	return config
}

// refusedBy demands that no call comes through within a second, although somebody listens (the check before proves it).
func (t *test) refusedBy(config clientv3.Config) {
	ctx, cancel := context.WithTimeout(t.ctx, time.Second)
	defer cancel()
	client, err := clientv3.New(config)
	if err == nil {
		defer client.Close()
		_, err = client.Get(ctx, t.prefix+"a")
	}
	t.that("the call is refused", err != nil)
}
