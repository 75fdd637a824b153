//! The main job, end to end, on the program as it is shipped.

mod browser;
mod carriers;
mod first_day;
mod operator_log;
mod versions;

use std::ffi::OsString;
use std::path::Path;
use std::time::Duration;
use std::{collections::BTreeMap, fs};

use crate::support::process::{Kept, wait_until};

/// A program without optimisation lives through weeks of its patients' past first, and others may use the machine.
const READY: Duration = Duration::from_secs(600);
const LISTENING: &str = "listening on ";

/// Starts the demo in a folder, its data below it; gives its address and everybody's password.
fn demo(folder: &Path) -> (Kept, String, BTreeMap<String, String>) {
    let (log, data) = (folder.join("log"), folder.join("data"));
    // Workflow files that are put into the folder later are its drafts.
    let mut command = vec![OsString::from("env"), "-C".into(), folder.into()];
    command.extend([env!("CARGO_BIN_EXE_tend"), "demo", "--port", "0", "--dir"].map(OsString::from));
    command.push(data.clone().into_os_string());
    let kept = Kept::start(command, &log, "TERM", None);
    let address = || {
        let said = fs::read_to_string(&log).unwrap_or_default();
        said.lines().find_map(|line| line.strip_prefix(LISTENING).map(str::to_owned))
    };
    wait_until("the demo listens", READY, Some(&log), || address().is_some());
    let logins = fs::read_to_string(data.join("logins.txt")).expect("the logins are kept in a file");
    let logins = logins.lines().skip(1).filter_map(|line| line.split_once(char::is_whitespace));
    let passwords = logins.map(|(login, password)| (login.to_owned(), password.trim().to_owned())).collect();
    (kept, address().expect("it listens"), passwords)
}
