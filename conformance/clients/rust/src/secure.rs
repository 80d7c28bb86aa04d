//! Authentication on the server that is there for it, and TLS with client certificates.

use crate::check::{environment, equal, fail, present, refused, Checks, Outcome, Test};
use etcd_client::{
    Certificate, Client, ConnectOptions, DeleteOptions, GetOptions, Identity, Permission, TlsOptions, Txn, TxnOp,
    WatchOptions,
};
use std::time::Duration;
use tokio::time::timeout;

const ROOT_PASSWORD: &str = "root-secret";
const LIMITED: &str = "rust-user";
const LIMITED_PASSWORD: &str = "limited-secret";
const ROLE: &str = "rust-role";
const ALLOWED: &str = "rust/auth/";
const DENIED: &str = "etcdserver: permission denied";

pub async fn run(checks: &mut Checks) {
    checks.check("auth: enable, limited user, refusals, disable", auth).await;
    checks.check("auth: the server is left without users and roles", left_clean).await;
    checks.check("tls: with a client certificate", with_certificate).await;
    checks.check("tls: refused without a client certificate", without_certificate).await;
    checks.check("tls: refused in plain text", plain_text).await;
}

async fn plain_client() -> Outcome<Client> {
    Ok(Client::connect([environment("HOLDFAST_AUTH_ENDPOINT")], None).await?)
}

async fn login(user: &str, password: &str) -> Result<Client, etcd_client::Error> {
    let options = ConnectOptions::new().with_user(user, password).with_auto_token_refresh(true);
    Client::connect([environment("HOLDFAST_AUTH_ENDPOINT")], Some(options)).await
}

/// Whatever the round itself says, the server is left without authentication, users and roles.
async fn auth(_: Test) -> Outcome {
    let mut plain = plain_client().await?;
    let outcome = auth_round(&mut plain).await;
    if let Ok(mut root) = login("root", ROOT_PASSWORD).await {
        let _ = root.auth_disable().await;
    }
    for user in [LIMITED, "root"] {
        let _ = plain.user_delete(user).await;
    }
    for role in [ROLE, "root"] {
        let _ = plain.role_delete(role).await;
    }
    let _ = plain.delete("rust/", Some(DeleteOptions::new().with_prefix())).await;
    outcome
}

async fn auth_round(plain: &mut Client) -> Outcome {
    add_users(plain).await?;
    plain.auth_enable().await?;
    let mut root = login("root", ROOT_PASSWORD).await?;
    let mut limited = login(LIMITED, LIMITED_PASSWORD).await?;
    allowed_and_refused(&mut limited).await?;
    let wrong = login(LIMITED, "wrong").await;
    let message = "etcdserver: authentication failed, invalid user ID or password";
    refused(wrong.map(|_| ()), "InvalidArgument", message)?;
    refused(plain.get(format!("{ALLOWED}a"), None).await, "InvalidArgument", "etcdserver: user name is empty")?;
    root.put("rust/elsewhere", "1", None).await?;
    root.user_revoke_role(LIMITED, ROLE).await?;
    limited.refresh_token().await?;
    refused(limited.get(format!("{ALLOWED}a"), None).await, "PermissionDenied", DENIED)?;
    root.auth_disable().await?;
    plain.put(format!("{ALLOWED}a"), "open again", None).await?;
    Ok(())
}

async fn add_users(plain: &mut Client) -> Outcome {
    refused(plain.auth_enable().await, "FailedPrecondition", "etcdserver: root user does not exist")?;
    plain.role_add("root").await?;
    plain.user_add("root", ROOT_PASSWORD, None).await?;
    plain.user_grant_role("root", "root").await?;
    plain.role_add(ROLE).await?;
    refused(plain.role_add(ROLE).await, "FailedPrecondition", "etcdserver: role name already exists")?;
    plain.role_grant_permission(ROLE, Permission::read_write(ALLOWED).with_prefix()).await?;
    plain.user_add(LIMITED, LIMITED_PASSWORD, None).await?;
    plain.user_grant_role(LIMITED, ROLE).await?;
    let role = plain.role_get(ROLE).await?;
    equal("permitted", present("permission", role.permissions().first())?.key_str()?, ALLOWED)?;
    equal("roles of the user", plain.user_get(LIMITED).await?.roles(), &[ROLE.to_string()][..])
}

async fn allowed_and_refused(limited: &mut Client) -> Outcome {
    let key = format!("{ALLOWED}a");
    limited.put(&key[..], "1", None).await?;
    let got = limited.get(ALLOWED, Some(GetOptions::new().with_prefix())).await?;
    equal("pairs allowed", got.kvs().len(), 1)?;
    refused(limited.put("rust/elsewhere", "1", None).await, "PermissionDenied", DENIED)?;
    let wide = limited.get("rust/", Some(GetOptions::new().with_prefix())).await;
    refused(wide, "PermissionDenied", DENIED)?;
    let mixed = Txn::new().and_then([TxnOp::put(&key[..], "2", None), TxnOp::get("rust/elsewhere", None)]);
    refused(limited.txn(mixed).await, "PermissionDenied", DENIED)?;
    refused(limited.user_add("another", "x", None).await, "PermissionDenied", DENIED)?;
    let mut watch = limited.watch("rust/", Some(WatchOptions::new().with_prefix())).await?;
    let answer = present("answer of the watch", watch.message().await?)?;
    equal("the watch is refused", answer.canceled(), true)
}

async fn left_clean(_: Test) -> Outcome {
    let mut plain = plain_client().await?;
    equal("users", plain.user_list().await?.users().len(), 0)?;
    equal("roles", plain.role_list().await?.roles().len(), 0)
}

fn pem(variable: &str) -> Outcome<Vec<u8>> {
    Ok(std::fs::read(environment(variable))?)
}

fn authority() -> Outcome<TlsOptions> {
    Ok(TlsOptions::new().ca_certificate(Certificate::from_pem(pem("HOLDFAST_TLS_CA")?)).domain_name("localhost"))
}

async fn with_certificate(t: Test) -> Outcome {
    let identity = Identity::from_pem(pem("HOLDFAST_TLS_CERT")?, pem("HOLDFAST_TLS_KEY")?);
    let options = ConnectOptions::new().with_tls(authority()?.identity(identity));
    let mut client = Client::connect([environment("HOLDFAST_TLS_ENDPOINT")], Some(options)).await?;
    let mut watch = client.watch(t.key("a"), None).await?;
    present("created", watch.message().await?)?;
    client.put(t.key("a"), "1", None).await?;
    let answer = present("answer of the watch", watch.message().await?)?;
    let event = present("event", answer.events().first())?;
    equal("event", present("pair", event.kv())?.value_str()?, "1")?;
    equal("pairs", t.texts(&client.get(t.key("a"), None).await?)?.join(" "), "a=1".into())
}

async fn without_certificate(t: Test) -> Outcome {
    refuses_all(t, ConnectOptions::new().with_tls(authority()?)).await
}

async fn plain_text(t: Test) -> Outcome {
    refuses_all(t, ConnectOptions::new()).await
}

/// Demands that no call comes through, although somebody listens (the check before proves it).
async fn refuses_all(t: Test, options: ConnectOptions) -> Outcome {
    let mut client = Client::connect([environment("HOLDFAST_TLS_ENDPOINT")], Some(options)).await?;
    let call = timeout(Duration::from_secs(1), client.get(t.key("a"), None));
    match call.await {
        Ok(Ok(_)) => fail("a call came through"),
        Ok(Err(_)) | Err(_) => Ok(()),
    }
}
