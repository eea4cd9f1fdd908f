//! "Did you mean".

/// The known word that looks most like another one, if any looks like it at all.
#[must_use]
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    const ALIKE: f64 = 0.75;
    // The measure takes time by the product of the lengths, and no key is as long.
    if word.len() > 100 {
        return None;
    }
    let mut best: Option<(f64, &str)> = None;
    for candidate in known {
        let score = strsim::jaro_winkler(&word.to_ascii_lowercase().replace('_', "-"), candidate);
        if score >= ALIKE && best.is_none_or(|(most, _)| score > most) {
            best = Some((score, candidate));
        }
    }
    best.map(|(_, candidate)| candidate.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_word_is_one_that_looks_like_it() {
        let keys = ["entrypoint", "cmd", "exposed-ports", "env"];
        assert_eq!(nearest("entripoint", keys).as_deref(), Some("entrypoint"));
        assert_eq!(nearest("exposed_ports", keys).as_deref(), Some("exposed-ports"));
        assert_eq!(nearest("zzz", keys), None);
        assert_eq!(nearest(&"x".repeat(1000), keys), None);
    }
}
