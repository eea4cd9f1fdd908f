//! What breaks each rule about configuration, packages and files.

use distil_policy::facts::PackageFacts;
use distil_tests::tar::Entry;
use serde_json::json;

use super::{Draft, deb};
use crate::testimage::record;

/// A way to break a rule, and what is said then.
pub(super) struct Case {
    pub(super) rule: &'static str,
    pub(super) says: &'static str,
    pub(super) breaks: Box<dyn Fn(&mut Draft)>,
}

pub(super) fn case(rule: &'static str, says: &'static str, breaks: impl Fn(&mut Draft) + 'static) -> Case {
    Case { rule, says, breaks: Box::new(breaks) }
}

/// In two parts, so that nobody who searches the sources takes it for one.
pub(super) const GITHUB: [&str; 2] = ["ghp", "_aB3dE5gH7jK9mN1pQ3rS5tU7vW9xY1zA3bC5"];
const AWS: [&str; 2] = ["AK", "IAQ3EGRIVTN5WXYZ72"];

/// Something with the form of a private key.
pub(super) fn private_key(label: &str) -> String {
    let body = "MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj\n".repeat(3);
    format!("-----BEGIN {label}-----\n{body}-----END {label}-----\n")
}

/// A file in a layer of its own.
fn file(rule: &'static str, says: &'static str, entry: impl Fn() -> Entry + 'static) -> Case {
    case(rule, says, move |draft| draft.layers.push(vec![entry()]))
}

fn env(rule: &'static str, says: &'static str, variable: impl Into<String>) -> Case {
    let variable = variable.into();
    case(rule, says, move |draft| draft.config["Env"].as_array_mut().unwrap().push(json!(variable)))
}

fn set(rule: &'static str, says: &'static str, key: &'static str, value: serde_json::Value) -> Case {
    case(rule, says, move |draft| draft.config[key] = value.clone())
}

fn step(rule: &'static str, says: &'static str, step: &'static str) -> Case {
    case(rule, says, move |draft| draft.history.push(step))
}

fn text(rule: &'static str, says: &'static str, name: &'static str, text: impl Into<String>) -> Case {
    let text = text.into();
    file(rule, says, move || Entry::file(name, text.clone()))
}

fn program(rule: &'static str, says: &'static str, name: &'static str) -> Case {
    file(rule, says, move || Entry::file(name, "x").mode(0o755))
}

fn package(rule: &'static str, says: &'static str, name: &'static str, version: &'static str) -> Case {
    case(rule, says, move |draft| draft.packages.push(deb(name, version, None)))
}

pub(super) fn all() -> Vec<Case> {
    let mut all = configuration();
    all.extend(packages());
    all.extend(modes());
    all.extend(names());
    all.extend(contents());
    all
}

fn configuration() -> Vec<Case> {
    vec![
        set("DSTL-CFG-001", "no user is set", "User", json!("")),
        set("DSTL-CFG-001", "User: the user is root", "User", json!("root")),
        set("DSTL-CFG-001", "User: the user is 0:0", "User", json!("0:0")),
        set("DSTL-CFG-001", "User: the user is 00", "User", json!("00")),
        set("DSTL-CFG-001", "User: the user is +0:1", "User", json!("+0:1")),
        set("DSTL-CFG-001", "User: the user is -00", "User", json!("-00")),
        set("DSTL-CFG-001", "User: the user is root:root", "User", json!("root:root")),
        set("DSTL-CFG-002", "the user is the name nonroot", "User", json!("nonroot")),
        set("DSTL-CFG-002", "there is no user app", "User", json!("app")),
        env("DSTL-CFG-003", "Env DB_PASSWORD: a value of 9 characters", "DB_PASSWORD=correct-h"),
        env("DSTL-CFG-003", "Env X: GitHub token: ghp_", format!("X={}", GITHUB.concat())),
        env("DSTL-CFG-003", "Env PROXY: a URL with a password", "PROXY=http://me:w0rd-of@proxy.example.net:3128/"),
        set("DSTL-CFG-003", "Labels api-key", "Labels", json!({"api-key": "b6fa1c9d2e"})),
        step("DSTL-CFG-004", "NPM_TOKEN: a value of 12", "RUN |1 NPM_TOKEN=abcdef123456 /bin/sh -c npm ci"),
        set("DSTL-CFG-005", "port 80/tcp", "ExposedPorts", json!({"80/tcp": {}})),
        set("DSTL-CFG-006", "there is none", "Healthcheck", json!({"Test": ["NONE"]})),
        set("DSTL-CFG-007", "a volume on /proc/", "Volumes", json!({"/proc/": {}})),
        set("DSTL-CFG-007", "a volume on /data/../proc", "Volumes", json!({"/data/../proc": {}})),
        case("DSTL-CFG-008", "org.example.team: it is empty", |draft| {
            draft.required = vec!["org.example.team".to_owned()];
            draft.annotations = json!({"org.example.team": " "});
        }),
        case("DSTL-CFG-009", "without a digest", |draft| {
            draft.annotations = json!({"org.opencontainers.image.base.name": "registry.example.org/base:12"});
        }),
        case("DSTL-CFG-010", "it has no tag", |draft| draft.reference = "registry.example.org/app"),
        case("DSTL-CFG-010", "its tag is latest", |draft| draft.reference = "oci:build/app:latest"),
        step("DSTL-CFG-011", "ADD of a URL", "ADD https://example.org/x /app/x # buildkit"),
        step("DSTL-CFG-011", "in a step alone", "RUN /bin/sh -c apt-get update # buildkit"),
        env("DSTL-CFG-012", "an empty directory", "PATH=/usr/bin:"),
        env("DSTL-CFG-012", "the directory .", "PATH=.:/usr/bin"),
        env("DSTL-CFG-012", "everybody may write it", "PATH=/usr/bin:/tmp"),
        env("DSTL-CFG-012", "Env LD_PRELOAD", "LD_PRELOAD=/app/x.so"),
        set("DSTL-CFG-013", "not in the image", "Entrypoint", json!(["/app/absent"])),
        case("DSTL-CFG-013", "not executable (mode 0644)", |draft| {
            draft.layers.push(vec![Entry::file("app/plain", "x").mode(0o644)]);
            draft.config["Entrypoint"] = json!(["/app/plain"]);
        }),
        case("DSTL-CFG-013", "it is run by /app/sh", |draft| {
            // Not a shell that a rule of files knows, since it cannot be run.
            draft.layers.push(vec![Entry::file("app/sh", "x")]);
            draft.config["Entrypoint"] = json!(["/app/sh", "-c", "run"]);
        }),
        step("DSTL-CFG-014", "upgraded", "RUN apt-get update && apt-get -y dist-upgrade"),
        step("DSTL-CFG-015", "piped into bash", "RUN curl -sSf https://example.org/install | sudo -E bash -"),
        step("DSTL-CFG-015", "piped into bash", "RUN /bin/sh -c bash <(curl -sSf https://example.org/install)"),
        step("DSTL-CFG-015", "piped into sh", r#"/bin/sh -c sh -c "$(wget -qO- https://example.org/install)""#),
        set("DSTL-CFG-016", "port 22/tcp", "ExposedPorts", json!({"22/tcp": {}})),
        set("DSTL-CFG-016", "port 20-25/tcp", "ExposedPorts", json!({"20-25/tcp": {}})),
        env("DSTL-CFG-017", "NODE_TLS_REJECT_UNAUTHORIZED", "NODE_TLS_REJECT_UNAUTHORIZED=0"),
        env(
            "DSTL-CFG-018",
            "Env JAVA_TOOL_OPTIONS",
            "JAVA_TOOL_OPTIONS=-agentlib:jdwp=transport=dt_socket,address=*:5005",
        ),
        set("DSTL-CFG-018", "--inspect=0.0.0.0", "Cmd", json!(["--inspect=0.0.0.0"])),
    ]
}

fn packages() -> Vec<Case> {
    vec![
        case("DSTL-PKG-001", "local: the build names no repository", |draft| {
            draft.packages = vec![deb("aa", "1", Some("Debian")), deb("local", "1", None)];
        }),
        case("DSTL-PKG-001", "local: the build had it as a file", |draft| {
            draft.packages =
                vec![deb("aa", "1", Some("Debian")), PackageFacts { is_local: true, ..deb("local", "1", None) }];
        }),
        package("DSTL-PKG-002", "telnetd", "telnetd", "0.17-44"),
        package("DSTL-PKG-003", "header files", "libssl-dev", "3.0.11-1"),
        package("DSTL-PKG-003", "a tool for building", "gcc-12", "12.2.0-14"),
        text("DSTL-PKG-004", "the record cannot be read", "var/lib/dpkg/status.d/x", "nothing"),
        case("DSTL-PKG-005", "its versions are 1, 2", |draft| {
            draft.packages = vec![deb("aa", "1", None), deb("aa", "2", None)];
        }),
        package("DSTL-PKG-006", "CVE-2024-3094", "xz-utils", "5.6.1-1"),
        package("DSTL-PKG-007", "cron", "cron", "3.0pl1-162"),
        case("DSTL-PKG-008", "aa: 1 is not wholly installed", |draft| {
            draft.packages = vec![PackageFacts { is_partial: true, ..deb("aa", "1", None) }];
        }),
    ]
}

fn modes() -> Vec<Case> {
    vec![
        file("DSTL-FS-001", "setuid of 0:0, mode 4755", || Entry::file("app/a", "x").mode(0o4755)),
        file("DSTL-FS-001", "setgid of 0:42", || Entry::file("app/a", "x").mode(0o2755).owned_by(0, 42)),
        case("DSTL-FS-002", "cap_net_bind_service cap_net_raw, in effect", |draft| {
            let value = b"\x01\0\0\x02\0\x24\0\0\0\0\0\0\0\0\0\0\0\0\0\0";
            let record = [&b"54 SCHILY.xattr.security.capability="[..], value.as_slice(), b"\n"].concat();
            let record = [format!("{}", record.len()).as_bytes(), &record[2..]].concat();
            draft
                .layers
                .push(vec![Entry { kind: b'x', ..Entry::file("pax", record) }, Entry::file("app/a", "x").mode(0o755)]);
        }),
        file("DSTL-FS-003", "mode 0666", || Entry::file("app/a", "x").mode(0o666)),
        file("DSTL-FS-003", "mode 0777", || Entry::directory("app/a/").mode(0o777)),
        file("DSTL-FS-014", "character device", || Entry { kind: b'3', ..Entry::file("app/null", "") }),
        file("DSTL-FS-014", "named pipe", || Entry { kind: b'6', ..Entry::file("app/pipe", "") }),
        file("DSTL-FS-017", "owner 65532:65532", || Entry::file("usr/bin/x", "x").mode(0o755).owned_by(65532, 65532)),
        file("DSTL-FS-017", "owner 0:65532, mode 0664", || {
            Entry::file("usr/lib/x.so", "x").mode(0o664).owned_by(0, 65532)
        }),
        file("DSTL-FS-019", "mode 0644", || Entry::file("etc/gshadow", "root:*::\n")),
    ]
}

fn names() -> Vec<Case> {
    vec![
        program("DSTL-FS-004", "a shell", "usr/bin/dash"),
        case("DSTL-FS-004", "/usr/local/bin/sh: a shell, as a link", |draft| {
            draft.layers.push(vec![Entry::symlink("bin", "usr/bin"), Entry::file("usr/bin/anything", "x").mode(0o755)]);
            draft.layers.push(vec![Entry::symlink("usr/local/bin/sh", "/bin/anything")]);
        }),
        program("DSTL-FS-005", "a package manager", "usr/bin/apt-get"),
        program("DSTL-FS-006", "a tool for networks", "usr/bin/curl"),
        program("DSTL-FS-006", "a tool to change who one is", "usr/bin/sudo"),
        program("DSTL-FS-007", "a tool for building", "usr/bin/x86_64-linux-gnu-gcc-12"),
        text("DSTL-FS-007", "/usr/include: header files: 1 file", "usr/include/stdio.h", "x"),
        text("DSTL-FS-012", "/var/lib/apt/lists: lists of packages: 1 file", "var/lib/apt/lists/x_Packages", "x"),
        text("DSTL-FS-012", "/app/.git: a repository", "app/.git/HEAD", "x"),
        text("DSTL-FS-020", "it says who comes in", "home/app/.ssh/authorized_keys", "ssh-ed25519 AAAA me\n"),
        text("DSTL-FS-026", "not what it looks like", "app/...", "x"),
        text("DSTL-FS-026", r"/app/gpj.\u{202e}exe", "app/gpj.\u{202e}exe", "x"),
        case("DSTL-FS-015", "/usr/lib: 1 file, the first b", |draft| draft.layers.extend(packaged("x", "usr/lib/b"))),
        case("DSTL-FS-016", "/usr/bin/a: its MD5", |draft| {
            draft.layers.extend(packaged("x", "app/b"));
            draft.layers.push(vec![Entry::file("usr/bin/a", "y").mode(0o755)]);
        }),
        case("DSTL-FS-016", "/usr/bin/a: it leads to /app/b", |draft| {
            draft.layers.extend(packaged("x", "app/b"));
            draft.layers.push(vec![Entry::file("app/b", "y"), Entry::symlink("usr/bin/a", "/app/b")]);
        }),
        case("DSTL-FS-016", "/usr/bin/a: it leads to /app/a", |draft| {
            draft.layers.extend(packaged("x", "app/a"));
            draft.layers.push(vec![Entry::file("app/a", "y"), Entry::symlink("usr/bin", "../app")]);
        }),
        case("DSTL-FS-016", "/usr/bin/a: it leads to /usr/bin/a", |draft| {
            draft.layers.extend(packaged("x", "app/b"));
            draft.layers.push(vec![Entry::directory("usr/bin/a/")]);
        }),
    ]
}

/// A package with a file, and another file that is none of it.
fn packaged(content: &str, other: &str) -> Vec<Vec<Entry>> {
    let sums = "9dd4e461268c8034f5c8564e155c67a6  usr/bin/a\n";
    vec![vec![
        Entry::file("usr/bin/a", content).mode(0o755),
        Entry::file("var/lib/dpkg/status.d/aa", record("aa", "1", "")),
        Entry::file("var/lib/dpkg/status.d/aa.md5sums", sums),
        Entry::file(other, "x"),
    ]]
}

fn contents() -> Vec<Case> {
    vec![
        text("DSTL-FS-008", "-----BEGIN RSA PRIVATE KEY-----", "app/conf", private_key("RSA PRIVATE KEY")),
        text(
            "DSTL-FS-008",
            "-----BEGIN EC PRIVATE KEY-----",
            "app/conf.json",
            private_key("EC PRIVATE KEY").replace('\n', "\\n"),
        ),
        text("DSTL-FS-018", "ENCRYPTED PRIVATE KEY", "app/conf", private_key("ENCRYPTED PRIVATE KEY")),
        text("DSTL-FS-018", "OPENSSH PRIVATE KEY-----, encrypted", "app/conf", private_key("OPENSSH PRIVATE KEY")),
        text(
            "DSTL-FS-009",
            "a login of Docker",
            "root/.docker/config.json",
            r#"{"auths":{"r.example.org":{"auth":"bWU6cHc="}}}"#,
        ),
        text("DSTL-FS-009", "a login of npm", "app/.npmrc", "//registry.example.org/:_authToken=0123-abc\n"),
        text("DSTL-FS-009", "a login of an environment", "app/.env.production", "A=b\nexport DB_PASSWORD='hunter22'\n"),
        text("DSTL-FS-009", "a login of netrc", "root/.netrc", "machine example.org\nlogin me\npassword hunter22\n"),
        text(
            "DSTL-FS-009",
            "a login of AWS",
            "root/.aws/credentials",
            format!("[default]\naws_access_key_id = {}\naws_secret_access_key = abcdefgh\n", AWS.concat()),
        ),
        text("DSTL-FS-009", "a login of git", "root/.git-credentials", "https://me:hunter22@git.example.org\n"),
        text(
            "DSTL-FS-009",
            "a login of Kubernetes",
            "root/.kube/config",
            "users:\n- name: a\n  user:\n    token: abcdefgh\n",
        ),
        text("DSTL-FS-010", "GitHub token: ghp_aB", "app/conf", format!("token = {}", GITHUB.concat())),
        text("DSTL-FS-010", "AWS access key id: AKIAQ3", "app/conf", AWS.concat()),
        text("DSTL-FS-011", "nonroot has no password", "etc/shadow-", "nonroot::19000::::::\n").with_mode(0o640),
        text("DSTL-FS-011", "toor is root", "etc/passwd", "root:x:0:0::/:\ntoor:x:0:0::/:\n"),
        text("DSTL-FS-024", "root has a password", "etc/shadow", "root:$6$abcdefgh$ijklmnop:19000::::::\n")
            .with_mode(0o640),
        case("DSTL-FS-013", "-----BEGIN PRIVATE KEY-----, in layer 1", |draft| {
            draft.layers.push(vec![Entry::file("app/conf", private_key("PRIVATE KEY"))]);
            draft.layers.push(vec![Entry::file("app/.wh.conf", "")]);
        }),
        case("DSTL-FS-013", "in layer 1", |draft| {
            draft.layers.push(vec![Entry::file("app/conf", private_key("PRIVATE KEY"))]);
            draft.layers.push(vec![Entry::file("app/conf", "nothing")]);
        }),
        text("DSTL-FS-021", "nopasswd:", "etc/sudoers.d/app", "app ALL=(ALL) NOPASSWD: ALL\n"),
        text(
            "DSTL-FS-022",
            "trusted=yes",
            "etc/apt/sources.list",
            "deb [ trusted=yes ] https://deb.example.org x main\n",
        ),
        text("DSTL-FS-023", "strict-ssl=false", "app/.npmrc", "strict-ssl = false\n"),
        text("DSTL-FS-025", "it names a library", "etc/ld.so.preload", "/app/x.so\n"),
    ]
}

impl Case {
    fn with_mode(self, mode: u32) -> Self {
        let breaks = self.breaks;
        let breaks = Box::new(move |draft: &mut Draft| {
            breaks(draft);
            for entry in draft.layers.last_mut().unwrap() {
                entry.mode = mode;
            }
        });
        Self { breaks, ..self }
    }
}
