//! The carriers against servers that misbehave: each fault ends as the delivery rules say.

mod faults;
mod kannel;
mod smtp;

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tend::ports::{Carrier, Connection, Handover, Outgoing};
use tend_engine::{MessageId, model::Channel};

/// A message that may leave within the next minute.
fn outgoing(channel: Channel, to: &str, text: &str) -> Outgoing {
    static NEXT: AtomicU64 = AtomicU64::new(1);
    Outgoing {
        id: MessageId(NEXT.fetch_add(1, Ordering::Relaxed).into()),
        channel,
        to: to.into(),
        subject: "今天感觉如何？".into(),
        text: text.into(),
        html: None,
        language: "zh".into(),
        deadline: Instant::now() + Duration::from_secs(60),
    }
}

/// Hands one message over a fresh connection; a connection that does not come to stand is a refusal.
async fn hand_over(carrier: &dyn Carrier, message: &Outgoing) -> Handover {
    match carrier.connect().await {
        Ok(mut connection) => connection.hand_over(message).await,
        Err(no) => Handover::Refused(no),
    }
}

/// An ending in one word, for comparison.
pub fn word(ending: &Handover) -> &'static str {
    match ending {
        Handover::Accepted(_) => "accepted",
        Handover::Refused(no) if no.permanent => "refused for good",
        Handover::Refused(_) => "refused for now",
        Handover::Unknown(_) => "unknown",
    }
}

async fn connect(carrier: &dyn Carrier) -> Box<dyn Connection> {
    carrier.connect().await.unwrap_or_else(|no| panic!("the carrier is there: {no:?}"))
}
