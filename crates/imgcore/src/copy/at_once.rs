//! The same work on many things, by several threads.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};

use crate::error::Error;

/// Whether the others should stop, since one of them has failed.
#[derive(Debug, Default)]
pub(crate) struct Stop(AtomicBool);

impl Stop {
    pub(crate) fn is_set(&self) -> bool {
        self.0.load(Ordering::Relaxed)
    }

    fn set(&self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Does `work` on every item, in order, on at most so many threads. The results have the order of the items. The first
/// error ends it: no other item is begun, and work that looks at its [`Stop`] ends early.
pub(crate) fn at_once<T: Sync, R: Send>(
    threads: NonZeroUsize,
    items: &[T],
    work: impl Fn(&T, &Stop) -> Result<R, Error> + Sync,
) -> Result<Vec<R>, Error> {
    let (next, stop) = (AtomicUsize::new(0), Stop::default());
    // Only the first error: those after it may be nothing but its consequence.
    let failed = Mutex::new(None);
    let done = Mutex::new(Vec::with_capacity(items.len()));
    let run = || {
        while !stop.is_set() {
            let i = next.fetch_add(1, Ordering::Relaxed);
            let Some(item) = items.get(i) else { return };
            match work(item, &stop) {
                Ok(result) => done.lock().unwrap_or_else(PoisonError::into_inner).push((i, result)),
                Err(error) => {
                    failed.lock().unwrap_or_else(PoisonError::into_inner).get_or_insert(error);
                    stop.set();
                }
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..threads.get().min(items.len()) {
            scope.spawn(run);
        }
        run();
    });
    if let Some(error) = failed.into_inner().unwrap_or_else(PoisonError::into_inner) {
        return Err(error);
    }
    let mut done = done.into_inner().unwrap_or_else(PoisonError::into_inner);
    done.sort_by_key(|(i, _)| *i);
    Ok(done.into_iter().map(|(_, result)| result).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error() -> Error {
        Error::ReadOnly { place: "here".into() }
    }

    #[test]
    fn results_keep_the_order_of_the_items() {
        let items: Vec<u32> = (0..100).collect();
        for threads in [1, 2, 8, 200] {
            let threads = NonZeroUsize::new(threads).unwrap();
            let doubled = at_once(threads, &items, |n, _| Ok(n * 2)).unwrap();
            assert!(doubled.iter().zip(&items).all(|(a, b)| *a == b * 2));
        }
        assert!(at_once(NonZeroUsize::MIN, &[], |n: &u32, _| Ok(*n)).unwrap().is_empty());
    }

    #[test]
    fn the_first_error_ends_what_others_do() {
        let items = [true, false];
        // The second item ends only because the first one failed.
        let work = |fails: &bool, stop: &Stop| -> Result<(), Error> {
            if *fails {
                return Err(error());
            }
            while !stop.is_set() {
                std::thread::yield_now();
            }
            Err(Error::Ambiguous { found: 2, place: String::new() })
        };
        let result = at_once(NonZeroUsize::new(2).unwrap(), &items, work);
        assert!(matches!(result, Err(Error::ReadOnly { .. })));
    }

    #[test]
    fn nothing_is_begun_after_an_error() {
        let begun = AtomicUsize::new(0);
        let result = at_once(NonZeroUsize::MIN, &[(); 10], |(), _| {
            begun.fetch_add(1, Ordering::Relaxed);
            Err::<(), _>(error())
        });
        assert!(result.is_err());
        assert_eq!(begun.into_inner(), 1);
    }
}
