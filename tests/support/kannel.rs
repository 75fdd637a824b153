//! A real Kannel: bearerbox, smsbox and the fake SMSC that Debian ships in `kannel-extras`.
//!
//! What the fake SMSC does, found by trying it:
//! - each message is reported twice, with `type=8` (handed to the SMSC) and `type=1` (delivered), at once and in
//!   either order; it never reports a failure, so failures are the scripted gateway's to give (`gateway.rs`);
//! - a long text arrives as parts with a header (`udh`), which does not say whether the bytes are GSM-7 or UCS-2;
//! - a GSM-7 text is cut at a line break, since the fake protocol has a message a line. UCS-2 is not.
//!
//! One fake SMSC stays connected and receives. For each inbound text another one is started, on a line of its own.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{fs, iter};

use super::http;
use super::process::{Kept, free_port, installed, wait_until};

/// The query that an inbound text arrives with, in Kannel's escapes. Bytes of `text` are as the operator gave them:
/// `coding` 2 is UTF-16BE, else `charset` tells.
pub const INBOUND_QUERY: &str = "from=%p&to=%P&text=%b&coding=%c&charset=%C&at=%t&id=%I";
/// The account of `sendsms`.
pub const USERNAME: &str = "tend";
/// Its password.
pub const PASSWORD: &str = "kannel-secret";
/// The number that patients see.
pub const SENDER: &str = "10690000";

const START: Duration = Duration::from_secs(30);

/// A text as the patient's phone shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PhoneText {
    /// Who sent it.
    pub from: String,
    /// The phone's number.
    pub to: String,
    /// The text, its parts joined.
    pub text: String,
    /// How many parts it came in.
    pub parts: usize,
}

/// The running gateway. Dropping it stops all of it.
pub struct Kannel {
    folder: tempfile::TempDir,
    send_port: u16,
    inbound_port: u16,
    // Dropped in this order, so that no box complains about the one that it talks to.
    _phones: Kept,
    _smsbox: Kept,
    _bearerbox: Kept,
}

impl Kannel {
    /// Starts the gateway; it forwards each inbound text to `inbound_url` with `INBOUND_QUERY`.
    pub fn start(inbound_url: &str) -> Kannel {
        let folder = tempfile::Builder::new().prefix("tend-kannel-").tempdir().expect("a temporary folder");
        let [admin, boxes, phones, inbound_port, send_port] = [(); 5].map(|()| free_port());
        let file = folder.path().join("kannel.conf");
        fs::write(&file, config(inbound_url, [admin, boxes, phones, inbound_port, send_port]))
            .expect("writable");
        let log = |name: &str| folder.path().join(name);

        let run = |program: &str, log: &Path| {
            let command =
                vec![installed(program, &[PathBuf::from("/usr/sbin").join(program)]).into(), (&file).into()];
            Kept::start(command, log, "TERM", None)
        };
        let bearerbox = run("bearerbox", &log("bearerbox.log"));
        listening("bearerbox", boxes, &log("bearerbox.log"));
        let smsbox = run("smsbox", &log("smsbox.log"));
        listening("smsbox", send_port, &log("smsbox.log"));
        listening("the fake SMSC's port", phones, &log("bearerbox.log"));
        let phones = fake_smsc(phones, &["-m", "0", "0 0 text never-sent"], &log("phones.log"));
        wait_until("the fake SMSC connects", START, Some(&log("phones.log")), || {
            fs::read_to_string(log("phones.log")).is_ok_and(|said| said.contains("Connecting to"))
        });
        Kannel { folder, send_port, inbound_port, _phones: phones, _smsbox: smsbox, _bearerbox: bearerbox }
    }

    /// Where `sendsms` is.
    pub fn send_url(&self) -> String {
        format!("http://127.0.0.1:{}/cgi-bin/sendsms", self.send_port)
    }

    /// What arrived on phones, oldest first; a text in parts counts when its last part is there.
    pub fn phones(&self) -> Vec<PhoneText> {
        let said = fs::read(self.folder.path().join("phones.log")).unwrap_or_default();
        join_parts(String::from_utf8_lossy(&said).lines().filter_map(read_part))
    }

    /// Waits until `count` texts have arrived on phones.
    pub fn wait_for_phones(&self, count: usize, limit: Duration) -> Vec<PhoneText> {
        let what = format!("{count} texts on phones");
        wait_until(&what, limit, Some(&self.folder.path().join("smsbox.log")), || {
            self.phones().len() >= count
        });
        self.phones()
    }

    /// A patient writes: the text goes through a fake SMSC and Kannel to the inbound URL.
    pub fn write_from_phone(&self, from: &str, text: &str) {
        let (kind, bytes) = if text.is_ascii() {
            ("data", text.as_bytes().to_vec())
        } else {
            ("ucs2", text.encode_utf16().flat_map(u16::to_be_bytes).collect())
        };
        let message = format!("{from} {SENDER} {kind} {}", http::encode(&bytes));
        let log = self.folder.path().join("inbound.log");
        let _smsc = fake_smsc(self.inbound_port, &["-m", "1", &message], &log);
        wait_until("the fake SMSC has sent the text", START, Some(&log), || {
            fs::read_to_string(&log).is_ok_and(|said| said.contains("sent message 1"))
        });
    }
}

fn listening(what: &str, port: u16, log: &Path) {
    let open = || std::net::TcpStream::connect(("127.0.0.1", port)).is_ok();
    wait_until(&format!("{what} listens"), START, Some(log), open);
}

fn fake_smsc(port: u16, arguments: &[&str], log: &Path) -> Kept {
    let program = installed("fakesmsc", &[PathBuf::from("/usr/lib/kannel/test/fakesmsc")]);
    let port = port.to_string();
    let options = ["-H", "127.0.0.1", "-r", &port].into_iter().chain(arguments.iter().copied());
    let command = iter::once(program.into()).chain(options.map(OsString::from)).collect();
    Kept::start(command, log, "TERM", None)
}

fn config(inbound_url: &str, [admin, boxes, phones, inbound, send]: [u16; 5]) -> String {
    format!(
        r#"group = core
admin-port = {admin}
admin-interface = 127.0.0.1
admin-password = {PASSWORD}
status-password = {PASSWORD}
box-allow-ip = 127.0.0.1
smsbox-port = {boxes}
smsbox-interface = 127.0.0.1
dlr-storage = internal

group = smsc
smsc = fake
smsc-id = phones
host = 127.0.0.1
port = {phones}
connect-allow-ip = 127.0.0.1

group = smsc
smsc = fake
smsc-id = inbound
host = 127.0.0.1
port = {inbound}
connect-allow-ip = 127.0.0.1
allowed-smsc-id = inbound

group = smsbox
bearerbox-host = 127.0.0.1
bearerbox-port = {boxes}
sendsms-port = {send}
sendsms-interface = 127.0.0.1
global-sender = {SENDER}

group = sendsms-user
username = {USERNAME}
password = {PASSWORD}
forced-smsc = phones
max-messages = 10
concatenation = true

group = sms-service
keyword = default
catch-all = true
max-messages = 0
omit-empty = true
get-url = "{inbound_url}?{INBOUND_QUERY}"
"#
    )
}

struct Part {
    from: String,
    to: String,
    /// The reference that the parts of one text share, how many there are, and which one this is.
    place: Option<(u8, u8, u8)>,
    bytes: Vec<u8>,
    wide: bool,
}

/// Reads `… Got message 7: <sender receiver [udh HEADER] kind body>`.
fn read_part(line: &str) -> Option<Part> {
    let (_, message) = line.split_once(" Got message ")?;
    let (_, message) = message.split_once(": <")?;
    let message = message.strip_suffix('>')?;
    let (from, message) = message.split_once(' ')?;
    let (to, message) = message.split_once(' ')?;
    let (place, message) = match message.strip_prefix("udh ") {
        None => (None, message),
        Some(rest) => {
            let (header, rest) = rest.split_once(' ')?;
            let [5, 0, 3, reference, count, index] = http::decode(header.as_bytes())[..] else { return None };
            (Some((reference, count, index)), rest)
        }
    };
    let (kind, body) = message.split_once(' ')?;
    let bytes = if kind == "text" { body.as_bytes().to_vec() } else { http::decode(body.as_bytes()) };
    // A part of a long text does not say how it is coded: printable ASCII is taken for what it looks like.
    let plain = bytes.iter().all(|byte| matches!(byte, b'\n' | b' '..=b'~'));
    let wide = kind == "ucs-2" || (kind == "data" && !plain);
    Some(Part { from: from.into(), to: to.into(), place, bytes, wide })
}

fn join_parts(parts: impl Iterator<Item = Part>) -> Vec<PhoneText> {
    let mut texts = Vec::new();
    let mut waiting: BTreeMap<(String, u8), BTreeMap<u8, Part>> = BTreeMap::new();
    for part in parts {
        let Some((reference, count, index)) = part.place else {
            texts.push(joined(vec![part]));
            continue;
        };
        let key = (part.to.clone(), reference);
        let there = waiting.entry(key.clone()).or_default();
        there.insert(index, part);
        if there.len() == usize::from(count) {
            texts.push(joined(waiting.remove(&key).into_iter().flat_map(BTreeMap::into_values).collect()));
        }
    }
    texts
}

fn joined(parts: Vec<Part>) -> PhoneText {
    let wide = parts.iter().any(|part| part.wide);
    let bytes: Vec<u8> = parts.iter().flat_map(|part| part.bytes.iter().copied()).collect();
    let units: Vec<u16> =
        bytes.chunks(2).map(|pair| pair.iter().fold(0, |unit, byte| unit << 8 | u16::from(*byte))).collect();
    let text =
        if wide { String::from_utf16_lossy(&units) } else { String::from_utf8_lossy(&bytes).into_owned() };
    let (from, to) = parts.first().map(|part| (part.from.clone(), part.to.clone())).unwrap_or_default();
    PhoneText { from, to, text, parts: parts.len() }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::sync::mpsc::{self, Receiver};

    use super::super::net::Listening;
    use super::*;

    const LIMIT: Duration = Duration::from_secs(20);
    const PHONE: &str = "+8613800000001";

    fn product() -> (Listening, Receiver<http::Request>) {
        let (heard, requests) = mpsc::channel();
        let server = http::serve(move |request| {
            let _ = heard.send(request);
            http::Response::text(200, "")
        });
        (server, requests)
    }

    fn send(kannel: &Kannel, text: &str, report_url: &str) -> (u16, String) {
        let encode = |text: &str| http::encode(text.as_bytes());
        http::get(&format!(
            "{}?username={USERNAME}&password={PASSWORD}&to={}&text={}&coding=2&charset=UTF-8&dlr-mask=31&dlr-url={}",
            kannel.send_url(),
            encode(PHONE),
            encode(text),
            encode(report_url)
        ))
        .expect("Kannel answers")
    }

    #[test]
    fn texts_reports_and_replies_pass_through_a_real_kannel() {
        let (product, requests) = product();
        let base = format!("http://{}", product.address());
        let kannel = Kannel::start(&format!("{base}/inbound"));

        let short = "今天感觉如何？\n回复 0 到 10";
        let long = "请称体重。".repeat(30);
        for text in [short, &long] {
            let answer = send(&kannel, text, &format!("{base}/report?key=k1&type=%d"));
            assert_eq!(answer, (202, "0: Accepted for delivery".into()));
        }
        let arrived = kannel.wait_for_phones(2, LIMIT);
        let text =
            |text: &str, parts| PhoneText { from: SENDER.into(), to: PHONE.into(), text: text.into(), parts };
        assert_eq!(arrived, [text(short, 1), text(&long, 3)]);

        let report = || requests.recv_timeout(LIMIT).expect("a report");
        let reports: BTreeSet<String> = (0..4).map(|_| report().text("type")).collect();
        assert_eq!(reports, BTreeSet::from(["1".into(), "8".into()]));

        kannel.write_from_phone(PHONE, " Stop. ");
        let stop = requests.recv_timeout(LIMIT).expect("the reply");
        assert_eq!(stop.path, "/inbound");
        assert_eq!((stop.text("from").as_str(), stop.text("text").as_str()), (PHONE, " Stop. "));
        kannel.write_from_phone(PHONE, "退订");
        let chinese = requests.recv_timeout(LIMIT).expect("the second reply");
        assert_eq!((chinese.text("coding").as_str(), chinese.text("charset").as_str()), ("2", "UTF-16BE"));
        assert_eq!(chinese.bytes("text"), Some([0x90, 0x00, 0x8b, 0xa2].as_slice()));
    }
}
