//! Licences of packages: from Debian copyright files and the free text of other ecosystems to SPDX expressions.
//!
//! Nothing here claims a licence that is not there. What SPDX has no name for, and what is not sure, becomes a `LicenseRef` with
//! its text. No deprecated id is ever used.

mod curated;
mod draft;
mod ecosystems;
mod expression;
mod free_form;
mod gnu;
mod grammar;
mod names;
mod stanzas;
mod tables;
mod text;
mod wording;

use std::collections::BTreeMap;

use distil_debunpack::copyright::{self, Copyright};

pub use ecosystems::of_name;

use draft::Draft;

/// The version of the SPDX licence list that all ids are from.
pub const LICENSE_LIST_VERSION: &str = spdx::identifiers::VERSION;

/// The licences of a package.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Licences {
    /// What its authors declare, as an SPDX expression. None where nothing was found, which is not "no licence".
    pub declared: Option<String>,
    /// What holds for it by the rules of this crate. None as above.
    pub concluded: Option<String>,
    /// Lines of copyright, without duplicates, in the order of the file.
    pub copyright: Vec<String>,
    /// What was guessed to come to the expression, for people.
    pub remarks: Vec<String>,
}

/// What a copyright file says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Analysis {
    /// The licences.
    pub licences: Licences,
    /// The texts of the licences that SPDX has no name for, by `LicenseRef-…`: exactly those in the expressions.
    pub texts: BTreeMap<String, String>,
}

/// Reads the copyright file of a package that was built from this source package.
///
/// Any bytes have an answer. A file beyond all measure is one licence as a whole, whose text is cut.
#[must_use]
pub fn analyse(copyright: &[u8], source: &str) -> Analysis {
    let text = copyright::decode(copyright);
    if text.trim().is_empty() {
        return Analysis::default();
    }
    let mut draft = Draft::default();
    let is_all = curated::analyse(&text, source, &mut draft);
    match Copyright::parse(&text) {
        Copyright::MachineReadable(stanzas) => stanzas::analyse(&stanzas, &mut draft),
        Copyright::FreeForm if is_all => free_form::copyright(&text, &mut draft),
        Copyright::FreeForm => free_form::analyse(&text, source, &mut draft),
    }
    if draft.is_empty() || draft.is_too_much() || copyright.len() > copyright::MAX_BYTES {
        draft = draft.whole(source, &text);
    }
    draft.finish().or_else(|| Draft::default().whole(source, &text).finish()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// What the files of `upstream` come to under a header, with stanzas after it; `*` stands for a digest.
    fn expression(upstream: &str, more: &str) -> String {
        let file = format!(
            "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\n\
             Files: *\nCopyright: 2001 A. Body\nLicense: {upstream}\n\n\
             Files: debian/*\nCopyright: 2002 B. Ody\nLicense: CC-BY-4.0\n\n{more}"
        );
        checked(&analyse(file.as_bytes(), "hello"))
    }

    /// The expression of an answer that keeps its promises, with its digests left out.
    fn checked(analysis: &Analysis) -> String {
        let Licences { declared, concluded, .. } = &analysis.licences;
        assert_eq!(declared, concluded);
        let Some(expression) = concluded else {
            assert!(analysis.texts.is_empty());
            return String::new();
        };
        let parsed = spdx::Expression::parse(expression).unwrap();
        let ids = parsed.requirements().map(|requirement| requirement.req.license.to_string());
        let references: std::collections::BTreeSet<String> = ids.filter(|id| id.starts_with("LicenseRef-")).collect();
        assert!(references.iter().eq(analysis.texts.keys()), "{expression}: {:?}", analysis.texts.keys());
        let mut plain = expression.clone();
        for reference in references {
            let (name, _) = reference.rsplit_once('-').unwrap();
            plain = plain.replace(&reference, &format!("{name}-*"));
        }
        plain
    }

    #[test]
    fn short_names_are_ids() {
        for (synopsis, expected) in [
            ("GPL-2+", "GPL-2.0-or-later"),
            ("GPL-2.0", "GPL-2.0-only"),
            ("GPL-2.0-or-later", "GPL-2.0-or-later"),
            ("GPLv3", "GPL-3.0-only"),
            ("LGPL-2.1+", "LGPL-2.1-or-later"),
            ("GFDL-NIV-1.3+", "GFDL-1.3-no-invariants-or-later"),
            ("GFDL-1.2+-no-invariants", "GFDL-1.2-no-invariants-or-later"),
            ("GNU General Public License version 2 or later", "GPL-2.0-or-later"),
            ("GPL", "GPL-1.0-only"),
            ("GPL-9", "LicenseRef-deb-gpl-9-*"),
            ("Expat", "MIT"),
            ("expat", "MIT"),
            ("BSD-3-clause", "BSD-3-Clause"),
            ("BSD_3_Clause", "BSD-3-Clause"),
            ("Apache-2", "Apache-2.0"),
            ("ApacheV2.0", "LicenseRef-deb-apachev2.0-*"),
            ("Apache-v2.0", "Apache-2.0"),
            ("The MIT License", "MIT"),
            ("MPL-1.1+", "MPL-1.1 OR MPL-2.0"),
            ("MPL-1.1+ and Zlib", "(MPL-1.1 OR MPL-2.0) AND Zlib"),
            ("Apache-2.0+", "Apache-2.0"),
            ("GPL-1+ or Artistic", "GPL-1.0-or-later OR Artistic-1.0-Perl"),
            ("Perl", "GPL-1.0-or-later OR Artistic-1.0-Perl"),
            ("A~b", "LicenseRef-deb-a-b-*"),
            ("BSD", "LicenseRef-deb-bsd-*"),
            ("MIT-like", "LicenseRef-deb-mit-like-*"),
            ("public-domain", "LicenseRef-deb-public-domain-*"),
            ("GPL-2.0+", "GPL-2.0-or-later"),
            ("eCos-2.0", "LicenseRef-deb-ecos-2.0-*"),
            ("NONE", "LicenseRef-deb-none-*"),
            ("\u{6f22}", "LicenseRef-deb-unnamed-*"),
        ] {
            assert_eq!(expression(synopsis, ""), expected, "{synopsis}");
        }
    }

    #[test]
    fn texts_say_what_names_do_not() {
        let gpl = |version: &str| {
            format!(
                "it under the terms of the GNU General Public\n License as published by the Free Software Foundation; {version}\n .\n \
                 On Debian systems see /usr/share/common-licenses/GPL"
            )
        };
        for (synopsis, text, expected) in [
            ("GPL", gpl("either version 2 of the\n License, or (at your option) any later version."), "GPL-2.0-or-later"),
            ("GPL", gpl("version 3."), "GPL-3.0-only"),
            ("GPL", gpl("the version that you like."), "GPL-1.0-or-later"),
            ("LGPL", "See /usr/share/common-licenses/LGPL-2.1.".to_owned(), "LGPL-2.1-only"),
            ("Apache", "Licensed under the Apache License, Version 2.0.".to_owned(), "Apache-2.0"),
            ("Apache", "Do what you like.".to_owned(), "LicenseRef-deb-apache-*"),
            ("MPL", "the Mozilla Public License, v. 2.0".to_owned(), "MPL-2.0"),
            ("Artistic", "see /usr/share/common-licenses/Artistic".to_owned(), "Artistic-1.0-Perl"),
            (
                "GPL-3+ with Bison exception",
                "As a special exception, you may create a larger work that contains part\n or all of the Bison parser skeleton"
                    .to_owned(),
                "GPL-3.0-or-later WITH Bison-exception-2.2",
            ),
            ("GPL-3+ with Bison exception", "no word of it".to_owned(), "LicenseRef-deb-gpl-3plus-with-bison-exception-*"),
            ("GPL-2-with-Linux-syscall-note", "x".to_owned(), "GPL-2.0-only WITH Linux-syscall-note"),
            ("GPL-2+ with OpenSSL exception", "x".to_owned(), "LicenseRef-deb-gpl-2plus-with-openssl-exception-*"),
            (
                "FSF-permissive",
                "Copying and distribution of this file, with or without modification,\n are permitted in any medium without \
                 royalty provided the copyright\n notice and this notice are preserved. This file is offered as-is,\n without any \
                 warranty."
                    .to_owned(),
                "FSFAP",
            ),
        ] {
            // In the stanza of the files, and in one of its own.
            assert_eq!(expression(&format!("{synopsis}\n {text}"), ""), expected, "{synopsis}");
            let alone = format!("License: {}\n {text}\n", synopsis.to_uppercase());
            assert_eq!(expression(synopsis, &alone), expected, "{synopsis}");
        }
    }

    #[test]
    fn stanzas_are_joined_and_the_packaging_is_left_out() {
        let more = "Files: a\nCopyright: 2003 A. Body\n 2001 A. Body\nLicense: Expat\n\nFiles: b\nCopyright: -\nLicense: GPL-2+\n";
        assert_eq!(expression("GPL-2+", more), "GPL-2.0-or-later AND MIT");
        assert_eq!(expression("Zlib and (Expat or ISC)", more), "Zlib AND (MIT OR ISC) AND MIT AND GPL-2.0-or-later");
        let only = "Format: x\n\nFiles: debian/*\nCopyright: 2001 A\n  2002 B\n  2001 A\nLicense: ISC\n";
        let only = analyse(only.as_bytes(), "x");
        assert_eq!((checked(&only).as_str(), only.licences.copyright.join("|").as_str()), ("ISC", "2001 A|2002 B"));
    }

    #[test]
    fn a_reference_is_its_text() {
        let file = |text: &str| format!("Format: x\n\nFiles: *\nCopyright: A\nLicense: custom\n {text}\n");
        let of = |text: &str| analyse(file(text).as_bytes(), "x").texts.into_iter().next().unwrap();
        let (id, text) = of("Be kind.\n .\n   Or not.");
        assert_eq!((id.as_str(), text.as_str()), ("LicenseRef-deb-custom-eba3cb352dd7", "Be kind.\n\n  Or not."));
        assert_eq!(of("Be kind. Or\n not.").0, id);
        assert_ne!(of("Be kind. Or else.").0, id);
        // Without a text, the stanza says what there is to say.
        assert!(expression("custom", "").starts_with("LicenseRef-deb-custom-"));
    }

    #[test]
    fn prose_says_what_it_says() {
        let grant = "it under the terms of the GNU General Public License as published by the Free Software Foundation; either \
                     version 2 of the License, or (at your option) any later version.\n";
        let gpl = format!("This is free software; you can redistribute it and/or modify {grant}");
        for (text, expected) in [
            (format!("Copyright 2001 A\n\nLicense:\n\n{gpl}"), "GPL-2.0-or-later"),
            (
                format!("{gpl}On Debian systems, the text of the GPL is in /usr/share/common-licenses/GPL-2.\n"),
                "GPL-2.0-or-later",
            ),
            (format!("{gpl}You must be kind.\n"), "GPL-2.0-or-later AND LicenseRef-deb-hello-*"),
            (format!("{gpl}The Debian packaging is licensed under the GPL-3.\n"), "GPL-2.0-or-later"),
            ("Do with it what you must.\n".to_owned(), "LicenseRef-deb-hello-*"),
            (
                "You may use it under the same terms as Perl itself.\n".to_owned(),
                "(GPL-1.0-or-later OR Artistic-1.0-Perl) AND LicenseRef-deb-hello-*",
            ),
            ("see /usr/share/common-licenses/Apache-2.0".to_owned(), "Apache-2.0"),
            ("The licence is in /usr/share/common-licenses/MPL-1.1.".to_owned(), "MPL-1.1 AND LicenseRef-deb-hello-*"),
            (String::new(), ""),
            ("\n \n".to_owned(), ""),
        ] {
            let found = analyse(text.as_bytes(), "hello");
            assert_eq!(checked(&found), expected, "{text}");
        }
    }

    #[test]
    fn hostile_files_have_an_answer() {
        let long = "x ".repeat(5 << 20);
        let stanzas = (0..20_000).map(|n| format!("\nFiles: {n}\nCopyright: {n}\nLicense: l{n}\n t{n}\n"));
        let many = stanzas.collect::<Vec<_>>().concat();
        let shared = format!(
            "Format: x\n\nFiles: *\nLicense: {}\n {}\n",
            "a".to_owned() + &" and b".repeat(900),
            "y ".repeat(1 << 19)
        );
        for (what, file) in [
            ("one text", format!("Format: x\n\nFiles: *\nCopyright: A\nLicense: a\n {long}\n")),
            ("prose", long),
            ("many licences", format!("Format: x\n{many}")),
            ("one text for many names", shared),
            ("names that steer a terminal", "Format: x\n\nFiles: *\nLicense: \u{1b}[2J\" OR <b>\n x\n".to_owned()),
            ("many names", format!("Format: x\n\nFiles: *\nLicense: a{}\n", " or a".repeat(100_000))),
        ] {
            let found = analyse(file.as_bytes(), "../\u{1b}[2J");
            assert!(!checked(&found).is_empty(), "{what}");
            let bytes: usize = found.texts.values().map(String::len).sum();
            assert!(bytes <= 32 << 20 && found.licences.copyright.len() < 10_000, "{what}: {bytes}");
        }
    }

    proptest! {
        #[test]
        fn any_bytes_end_in_an_answer_that_holds(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            checked(&analyse(&bytes, "x"));
        }

        #[test]
        fn any_stanzas_end_in_an_answer_that_holds(
            file in "Format: 1\n\n((Files: (\\*|debian/\\*)\n|License: |Copyright: )((GPL|LGPL-2.1|MIT|other|BSD|-2|\\+|and|or|,|with|x exception|\\(|\\)|\\PC{0,2}) ?){0,6}\n(\n| [a-c ]{0,5}\n)){0,8}",
            source in "\\PC{0,8}",
        ) {
            checked(&analyse(file.as_bytes(), &source));
        }
    }
}
