//! A scripted SMTP server: it keeps what it takes, writes its own log, and misbehaves on request.

mod session;
mod tests;

use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use rustls::ServerConfig;
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};

use super::log::CarrierLog;
use super::net::Listening;
use super::process::wait_until;

/// How the server treats one message, or for `Greeting`, one connection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SmtpFault {
    /// The connection is greeted with this code, as 421, and closed.
    Greeting(u16),
    /// `RCPT TO` is answered with this code, as 450 or 550.
    Recipient(u16),
    /// The final dot is answered with this code, as 451 or 554; the message is not taken.
    AfterData(u16),
    /// The message is taken and the answer comes after so long: later than the sender waits.
    StallAfterData(Duration),
    /// The message is taken and the connection is cut before the answer.
    CutAfterDot,
    /// The connection is cut before the final dot is read; the message is not taken.
    CutInData,
}

/// A message that the server took.
#[derive(Debug, Clone)]
pub struct TakenMail {
    /// The number of the connection that it came on, from 1.
    pub connection: u64,
    /// True when it came over TLS.
    pub encrypted: bool,
    /// The sender of the envelope.
    pub from: String,
    /// The recipients of the envelope.
    pub to: Vec<String>,
    /// Headers and body as they came, without the dots that SMTP doubles.
    pub data: Vec<u8>,
}

impl TakenMail {
    /// The decoded value of the first header `name`; the empty text when there is none.
    pub fn header(&self, name: &str) -> String {
        use mailparse::MailHeaderMap;
        self.parsed().headers.get_first_value(name).unwrap_or_default()
    }

    /// The decoded body of the first part of type `kind`, as `text/plain` or `text/html`.
    pub fn part(&self, kind: &str) -> String {
        let mail = self.parsed();
        let body = mail.parts().find(|part| part.ctype.mimetype == kind).map(|part| part.get_body());
        body.and_then(Result::ok).unwrap_or_default()
    }

    fn parsed(&self) -> mailparse::ParsedMail<'_> {
        mailparse::parse_mail(&self.data).expect("the product sends mails that can be parsed")
    }
}

/// The server. Dropping it closes the port; the log stays.
pub struct SmtpServer {
    server: Listening,
    shared: Arc<Shared>,
    certificate: Option<String>,
}

struct Shared {
    log: CarrierLog,
    tls: Option<Arc<ServerConfig>>,
    taken: Mutex<Vec<TakenMail>>,
    next: Mutex<VecDeque<SmtpFault>>,
    by_recipient: Mutex<BTreeMap<String, SmtpFault>>,
}

impl SmtpServer {
    /// A server without TLS on a free port, which logs to `log`.
    pub fn start(log: &Path) -> SmtpServer {
        SmtpServer::launch(log, None)
    }

    /// A server that offers STARTTLS with a certificate of its own for `localhost` and `127.0.0.1`.
    pub fn start_with_tls(log: &Path) -> SmtpServer {
        let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
        let certified = rcgen::generate_simple_self_signed(names).expect("a certificate can be made");
        let key = PrivateKeyDer::from(PrivatePkcs8KeyDer::from(certified.signing_key.serialize_der()));
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .and_then(|builder| {
                builder.with_no_client_auth().with_single_cert(vec![certified.cert.der().clone()], key)
            })
            .expect("the certificate fits its key");
        SmtpServer::launch(log, Some((config, certified.cert.pem())))
    }

    fn launch(log: &Path, tls: Option<(ServerConfig, String)>) -> SmtpServer {
        let (config, certificate) = tls.unzip();
        let shared = Arc::new(Shared {
            log: CarrierLog::open(log),
            tls: config.map(Arc::new),
            taken: Mutex::default(),
            next: Mutex::default(),
            by_recipient: Mutex::default(),
        });
        let handler = shared.clone();
        let server = Listening::start(move |stream, number| session::serve(&handler, stream, number));
        SmtpServer { server, shared, certificate }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// The certificate that a client must trust, in PEM.
    pub fn certificate(&self) -> &str {
        self.certificate.as_deref().expect("this server was started with TLS")
    }

    /// The log that an auditor reads.
    pub fn log(&self) -> &Path {
        self.shared.log.path()
    }

    /// The next message (for `Greeting`: connection) not yet spoken for is treated so.
    pub fn fail_next(&self, fault: SmtpFault) {
        self.shared.next.lock().expect("not poisoned").push_back(fault);
    }

    /// Every message to `recipient` is treated so, until `heal`. Not for `Greeting`, which knows no recipient.
    pub fn fail_for(&self, recipient: &str, fault: SmtpFault) {
        self.shared.by_recipient.lock().expect("not poisoned").insert(recipient.to_owned(), fault);
    }

    /// How many messages were taken so far.
    pub fn taken_count(&self) -> usize {
        self.shared.taken.lock().expect("not poisoned").len()
    }

    /// Forgets all faults.
    pub fn heal(&self) {
        self.shared.next.lock().expect("not poisoned").clear();
        self.shared.by_recipient.lock().expect("not poisoned").clear();
    }

    /// Refuses connections and cuts the open ones, until `accept`.
    pub fn refuse(&self) {
        self.server.refuse();
    }

    /// Takes connections again.
    pub fn accept(&self) {
        self.server.accept();
    }

    /// What was taken so far, oldest first.
    pub fn taken(&self) -> Vec<TakenMail> {
        self.shared.taken.lock().expect("not poisoned").clone()
    }

    /// Waits until `count` messages were taken.
    pub fn wait_for(&self, count: usize, limit: Duration) -> Vec<TakenMail> {
        wait_until(&format!("{count} mails taken"), limit, Some(self.log()), || self.taken().len() >= count);
        self.taken()
    }
}

impl Shared {
    fn greeting_fault(&self) -> Option<u16> {
        let mut next = self.next.lock().expect("not poisoned");
        let Some(&SmtpFault::Greeting(code)) = next.front() else { return None };
        next.pop_front();
        Some(code)
    }

    /// The fault for a message to `recipient`; asked once for each message, at its first recipient.
    fn message_fault(&self, recipient: &str) -> Option<SmtpFault> {
        if let Some(fault) = self.by_recipient.lock().expect("not poisoned").get(recipient) {
            return Some(fault.clone());
        }
        let mut next = self.next.lock().expect("not poisoned");
        match next.front() {
            None | Some(SmtpFault::Greeting(_)) => None,
            Some(_) => next.pop_front(),
        }
    }
}
