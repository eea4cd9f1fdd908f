//! A certificate authority of a test's own, made by openssl.

use std::path::{Path, PathBuf};

use crate::program::{self, Program};

/// An authority, and the files of all that it certified, which go away with it.
#[derive(Debug)]
pub struct Authority {
    folder: PathBuf,
    _guard: tempfile::TempDir,
}

/// A certificate and its key, in PEM.
#[derive(Debug, Clone)]
pub struct Certified {
    /// The file with the certificate.
    pub certificate: PathBuf,
    /// The file with the key.
    pub key: PathBuf,
}

impl Default for Authority {
    fn default() -> Self {
        Self::new()
    }
}

impl Authority {
    /// A new one, which nobody trusts yet.
    #[must_use]
    pub fn new() -> Self {
        let (guard, folder) = program::folder();
        let authority = Self { folder, _guard: guard };
        let basics = ["req", "-x509", "-nodes", "-days", "2", "-subj", "/CN=distil test authority"];
        let own = authority.named("authority");
        authority.openssl(&basics, &own, &["-addext", "keyUsage=critical,keyCertSign"]);
        authority
    }

    /// The file with its own certificate, for those who are to trust it.
    #[must_use]
    pub fn certificate(&self) -> PathBuf {
        self.named("authority").certificate
    }

    /// Certifies a server on loopback under its addresses and the name `localhost`.
    #[must_use]
    pub fn server(&self) -> Certified {
        self.issue("server", "subjectAltName=IP:127.0.0.1,IP:::1,DNS:localhost\nextendedKeyUsage=serverAuth\n")
    }

    /// Certifies who asks a server.
    #[must_use]
    pub fn client(&self) -> Certified {
        self.issue("client", "extendedKeyUsage=clientAuth\n")
    }

    fn issue(&self, name: &str, extensions: &str) -> Certified {
        let made = self.named(name);
        let (request, file) = (self.folder.join("request.pem"), self.folder.join("extensions"));
        std::fs::write(&file, extensions).unwrap();
        let wanted = Certified { certificate: request.clone(), key: made.key.clone() };
        self.openssl(&["req", "-nodes", "-subj", &format!("/CN={name}")], &wanted, &[]);
        let own = self.named("authority");
        let signed = Program::new("openssl").args(["x509", "-req", "-days", "2", "-CAcreateserial"]).arg("-in");
        let signed = signed.arg(&request).arg("-CA").arg(&own.certificate).arg("-CAkey").arg(&own.key);
        let _ran = signed.arg("-extfile").arg(&file).arg("-out").arg(&made.certificate).run().success();
        made
    }

    /// Makes a key, and with it a certificate or the request for one.
    fn openssl(&self, words: &[&str], made: &Certified, more: &[&str]) {
        let program = Program::new("openssl").args(words).args(["-newkey", "ec", "-pkeyopt"]);
        let program = program.arg("ec_paramgen_curve:prime256v1").args(more).current_dir(&self.folder);
        let _ran = program.arg("-keyout").arg(&made.key).arg("-out").arg(&made.certificate).run().success();
    }

    fn named(&self, name: &str) -> Certified {
        let file = |what: &str| Path::new(&self.folder).join(format!("{name}.{what}.pem"));
        Certified { certificate: file("certificate"), key: file("key") }
    }
}
