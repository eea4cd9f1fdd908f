//! The limits that distil has set itself, and whether this run keeps them.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::registry::{self, Kind};
use super::set::Set;
use super::sizes::as_float;
use super::tables::Figures;
use super::task::{Packing, Strategy, Task};

const HEAD: &str = "\
## Must reach

| what | at most | measured | |
|---|---|---|---|
";

/// How a figure is written.
#[derive(Clone, Copy)]
enum Unit {
    /// Times another figure.
    Times,
    Milliseconds,
    Mebibytes,
}

impl Unit {
    fn show(self, value: f64) -> String {
        match self {
            Self::Times => format!("{value:.2} x"),
            Self::Milliseconds => format!("{value:.0} ms"),
            Self::Mebibytes => format!("{value:.0} MiB"),
        }
    }
}

/// A limit, and what was measured, if it was.
struct Limit {
    what: String,
    at_most: f64,
    unit: Unit,
    measured: Option<f64>,
}

impl Limit {
    /// It is kept by the figure itself, not by the digits that are shown.
    fn row(&self) -> String {
        let (measured, verdict) = match self.measured {
            Some(value) if value <= self.at_most => (self.unit.show(value), "met"),
            Some(value) => (self.unit.show(value), "**not met**"),
            None => (String::new(), "not measured"),
        };
        format!("| {} | {} | {measured} | {verdict} |", self.what, self.unit.show(self.at_most))
    }
}

/// The table, every verdict of which is reckoned from this run.
pub(super) fn table(figures: &BTreeMap<Set, Figures>, transfers: Option<&registry::Figures>) -> String {
    let mut table = String::from(HEAD);
    for limit in limits(figures).into_iter().chain(of_registries(transfers)) {
        let _ = writeln!(table, "{}", limit.row());
    }
    table.push('\n');
    table
}

fn limits(figures: &BTreeMap<Set, Figures>) -> Vec<Limit> {
    let of = |set: Set| figures.get(&set);
    let ratio = |set: Set, task: Task, to: Task| of(set).and_then(|figures| figures.times.ratio(task, to));
    let mut limits = Vec::new();
    let mut limit = |what: String, at_most: f64, unit: Unit, measured: Option<f64>| {
        limits.push(Limit { what, at_most, unit, measured });
    };
    for (packing, at_most) in [(Packing::Zstd, 1.0), (Packing::Gzip, 1.4)] {
        for set in Set::ALL {
            let what = format!("cold build, {}, {} set, against only decompressing", packing.stated(), set.name());
            limit(what, at_most, Unit::Times, ratio(set, Task::Cold(packing), Task::Decompress));
        }
    }
    for packing in Packing::ALL {
        let what = format!("cold build, {}, python set, against the shell pipeline", packing.stated());
        limit(what, 0.3, Unit::Times, ratio(Set::Python, Task::Cold(packing), Task::Shell(packing)));
    }
    limit(
        "cold build of the large set with SBOMs in every format and provenance, against one with none".to_owned(),
        1.2,
        Unit::Times,
        ratio(Set::Large, Task::ColdDescribed, Task::Cold(Packing::Zstd)),
    );
    limit(
        "SBOM of an image, large set, against syft".to_owned(),
        0.1,
        Unit::Times,
        ratio(Set::Large, Task::Sbom, Task::Syft),
    );
    let changed = "one package changed";
    limit(
        format!("{changed}, `single` zstd layer, python set, against `openssl dgst -sha256` of the uncompressed layer"),
        2.5,
        Unit::Times,
        ratio(Set::Python, Task::Changed(Strategy::Single), Task::Openssl),
    );
    limit(
        format!("{changed}, `package` layers, jre set, against the cold build"),
        0.05,
        Unit::Times,
        ratio(Set::Jre, Task::Changed(Strategy::Package), Task::Cold(Packing::Zstd)),
    );
    let seconds = of(Set::Python).and_then(|figures| figures.times.seconds(Task::Unchanged));
    let unchanged = "nothing changed, from the lock, python set";
    limit(format!("{unchanged}: time"), 30.0, Unit::Milliseconds, seconds.map(|seconds| seconds * 1000.0));
    let mebibytes = |kib: u64| as_float(kib) / 1024.0;
    let kib = of(Set::Python).and_then(|figures| figures.memory.get(&Task::Unchanged));
    limit(format!("{unchanged}: peak memory"), 40.0, Unit::Mebibytes, kib.map(|kib| mebibytes(*kib)));
    for set in Set::ALL {
        let kib = of(set).and_then(Figures::peak_of_cold_builds);
        limit(format!("peak memory of a cold build, {} set", set.name()), 160.0, Unit::Mebibytes, kib.map(mebibytes));
    }
    limit(
        "large set against jre set, cold, time for each uncompressed byte".to_owned(),
        1.1,
        Unit::Times,
        per_byte(figures),
    );
    for packing in Packing::ALL {
        for set in Set::ALL {
            let sizes = of(set).map_or(&[][..], |figures| &figures.sizes);
            let size = sizes.iter().find(|size| size.packing == packing);
            let what =
                format!("size of the `single` layer, {} set, against one `{}` of it", set.name(), packing.program());
            limit(what, 1.04, Unit::Times, size.map(|size| size.ratio()));
        }
    }
    limits
}

/// Those of pushing and pulling the large set.
fn of_registries(transfers: Option<&registry::Figures>) -> Vec<Limit> {
    let times = |kind: Kind, what: &str| {
        let what = format!("{what}, large set, against the faster of skopeo and crane");
        let measured = transfers.and_then(|transfers| transfers.against_the_faster(kind));
        Limit { what, at_most: 1.0, unit: Unit::Times, measured }
    };
    let mebibytes = |kib: u64| as_float(kib) / 1024.0;
    vec![
        times(Kind::Push, "push to a registry"),
        times(Kind::Pull, "pull from a registry"),
        times(Kind::PushChanged, "push with one package changed"),
        Limit {
            what: "bytes sent with one package changed, against those of the blobs that are new".to_owned(),
            at_most: 1.1,
            unit: Unit::Times,
            measured: transfers.map(registry::Figures::sent_for_new),
        },
        Limit {
            what: "peak memory of pushing and pulling".to_owned(),
            at_most: 100.0,
            unit: Unit::Mebibytes,
            measured: transfers.and_then(registry::Figures::peak).map(mebibytes),
        },
    ]
}

/// How much longer the large set takes for a byte than the jre set, both built in the same rounds.
fn per_byte(figures: &BTreeMap<Set, Figures>) -> Option<f64> {
    let (large, jre) = (figures.get(&Set::Large)?, figures.get(&Set::Jre)?);
    let ratio = large.times.ratio(Task::Cold(Packing::Zstd), Task::ColdJre)?;
    Some(ratio * as_float(jre.plain) / as_float(large.plain))
}

#[cfg(test)]
mod tests {
    use super::super::tables;
    use super::*;

    #[test]
    fn verdicts_follow_the_figures() {
        let row = |measured| Limit { what: "w".into(), at_most: 0.3, unit: Unit::Times, measured }.row();
        assert_eq!(row(Some(0.3)), "| w | 0.30 x | 0.30 x | met |");
        assert_eq!(row(Some(0.3001)), "| w | 0.30 x | 0.30 x | **not met** |");
        assert_eq!(row(None), "| w | 0.30 x |  | not measured |");
    }

    #[test]
    fn figures_stand_in_their_rows() {
        let table = table(&tables::tests::figures(), None);
        for row in [
            "| cold build, zstd:3, jre set, against only decompressing | 1.00 x | 1.00 x | met |",
            "| cold build, gzip:6, python set, against only decompressing | 1.40 x | 1.50 x | **not met** |",
            "| cold build, zstd:3, large set, against only decompressing | 1.00 x |  | not measured |",
            "| peak memory of a cold build, jre set | 160 MiB | 100 MiB | met |",
            "| size of the `single` layer, jre set, against one `zstd -3` of it | 1.04 x | 1.05 x | **not met** |",
        ] {
            assert!(table.contains(row), "no {row:?} in {table}");
        }
    }

    #[test]
    fn nothing_is_met_that_was_not_measured() {
        let table = table(&BTreeMap::new(), None);
        assert!(table.contains("not measured") && !table.contains("met |"), "{table}");
    }
}
