//! What several mirrors did, one after the other.

use std::error::Error;
use std::fmt;

/// The error of every mirror, in the order in which they were tried. At least one.
#[derive(Debug)]
pub struct MirrorFailures<E>(Vec<E>);

impl<E> MirrorFailures<E> {
    /// `None` where there are none.
    pub(crate) fn new(failures: Vec<E>) -> Option<Self> {
        (!failures.is_empty()).then_some(Self(failures))
    }

    /// One after the other.
    pub fn iter(&self) -> impl Iterator<Item = &E> {
        self.0.iter()
    }
}

#[cfg(test)]
impl<E> MirrorFailures<E> {
    pub(crate) fn into_last(mut self) -> E {
        self.0.pop().unwrap()
    }
}

/// One mirror is the usual case, and its error takes the place of this one. Of several, all but the last are told here
/// with their causes; the causes of the last are those of this.
impl<E: Error> fmt::Display for MirrorFailures<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some((last, before)) = self.0.split_last() else { return Ok(()) };
        for failure in before {
            write!(f, "{failure}")?;
            let mut cause = failure.source();
            while let Some(error) = cause {
                write!(f, ": {error}")?;
                cause = error.source();
            }
            f.write_str("; ")?;
        }
        write!(f, "{last}")
    }
}

impl<E: Error> Error for MirrorFailures<E> {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.0.last()?.source()
    }
}
