//! A document of whatever format that is read can be written in every format, where it is told from the others, has nothing
//! in it that steers a terminal, and does not change any more once it was written and read.

#![no_main]

use distil_sbom::table::Table;
use distil_sbom::{About, Format, Inventory, read};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &[u8]| {
    let Ok((_, inventory)) = read(input) else { return };
    for row in Table::of(&inventory).packages {
        assert!([row.name, row.version, row.licence].iter().all(|text| !text.contains(char::is_control)));
    }
    for format in Format::ALL {
        let told = again(&inventory, format);
        let known = again(&told, format);
        assert_eq!(again(&known, format), known);
    }
});

fn again(inventory: &Inventory, format: Format) -> Inventory {
    let about = About { author: None, created: 0, version: "1".to_owned(), files: true };
    let mut document = Vec::new();
    format.write(inventory, &about, &mut document).expect("memory takes all");
    assert!(!document.iter().any(u8::is_ascii_control));
    let (found, inventory) = read(&document).expect("what was written is read");
    assert_eq!(found, format);
    inventory
}
