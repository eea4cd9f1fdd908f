//! How to get to a registry that does not let us.

use distil_pipeline::{Escaped, Obstacle};

/// How to get around what stands in the way.
pub(super) fn advice(obstacle: &Obstacle) -> Option<String> {
    Some(match obstacle {
        Obstacle::NoLogin { host } => {
            let host = shown(host);
            format!("log in with `podman login {host}` or `docker login {host}`; some registries deny what does not exist, too")
        }
        Obstacle::NotAllowed { host } => {
            let host = shown(host);
            format!("the login for {host} does not allow it: `podman login {host}` or `docker login {host}` takes another")
        }
        Obstacle::Keychain { .. } => {
            "logins are in the file of --authfile or REGISTRY_AUTH_FILE, or where podman and docker keep theirs; `podman login` \
             and `docker login` write them"
                .to_owned()
        }
        Obstacle::Missing { place } => format!("`distil tags {}` lists what is there", shown(place)),
        Obstacle::Plain { .. } => {
            "--insecure-http speaks to it without TLS: whoever is in between can read it all, logins too".to_owned()
        }
        Obstacle::Certificate => {
            "put the certificate of its authority into a file HOST[:PORT]/ca.crt below the directory of --cert-dir, or name it \
             with SSL_CERT_FILE"
                .to_owned()
        }
        Obstacle::NoAuthorities => "install ca-certificates, or name a bundle with SSL_CERT_FILE".to_owned(),
        Obstacle::TokenServer { realm } => {
            format!("if {} is the token server of this registry, say so with --token-server HOST[:PORT]", shown(realm))
        }
        Obstacle::Offline => "run it once without --offline".to_owned(),
        _ => return None,
    })
}

fn shown(text: &str) -> Escaped<'_> {
    Escaped(text.as_bytes())
}
