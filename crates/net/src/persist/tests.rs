use std::time::Duration;

use crate::request::tests::{after, options};
use crate::{Attempts, Client, ClientOptions, Passing, Retry, Timeouts, Unwatched};

#[derive(Debug, PartialEq, Eq)]
enum Failure {
    Passing,
    After(Duration),
    Lasting,
}

impl Passing for Failure {
    fn may_pass(&self) -> bool {
        *self != Self::Lasting
    }

    fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::After(wait) => Some(*wait),
            _ => None,
        }
    }
}

fn client() -> Client {
    Client::new(options()).unwrap()
}

/// The attempts that are made where these fail like this, and what comes of them.
fn check(failures: &[Failure], expected: u32) {
    let mut attempts = Vec::new();
    let result = client().persist(&mut Attempts::begin(), &Unwatched, &mut |_, attempt| {
        attempts.push(attempt);
        match failures.get(attempt as usize) {
            Some(Failure::Passing) => Err(Failure::Passing),
            Some(Failure::After(wait)) => Err(Failure::After(*wait)),
            Some(Failure::Lasting) => Err(Failure::Lasting),
            None => Ok(attempt),
        }
    });
    assert_eq!(attempts, (0..expected).collect::<Vec<_>>());
    assert_eq!(result.is_ok(), failures.len() < expected as usize, "{result:?}");
}

#[test]
fn what_passes_is_tried_again() {
    check(&[], 1);
    check(&[Failure::Passing, Failure::After(Duration::ZERO), Failure::Passing], 4);
    check(&[Failure::Passing, Failure::Lasting], 2);
    check(&[Failure::Lasting], 1);
    // More than the settings allow.
    check(&[const { Failure::Passing }; 4], 4);
    // So long that only the longest wait can be what is waited.
    check(&[Failure::After(Duration::from_secs(86400)), Failure::After(Duration::MAX)], 3);
}

#[test]
fn who_comes_further_may_go_on() {
    let mut left = 20;
    let result: Result<u32, Failure> =
        client().persist(&mut Attempts::begin(), &Unwatched, &mut |attempts, attempt| {
            left -= 1;
            if attempt % 2 == 1 {
                attempts.advanced();
            }
            if left == 0 { Ok(attempt) } else { Err(Failure::Passing) }
        });
    assert_eq!(result, Ok(19));
}

#[test]
fn parts_of_one_work_share_their_attempts() {
    let client = client();
    let mut asked = Vec::new();
    let result: Result<(), Failure> = client.persist(&mut Attempts::begin(), &Unwatched, &mut |attempts, outer| {
        client.persist(attempts, &Unwatched, &mut |_, inner| {
            asked.push((outer, inner));
            // What can be had comes late, and does not do.
            if inner == 1 { Ok(()) } else { Err(Failure::Passing) }
        })?;
        Err(Failure::Passing)
    });
    assert_eq!(result, Err(Failure::Passing));
    // Four failures, which two settings of four attempts allow together.
    assert_eq!(asked, [(0, 0), (0, 1), (1, 0), (1, 1)]);

    // Used up, they still allow what is only done once.
    let mut attempts = Attempts::begin();
    for expected in [4, 1] {
        let mut asked = 0;
        let result: Result<(), Failure> = client.persist(&mut attempts, &Unwatched, &mut |_, _| {
            asked += 1;
            Err(Failure::Passing)
        });
        assert_eq!((result, asked), (Err(Failure::Passing), expected));
    }
}

#[test]
fn the_whole_is_bounded() {
    let retry =
        Retry { attempts: u32::MAX, first_wait: Duration::from_secs(60), longest_wait: Duration::from_secs(60) };
    let timeouts = Timeouts { whole: Duration::from_secs(30), ..options().timeouts };
    let client = Client::new(ClientOptions { timeouts, retry, ..options() }).unwrap();
    let mut attempts = 0;
    let result: Result<(), Failure> = client.persist(&mut Attempts::begin(), &Unwatched, &mut |shared, _| {
        attempts += 1;
        shared.advanced();
        Err(Failure::Passing)
    });
    assert_eq!((result, attempts), (Err(Failure::Passing), 1));
}

#[test]
fn a_wait_is_cancelled() {
    let long = Duration::from_secs(600);
    let retry = Retry { attempts: 9, first_wait: long, longest_wait: long };
    let timeouts = Timeouts { whole: 3 * long, ..options().timeouts };
    let client = Client::new(ClientOptions { timeouts, retry, ..options() }).unwrap();
    let watch = after(2);
    let result = client.persist(&mut Attempts::begin(), &*watch, &mut |_, attempt| {
        if attempt == 0 { Err(Failure::Passing) } else { Ok::<_, Failure>(attempt) }
    });
    assert_eq!(result, Ok(1));
}

#[test]
fn transfers_that_wait_together_come_one_after_the_other() {
    let client = client();
    let pause = Duration::from_millis(32);
    let waits: Vec<_> = (0..16).map(|_| client.spread(pause)).collect();
    assert!(waits.is_sorted_by(|a, b| a < b) && waits[0] == pause && waits[15] < 2 * pause, "{waits:?}");
    assert_eq!(client.spread(Duration::from_millis(50)), Duration::from_millis(50));
}
