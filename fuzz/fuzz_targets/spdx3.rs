//! What was read from an SPDX 3 document and written once is a fixed point.

#![no_main]

use distil_sbom::{About, Inventory, spdx3};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let about = About { author: None, created: 0, version: String::new(), files: true };
    let again = |inventory: &Inventory| {
        let mut text = Vec::new();
        spdx3::write(inventory, &about, &mut text).expect("memory takes all");
        spdx3::read(&text).expect("what is written can be read")
    };
    if let Ok(inventory) = spdx3::read(input) {
        let told = again(&inventory);
        assert_eq!(again(&told), told);
    }
});
