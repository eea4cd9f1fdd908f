//! Time and peak memory of cold builds over the size of the image, as a drawing that can be read on light and dark pages.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use super::set::Set;
use super::sizes::as_float;
use super::tables::Figures;
use super::task::{Packing, Task};

/// The whole drawing, and within it one panel of each kind.
const WIDTH: f64 = 880.0;
const HEIGHT: f64 = 362.0;
const LEFT: [f64; 2] = [60.0, 500.0];
const TOP: f64 = 72.0;
const PANEL: (f64, f64) = (300.0, 230.0);

const STYLE: &str = "\
text{font:12px system-ui,sans-serif;fill:#1f2328}.title{font-size:14px;font-weight:600}.quiet{fill:#59636e}
.paper{fill:#fff}.grid{stroke:#d1d9e0;stroke-width:1}.axis{stroke:#59636e;stroke-width:1}
.line{fill:none;stroke-width:2}.zstd{stroke:#0969da}.gzip{stroke:#bc4c00}.other{stroke:#59636e;stroke-dasharray:5 4}.set{stroke:#afb8c1;stroke-dasharray:1 4}
.dot.zstd{fill:#0969da}.dot.gzip{fill:#bc4c00}.dot.other{fill:#59636e;stroke-dasharray:none}
text.zstd{fill:#0969da;stroke:none}text.gzip{fill:#bc4c00;stroke:none}text.other{fill:#59636e;stroke:none}
@media(prefers-color-scheme:dark){text{fill:#e6edf3}.quiet{fill:#9198a1}.paper{fill:#0d1117}.grid{stroke:#30363d}
.axis{stroke:#9198a1}.zstd{stroke:#58a6ff}.gzip{stroke:#f0883e}.other{stroke:#9198a1}.set{stroke:#59636e}.dot.zstd{fill:#58a6ff}
.dot.gzip{fill:#f0883e}.dot.other{fill:#9198a1}text.zstd{fill:#58a6ff}text.gzip{fill:#f0883e}text.other{fill:#9198a1}}
";

/// One line of a panel.
struct Series {
    name: &'static str,
    class: &'static str,
    /// Size in MB, and the figure.
    points: Vec<(f64, f64)>,
}

/// The drawing of all sets that were measured.
pub(super) fn svg(figures: &BTreeMap<Set, Figures>) -> String {
    let over_size = |value: &dyn Fn(&Figures) -> Option<f64>| -> Vec<(f64, f64)> {
        let points = figures.values().map(|figures| Some((as_float(figures.plain) / 1e6, value(figures)?)));
        points.flatten().collect()
    };
    let seconds = |task: Task| over_size(&|figures: &Figures| figures.times.seconds(task));
    let mebibytes =
        |task: Task| over_size(&|figures: &Figures| figures.memory.get(&task).map(|kib| as_float(*kib) / 1024.0));
    let builds = [("zstd:3", "zstd", Packing::Zstd), ("gzip:6", "gzip", Packing::Gzip)];
    let of_builds = |points: &dyn Fn(Task) -> Vec<(f64, f64)>| {
        builds.map(|(name, class, packing)| Series { name, class, points: points(Task::Cold(packing)) })
    };
    let mut time = Vec::from(of_builds(&seconds));
    time.push(Series { name: "decompress", class: "other", points: seconds(Task::Decompress) });
    let memory = Vec::from(of_builds(&mebibytes));

    let sets: Vec<(&str, f64)> =
        figures.values().map(|figures| (figures.set.name(), as_float(figures.plain) / 1e6)).collect();

    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" width=\"{WIDTH}\" height=\"{HEIGHT}\" \
         role=\"img\" aria-label=\"Time and peak memory of cold builds over the uncompressed size of the image\">\n\
         <style>\n{STYLE}</style>\n<rect class=\"paper\" width=\"{WIDTH}\" height=\"{HEIGHT}\" rx=\"6\"/>\n"
    );
    let [left, right] = LEFT;
    Panel { left, title: "Time of a cold build, s", sets: &sets, series: &time }.draw(&mut out);
    Panel { left: right, title: "Peak memory of a cold build, MiB", sets: &sets, series: &memory }.draw(&mut out);
    out.push_str("</svg>\n");
    out
}

struct Panel<'a> {
    left: f64,
    title: &'a str,
    /// The sets with their sizes in MB.
    sets: &'a [(&'a str, f64)],
    series: &'a [Series],
}

impl Panel<'_> {
    fn draw(&self, out: &mut String) {
        let (width, height) = PANEL;
        let (left, bottom) = (self.left, TOP + height);
        let highest = self.series.iter().flat_map(|series| &series.points).map(|(_, value)| *value).fold(0.0, f64::max);
        let (across, up) = (ticks(self.sets.iter().map(|(_, size)| *size).fold(1.0, f64::max)), ticks(highest));
        let scale = |ticks: &[f64]| ticks.last().copied().filter(|last| *last > 0.0).unwrap_or(1.0);
        let x = |size: f64| left + width * size / scale(&across);
        let y = |value: f64| bottom - height * value / scale(&up);

        text(out, "title", "start", (left - 30.0, 30.0), self.title);
        for tick in &up {
            line(out, "grid", (left, y(*tick)), (left + width, y(*tick)));
            text(out, "quiet", "end", (left - 8.0, y(*tick) + 4.0), &label(*tick));
        }
        for tick in &across {
            line(out, "axis", (x(*tick), bottom), (x(*tick), bottom + 5.0));
            text(out, "quiet", "middle", (x(*tick), bottom + 20.0), &label(*tick));
        }
        line(out, "axis", (left, bottom), (left + width, bottom));
        text(out, "quiet", "middle", (left + width / 2.0, bottom + 42.0), "uncompressed size of the image, MB");
        for (name, size) in self.sets {
            line(out, "set", (x(*size), TOP), (x(*size), bottom));
            text(out, "quiet", "middle", (x(*size), TOP - 12.0), name);
        }
        for series in self.series {
            let points: Vec<String> =
                series.points.iter().map(|(size, value)| format!("{:.1},{:.1}", x(*size), y(*value))).collect();
            let _ = writeln!(out, "<polyline class=\"line {}\" points=\"{}\"/>", series.class, points.join(" "));
            for (size, value) in &series.points {
                let (x, y) = (x(*size), y(*value));
                let _ = writeln!(out, "<circle class=\"dot {}\" cx=\"{x:.1}\" cy=\"{y:.1}\" r=\"3.5\"/>", series.class);
            }
        }
        let ends = self.series.iter().filter_map(|series| Some((series, series.points.last()?)));
        let mut ends: Vec<(&Series, f64, f64)> =
            ends.map(|(series, (size, value))| (series, x(*size), y(*value))).collect();
        ends.sort_by(|(_, _, a), (_, _, b)| a.total_cmp(b));
        // Names stand beside the ends of their lines, apart from one another.
        let mut lowest = f64::MIN;
        for (series, x, y) in ends {
            lowest = (y + 4.0).max(lowest + 15.0);
            text(out, series.class, "start", (x + 8.0, lowest), series.name);
        }
    }
}

fn line(out: &mut String, class: &str, from: (f64, f64), to: (f64, f64)) {
    let ((x1, y1), (x2, y2)) = (from, to);
    let _ = writeln!(out, "<line class=\"{class}\" x1=\"{x1:.1}\" y1=\"{y1:.1}\" x2=\"{x2:.1}\" y2=\"{y2:.1}\"/>");
}

fn text(out: &mut String, class: &str, anchor: &str, (x, y): (f64, f64), words: &str) {
    let _ = writeln!(out, "<text class=\"{class}\" text-anchor=\"{anchor}\" x=\"{x:.1}\" y=\"{y:.1}\">{words}</text>");
}

/// Round numbers from zero to the first one that is not below `highest`.
fn ticks(highest: f64) -> Vec<f64> {
    let rough = highest.max(1e-9) / 5.0;
    let power = 10f64.powf(rough.log10().floor());
    let step = [1.0, 2.0, 5.0, 10.0].into_iter().map(|step| step * power).find(|step| *step >= rough).unwrap_or(rough);
    let mut ticks = vec![0.0];
    while let Some(last) = ticks.last().copied().filter(|last| *last < highest) {
        ticks.push(last + step);
    }
    ticks
}

/// A number without zeros that say nothing.
fn label(value: f64) -> String {
    let text = format!("{value:.2}");
    let text = text.trim_end_matches('0').trim_end_matches('.');
    text.to_owned()
}

#[cfg(test)]
mod tests {
    use super::super::tables;
    use super::*;

    #[test]
    fn ticks_are_round_and_reach_the_end() {
        let labels = |highest| ticks(highest).into_iter().map(label).collect::<Vec<_>>().join(" ");
        assert_eq!(labels(13.2), "0 5 10 15");
        assert_eq!(labels(1456.0), "0 500 1000 1500");
        assert_eq!(labels(75.0), "0 20 40 60 80");
        assert_eq!(labels(0.6), "0 0.2 0.4 0.6");
        assert_eq!(labels(0.0), "0");
    }

    #[test]
    fn every_set_is_a_point_of_every_line() {
        let figures = tables::tests::figures();
        let svg = svg(&figures);
        for (set, name) in [(Set::Python, ">python<"), (Set::Jre, ">jre<")] {
            assert!(figures.contains_key(&set) && svg.contains(name));
        }
        // Two sets in three lines of time and two of memory.
        assert_eq!(svg.matches("<circle").count(), 10);
        assert!(svg.matches("<polyline").count() == 5 && !svg.contains("NaN"));
    }

    #[test]
    fn a_drawing_of_nothing_is_a_drawing() {
        let svg = svg(&BTreeMap::new());
        assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n") && !svg.contains("NaN") && !svg.contains("inf"));
    }
}
