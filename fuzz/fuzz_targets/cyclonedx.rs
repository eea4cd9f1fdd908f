//! What was read from a CycloneDX document and written once is a fixed point.

#![no_main]

use distil_sbom::{About, Inventory, cyclonedx};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let about = About { author: None, created: 0, version: String::new(), files: true };
    let again = |inventory: &Inventory| {
        let mut text = Vec::new();
        cyclonedx::write(inventory, &about, &mut text).expect("memory takes all");
        cyclonedx::read(&text).expect("what is written can be read")
    };
    if let Ok(inventory) = cyclonedx::read(input) {
        let told = again(&inventory);
        assert_eq!(again(&told), told);
    }
});
