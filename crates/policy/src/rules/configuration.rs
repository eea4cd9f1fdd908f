//! Rules about what an image's configuration says.

use super::{E, N, OFF, Rule, W};

pub(super) const RULES: &[Rule] = &[
    Rule::hardening(
        "DSTL-CFG-001",
        "the image runs as root",
        [E, E, E],
        "Whoever breaks into a process of uid 0 holds all that the container may do, and is root on the host where user \
         namespaces are not set up. No user at all, a name that has uid 0 in etc/passwd, and 0:0 are root as well.",
        "set a user with a number above 0, as in `user = \"65532:65532\"`",
        &["CIS Docker 4.1", "CIS-DI-0001", "CCI-002235"],
    ),
    Rule::hardening(
        "DSTL-CFG-002",
        "the user is a name, or is unknown to the image",
        [W, N, W],
        "Kubernetes cannot tell that a name is not root, and refuses it under runAsNonRoot. A name that etc/passwd does \
         not have keeps the container from starting.",
        "write the user as a number",
        &["CIS Docker 4.1"],
    ),
    Rule::hardening(
        "DSTL-CFG-003",
        "a secret in the environment or a label",
        [E, E, E],
        "The configuration is read by everybody who may pull the image, and shown by every tool. What looks at values is \
         the form of well-known tokens; under a name such as DB_PASSWORD any value that is no placeholder counts.",
        "hand the secret over when the container starts, and replace the one that was published",
        &["CIS Docker 4.10", "CIS-DI-0010", "CCI-002367"],
    ),
    Rule::hardening(
        "DSTL-CFG-004",
        "a secret in the history",
        [E, E, E],
        "The history keeps commands with the values of their build arguments, for everybody who may pull the image.",
        "mount secrets while building, or do not need them there; replace the one that was published",
        &["CIS Docker 4.10", "CIS-DI-0010", "CCI-000366", "CCI-002367"],
    ),
    Rule::hardening(
        "DSTL-CFG-005",
        "a privileged port is exposed",
        [W, W, E],
        "To listen below 1024 a process needs root or a capability, and the image shows that it wants to.",
        "let the application listen above 1023 and map the port where it is published",
        &["CIS Docker 5.8", "CCI-001762"],
    ),
    Rule::hardening(
        "DSTL-CFG-006",
        "there is no health check",
        [N, W, OFF],
        "Docker restarts what reports itself ill. The OCI specification has no such field and Kubernetes ignores it, so \
         it is a hint alone.",
        "add a health check, or have one where the container is run",
        &["CIS Docker 4.6", "CIS-DI-0006"],
    ),
    Rule::hardening(
        "DSTL-CFG-007",
        "a volume on a directory of the system",
        [E, E, E],
        "A volume on /, /dev, /proc or /sys replaces what the runtime puts there, or shows the host's.",
        "make volumes of directories of the application's own data alone",
        &["DKL-DI-0002"],
    ),
    Rule::hardening(
        "DSTL-CFG-008",
        "a required annotation or label is missing",
        [W, W, W],
        "The policy names annotations without which nobody can tell where an image comes from, or who looks after it.",
        "set the annotation in the recipe, or the label in the configuration",
        &["OCI annotations"],
    ),
    Rule::hardening(
        "DSTL-CFG-009",
        "the base is not pinned by digest",
        [E, E, E],
        "The annotations name a base and not its digest, so that nobody can tell which one it was, nor whether it is out \
         of date.",
        "name the base by its digest; distil writes both annotations",
        &["CIS Docker 4.2"],
    ),
    Rule::hardening(
        "DSTL-CFG-010",
        "the image is named by the tag latest, or by none",
        [W, W, N],
        "What latest means changes from one pull to the next, so that what was checked need not be what runs.",
        "name the image by a version, or by its digest",
        &["DKL-DI-0006"],
    ),
    Rule::hardening(
        "DSTL-CFG-011",
        "the history adds a URL, or updates package lists in a step alone",
        [N, W, N],
        "ADD takes what a server sends, without a sum. A step that only updates lists is taken from a cache later, and \
         the next one installs old packages.",
        "download with a sum that is compared; install in the step that updates the lists",
        &["CIS Docker 4.7", "CIS Docker 4.9", "CIS-DI-0007", "CIS-DI-0009"],
    ),
    Rule::hardening(
        "DSTL-CFG-012",
        "the environment changes where programs and libraries come from",
        [W, W, W],
        "A PATH with an empty or relative directory, or one that everybody may write, runs what somebody put there. \
         LD_PRELOAD and LD_LIBRARY_PATH do so for libraries.",
        "keep to absolute directories that belong to root, and put libraries where the loader looks",
        &["CCI-000381"],
    ),
    Rule::hardening(
        "DSTL-CFG-013",
        "the entrypoint needs a shell, or is not in the image",
        [E, W, W],
        "Through a shell the application is not process 1, does not get signals, and what is passed to it is parsed as \
         commands. A program that is not there keeps the container from starting.",
        "write the entrypoint as a list whose first word is a program of the image",
        &["CIS Docker 4.3"],
    ),
    Rule::hardening(
        "DSTL-CFG-014",
        "the history upgrades the distribution",
        [W, W, W],
        "apt-get dist-upgrade and full-upgrade replace what the base decided, differently on every day.",
        "take a newer base, or lock the versions that are wanted",
        &["DKL-DI-0003"],
    ),
    Rule::hardening(
        "DSTL-CFG-015",
        "the history pipes a download into an interpreter",
        [W, W, E],
        "What came by curl or wget ran at once: nothing says which bytes those were, and nobody can build them again.",
        "download with a sum or a signature that is compared, then run it",
        &["CIS Docker 4.11", "CCI-000366"],
    ),
    Rule::hardening(
        "DSTL-CFG-016",
        "a port for remote logins is exposed",
        [E, E, E],
        "Ports 22, 23 and 512 to 514 are for logins. Containers are entered through their runtime, which knows who may.",
        "remove the server and the port",
        &["CIS Docker 5.7", "CCI-000381", "CCI-001762"],
    ),
    Rule::hardening(
        "DSTL-CFG-017",
        "the environment switches off the verification of certificates",
        [E, E, E],
        "With NODE_TLS_REJECT_UNAUTHORIZED=0, PYTHONHTTPSVERIFY=0, GIT_SSL_NO_VERIFY and the like every connection can \
         be read and changed on its way.",
        "add the certificate authority that is missing to the image instead",
        &["CCI-002418"],
    ),
    Rule::hardening(
        "DSTL-CFG-018",
        "the configuration switches on a debugger",
        [E, W, E],
        "A debugger that listens (jdwp, node --inspect, debugpy, FLASK_DEBUG) runs what anybody sends.",
        "make an image of its own for debugging",
        &["CCI-000381"],
    ),
];
