//! A lock that is read is written and read as the same; its own text is a fixed point; and it neither differs from nor
//! changes itself.

#![no_main]

use distil_aptrepo::lock::Lock;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: &str| {
    let Ok(lock) = Lock::parse(input) else { return };
    let text = lock.to_toml();
    let again = Lock::parse(&text).expect("what is written can be read");
    assert_eq!(again, lock);
    assert_eq!(again.to_toml(), text);
    assert!(again.changes(Some(&lock)).is_empty());
    assert!(again.asked.differences(&lock.asked).is_empty());
    // Nothing was kept, so nothing can be proved.
    let report = lock.check_evidence(&[]);
    assert_eq!((report.findings.len(), report.proved), (lock.repositories.len(), 0));
});
