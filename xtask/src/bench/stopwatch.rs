//! Timing by hyperfine, in rounds, and peak memory by GNU time.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::error::{Error, Result, at};
use crate::process;

/// A command line, and how it is started.
#[derive(Debug, Clone)]
pub(super) enum Line {
    /// Words alone: the program is started as it is.
    Words(String),
    /// A line for the shell, whose start is part of the time.
    Shell(String),
}

impl Line {
    /// What a reader would type.
    pub(super) fn text(&self) -> &str {
        match self {
            Self::Words(text) | Self::Shell(text) => text,
        }
    }

    /// As hyperfine takes it without a shell of its own, whose start it could only subtract by estimate.
    fn words(&self) -> String {
        match self {
            Self::Words(text) => text.clone(),
            Self::Shell(text) => format!("sh -c '{}'", text.replace('\'', r"'\''")),
        }
    }
}

/// A command to be timed.
#[derive(Debug, Clone)]
pub(super) struct Timed<K> {
    /// What it is called in the results.
    pub(super) key: K,
    /// For the shell, before each run, and not timed.
    pub(super) before: String,
    pub(super) line: Line,
    /// In how many of the rounds it runs, the first ones.
    pub(super) rounds: u32,
}

/// One run.
#[derive(Debug, Clone, Copy)]
struct Run {
    seconds: f64,
    /// Of all cores together, user and system.
    cpu: f64,
}

/// The runs of every command, in the order of the rounds.
#[derive(Debug)]
pub(super) struct Times<K>(BTreeMap<K, Vec<Run>>);

impl<K: Ord + Copy> Times<K> {
    /// Runs that took so many seconds, on two cores.
    #[cfg(test)]
    pub(super) fn of(runs: &[(K, Vec<f64>)]) -> Self {
        let of = |seconds: &[f64]| seconds.iter().map(|&seconds| Run { seconds, cpu: 2.0 * seconds }).collect();
        Self(runs.iter().map(|(key, seconds)| (*key, of(seconds))).collect())
    }

    /// The median of wall-clock seconds.
    pub(super) fn seconds(&self, key: K) -> Option<f64> {
        median(self.0.get(&key)?.iter().map(|run| run.seconds).collect())
    }

    /// The median of seconds of all cores together.
    pub(super) fn cpu(&self, key: K) -> Option<f64> {
        median(self.0.get(&key)?.iter().map(|run| run.cpu).collect())
    }

    /// The median of the ratios within each round in which both ran.
    pub(super) fn ratio(&self, key: K, to: K) -> Option<f64> {
        let (runs, others) = (self.0.get(&key)?, self.0.get(&to)?);
        median(runs.iter().zip(others).map(|(run, other)| run.seconds / other.seconds).collect())
    }
}

/// The middle one, or the mean of the two in the middle.
fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let upper = values.get(values.len() / 2)?;
    let lower = values.get(values.len().saturating_sub(1) / 2)?;
    Some(f64::midpoint(*lower, *upper))
}

/// What a command printed, and the most memory that it had.
#[derive(Debug)]
pub(super) struct Probe {
    pub(super) printed: String,
    pub(super) kib: u64,
}

/// Times commands.
#[derive(Debug)]
pub(super) struct Stopwatch {
    /// For what programs write.
    folder: PathBuf,
}

impl Stopwatch {
    pub(super) fn new(folder: &Path) -> Self {
        Self { folder: folder.to_path_buf() }
    }

    /// Runs every command once a round. What runs in more than one has a round before them that is not counted.
    pub(super) fn time<K: Ord + Copy>(&self, commands: &[Timed<K>]) -> Result<Times<K>> {
        let warmed: Vec<&Timed<K>> = commands.iter().filter(|command| command.rounds > 1).collect();
        if !warmed.is_empty() {
            self.round(&warmed)?;
        }
        let mut times = BTreeMap::<K, Vec<Run>>::new();
        for round in 0..commands.iter().map(|command| command.rounds).max().unwrap_or(0) {
            let taking_part: Vec<&Timed<K>> = commands.iter().filter(|command| command.rounds > round).collect();
            for (command, run) in taking_part.iter().zip(self.round(&taking_part)?) {
                times.entry(command.key).or_default().push(run);
            }
        }
        Ok(Times(times))
    }

    fn round<K>(&self, commands: &[&Timed<K>]) -> Result<Vec<Run>> {
        let file = self.folder.join("round.csv");
        let mut hyperfine = Command::new("hyperfine");
        hyperfine.args(["--shell", "none", "--style", "none", "--runs", "1", "--export-csv"]).arg(&file);
        for (number, command) in commands.iter().enumerate() {
            hyperfine.arg("--prepare").arg(Line::Shell(command.before.clone()).words());
            hyperfine.arg("--command-name").arg(number.to_string()).arg(command.line.words());
        }
        process::run(&mut hyperfine)?;
        let table = fs::read_to_string(&file).map_err(at(&file))?;
        let runs: Vec<Run> = table.lines().skip(1).map(Run::parse).collect::<Result<_>>()?;
        if runs.len() == commands.len() { Ok(runs) } else { Err(Error::Output { program: "hyperfine", line: table }) }
    }

    /// One run that is not timed.
    pub(super) fn probe<K>(&self, command: &Timed<K>) -> Result<Probe> {
        process::run(Command::new("sh").args(["-c", &command.before]))?;
        let file = self.folder.join("time.txt");
        let mut time = Command::new("time");
        time.args(["-f", "%M", "-o"]).arg(&file).arg("sh").args(["-c", &format!("exec {}", command.line.words())]);
        let printed = process::read(time.stderr(Stdio::inherit()))?;
        let text = fs::read_to_string(&file).map_err(at(&file))?;
        let kib = text.trim().parse().map_err(|_| Error::Output { program: "time", line: text.clone() })?;
        Ok(Probe { printed, kib })
    }
}

impl Run {
    /// Reads a row: `command,mean,stddev,median,user,system,min,max`, of a command that ran once.
    fn parse(row: &str) -> Result<Self> {
        let cells: Vec<&str> = row.split(',').collect();
        let number =
            |text: &str| text.parse::<f64>().map_err(|_| Error::Output { program: "hyperfine", line: row.to_owned() });
        match cells.as_slice() {
            [_, seconds, _, _, user, system, _, _] => {
                Ok(Self { seconds: number(seconds)?, cpu: number(user)? + number(system)? })
            }
            _ => Err(Error::Output { program: "hyperfine", line: row.to_owned() }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn close(found: Option<f64>, expected: f64) {
        assert!(found.is_some_and(|found| (found - expected).abs() < 1e-9), "{found:?} is not {expected}");
    }

    #[test]
    fn medians_are_those_of_rounds() {
        let times = Times::of(&[('a', vec![3.0, 1.0, 2.0]), ('b', vec![4.0, 1.0, 8.0, 9.0]), ('c', vec![])]);
        close(times.seconds('a'), 2.0);
        close(times.seconds('b'), 6.0);
        close(times.cpu('a'), 4.0);
        // Rounds in which only one of the two ran do not count: 3/4, 1/1, 2/8.
        close(times.ratio('a', 'b'), 0.75);
        assert!(times.seconds('c').is_none() && times.ratio('a', 'd').is_none());
    }

    #[test]
    fn rows_of_hyperfine_are_read() {
        let run = Run::parse("0,0.5,0,0.5,0.25,0.125,0.5,0.5").unwrap();
        close(Some(run.seconds), 0.5);
        close(Some(run.cpu), 0.375);
        assert!(matches!(Run::parse("0,0.5"), Err(Error::Output { program: "hyperfine", .. })));
        assert!(matches!(Run::parse("0,x,0,0,0,0,0,0"), Err(Error::Output { .. })));
    }

    #[test]
    fn a_line_for_the_shell_is_quoted() {
        assert_eq!(Line::Shell("echo 'a b'".into()).words(), r"sh -c 'echo '\''a b'\'''");
        assert_eq!(Line::Words("distil build".into()).words(), "distil build");
    }
}
