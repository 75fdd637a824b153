//! Named points of a send at which a process dies on request, for the kill rounds. In a release build they do nothing.
//!
//! `TEND_KILL_AT=after_begin:7` ends the process without any farewell the seventh time that it comes there.

/// Where a process can be made to die.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Point {
    /// Claimed, and nothing begun.
    AfterClaim,
    /// Marked as begun, before the first byte.
    AfterBegin,
    /// A moment after the first byte.
    MidSend,
    /// The carrier has answered; nothing is written.
    BeforeFinish,
    /// How it ended is written.
    AfterFinish,
}

#[cfg(debug_assertions)]
mod armed {
    use std::{
        sync::{
            OnceLock,
            atomic::{AtomicU32, Ordering},
        },
        time::Duration,
    };

    use super::Point;

    /// How long after its begin a send is cut in the middle.
    const INTO_THE_SEND: Duration = Duration::from_micros(300);

    fn name(point: Point) -> &'static str {
        match point {
            Point::AfterClaim => "after_claim",
            Point::AfterBegin => "after_begin",
            Point::MidSend => "mid_send",
            Point::BeforeFinish => "before_finish",
            Point::AfterFinish => "after_finish",
        }
    }

    pub fn here(point: Point) {
        static AT: OnceLock<Option<(String, u32)>> = OnceLock::new();
        static TIMES: AtomicU32 = AtomicU32::new(0);
        let at = AT.get_or_init(|| {
            let at = std::env::var("TEND_KILL_AT").ok()?;
            let (name, times) = at.split_once(':')?;
            Some((name.to_owned(), times.parse().ok()?))
        });
        let Some((at, times)) = at else { return };
        if at != name(point) || TIMES.fetch_add(1, Ordering::SeqCst) + 1 != *times {
            return;
        }
        if point == Point::MidSend {
            std::thread::spawn(|| {
                std::thread::sleep(INTO_THE_SEND);
                std::process::abort();
            });
        } else {
            std::process::abort();
        }
    }
}

#[cfg(debug_assertions)]
pub(super) use armed::here;

/// Nobody dies on request in a release build.
#[cfg(not(debug_assertions))]
pub(super) fn here(_: Point) {}
