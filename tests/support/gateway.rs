//! A scripted SMS gateway that answers as Kannel's `sendsms` does, and misbehaves on request.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use serde_json::json;

use super::http::{self, Request, Response};
use super::kannel::INBOUND_QUERY;
use super::log::CarrierLog;
use super::net::Listening;

const ACCEPTED: &str = "0: Accepted for delivery";

/// How the gateway treats one request.
#[derive(Debug, Clone)]
pub enum GatewayFault {
    /// 429 with `Retry-After` in seconds; the message is not taken.
    Busy(u32),
    /// This status; the message is not taken.
    Status(u16),
    /// The message is taken, the answer comes after so long: later than the sender waits.
    StallAfterAccept(Duration),
    /// The message is taken and the connection is cut before the answer.
    CutAfterAccept,
}

/// The delivery reports for each message that is taken, by Kannel's numbers: 1 delivered, 2 failed, 8 handed to the
/// operator, 16 refused by the operator. In this order, one after the other.
pub type Reports = Vec<u8>;

/// A message that the gateway took.
#[derive(Debug, Clone)]
pub struct TakenSms {
    /// The phone number.
    pub to: String,
    /// The text.
    pub text: String,
    /// `coding`: 0 for GSM-7, 2 for UCS-2, or empty.
    pub coding: String,
    /// Where reports go, with Kannel's `%d`.
    pub report_url: String,
}

/// The gateway. Dropping it closes the port; the log stays.
pub struct SmsGateway {
    server: Listening,
    shared: Arc<Shared>,
}

struct Shared {
    log: CarrierLog,
    taken: Mutex<Vec<TakenSms>>,
    faults: Mutex<VecDeque<GatewayFault>>,
    reports: Mutex<Reports>,
}

impl SmsGateway {
    /// Listens on a free port and logs to `log`.
    pub fn start(log: &Path) -> SmsGateway {
        let shared = Arc::new(Shared {
            log: CarrierLog::open(log),
            taken: Mutex::default(),
            faults: Mutex::default(),
            reports: Mutex::new(vec![8, 1]),
        });
        let handler = shared.clone();
        SmsGateway { server: http::serve(move |request| handler.answer(&request)), shared }
    }

    /// Where `sendsms` is.
    pub fn send_url(&self) -> String {
        format!("http://{}/cgi-bin/sendsms", self.address())
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// The log that an auditor reads.
    pub fn log(&self) -> &Path {
        self.shared.log.path()
    }

    /// The next request not yet spoken for is treated so; the requests after the last fault are well.
    pub fn fail_next(&self, fault: GatewayFault) {
        self.shared.faults.lock().expect("not poisoned").push_back(fault);
    }

    /// The reports for what is taken from now on; by default 8 and then 1, as Kannel gives them.
    pub fn report(&self, reports: Reports) {
        *self.shared.reports.lock().expect("not poisoned") = reports;
    }

    /// Refuses connections until `accept`.
    pub fn refuse(&self) {
        self.server.refuse();
    }

    /// Takes connections again.
    pub fn accept(&self) {
        self.server.accept();
    }

    /// What was taken so far, oldest first.
    pub fn taken(&self) -> Vec<TakenSms> {
        self.shared.taken.lock().expect("not poisoned").clone()
    }
}

impl Shared {
    fn answer(&self, request: &Request) -> Response {
        if request.path != "/cgi-bin/sendsms" || request.text("to").is_empty() {
            return Response::text(400, "3: Malformed request.");
        }
        let fault = self.faults.lock().expect("not poisoned").pop_front();
        match fault {
            Some(GatewayFault::Busy(seconds)) => {
                let mut busy = self.refuse(request, 429);
                busy.headers.push(("Retry-After".into(), seconds.to_string()));
                busy
            }
            Some(GatewayFault::Status(status)) => self.refuse(request, status),
            Some(GatewayFault::StallAfterAccept(after)) => Response { after, ..self.take(request) },
            Some(GatewayFault::CutAfterAccept) => Response { cut: true, ..self.take(request) },
            None => self.take(request),
        }
    }

    fn refuse(&self, request: &Request, status: u16) -> Response {
        self.log.write("refused", json!({ "to": request.text("to"), "status": status }));
        Response::text(status, "Temporal failure, try again later.")
    }

    fn take(&self, request: &Request) -> Response {
        let sms = TakenSms {
            to: request.text("to"),
            text: request.text("text"),
            coding: request.text("coding"),
            report_url: request.text("dlr-url"),
        };
        self.log.write("accepted", json!({ "to": sms.to, "text": sms.text, "report_url": sms.report_url }));
        let reports = self.reports.lock().expect("not poisoned").clone();
        let url = sms.report_url.clone();
        if !url.is_empty() && !reports.is_empty() {
            thread::spawn(move || send_reports(&url, &reports));
        }
        self.taken.lock().expect("not poisoned").push(sms);
        Response::text(202, ACCEPTED)
    }
}

fn send_reports(url: &str, reports: &[u8]) {
    for report in reports {
        // A product that was just killed is not there to hear it; a real gateway would try a few times more.
        for _ in 0..20 {
            match http::get(&url.replace("%d", &report.to_string())) {
                Ok((200..300, _)) => break,
                Ok(_) | Err(_) => thread::sleep(Duration::from_millis(250)),
            }
        }
    }
}

/// Delivers an inbound text as Kannel's `sms-service` does with `kannel::INBOUND_QUERY`. The same `id` again is a
/// duplicate.
pub fn inbound(url: &str, id: &str, from: &str, to: &str, text: &str) -> std::io::Result<(u16, String)> {
    let (coding, charset, bytes) = if text.is_ascii() {
        ("1", "8-BIT", text.as_bytes().to_vec())
    } else {
        ("2", "UTF-16BE", text.encode_utf16().flat_map(u16::to_be_bytes).collect())
    };
    let query = INBOUND_QUERY
        .replace("%p", &http::encode(from.as_bytes()))
        .replace("%P", &http::encode(to.as_bytes()))
        .replace("%c", coding)
        .replace("%C", charset)
        .replace("%t", "2026-01-01+00:00:00")
        .replace("%I", id)
        .replace("%b", &http::encode(&bytes));
    http::get(&format!("{url}?{query}"))
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::super::log;
    use super::*;

    const LIMIT: Duration = Duration::from_secs(10);

    fn send(gateway: &SmsGateway, to: &str, report: &str) -> std::io::Result<(u16, String)> {
        let report = http::encode(report.as_bytes());
        http::get(&format!(
            "{}?to={to}&text=%E4%BD%A0%E5%A5%BD&coding=2&dlr-url={report}",
            gateway.send_url()
        ))
    }

    #[test]
    fn faults_come_in_order_and_the_log_tells_what_was_taken() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let gateway = SmsGateway::start(&folder.path().join("sms.log"));
        for fault in [GatewayFault::Busy(7), GatewayFault::Status(503), GatewayFault::CutAfterAccept] {
            gateway.fail_next(fault);
        }
        gateway.fail_next(GatewayFault::StallAfterAccept(Duration::from_millis(300)));
        assert_eq!(send(&gateway, "1", "").expect("an answer").0, 429);
        assert_eq!(send(&gateway, "2", "").expect("an answer").0, 503);
        assert!(send(&gateway, "3", "").is_err(), "cut");
        let begin = std::time::Instant::now();
        assert_eq!(send(&gateway, "4", "").expect("an answer"), (202, ACCEPTED.into()));
        assert!(begin.elapsed() >= Duration::from_millis(300));
        gateway.refuse();
        assert!(send(&gateway, "5", "").is_err(), "refused");
        gateway.accept();
        assert_eq!(send(&gateway, "6", "").expect("an answer").0, 202);

        let taken: Vec<String> =
            gateway.taken().into_iter().map(|sms| sms.to + " " + &sms.text + &sms.coding).collect();
        assert_eq!(taken, ["3 你好2", "4 你好2", "6 你好2"]);
        let logged: Vec<String> = log::read(gateway.log())
            .iter()
            .map(|line| {
                format!("{} {}", line["event"].as_str().unwrap_or(""), line["to"].as_str().unwrap_or(""))
            })
            .collect();
        assert_eq!(logged, ["refused 1", "refused 2", "accepted 3", "accepted 4", "accepted 6"]);
    }

    #[test]
    fn reports_can_be_late_twice_and_out_of_order() {
        let folder = tempfile::tempdir().expect("a temporary folder");
        let gateway = SmsGateway::start(&folder.path().join("sms.log"));
        let (heard, reports) = mpsc::channel();
        let product = http::serve(move |request| {
            let _ = heard.send(request.text("type"));
            Response::text(200, "")
        });
        gateway.report(vec![1, 8, 1]);
        send(&gateway, "1", &format!("http://{}/dlr?type=%d", product.address())).expect("an answer");
        let got: Vec<String> = (0..3).map(|_| reports.recv_timeout(LIMIT).expect("a report")).collect();
        assert_eq!(got, ["1", "8", "1"]);
    }

    #[test]
    fn inbound_text_arrives_as_kannel_sends_it() {
        let (heard, texts) = mpsc::channel();
        let product = http::serve(move |request| {
            let _ = heard.send(request);
            Response::text(200, "")
        });
        let url = format!("http://{}/inbound", product.address());
        for text in [" Stop. ", "退订"] {
            inbound(&url, "7f3c", "+8613800000001", "10690000", text).expect("an answer");
        }
        let stop = texts.recv_timeout(LIMIT).expect("the first");
        assert_eq!(stop.text("id"), "7f3c");
        assert_eq!((stop.text("from").as_str(), stop.text("text").as_str()), ("+8613800000001", " Stop. "));
        let chinese = texts.recv_timeout(LIMIT).expect("the second");
        assert_eq!(chinese.text("charset"), "UTF-16BE");
        assert_eq!(chinese.bytes("text"), Some([0x90, 0x00, 0x8b, 0xa2].as_slice()));
    }
}
