//! From an empty folder to the first patient, by the commands that a new user types. The server runs from the beginning on and
//! sees what they do.

use std::ffi::OsString;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::{ToSpan, tz::TimeZone};
use tend::app::App;
use tend::cli::clock::{FreshIds, SystemClock};
use tend::ports::Clock as _;
use tend::store::{JobPool, Open, Store, Vault};

use crate::support::postgres;
use crate::support::process::{Kept, free_port, wait_until};
use crate::support::visitor::Visitor;

const PASSWORD: &str = "a long pass phrase";
const OTHER_PASSWORD: &str = "another pass phrase";
/// What is changed beside a server is seen by it within a second; others may use the machine.
const SEEN: Duration = Duration::from_secs(20);
/// The goal is two seconds. A program without optimisation beside other tests may take longer.
const READY: Duration = Duration::from_secs(10);

/// The folder, and where the database is.
struct Place {
    folder: PathBuf,
    database: String,
}

impl Place {
    fn environment(&self, command: &mut Command) {
        command.current_dir(&self.folder);
        for name in ["TEND_WORKFLOWS", "TEND_SMTP_URL", "TEND_SMS_URL", "TEND_LOG"] {
            command.env_remove(name);
        }
        command.env("DATABASE_URL", &self.database).env("TEND_SITE_KEY_FILE", "site.key");
    }

    /// Runs `tend` with that on its standard input.
    fn tend(&self, words: &[&str], input: &str) -> Output {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tend"));
        self.environment(&mut command);
        command.args(words).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("it starts");
        // One that refuses its command line reads nothing.
        let _ = child.stdin.take().expect("a pipe").write_all(input.as_bytes());
        child.wait_with_output().expect("it ends")
    }

    /// The same, asserted to end well; gives what it said.
    fn does(&self, words: &[&str], input: &str) -> String {
        let output = self.tend(words, input);
        let said = format!("{}{}", text(&output.stdout), text(&output.stderr));
        assert!(output.status.success(), "tend {}: {said}", words.join(" "));
        said
    }

    /// The same, asserted to be refused in these words.
    fn refuses(&self, words: &[&str], input: &str, why: &str) {
        let output = self.tend(words, input);
        let said = text(&output.stderr);
        assert!(!output.status.success() && said.contains(why), "tend {}: {said}", words.join(" "));
    }

    /// Starts the server; gives how long it took until it was ready.
    fn serve(&self, port: u16) -> (Kept, Duration) {
        let log = self.log();
        let mut command = vec![OsString::from("env"), "-C".into(), self.folder.clone().into()];
        for name in ["TEND_WORKFLOWS", "TEND_SMTP_URL", "TEND_SMS_URL", "TEND_LOG"] {
            command.extend(["-u", name].map(OsString::from));
        }
        command.push(format!("DATABASE_URL={}", self.database).into());
        command.push("TEND_SITE_KEY_FILE=site.key".into());
        command.extend([env!("CARGO_BIN_EXE_tend"), "serve", "--listen"].map(OsString::from));
        command.push(format!("127.0.0.1:{port}").into());
        let begin = Instant::now();
        let kept = Kept::start(command, &log, "TERM", None);
        wait_until("tend serve is ready", Duration::from_secs(60), Some(&log), || {
            std::net::TcpStream::connect(("127.0.0.1", port)).is_ok()
                && Visitor::at(&format!("http://127.0.0.1:{port}")).get("/readyz").status == 200
        });
        (kept, begin.elapsed())
    }

    fn log(&self) -> PathBuf {
        self.folder.join("serve.log")
    }

    fn waits_for(&self, what: &str, ready: impl FnMut() -> bool) {
        wait_until(what, SEEN, Some(&self.log()), ready);
    }

    async fn audit(&self) -> Vec<(String, String)> {
        let store = Store::open(&self.database, Vault::new(&[0; 32]), Open::Beside).await.expect("it opens");
        let clock = Arc::new(SystemClock);
        let app = App::new(store, clock.clone(), clock, Arc::new(FreshIds));
        let query =
            "select action, detail from audit where actor = 'system' and patient is null order by at, id";
        match app.store.job_pool() {
            JobPool::Sqlite(pool) => sqlx::query_as(query).fetch_all(&pool).await,
            JobPool::Postgres(pool) => sqlx::query_as(query).fetch_all(&pool).await,
        }
        .expect("the audit log can be read")
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

const KEY: &str = "0101010101010101010101010101010101010101010101010101010101010101\n";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_empty_folder_becomes_a_ward_that_enrols() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    first_day(folder.path(), "sqlite://tend.db").await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_empty_folder_becomes_a_ward_that_enrols_on_postgres() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let database = tokio::task::spawn_blocking(postgres::fresh_database).await.expect("a database");
    first_day(folder.path(), &database).await;
}

async fn first_day(folder: &Path, database: &str) {
    let place = Place { folder: folder.to_owned(), database: database.to_owned() };
    std::fs::write(folder.join("site.key"), KEY).expect("a key");
    let port = free_port();
    tokio::task::block_in_place(|| commands(&place, port));
    // The path of a SQLite file is relative to where the commands ran.
    let database = place.database.replace("sqlite://", &format!("sqlite://{}/", folder.display()));
    let audit = Place { folder: place.folder, database }.audit().await;
    let actions: Vec<&str> = audit.iter().map(|(action, _)| action.as_str()).collect();
    let expected = [
        "add site",
        "add account",
        "add account",
        "add account",
        "publish",
        "set site",
        "set password",
        "close account",
        "open account",
    ];
    assert_eq!(actions, expected);
    assert!(audit.iter().all(|(_, detail)| !detail.contains(PASSWORD)), "no password is written down");
    assert_eq!(audit[1].1, "login nora, roles nurse, duties nurse");
    assert_eq!(audit[5].1, "ward-phone");
}

fn commands(place: &Place, port: u16) {
    place.refuses(&["site", "show"], "", "tend migrate");
    place.does(&["migrate"], "");
    let (serve, took) = place.serve(port);
    println!("{}: tend serve was ready after {took:?}", place.database);
    assert!(took < READY, "ready after {took:?}");
    place.waits_for("the server says what is missing", || {
        std::fs::read_to_string(place.log()).is_ok_and(|said| said.contains("no site yet: tend site add"))
    });
    assert!(place.does(&["doctor"], "").contains("no site yet: tend site add"));
    let nora = ["staff", "add", "Nora Nurse", "--login", "nora", "--role", "nurse", "--duty", "nurse"];
    place.refuses(&nora, PASSWORD, "there is no site in this database");
    add_site(place);
    assert!(place.does(&["doctor"], "").contains("no account yet at Northgate General Hospital"));
    hire(place, &nora);
    work(place, port);
    drop(serve);
}

fn add_site(place: &Place) {
    let name = "Northgate General Hospital";
    let with = |more: &[&'static str]| {
        let mut words = vec!["site", "add", name, "--ward-phone", "+44 20 7946 0000"];
        words.extend(more);
        words
    };
    place.refuses(&with(&["--country", "gb"]), "", "give --short-name");
    place.refuses(&with(&["--country", "atlantis"]), "", "not known here");
    place.refuses(&with(&["--short-name", "Northgate"]), "", "--zone is needed");
    let whole = with(&["--country", "gb", "--short-name", "Northgate Hosp", "--set", "sms-per-day=2"]);
    let said = place.does(&whole, "");
    for line in [
        "emergency-number          999",
        "zone                      Europe/London",
        "check the telephone numbers",
    ] {
        assert!(said.contains(line), "{said}");
    }
    place.refuses(&whole, "", "there is a site called");
    let shown = place.does(&["site", "show", "--json"], "");
    let shown: serde_json::Value = serde_json::from_str(&shown).expect("one document");
    assert_eq!((shown["sms-per-day"].as_str(), shown["version"].as_u64()), (Some("2"), Some(1)));
    assert!(shown["holidays"].as_str().is_some_and(|days| days.contains("2026-12-25")), "{shown}");
}

fn hire(place: &Place, nora: &[&str]) {
    place.refuses(nora, "too short\n", "write at least 12");
    place.does(nora, &format!("{PASSWORD}\n"));
    place.refuses(nora, PASSWORD, "the login \"nora\" is taken");
    let unknown = ["staff", "add", "X", "--login", "x", "--role", "king"];
    place.refuses(&unknown, PASSWORD, "possible values: clerk, nurse, clinician, author, admin");
    place.refuses(&["publish", "hf-discharge-90d"], "", "has no active account at this site");
    let lead = ["staff", "add", "Lena Lead", "--login", "lena", "--role", "nurse,author"];
    place.does(&[&lead[..], &["--duty", "nurse_lead,clerk,pharmacist"]].concat(), PASSWORD);
    let carl =
        ["staff", "add", "Carl Clinician", "--login", "carl", "--role", "clinician", "--duty", "clinician"];
    let said = place.does(&[&carl[..], &["--generate", "--site", "northgate hosp"]].concat(), "");
    let made_up = said.lines().find_map(|line| line.strip_prefix("password  ")).expect("printed once");
    assert_eq!(made_up.len(), 20);
    let list = place.does(&["staff", "list"], "");
    assert!(list.contains("lena") && list.contains("nurse_lead") && !list.contains(made_up), "{list}");
    assert!(place.does(&["doctor"], "").contains("nothing is published yet"));
}

fn work(place: &Place, port: u16) {
    let base = format!("http://127.0.0.1:{port}");
    let sign_in = |password: &str| {
        let mut nurse = Visitor::at(&base);
        let answer = nurse.post("/sign-in", &[("login", "nora"), ("password", password)]);
        (nurse, answer)
    };
    let (mut nurse, signed) = sign_in(PASSWORD);
    assert_eq!(signed.leads(), "/worklist");
    place.does(&["publish", "hf-discharge-90d"], "");
    assert!(!place.does(&["doctor"], "").contains(" yet"));
    let today = TimeZone::get("Europe/London").expect("a zone").to_datetime(SystemClock.now()).date();
    let discharged = today.checked_sub(1.day()).expect("a day").to_string();
    place.waits_for("the server knows what was published beside it", || {
        nurse.get("/enrol?workflow=hf-discharge-90d").text.contains("fact-dry_weight")
    });
    let enrolled = nurse.submit(
        "/enrol?workflow=hf-discharge-90d",
        "/enrol",
        &[
            ("workflow", "hf-discharge-90d"),
            ("name", "Ada Invented"),
            ("number", "H-1"),
            ("birth_date", "1951-04-09"),
            ("zone", "Europe/London"),
            ("language", "en"),
            ("email", "ada@patients.example"),
            ("preferred", "email"),
            ("consent_email", "yes"),
            ("consent_daily", "yes"),
            ("anchor-discharge", &discharged),
            ("fact-dry_weight", "78"),
        ],
    );
    let page = enrolled.leads().split('?').next().unwrap_or_default().to_owned();
    nurse.get(&page).says(&["Ada Invented"]);
    let phone = "+44 20 7946 0999";
    place.refuses(&["site", "set", "zone", "London"], "", "write it like Europe/London");
    place.does(&["site", "set", "ward-phone", phone], "");
    place.does(&["site", "set", "ward-phone", phone], "");
    place.waits_for("the server has the ward's new number", || {
        nurse.get("/c/AAAAAAAAAAAAAAAAAAAAAA").text.contains(phone)
    });
    place.does(&["staff", "password", "nora"], OTHER_PASSWORD);
    place.waits_for("the session is over", || nurse.get("/worklist").status == 303);
    assert_eq!(sign_in(PASSWORD).1.status, 422);
    let (mut nurse, signed) = sign_in(OTHER_PASSWORD);
    assert_eq!(signed.leads(), "/worklist");
    let said = place.does(&["staff", "disable", "nora"], "");
    assert!(said.contains("has the duty nurse, which owns something in hf-discharge-90d"), "{said}");
    place.waits_for("the session is over", || nurse.get("/worklist").status == 303);
    assert_eq!(sign_in(OTHER_PASSWORD).1.status, 422);
    place.does(&["staff", "enable", "nora"], "");
    assert_eq!(sign_in(OTHER_PASSWORD).1.leads(), "/worklist");
}
