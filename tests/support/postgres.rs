//! A throw-away PostgreSQL cluster, one for each test run, started when the first test asks for a database.
//! Durability is left as PostgreSQL ships it: a test of crashes would prove nothing with `fsync` off.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;
use std::{fs, os};

use super::process::{Kept, free_port, installed, is_root, unprivileged, wait_until};

const START_SECONDS: u64 = 60;
const MAX_CONNECTIONS: u32 = 300;
const OWNER: &str = "tend";

struct Cluster {
    port: u16,
    bin: PathBuf,
    _server: Kept,
}

/// The URL of a new and empty database of the run's cluster.
pub fn fresh_database() -> String {
    static CLUSTER: OnceLock<Cluster> = OnceLock::new();
    static NEXT: AtomicU32 = AtomicU32::new(1);
    let cluster = CLUSTER.get_or_init(Cluster::start);
    let name = format!("tend_{}", NEXT.fetch_add(1, Ordering::Relaxed));
    cluster.sql("postgres", &format!("CREATE DATABASE {name}"));
    format!("postgres://{OWNER}@127.0.0.1:{}/{name}", cluster.port)
}

/// Runs one statement with `psql` against `url` and gives what it prints, one line a row, fields parted by `|`.
pub fn psql(url: &str, statement: &str) -> String {
    let bin = programs();
    output(Command::new(bin.join("psql")).args(["-XAtq", "-v", "ON_ERROR_STOP=1", "-c", statement, url]))
}

impl Cluster {
    fn start() -> Cluster {
        let bin = programs();
        let folder =
            tempfile::Builder::new().prefix("tend-postgres-").tempdir().expect("a temporary folder").keep();
        let data = folder.join("data");
        give_away(&folder);
        output(as_unprivileged(&bin.join("initdb")).arg("-D").arg(&data).args([
            "--auth=trust",
            "--encoding=UTF8",
            "--locale=C.UTF-8",
            "--username",
            OWNER,
        ]));
        let port = free_port();
        let log = folder.join("server.log");
        let server = Kept::start(server_command(&bin, &data, &folder, port), &log, "INT", Some(&folder));
        let cluster = Cluster { port, bin, _server: server };
        wait_until("PostgreSQL answers", Duration::from_secs(START_SECONDS), Some(&log), || {
            cluster.answers()
        });
        cluster
    }

    fn answers(&self) -> bool {
        let port = self.port.to_string();
        let ready =
            Command::new(self.bin.join("pg_isready")).args(["-q", "-h", "127.0.0.1", "-p", &port]).status();
        ready.is_ok_and(|status| status.success())
    }

    fn sql(&self, database: &str, statement: &str) {
        psql(&format!("postgres://{OWNER}@127.0.0.1:{}/{database}", self.port), statement);
    }
}

fn server_command(bin: &Path, data: &Path, sockets: &Path, port: u16) -> Vec<OsString> {
    let server = as_unprivileged(&bin.join("postgres"));
    let mut command = vec![server.get_program().to_owned()];
    command.extend(server.get_args().map(OsString::from));
    command.extend([OsString::from("-D"), data.into(), OsString::from("-k"), sockets.into()]);
    for setting in [
        format!("port={port}"),
        format!("max_connections={MAX_CONNECTIONS}"),
        "listen_addresses=127.0.0.1".into(),
    ] {
        command.extend([OsString::from("-c"), setting.into()]);
    }
    command
}

fn as_unprivileged(program: &Path) -> Command {
    if !is_root() {
        return Command::new(program);
    }
    let (_, user, group) = unprivileged();
    let mut command = Command::new("setpriv");
    command.args([
        format!("--reuid={user}"),
        format!("--regid={group}"),
        "--clear-groups".into(),
        "--".into(),
    ]);
    command.arg(program);
    command
}

fn give_away(folder: &Path) {
    if is_root() {
        let (_, user, group) = unprivileged();
        os::unix::fs::chown(folder, Some(user), Some(group)).expect("root may give a folder away");
    }
}

fn programs() -> PathBuf {
    let debian = |program: &str| PathBuf::from("/usr/lib/postgresql/15/bin").join(program);
    let initdb = installed("initdb", &[debian("initdb")]);
    initdb.parent().map(Path::to_path_buf).expect("a program lies in a folder")
}

fn output(command: &mut Command) -> String {
    // The folder that we stand in may be closed to the account that the program runs as.
    let output =
        command.current_dir("/").output().unwrap_or_else(|e| panic!("{command:?} cannot be started: {e}"));
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{command:?} failed: {said}");
    String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
}

#[test]
fn databases_are_fresh_real_and_durable() {
    let first = fresh_database();
    let second = fresh_database();
    assert_ne!(first, second);
    psql(&first, "CREATE TABLE said (words text); INSERT INTO said VALUES ('今天感觉如何')");
    assert_eq!(psql(&first, "SELECT words, length(words) FROM said"), "今天感觉如何|6");
    assert_eq!(psql(&second, "SELECT count(*) FROM pg_tables WHERE tablename = 'said'"), "0");
    assert_eq!(psql(&first, "SHOW fsync"), "on");
    assert_eq!(psql(&first, "SHOW synchronous_commit"), "on");
    assert!(psql(&first, "SHOW server_version").starts_with("15."));
    let data = psql(&first, "SHOW data_directory");
    assert!(fs::metadata(&data).is_ok_and(|data| data.is_dir()), "{data} is a folder");
}
