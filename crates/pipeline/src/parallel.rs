//! Work on all cores.
//!
//! Copies have their own in `imgcore`, which is below: what a copy does ends early when something else of it has failed, so that
//! there the first error in time is the reason, and not the first in order.

use std::num::NonZeroUsize;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Calls `work` for every item, on at most `jobs` threads, in the order given; the results keep that order.
///
/// # Errors
/// The error of the first item in order among those that failed. Items that were not begun by then are left.
pub(crate) fn map<T: Sync, R: Send, E: Send>(
    jobs: NonZeroUsize,
    items: &[T],
    work: impl Fn(&T) -> Result<R, E> + Sync,
) -> Result<Vec<R>, E> {
    let jobs = jobs.min(NonZeroUsize::new(items.len()).unwrap_or(NonZeroUsize::MIN));
    run(jobs, items, work, None)
}

/// Work that comes up while items are worked on.
pub(crate) trait SideWork: Sync {
    /// Does a piece of it; false where there is none now.
    fn help(&self) -> bool;

    /// Waits until some comes up, as long as `goes_on`, which is asked again after each [`SideWork::wake`].
    fn wait_while(&self, goes_on: &dyn Fn() -> bool);

    /// Called when an item is done.
    fn wake(&self);
}

/// As [`map`]; before each item, and after the last as long as others are at work on theirs, a thread does side work. That
/// is what large items leave to others.
pub(crate) fn map_beside<T: Sync, R: Send, E: Send>(
    jobs: NonZeroUsize,
    items: &[T],
    work: impl Fn(&T) -> Result<R, E> + Sync,
    side: &dyn SideWork,
) -> Result<Vec<R>, E> {
    run(jobs, items, work, Some(side))
}

fn run<T: Sync, R: Send, E: Send>(
    threads: NonZeroUsize,
    items: &[T],
    work: impl Fn(&T) -> Result<R, E> + Sync,
    side: Option<&dyn SideWork>,
) -> Result<Vec<R>, E> {
    let next = AtomicUsize::new(0);
    let busy = AtomicUsize::new(0);
    let done: Mutex<Vec<(usize, Result<R, E>)>> = Mutex::new(Vec::with_capacity(items.len()));
    let run = || {
        loop {
            while side.is_some_and(SideWork::help) {}
            // Before the item is taken: whoever sees none left and nobody busy must not miss this thread.
            busy.fetch_add(1, Ordering::SeqCst);
            let i = next.fetch_add(1, Ordering::SeqCst);
            let result = items.get(i).map(&work);
            busy.fetch_sub(1, Ordering::SeqCst);
            if let Some(side) = side {
                side.wake();
            }
            let Some(result) = result else {
                let goes_on = || busy.load(Ordering::SeqCst) > 0;
                while let Some(side) = side.filter(|_| goes_on()) {
                    if !side.help() {
                        side.wait_while(&goes_on);
                    }
                }
                return;
            };
            if result.is_err() {
                next.store(items.len(), Ordering::SeqCst);
            }
            // A thread that panicked takes the whole scope down, so that nobody reads a poisoned list.
            if let Ok(mut done) = done.lock() {
                done.push((i, result));
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 1..threads.get() {
            scope.spawn(run);
        }
        run();
    });
    let mut done = done.into_inner().unwrap_or_default();
    done.sort_by_key(|(i, _)| *i);
    done.into_iter().map(|(_, result)| result).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_keep_their_order_for_any_number_of_threads() {
        let items: Vec<u32> = (0..100).collect();
        for jobs in [1, 2, 8, 200] {
            let jobs = NonZeroUsize::new(jobs).unwrap();
            let doubled = map(jobs, &items, |n| Ok::<_, ()>(n * 2)).unwrap();
            assert!(doubled.iter().zip(&items).all(|(a, b)| *a == b * 2));
        }
    }

    /// Pieces that items leave; they are done by whoever has time.
    struct Pieces {
        left: AtomicUsize,
        done: AtomicUsize,
    }

    impl SideWork for Pieces {
        fn help(&self) -> bool {
            let took = self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| left.checked_sub(1)).is_ok();
            self.done.fetch_add(usize::from(took), Ordering::SeqCst);
            took
        }

        fn wait_while(&self, _: &dyn Fn() -> bool) {
            std::thread::yield_now();
        }

        fn wake(&self) {}
    }

    #[test]
    fn threads_without_an_item_do_what_others_leave() {
        let side = Pieces { left: AtomicUsize::new(0), done: AtomicUsize::new(0) };
        let leave_and_wait = |n: &usize| {
            side.left.fetch_add(*n, Ordering::SeqCst);
            while side.done.load(Ordering::SeqCst) < *n {
                std::thread::yield_now();
            }
            Ok::<_, ()>(())
        };
        map_beside(NonZeroUsize::new(2).unwrap(), &[50], leave_and_wait, &side).unwrap();
        assert_eq!(side.done.into_inner(), 50);
    }

    #[test]
    fn an_error_ends_the_work() {
        let items: Vec<u32> = (0..1000).collect();
        let result = map(NonZeroUsize::MIN, &items, |n| if *n == 3 { Err(*n) } else { Ok(*n) });
        assert_eq!(result, Err(3));
    }
}
