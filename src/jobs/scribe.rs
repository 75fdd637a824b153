//! Writes for all connections of a lane: whatever they want written while one commit runs goes into the next one.
//! It takes what is there and never waits for more.

use std::{sync::Arc, time::Duration};

use tokio::{
    sync::{mpsc, oneshot},
    time::sleep,
};
use tracing::{error, warn};

use crate::app::Handover;

use super::fault::{self, Point};
use super::work::{Ticket, Work, Writing};

/// Most wishes that share a commit.
pub const WISHES_PER_COMMIT_MAX: usize = 128;
/// How often an ending is offered to the database before it is given up; the sweep then calls it uncertain.
pub const WRITE_TRIES_MAX: u32 = 8;

struct Wish {
    begin: Option<Ticket>,
    finish: Option<(Ticket, Handover)>,
    answer: oneshot::Sender<bool>,
}

/// A connection's way to the scribe.
#[derive(Clone)]
pub(super) struct Pen(mpsc::Sender<Wish>);

impl Pen {
    /// Starts a scribe; it ends when the last pen is gone.
    pub(super) fn new(work: Arc<dyn Work>) -> Self {
        let (sender, receiver) = mpsc::channel(WISHES_PER_COMMIT_MAX);
        tokio::spawn(write_all(work, receiver));
        Self(sender)
    }

    /// Writes how one message ended and marks the next as begun, in one commit. Says whether it is marked.
    pub(super) async fn write(&self, finish: Option<(Ticket, Handover)>, begin: Option<Ticket>) -> bool {
        let (answer, answered) = oneshot::channel();
        if self.0.send(Wish { begin, finish, answer }).await.is_err() {
            return false;
        }
        answered.await.unwrap_or(false)
    }
}

async fn write_all(work: Arc<dyn Work>, mut wishes: mpsc::Receiver<Wish>) {
    let mut batch = Vec::with_capacity(WISHES_PER_COMMIT_MAX);
    while wishes.recv_many(&mut batch, WISHES_PER_COMMIT_MAX).await > 0 {
        let mut writing = Writing::default();
        let mut waiting = Vec::with_capacity(batch.len());
        for wish in batch.drain(..) {
            writing.begin.extend(wish.begin);
            writing.finish.extend(wish.finish);
            waiting.push((wish.begin, wish.answer));
        }
        let begun = write(&*work, writing).await;
        for (begin, answer) in waiting {
            // Whoever does not wait any more was stopped; its mark stands and the sweep sees to it.
            let _ = answer.send(begin.is_some_and(|ticket| begun.contains(&ticket)));
        }
    }
}

/// Nothing may be begun that is not marked, but an ending must not be lost to a moment's trouble.
async fn write(work: &dyn Work, mut writing: Writing) -> Vec<Ticket> {
    let mut pause = Duration::from_millis(20);
    for _ in 0..WRITE_TRIES_MAX {
        match work.write(&writing).await {
            Ok(begun) => {
                if !writing.finish.is_empty() {
                    fault::here(Point::AfterFinish);
                }
                return begun;
            }
            Err(error) if writing.finish.is_empty() => {
                warn!("messages could not be marked as begun and are not sent: {error}");
                return Vec::new();
            }
            Err(error) => warn!("how messages ended could not be written and will be tried again: {error}"),
        }
        writing.begin.clear();
        sleep(pause).await;
        pause *= 2;
    }
    error!("how {} messages ended could not be written; they will be uncertain", writing.finish.len());
    Vec::new()
}
