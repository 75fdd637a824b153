//! Programs that must not outlive the test process, even when that one is killed.

use std::ffi::OsString;
use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};
use std::{fs, thread};

/// Holds our pipe: when the pipe closes, because we dropped it or because we died, the program is stopped, then
/// killed if it does not listen, and its folder is removed.
const GUARD: &str = r#"
exec 3<&0
"$@" </dev/null 3<&- &
program=$!
read -r _ <&3
kill -s "$TEND_STOP" $program 2>/dev/null
tries=0
while kill -0 $program 2>/dev/null && [ $tries -lt 100 ]; do tries=$((tries+1)); sleep 0.05; done
kill -s KILL $program 2>/dev/null
[ -z "$TEND_REMOVE" ] || rm -rf "$TEND_REMOVE"
"#;

/// A running program. Dropping it stops the program and waits until it is gone.
pub struct Kept {
    guard: Child,
}

impl Kept {
    /// Starts `command` with its output in `log`. At the end it gets the signal `stop` and `remove` is deleted.
    pub fn start(command: Vec<OsString>, log: &Path, stop: &str, remove: Option<&Path>) -> Kept {
        use std::os::unix::process::CommandExt;
        let out = File::create(log).unwrap_or_else(|e| panic!("{} cannot be written: {e}", log.display()));
        let err = out.try_clone().expect("a log file can be opened twice");
        let guard = Command::new("sh")
            .args(["-c", GUARD, "tend-test-guard"])
            .args(&command)
            .env("TEND_STOP", stop)
            .env("TEND_REMOVE", remove.unwrap_or(Path::new("")))
            .stdin(Stdio::piped())
            .stdout(out)
            .stderr(err)
            .process_group(0) // Ctrl-C reaches us alone; the guard then stops its program in order
            .spawn()
            .unwrap_or_else(|e| panic!("{command:?} cannot be started: {e}"));
        Kept { guard }
    }
}

impl Drop for Kept {
    fn drop(&mut self) {
        drop(self.guard.stdin.take());
        let _ = self.guard.wait();
    }
}

/// Calls `ready` until it is true; panics with `what` and the end of `log` when it is not within `limit`.
pub fn wait_until(what: &str, limit: Duration, log: Option<&Path>, mut ready: impl FnMut() -> bool) {
    let begin = Instant::now();
    while !ready() {
        if begin.elapsed() > limit {
            let said = log.and_then(|log| fs::read_to_string(log).ok()).unwrap_or_default();
            let tail: Vec<&str> = said.lines().rev().take(30).collect();
            let tail: Vec<&str> = tail.into_iter().rev().collect();
            panic!("{what}: not within {limit:?}\n{}", tail.join("\n"));
        }
        thread::sleep(Duration::from_millis(10));
    }
}

/// The first of `candidates` that is a file, else a panic that says how to install it.
pub fn installed(name: &str, candidates: &[PathBuf]) -> PathBuf {
    let in_path = std::env::var_os("PATH").unwrap_or_default();
    let in_path = std::env::split_paths(&in_path).map(|folder| folder.join(name));
    candidates.iter().cloned().chain(in_path).find(|path| path.is_file()).unwrap_or_else(|| {
        panic!("{name} is not installed. Run `tests/run --install` as root; tests never skip a missing part.")
    })
}

/// The folder where `tests/run --install` keeps programs that no package of the system installs.
pub fn tools_folder() -> PathBuf {
    if let Some(folder) = std::env::var_os("TEND_TEST_TOOLS") {
        return PathBuf::from(folder);
    }
    let home = std::env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
    home.join(".cache/tend-tests")
}

/// A port that nobody listens on. Below the range of outgoing connections, so that none of them can take it
/// before the program that it is for has bound it.
pub fn free_port() -> u16 {
    const FIRST: u16 = 12_000;
    const COUNT: u16 = 20_000;
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let start = (std::process::id() % u32::from(COUNT / 97)) as u16 * 97;
    for _ in 0..COUNT {
        let port = FIRST + (start + NEXT.fetch_add(1, Ordering::Relaxed) % COUNT) % COUNT;
        if std::net::TcpListener::bind(("127.0.0.1", port)).is_ok() {
            return port;
        }
    }
    panic!("no free port between {FIRST} and {}", FIRST + COUNT);
}

/// True when we run as root, which PostgreSQL and smtp-sink refuse.
pub fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt;
    fs::metadata("/proc/self").is_ok_and(|me| me.uid() == 0)
}

/// An unprivileged account that may own a database: name, user id, group id.
pub fn unprivileged() -> (String, u32, u32) {
    let accounts = fs::read_to_string("/etc/passwd").expect("/etc/passwd can be read");
    let find = |name: &str| {
        let line = accounts.lines().find(|line| line.split(':').next() == Some(name))?;
        let mut fields = line.split(':').skip(2).map_while(|field| field.parse().ok());
        Some((name.to_owned(), fields.next()?, fields.next()?))
    };
    find("postgres").or_else(|| find("nobody")).expect("an account `postgres` or `nobody` exists")
}

#[test]
fn a_kept_program_is_gone_with_its_folder_after_drop() {
    let folder = tempfile::tempdir().expect("a temporary folder").keep();
    let pid = folder.join("pid");
    let script = format!(
        "trap '' TERM; echo $$ > {0}.part; mv {0}.part {0}; while :; do sleep 0.05; done",
        pid.display()
    );
    let command = ["sh", "-c", &script].map(OsString::from).to_vec();
    let kept = Kept::start(command, &folder.join("log"), "TERM", Some(&folder));
    wait_until("the program writes its pid", Duration::from_secs(10), None, || pid.exists());
    let pid = fs::read_to_string(&pid).expect("the pid file can be read");
    assert!(Path::new("/proc").join(pid.trim()).exists());
    drop(kept);
    assert!(!folder.exists());
    wait_until("the program is gone", Duration::from_secs(10), None, || {
        !Path::new("/proc").join(pid.trim()).exists()
    });
}

#[test]
fn two_free_ports_differ() {
    assert_ne!(free_port(), free_port());
}
