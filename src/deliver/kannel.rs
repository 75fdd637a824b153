//! SMS through Kannel's `sendsms`, one request for each message over connections that stay open.
//!
//! Kannel answers 202 when it took the message and reports later to the address that went with it, which holds our own
//! message id. `http://` only: the gateway stands in the same house.

use std::{sync::Arc, time::Duration};

use reqwest::{
    Client, StatusCode, Url,
    header::{DATE, RETRY_AFTER},
    redirect,
};
use tend_engine::{
    MessageId,
    model::Channel,
    text::{Coding, sms_size},
};

use crate::ports::{Carrier, Cause, Connection, Doubts, Handover, Outgoing, Pending, ProviderRef, Refusal};

use super::{BadSetting, never, not_now, ran_out, without_addresses};

/// Longest answer that is read.
pub const ANSWER_BYTES_MAX: usize = 4096;
/// Longest wait that the gateway may ask for.
pub const RETRY_AFTER_SECONDS_MAX: u32 = 3600;
/// Asks for every report: delivered, failed, buffered, handed to the operator, refused by the operator.
const REPORT_MASK: &str = "31";
const CONNECT_SECONDS: u64 = 5;
const ANSWER_SECONDS: u64 = 15;
const IDLE_SECONDS: u64 = 5;

/// How to reach the gateway.
#[derive(Debug, Clone)]
pub struct KannelSettings {
    /// `http://host:port/cgi-bin/sendsms?username=…&password=…`.
    pub send_url: String,
    /// The number or name that patients see.
    pub sender: String,
    /// Where the gateway reports to; `?id=…&type=…` is added.
    pub report_url: Option<String>,
    /// How long an answer may take.
    pub answer_timeout: Duration,
}

impl KannelSettings {
    /// Settings with the usual patience.
    #[must_use]
    pub fn new(send_url: &str, sender: &str, report_url: Option<String>) -> Self {
        let answer_timeout = Duration::from_secs(ANSWER_SECONDS);
        Self { send_url: send_url.into(), sender: sender.into(), report_url, answer_timeout }
    }
}

/// The gateway.
#[derive(Debug, Clone)]
pub struct Kannel {
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    client: Client,
    url: Url,
    sender: String,
    report_url: Option<String>,
}

impl Kannel {
    /// Prepares a client; connects to nothing yet.
    ///
    /// # Errors
    /// [`BadSetting`] when the address is not an `http` one.
    pub fn new(settings: KannelSettings) -> Result<Self, BadSetting> {
        let bad = |what: String| BadSetting { setting: "TEND_SMS_URL", what };
        let example = "write it as http://127.0.0.1:13013/cgi-bin/sendsms?username=…&password=…";
        let url =
            Url::parse(&settings.send_url).map_err(|e| bad(format!("not an address ({e}): {example}")))?;
        if url.scheme() != "http" {
            return Err(bad(format!("only http is spoken to the gateway: {example}")));
        }
        let client = Client::builder()
            .connect_timeout(Duration::from_secs(CONNECT_SECONDS))
            .timeout(settings.answer_timeout)
            .pool_idle_timeout(Duration::from_secs(IDLE_SECONDS))
            .redirect(redirect::Policy::none())
            .tcp_nodelay(true)
            .no_proxy()
            .build()
            .map_err(|e| bad(format!("no client can be made ({e})")))?;
        let shared = Shared { client, url, sender: settings.sender, report_url: settings.report_url };
        Ok(Self { shared: Arc::new(shared) })
    }
}

impl Carrier for Kannel {
    fn channel(&self) -> Channel {
        Channel::Sms
    }

    fn doubts(&self) -> Doubts {
        Doubts::Neither
    }

    fn connect(&self) -> Pending<'_, Result<Box<dyn Connection>, Refusal>> {
        let connection: Box<dyn Connection> = Box::new(self.clone());
        Box::pin(std::future::ready(Ok(connection)))
    }
}

impl Connection for Kannel {
    fn hand_over<'a>(&'a mut self, message: &'a Outgoing) -> Pending<'a, Handover> {
        Box::pin(self.shared.send(message))
    }

    fn usable(&self) -> bool {
        true
    }
}

impl Shared {
    async fn send(&self, message: &Outgoing) -> Handover {
        let request = self.client.get(self.request_url(message));
        if let Some(late) = ran_out(message) {
            return late;
        }
        match request.send().await {
            Ok(answer) => read(answer, message.id).await,
            Err(error) => without_answer(&error),
        }
    }

    fn request_url(&self, message: &Outgoing) -> Url {
        let coding = match sms_size(&message.text).coding {
            Coding::Gsm7 => "0",
            Coding::Ucs2 => "2",
        };
        let mut url = self.url.clone();
        let mut query = url.query_pairs_mut();
        query
            .append_pair("from", &self.sender)
            .append_pair("to", &message.to)
            .append_pair("coding", coding)
            .append_pair("charset", "UTF-8")
            .append_pair("text", &message.text);
        if let Some(report_url) = &self.report_url {
            let report_url = format!("{report_url}?id={}&type=%d", message.id);
            query.append_pair("dlr-mask", REPORT_MASK).append_pair("dlr-url", &report_url);
        }
        drop(query);
        url
    }
}

/// The reference that our reports come back with.
#[must_use]
pub fn reference(id: MessageId) -> ProviderRef {
    ProviderRef(id.to_string())
}

/// Before the connection stood nothing can have been taken; afterwards anything can.
fn without_answer(error: &reqwest::Error) -> Handover {
    if error.is_connect() || error.is_builder() {
        Handover::Refused(not_now("the gateway cannot be reached"))
    } else if error.is_timeout() {
        Handover::Unknown(Cause::TimedOut)
    } else {
        Handover::Unknown(Cause::Cut)
    }
}

async fn read(mut answer: reqwest::Response, id: MessageId) -> Handover {
    let status = answer.status();
    let header = |name| answer.headers().get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let wait = header(RETRY_AFTER).and_then(|text| wait_seconds(text, header(DATE)));
    let mut body = Vec::new();
    // The status alone is an answer: a body that breaks off or is too long changes nothing.
    while let Ok(Some(chunk)) = answer.chunk().await {
        body.extend_from_slice(&chunk);
        if body.len() > ANSWER_BYTES_MAX {
            body.truncate(ANSWER_BYTES_MAX);
            break;
        }
    }
    judge(status, &String::from_utf8_lossy(&body), wait, id)
}

/// How long the gateway asks to be left alone: in seconds, or until a date by its own clock.
fn wait_seconds(text: &str, date: Option<&str>) -> Option<u32> {
    if let Ok(seconds) = text.parse() {
        return Some(seconds);
    }
    let instant = |text: &str| jiff::fmt::rfc2822::parse(text).ok().map(|at| at.timestamp());
    let wait = instant(text)?.duration_since(instant(date?)?).as_secs();
    Some(u32::try_from(wait.max(0)).unwrap_or(u32::MAX))
}

fn judge(status: StatusCode, body: &str, wait: Option<u32>, id: MessageId) -> Handover {
    let reason = format!("{} {}", status.as_u16(), without_addresses(body));
    match status.as_u16() {
        202 => Handover::Accepted(reference(id)),
        200 if body.starts_with("0:") || body.starts_with("3:") => Handover::Accepted(reference(id)),
        403 if body.contains("Authorization") => {
            Handover::Refused(not_now(format!("{reason}: correct the account in TEND_SMS_URL")))
        }
        400 | 403 | 413 | 414 | 422 => Handover::Refused(never(reason)),
        300..=499 | 503 => {
            let retry_after_seconds = wait.map(|seconds| seconds.min(RETRY_AFTER_SECONDS_MAX));
            Handover::Refused(Refusal { retry_after_seconds, ..not_now(reason) })
        }
        _ => Handover::Unknown(Cause::Unclear),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(status: u16, body: &str) -> &'static str {
        let status = StatusCode::from_u16(status).expect("a status");
        match judge(status, body, Some(999_999), MessageId(1)) {
            Handover::Accepted(_) => "accepted",
            Handover::Unknown(_) => "unknown",
            Handover::Refused(refusal) if refusal.permanent => "refused for good",
            Handover::Refused(refusal) => {
                assert_eq!(refusal.retry_after_seconds.unwrap_or(0) % RETRY_AFTER_SECONDS_MAX, 0);
                "refused for now"
            }
        }
    }

    #[test]
    fn a_wait_is_read_in_seconds_or_as_a_date_by_the_gateways_clock() {
        let date = Some("Fri, 27 Nov 2026 08:00:00 GMT");
        assert_eq!(wait_seconds("120", None), Some(120));
        assert_eq!(wait_seconds("Fri, 27 Nov 2026 08:02:30 GMT", date), Some(150));
        assert_eq!(wait_seconds("Fri, 27 Nov 2026 07:00:00 GMT", date), Some(0));
        assert_eq!(wait_seconds("Fri, 27 Nov 2026 08:02:30 GMT", None), None);
        assert_eq!(wait_seconds("soon", date), None);
    }

    #[test]
    fn each_answer_has_its_ending() {
        assert_eq!(judged(202, "0: Accepted for delivery"), "accepted");
        assert_eq!(judged(202, "3: Queued for later delivery"), "accepted");
        assert_eq!(judged(200, "welcome"), "unknown");
        assert_eq!(judged(400, "Sender missing"), "refused for good");
        assert_eq!(judged(403, "Number +4912345678 has been denied"), "refused for good");
        assert_eq!(judged(403, "Authorization failed for sendsms"), "refused for now");
        for status in [302, 404, 408, 429, 503] {
            assert_eq!(judged(status, ""), "refused for now", "{status}");
        }
        for status in [201, 500, 502, 504] {
            assert_eq!(judged(status, ""), "unknown", "{status}");
        }
    }
}
