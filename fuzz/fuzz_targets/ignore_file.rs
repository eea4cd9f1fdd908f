//! An ignore file of any kind is read or refused, and its entries stand in lines that it has.

#![no_main]

use distil_vulns::ignore::read;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let lines = input.iter().filter(|b| **b == b'\n').count() + 1;
    for name in [".trivyignore", "ignore.yaml", "osv-scanner.toml"] {
        if let Ok(file) = read(input, name) {
            assert!(file.entries.iter().all(|entry| (1..=lines).contains(&entry.line) && !entry.id.is_empty()));
            assert!(file.left_out.iter().all(|entry| (1..=lines).contains(&entry.line)));
        }
    }
});
