//! The environment and labels: secrets, and what changes how programs run.

use super::Against;
use super::configuration::{shown, starts_debugger};
use crate::document::Hardening;
use crate::facts::PlatformFacts;
use crate::observe::secret;

pub(super) fn look(facts: &PlatformFacts, hardening: &Hardening, against: &mut Vec<Against>) {
    let config = &facts.config;
    let variables = config.env.iter().map(|(name, value)| ("Env", name, value));
    let labels = config.labels.iter().map(|(name, value)| ("Labels", name, value));
    for (place, name, value) in variables.chain(labels) {
        let is_allowed = hardening.allow.env_keys.iter().any(|glob| glob.matches(name));
        if let Some(seen) = secret(name, value).filter(|_| !is_allowed) {
            against.push(Against::new("DSTL-CFG-003", format!("{place} {}", shown(name)), seen));
        }
    }
    for (name, value) in &config.env {
        let subject = || format!("Env {}", shown(name));
        if let Some(evidence) = paths(name, value) {
            against.push(Against::new("DSTL-CFG-012", subject(), evidence));
        }
        if is_unverified(name, value) {
            against.push(Against::new("DSTL-CFG-017", subject(), format!("it is {}", shown(value))));
        }
        let is_switch = matches!(name.as_str(), "FLASK_DEBUG" | "PYTHONBREAKPOINT" | "WERKZEUG_DEBUG_PIN")
            && !matches!(value.as_str(), "" | "0" | "off");
        if starts_debugger(value) || is_switch {
            against.push(Against::new("DSTL-CFG-018", subject(), format!("it is {}", shown(value))));
        }
    }
}

/// What is wrong with where programs and libraries are looked for.
fn paths(name: &str, value: &str) -> Option<String> {
    match name {
        "PATH" => {
            let bad = value.split(':').find(|folder| !folder.starts_with('/'))?;
            Some(if bad.is_empty() { "an empty directory".to_owned() } else { format!("the directory {}", shown(bad)) })
        }
        "LD_PRELOAD" | "LD_LIBRARY_PATH" | "LD_AUDIT" if !value.is_empty() => Some(format!("it is {}", shown(value))),
        _ => None,
    }
}

/// Whether a variable makes a program take any certificate.
fn is_unverified(name: &str, value: &str) -> bool {
    let value = value.to_ascii_lowercase();
    let is_off = matches!(value.as_str(), "0" | "false" | "no" | "off");
    let is_on = matches!(value.as_str(), "1" | "true" | "yes" | "on");
    match name {
        "NODE_TLS_REJECT_UNAUTHORIZED" | "PYTHONHTTPSVERIFY" | "NPM_CONFIG_STRICT_SSL" | "npm_config_strict_ssl" => {
            is_off
        }
        "GIT_SSL_NO_VERIFY" | "COMPOSER_DISABLE_TLS" | "CURL_INSECURE" => is_on || name == "GIT_SSL_NO_VERIFY",
        "GOINSECURE" | "PIP_TRUSTED_HOST" => !value.is_empty(),
        "GONOSUMDB" | "GONOSUMCHECK" | "GOFLAGS" => value.contains("-insecure"),
        _ => false,
    }
}
