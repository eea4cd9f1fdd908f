//! Benches of distil. The library is empty; `README.md` beside it says what is measured and how.
