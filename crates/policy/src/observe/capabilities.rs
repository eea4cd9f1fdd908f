//! Capabilities of files, as the extended attribute `security.capability` holds them.

use std::fmt;

/// The name of the attribute.
pub const ATTRIBUTE: &[u8] = b"security.capability";

/// What a file may do that others may not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capabilities {
    /// What it may take.
    pub permitted: u64,
    /// What it takes from its parent.
    pub inheritable: u64,
    /// Whether it has what it may take from the start.
    pub is_effective: bool,
    /// The user of whose namespace it is root, in the third version.
    pub root: Option<u32>,
}

/// Bytes that are no value of the attribute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not a value of security.capability")]
pub struct NotCapabilities;

impl Capabilities {
    /// Reads a value in the second or third version; the first has not been written since 2008.
    ///
    /// # Errors
    /// [`NotCapabilities`] for another version or length.
    pub fn parse(value: &[u8]) -> Result<Self, NotCapabilities> {
        let mut words = [0_u32; 6];
        let (chunks, rest) = value.as_chunks::<4>();
        if !rest.is_empty() || chunks.len() > words.len() {
            return Err(NotCapabilities);
        }
        for (word, chunk) in words.iter_mut().zip(chunks) {
            *word = u32::from_le_bytes(*chunk);
        }
        let [magic, permitted, inheritable, permitted_high, inheritable_high, root] = words;
        let root = match (magic >> 24, chunks.len()) {
            (2, 5) => None,
            (3, 6) => Some(root),
            _ => return Err(NotCapabilities),
        };
        let wide = |low: u32, high: u32| u64::from(high) << 32 | u64::from(low);
        Ok(Self {
            permitted: wide(permitted, permitted_high),
            inheritable: wide(inheritable, inheritable_high),
            is_effective: magic & 1 != 0,
            root,
        })
    }

    /// The names of all of them, in the order of their numbers. One without a name is `cap_` and its number.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        let all = self.permitted | self.inheritable;
        let has = |number: &u32| all >> number & 1 == 1;
        (0..64)
            .filter(has)
            .map(|number| match NAMES.get(number as usize) {
                Some(name) => format!("cap_{name}"),
                None => format!("cap_{number}"),
            })
            .collect()
    }
}

impl fmt::Display for Capabilities {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.names().join(" "))?;
        f.write_str(if self.is_effective { ", in effect when it starts" } else { "" })?;
        match self.root {
            Some(root) => write!(f, ", for the namespace of user {root}"),
            None => Ok(()),
        }
    }
}

/// By number, as in the kernel's `capability.h`.
const NAMES: [&str; 41] = [
    "chown",
    "dac_override",
    "dac_read_search",
    "fowner",
    "fsetid",
    "kill",
    "setgid",
    "setuid",
    "setpcap",
    "linux_immutable",
    "net_bind_service",
    "net_broadcast",
    "net_admin",
    "net_raw",
    "ipc_lock",
    "ipc_owner",
    "sys_module",
    "sys_rawio",
    "sys_chroot",
    "sys_ptrace",
    "sys_pacct",
    "sys_admin",
    "sys_boot",
    "sys_nice",
    "sys_resource",
    "sys_time",
    "sys_tty_config",
    "mknod",
    "lease",
    "audit_write",
    "audit_control",
    "setfcap",
    "mac_override",
    "mac_admin",
    "syslog",
    "wake_alarm",
    "block_suspend",
    "audit_read",
    "perfmon",
    "bpf",
    "checkpoint_restore",
];

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn values_that_setcap_writes_are_read() {
        // setcap cap_net_bind_service,cap_net_raw+ep, then the same for the namespace of user 1000.
        let second = hex::decode("0100000200240000000000000000000000000000").unwrap();
        let read = Capabilities::parse(&second).unwrap();
        assert_eq!(read.to_string(), "cap_net_bind_service cap_net_raw, in effect when it starts");
        let third = hex::decode("0000000300240000000000000000000000000000e8030000").unwrap();
        let read = Capabilities::parse(&third).unwrap();
        assert_eq!(read.to_string(), "cap_net_bind_service cap_net_raw, for the namespace of user 1000");
        let high = hex::decode("0100000200000000000000008001000000000000").unwrap();
        assert_eq!(Capabilities::parse(&high).unwrap().names(), ["cap_bpf", "cap_checkpoint_restore"]);
    }

    #[test]
    fn other_lengths_and_versions_are_refused() {
        for value in ["", "01000002", "010000020024000000000000000000000000000000000000", "0100000100240000", "00"] {
            assert_eq!(Capabilities::parse(&hex::decode(value).unwrap()), Err(NotCapabilities), "{value}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(value: Vec<u8>) {
            if let Ok(read) = Capabilities::parse(&value) {
                let _ = read.to_string();
            }
        }
    }
}
