//! Postfix's own `smtp-sink`: the real server for stories and for measuring.

use std::ffi::OsString;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;
use std::{fs, os};

use super::process::{Kept, free_port, installed, is_root, tools_folder, unprivileged, wait_until};

const START: Duration = Duration::from_secs(20);
const BACKLOG: &str = "200";

/// A running `smtp-sink` that keeps each mail as a file.
pub struct SmtpSink {
    address: SocketAddr,
    folder: PathBuf,
    _sink: Kept,
}

impl SmtpSink {
    /// Starts it on a free port.
    pub fn start() -> SmtpSink {
        let folder =
            tempfile::Builder::new().prefix("tend-sink-").tempdir().expect("a temporary folder").keep();
        let address = SocketAddr::from(([127, 0, 0, 1], free_port()));
        let mut command = vec![OsString::from(program("smtp-sink"))];
        if is_root() {
            let (account, user, group) = unprivileged();
            os::unix::fs::chown(&folder, Some(user), Some(group)).expect("root may give a folder away");
            command.extend(["-u".into(), account.into()]);
        }
        let files = folder.join("mail-");
        command.extend(["-d".into(), files.into(), address.to_string().into(), BACKLOG.into()]);
        let log = folder.join("log");
        let sink = Kept::start(command, &log, "TERM", Some(&folder));
        wait_until("smtp-sink listens", START, Some(&log), || std::net::TcpStream::connect(address).is_ok());
        SmtpSink { address, folder, _sink: sink }
    }

    /// Where it listens.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// The mails so far, each with its envelope as `X-…-Args` headers in front, in no order.
    pub fn mails(&self) -> Vec<String> {
        let entries = fs::read_dir(&self.folder).expect("the folder lives as long as the sink");
        let files = entries.filter_map(Result::ok).map(|entry| entry.path()).filter(|path| is_mail(path));
        files.filter_map(|path| fs::read_to_string(path).ok()).filter(|text| !text.is_empty()).collect()
    }
}

fn is_mail(path: &Path) -> bool {
    path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("mail-"))
}

/// One of postfix's programs: installed in full, or the one that `tests/run --install` unpacked.
pub fn program(name: &str) -> PathBuf {
    installed(name, &[tools_folder().join("postfix/bin").join(name), PathBuf::from("/usr/sbin").join(name)])
}

#[test]
fn smtp_source_sends_into_smtp_sink() {
    let sink = SmtpSink::start();
    let sent = std::process::Command::new(program("smtp-source"))
        .args(["-m", "5", "-s", "2", "-f", "ward@hospital.example", "-t", "li@patients.example"])
        .arg(sink.address().to_string())
        .output()
        .expect("smtp-source can be started");
    assert!(sent.status.success(), "{}", String::from_utf8_lossy(&sent.stderr));
    wait_until("five mails in the sink", START, None, || {
        sink.mails().iter().filter(|mail| mail.contains("li@patients.example")).count() == 5
    });
}
