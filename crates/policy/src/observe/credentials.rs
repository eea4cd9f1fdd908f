//! Files in which tools keep logins. The name says how to read one, and the content whether there is a login in it.

use super::Sight;
use super::variables::secret;

/// Whether the text of a file is to be kept for [`look`].
pub(super) fn is_wanted(path: &str) -> bool {
    kind(path).is_some()
}

/// What login a file holds.
pub(super) fn look(path: &str, text: &str) -> Option<Sight> {
    let (tool, form) = kind(path)?;
    let is_there = match form {
        Form::Values(keys) => text.lines().any(|line| keys.iter().any(|key| has_value(line, key))),
        Form::Words(word) => {
            let mut words = text.split_whitespace();
            words.any(|found| found == word) && words.next().is_some_and(is_value)
        }
        Form::Url => text.lines().any(has_login),
        Form::Fields(count) => {
            text.lines().any(|line| !line.starts_with('#') && line.split(':').nth(count - 1).is_some_and(is_value))
        }
        Form::Whole => text.split_whitespace().next().is_some_and(is_value),
        Form::Variables => text.lines().any(is_secret),
    };
    is_there.then(|| Sight { rule: "DSTL-FS-009", seen: format!("a login of {tool}") })
}

/// How a login is written.
enum Form {
    /// The value of one of these keys, in any of the forms of INI, YAML, JSON, TOML and XML.
    Values(&'static [&'static str]),
    /// The word behind this one.
    Words(&'static str),
    /// `https://name:password@`.
    Url,
    /// The last of as many fields between colons.
    Fields(usize),
    /// All of it.
    Whole,
    /// `NAME=value`, where the name says that the value is a secret.
    Variables,
}

fn kind(path: &str) -> Option<(&'static str, Form)> {
    let at = |end: &str| path == end || path.strip_suffix(end).is_some_and(|before| before.ends_with('/'));
    Some(match path {
        _ if at(".docker/config.json") || at(".dockercfg") || at("containers/auth.json") => {
            ("Docker", Form::Values(&["auth", "identitytoken", "registrytoken"]))
        }
        _ if at(".npmrc") || at("npmrc") => ("npm", Form::Values(&["_authToken", "_auth", "_password"])),
        _ if at(".yarnrc.yml") => ("yarn", Form::Values(&["npmAuthToken", "npmAuthIdent"])),
        _ if at(".netrc") || at("_netrc") => ("netrc", Form::Words("password")),
        _ if at(".aws/credentials") || at(".aws/config") => {
            ("AWS", Form::Values(&["aws_secret_access_key", "aws_session_token"]))
        }
        _ if at(".git-credentials") => ("git", Form::Url),
        _ if at(".kube/config") || at("kubeconfig") || at("etc/kubernetes/admin.conf") => {
            ("Kubernetes", Form::Values(&["token", "password", "client-key-data"]))
        }
        _ if at(".pypirc") => ("PyPI", Form::Values(&["password"])),
        _ if at("pip.conf") || at("pip/pip.conf") => ("pip", Form::Url),
        _ if at(".pgpass") => ("PostgreSQL", Form::Fields(5)),
        _ if at(".my.cnf") => ("MySQL", Form::Values(&["password"])),
        _ if at(".m2/settings.xml") => ("Maven", Form::Values(&["password", "passphrase"])),
        _ if at(".gradle/gradle.properties") => ("Gradle", Form::Values(&["signing.password", "password"])),
        _ if at(".gem/credentials") => ("RubyGems", Form::Values(&["rubygems_api_key"])),
        _ if at(".cargo/credentials") || at(".cargo/credentials.toml") => ("cargo", Form::Values(&["token"])),
        _ if at(".composer/auth.json") || at("composer/auth.json") => {
            ("composer", Form::Values(&["password", "github.com", "gitlab.com"]))
        }
        _ if at("gcloud/application_default_credentials.json") => {
            ("Google Cloud", Form::Values(&["refresh_token", "private_key", "client_secret"]))
        }
        _ if at(".azure/accessTokens.json") => ("Azure", Form::Values(&["accessToken", "refreshToken"])),
        _ if at(".config/gh/hosts.yml") => ("GitHub", Form::Values(&["oauth_token"])),
        _ if at(".config/hub") => ("GitHub", Form::Values(&["oauth_token"])),
        _ if at(".terraformrc") || at(".terraform.d/credentials.tfrc.json") => ("Terraform", Form::Values(&["token"])),
        _ if at(".vault-token") => ("Vault", Form::Whole),
        _ if at("rclone/rclone.conf") => ("rclone", Form::Values(&["pass", "secret_access_key", "token"])),
        _ if at(".s3cfg") => ("s3cmd", Form::Values(&["secret_key"])),
        _ if at(".htpasswd") => ("a web server", Form::Fields(2)),
        _ if path.contains("etc/apt/auth.conf") => ("apt", Form::Words("password")),
        _ if is_environment(path) => ("an environment", Form::Variables),
        _ => return None,
    })
}

/// Whether it is a file of variables, as in `.env` or `.env.production`, and no sample of one.
fn is_environment(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or(path);
    name.strip_prefix(".env").is_some_and(|rest| match rest.strip_prefix('.') {
        Some(stage) => !["example", "sample", "template", "dist", "defaults"].contains(&stage),
        None => rest.is_empty(),
    })
}

/// Whether a line of a file of variables holds a secret.
fn is_secret(line: &str) -> bool {
    let line = line.trim_start();
    let line = line.strip_prefix("export ").unwrap_or(line);
    line.split_once('=').is_some_and(|(name, value)| {
        let value = value.trim().trim_matches(['"', '\'']);
        !name.starts_with('#') && secret(name.trim(), value).is_some()
    })
}

/// Whether a line gives a key a value: `key = value`, `key: value`, `"key": "value"`, `<key>value<`, also behind a scope.
fn has_value(line: &str, key: &str) -> bool {
    let is_comment = line.trim_start().starts_with(['#', ';']);
    let mut from = 0;
    while let Some(at) = line.get(from..).and_then(|rest| rest.find(key)).map(|at| from + at) {
        from = at + key.len();
        let before = line.get(..at).and_then(|text| text.chars().next_back());
        let Some(rest) = line.get(from..) else { break };
        let rest = rest.trim_start_matches(['"', '\'']).trim_start();
        let value = rest.strip_prefix(['=', ':', '>']).map(|value| value.trim_start().trim_start_matches(['"', '\'']));
        let value = value.and_then(|value| value.split(['"', '\'', '<', ',']).next());
        if !is_comment
            && before.is_none_or(|c| !c.is_alphanumeric() && c != '_' && c != '-')
            && value.is_some_and(is_value)
        {
            return true;
        }
    }
    false
}

/// Whether a line has a URL with a name and a password in it.
pub(crate) fn has_login(line: &str) -> bool {
    let mut rest = line;
    while let Some((_, behind)) = rest.split_once("://") {
        let end = behind.find(|c: char| matches!(c, '/' | '?' | '#' | '"' | '\'') || c.is_whitespace());
        let authority = end.and_then(|end| behind.get(..end)).unwrap_or(behind);
        if let Some((login, _)) = authority.rsplit_once('@')
            && let Some((_, password)) = login.split_once(':')
            && is_value(password)
        {
            return true;
        }
        rest = behind;
    }
    false
}

/// Whether a value is one, and not a place for one.
pub(super) fn is_value(value: &str) -> bool {
    let value = value.trim();
    let lower = value.to_ascii_lowercase();
    let is_place = value.starts_with(['$', '<', '{', '%', '*'])
        || matches!(
            lower.as_str(),
            "" | "null"
                | "none"
                | "true"
                | "false"
                | "changeme"
                | "change-me"
                | "password"
                | "secret"
                | "token"
                | "xxx"
        )
        || lower.contains("your-")
        || lower.contains("your_")
        || lower.contains("example")
        || lower.contains("placeholder");
    !is_place
}
