//! The main job over real carriers: `tend serve` beside Postfix's `smtp-sink` and a real Kannel with its fake SMSC. At the
//! end the carriers' own books are laid beside the database.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use jiff::{ToSpan, tz::TimeZone};
use tempfile::TempDir;
use tend::app::{App, sign_in::hash_password};
use tend::cli::clock::SystemClock;
use tend::ports::Clock as _;
use tend::store::NewStaff;
use tend::store::read::message_log::{MessageFilter, MessageRow};
use tend_engine::model::{Channel, Role};
use tend_engine::{PatientId, StaffId};

use crate::support::kannel::{self, Kannel, PhoneText};
use crate::support::postgres;
use crate::support::process::Kept;
use crate::support::product::{GATEWAY_SECRET, Product, SITE, open_site};
use crate::support::smtp_sink::SmtpSink;
use crate::support::visitor::Visitor;

const PASSWORD: &str = "a long pass phrase";
const LIMIT: Duration = Duration::from_secs(40);
const BORN: [(&str, &str); 3] = [("day", "9"), ("month", "4"), ("year", "1951")];
/// Long enough for a message that must not go to have gone.
const QUIET: Duration = Duration::from_secs(3);

/// All parts, running.
struct World {
    nurse: Visitor,
    app: App,
    kannel: Kannel,
    sink: SmtpSink,
    product: Product,
    discharged: String,
    zone: String,
    serve: Option<Kept>,
    folder: TempDir,
}

/// A patient, as enrolled.
struct Somebody {
    id: PatientId,
    page: String,
    name: &'static str,
    address: &'static str,
}

impl World {
    async fn open(database: &str, folder: TempDir) -> World {
        let mut product = Product::on(database);
        product.listen = format!("127.0.0.1:{}", crate::support::process::free_port());
        product.migrate();
        let app = product.beside().await;
        let zone = open_site(&app).await;
        hire(&app).await;
        let sink = SmtpSink::start();
        let kannel = Kannel::start(&format!("{}/gateway/{GATEWAY_SECRET}/inbound", product.base()));
        product.smtp = Some(format!("smtp+plain://{}", sink.address()));
        let account = format!("username={}&password={}", kannel::USERNAME, kannel::PASSWORD);
        product.sms = Some(format!("{}?{account}", kannel.send_url()));
        product.sms_from = kannel::SENDER.into();
        let serve = Some(product.serve(folder.path()));
        let mut nurse = Visitor::at(&product.base());
        let signed = nurse.post("/sign-in", &[("login", "nurse"), ("password", PASSWORD)]);
        assert_eq!(signed.leads(), "/worklist");
        let today = TimeZone::get(&zone).expect("a zone").to_datetime(SystemClock.now()).date();
        let discharged = today.checked_sub(1.day()).expect("a day").to_string();
        World { nurse, app, kannel, sink, product, discharged, zone, serve, folder }
    }

    /// Stops the product in order and starts it again.
    fn restart(&mut self) {
        drop(self.serve.take());
        self.serve = Some(self.product.serve(self.folder.path()));
    }

    /// The nurse enrols somebody who went home yesterday: the first check is due at once.
    fn enrol(&mut self, name: &'static str, language: &str, address: &'static str) -> Somebody {
        let (channel, field, consent) = if address.contains('@') {
            ("email", "email", "consent_email")
        } else {
            ("sms", "phone", "consent_sms")
        };
        let (zone, discharged) = (self.zone.clone(), self.discharged.clone());
        let enrolled = self.nurse.submit(
            "/enrol?workflow=hf-discharge-90d",
            "/enrol",
            &[
                ("workflow", "hf-discharge-90d"),
                ("name", name),
                ("number", address),
                ("birth_date", "1951-04-09"),
                ("zone", &zone),
                ("language", language),
                (field, address),
                ("preferred", channel),
                (consent, "yes"),
                ("consent_daily", "yes"),
                ("anchor-discharge", &discharged),
                ("fact-dry_weight", "78"),
            ],
        );
        let page = enrolled.leads().split('?').next().unwrap_or_default().to_owned();
        let id = PatientId::parse(page.trim_start_matches("/patients/")).expect("an id");
        Somebody { id, page, name, address }
    }

    /// The texts on somebody's phone, once there are that many.
    fn texts(&self, of: &Somebody, count: usize) -> Vec<String> {
        let here = || -> Vec<PhoneText> {
            self.kannel.phones().into_iter().filter(|text| text.to == of.address).collect()
        };
        wait(&format!("{count} texts to {}", of.name), || here().len() >= count);
        here().into_iter().map(|text| text.text).collect()
    }

    /// The mails to somebody, once there are that many.
    fn mails(&self, of: &Somebody, count: usize) -> Vec<mail::Mail> {
        let here = || -> Vec<mail::Mail> {
            self.sink.mails().iter().map(|raw| mail::read(raw)).filter(|mail| mail.to == of.address).collect()
        };
        wait(&format!("{count} mails to {}", of.name), || here().len() >= count);
        here()
    }

    /// The path of the link in a message.
    fn link(&self, text: &str) -> String {
        let base = self.product.base();
        let rest = text.split_once(&format!("{base}/c/")).map(|(_, rest)| rest);
        let token = rest
            .and_then(|rest| rest.split(|c: char| !c.is_ascii_alphanumeric() && c != '-' && c != '_').next());
        format!("/c/{}", token.unwrap_or_else(|| panic!("no link in {text}")))
    }

    async fn log(&self) -> Vec<MessageRow> {
        let (rows, more) = self.app.store.message_log(SITE, &MessageFilter::default()).await.expect("a log");
        assert!(!more, "one page holds the story");
        rows
    }

    /// Waits until nothing is on its way and every text's report has come.
    async fn settled(&self) -> Vec<MessageRow> {
        let begin = Instant::now();
        loop {
            let rows = self.log().await;
            let left: Vec<&MessageRow> = rows.iter().filter(|row| is_under_way(row)).collect();
            if left.is_empty() {
                return rows;
            }
            assert!(begin.elapsed() < LIMIT, "still under way: {left:?}");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

fn is_under_way(row: &MessageRow) -> bool {
    let now = SystemClock.now();
    match row.state.as_str() {
        "claimed" => true,
        "scheduled" => row.send_after <= now,
        "handed_over" => row.channel == Channel::Sms,
        _ => false,
    }
}

async fn hire(app: &App) {
    let nurse = NewStaff {
        id: StaffId(1),
        login: "nurse".into(),
        name: "Ada Nurse".into(),
        password_hash: hash_password(PASSWORD).expect("a hash"),
        account_roles: vec!["nurse"],
        duty_roles: vec![Role::Nurse],
        site: SITE,
    };
    let mut tx = app.store.begin();
    tx.add_staff(&nurse, SystemClock.now()).await.expect("an account");
    tx.commit().await.expect("a commit");
}

fn wait(what: &str, ready: impl FnMut() -> bool) {
    crate::support::process::wait_until(what, LIMIT, None, ready);
}

/// What `smtp-sink` keeps of a mail.
mod mail {
    use mailparse::MailHeaderMap;

    #[derive(Debug)]
    pub struct Mail {
        pub to: String,
        /// The id of the message that its Message-ID holds.
        pub id: String,
        pub text: String,
    }

    pub fn read(raw: &str) -> Mail {
        let parsed = mailparse::parse_mail(raw.as_bytes()).expect("a mail");
        let header = |name: &str| parsed.headers.get_first_value(name).unwrap_or_default();
        let id = header("Message-ID");
        let plain = parsed.parts().find(|part| part.ctype.mimetype == "text/plain");
        Mail {
            to: header("To").trim_matches(['<', '>']).to_owned(),
            id: id.trim_start_matches('<').split('@').next().unwrap_or_default().to_owned(),
            text: plain.and_then(|part| part.get_body().ok()).unwrap_or_default(),
        }
    }
}

/// Opens the link, is asked for the date of birth, mistypes it once, and answers question by question.
fn answer(world: &World, link: &str, answers: &[(&str, &str)]) -> Visitor {
    let mut patient = Visitor::at(&world.product.base());
    patient.get(link).says(&["Is this for you?"]);
    let wrong = patient.post(link, &[("day", "9"), ("month", "4"), ("year", "1915")]);
    assert_eq!(wrong.status, 422);
    wrong.says(&["Tries left: 4"]);
    let mut at = patient.post(link, &BORN).leads().to_owned();
    for (item, value) in answers {
        assert!(at.ends_with(&format!("/{item}")), "asked for {item} at {at}");
        let unit = if *item == "weight" { "kg" } else { "" };
        let answered = patient.submit(&at, &at, &[("answer", value), ("unit", unit)]);
        at = answered.leads().to_owned();
        if at.contains("/advice/") {
            let advice =
                patient.get(&at).says(&["Being breathless at rest can be an emergency", "Call 112 now"]);
            let next = advice.text.split(&format!("href=\"{link}/q/")).nth(1).expect("the way on");
            at = format!("{link}/q/{}", next.split('"').next().unwrap_or_default());
        }
    }
    assert_eq!(at, format!("{link}/check"));
    let sent = patient.submit(&at, &at, &[]);
    patient.get(sent.leads()).says(&["Your answers have arrived"]);
    patient
}

const BAD: [(&str, &str); 9] = [
    ("weight", "81.4"),
    ("breathing", "at_rest"),
    ("sleeping", "one_more"),
    ("swelling", "more"),
    ("dizzy", "no"),
    ("chest", "no"),
    ("tablets", "yes"),
    ("cough", "no"),
    ("has_monitor", "no"),
];

fn calm() -> Vec<(&'static str, &'static str)> {
    let calm = |(item, value)| match item {
        "weight" => (item, "78.2"),
        "breathing" => (item, "same"),
        "sleeping" => (item, "no"),
        "swelling" => (item, "none"),
        _ => (item, value),
    };
    BAD.into_iter().map(calm).collect()
}

/// The nurse sees her at the top and why, takes the task, and records what came of the call.
fn nurse_acts(world: &mut World, about: &Somebody) {
    let list = world.nurse.get("/worklist").says(&["Emergency"]);
    let first = list.text.split("<a href=/tasks/").nth(1).expect("a task");
    assert!(first.contains(about.name) && first.contains("breathless at rest"), "{first}");
    let id = first.split('>').next().unwrap_or_default();
    let task = world.nurse.submit("/worklist", "/worklist/take", &[("take", id)]).leads().to_owned();
    world.nurse.get(&task).says(&[about.name, about.address, "breathless at rest"]);
    let outcome = [("outcome", "sent_to_emergency"), ("note", "Ambulance called.")];
    let closed = world.nurse.submit(&task, &format!("{task}/outcome"), &outcome);
    assert_eq!(closed.status, 303, "{}", closed.text);
    world.nurse.get(&about.page).says(&["Outcome: Sent to emergency", "Answered", "Enrolled in"]);
}

/// Writes STOP in some words, twice, and asks for help: one confirmation comes, and nothing after it.
async fn stops(world: &World, who: &Somebody, word: &str, confirmation: &str) {
    let before = world.texts(who, 1).len();
    world.kannel.write_from_phone(who.address, word);
    let texts = world.texts(who, before + 1);
    assert!(texts[before].contains(confirmation), "{texts:?}");
    for more in [word, "HELP"] {
        world.kannel.write_from_phone(who.address, more);
    }
    let begin = Instant::now();
    while replies(world, who).await < 3 {
        assert!(begin.elapsed() < LIMIT, "three texts of {} were taken", who.name);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

async fn replies(world: &World, who: &Somebody) -> usize {
    let lines = world.app.store.history(who.id, 0, 1_000).await.expect("a history");
    let replied = |fact: &tend_engine::fact::Fact| matches!(fact, tend_engine::fact::Fact::Replied { .. });
    lines.iter().filter(|line| replied(&line.entry.fact)).count()
}

/// The carriers' books beside the database: nothing lost, nothing twice.
async fn audited(world: &World) {
    let rows = world.settled().await;
    let ids = |channel| -> Vec<String> {
        let went = |row: &&MessageRow| {
            row.channel == channel && matches!(row.state.as_str(), "handed_over" | "delivered")
        };
        let mut ids: Vec<String> = rows.iter().filter(went).map(|row| row.id.to_string()).collect();
        ids.sort();
        ids
    };
    let mut mails: Vec<String> = world.sink.mails().iter().map(|raw| mail::read(raw).id).collect();
    mails.sort();
    assert_eq!(mails, ids(Channel::Email), "every mail that was handed over is in the sink, once");
    let texts = ids(Channel::Sms);
    let reported = |row: &MessageRow| row.attempt == 0 || row.state == "delivered";
    assert!(rows.iter().filter(|row| row.channel == Channel::Sms).all(reported), "{rows:?}");

    let mut sent: BTreeMap<(String, String), i32> = BTreeMap::new();
    for row in world.app.store.sent(1_000).await.expect("what was sent") {
        if row.channel == Channel::Sms {
            *sent.entry((row.sent.to, row.sent.text)).or_default() += 1;
        }
    }
    assert_eq!(sent.values().sum::<i32>(), i32::try_from(texts.len()).expect("a few"), "one attempt each");
    for text in world.kannel.phones() {
        *sent.entry((text.to, text.text)).or_default() -= 1;
    }
    sent.retain(|_, left| *left != 0);
    assert_eq!(sent, BTreeMap::new(), "sent and not arrived, or the other way round");
    let doctor = world.app.doctor(true).await.expect("the doctor can read");
    assert!(doctor.differences.is_empty() && doctor.lost.is_empty(), "{doctor:?}");
}

async fn a_whole_story(database: &str, folder: TempDir) {
    let mut world = World::open(database, folder).await;
    let rosalind = world.enrol("Rosalind Ferrari", "en", "+447700900101");
    let ben = world.enrol("Ben Okafor", "en", "ben@patients.example");
    let ann = world.enrol("Ann Marsh", "en", "+447700900103");
    let chinese = [
        (world.enrol("王小明", "zh", "+8613800000001"), "退订"),
        (world.enrol("李华", "zh", "+8613800000002"), "TD"),
        (world.enrol("赵敏", "zh", "+8613800000003"), " 停止。"),
    ];

    let link = world.link(&world.texts(&rosalind, 1)[0]);
    answer(&world, &link, &BAD);
    nurse_acts(&mut world, &rosalind);
    let letter = &world.mails(&ben, 1)[0];
    answer(&world, &world.link(&letter.text), &calm());
    let link = world.link(&world.texts(&ann, 1)[0]);
    answer(&world, &link, &calm());

    stops(&world, &rosalind, " Stop. ", "no more text messages").await;
    for (who, word) in &chinese {
        let asked = &world.texts(who, 1)[0];
        assert!(asked.contains("请回答今天的几个问题"), "in Chinese: {asked}");
        stops(&world, who, word, "您不会再收到我们的短信").await;
    }
    let heard = world.texts(&ann, 1).len();
    world.kannel.write_from_phone(ann.address, "help");
    assert_eq!(world.texts(&ann, heard + 1).len(), heard + 1, "who did not stop gets an answer");

    audited(&world).await;
    world.restart();
    tokio::time::sleep(QUIET).await;
    for who in chinese.iter().map(|(who, _)| who).chain([&rosalind]) {
        assert_eq!(
            world.texts(who, 2).len(),
            2,
            "a question, a confirmation, and nothing more: {}",
            who.name
        );
    }
    audited(&world).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_bad_answer_and_a_stop_over_real_carriers() {
    let folder = tempfile::tempdir().expect("a temporary folder");
    let database = format!("sqlite://{}/tend.db", folder.path().display());
    a_whole_story(&database, folder).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_same_on_postgres() {
    let database = tokio::task::spawn_blocking(postgres::fresh_database).await.expect("a database");
    a_whole_story(&database, tempfile::tempdir().expect("a temporary folder")).await;
}
