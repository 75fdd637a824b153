//! `tend serve` as a process that can be killed.

use std::ffi::OsString;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};
use std::{fs::File, thread};

/// Ends the process when our pipe closes without a word: then we are dead ourselves.
const WATCH: &str = r#"read -r _ || kill -s KILL "$1" 2>/dev/null"#;

/// A running process.
pub struct Process {
    child: Child,
    watch: Child,
    log: PathBuf,
}

impl Process {
    /// Starts that command line. `kill_at` makes it die by itself, see `TEND_KILL_AT`.
    pub fn start(command: &[OsString], path: &Path, kill_at: Option<&str>) -> Process {
        let log = File::options().create(true).append(true).open(path).expect("a log can be written");
        let [program, arguments @ ..] = command else { panic!("an empty command line") };
        let mut command = Command::new(program);
        command.args(arguments).env("RUST_BACKTRACE", "0").env_remove("TEND_KILL_AT");
        if let Some(at) = kill_at {
            command.env("TEND_KILL_AT", at);
        }
        let err = log.try_clone().expect("a handle can be doubled");
        let child = command.stdin(Stdio::null()).stdout(log).stderr(err).spawn().expect("a process starts");
        let mut watch = Command::new("sh");
        watch.args(["-c", WATCH, "tend-test-watch", &child.id().to_string()]);
        let watch = watch.stdin(Stdio::piped()).process_group(0).spawn().expect("a watch starts");
        Process { child, watch, log: path.to_owned() }
    }

    /// `kill -9`.
    pub fn kill(mut self) {
        self.child.kill().expect("it can be killed");
        let status = self.child.wait().expect("it is gone");
        assert_eq!(status.signal(), Some(9), "it was alive: {status}: {}", self.last_words());
    }

    /// Waits until it died by itself; false when it did not, because it never came to the point.
    pub fn died(&mut self, limit: Duration) -> bool {
        let begin = Instant::now();
        while begin.elapsed() < limit {
            if let Some(status) = self.child.try_wait().expect("a child can be asked") {
                assert_eq!(status.signal(), Some(6), "it died otherwise: {status}: {}", self.last_words());
                return true;
            }
            thread::sleep(Duration::from_millis(1));
        }
        false
    }

    /// The end of what it wrote.
    fn last_words(&self) -> String {
        let log = std::fs::read_to_string(&self.log).unwrap_or_default();
        let last: Vec<&str> = log.lines().rev().take(5).collect();
        last.into_iter().rev().collect::<Vec<_>>().join("\n")
    }

    /// SIGTERM, as a service manager does, and waits until it has finished what was in flight.
    pub fn stop(mut self) {
        let id = self.child.id().to_string();
        let told = Command::new("kill").args(["-TERM", &id]).status().expect("kill can be run");
        assert!(told.success());
        let status = self.child.wait().expect("it ends");
        // One that has only just started may not listen yet.
        assert!(status.success() || status.signal() == Some(15), "it ended in order: {status}");
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.watch.kill();
        let _ = self.watch.wait();
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
