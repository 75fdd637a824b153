//! The product's pages in this process: requests with a cookie jar, answers as people see them.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::future::Future;
use std::path::PathBuf;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;

use actix_web::body::MessageBody;
use actix_web::cookie::Cookie;
use actix_web::dev::Service;
use actix_web::http::{Method, StatusCode, header::HeaderMap};
use actix_web::test::{TestRequest, init_service};
use actix_web::web::{Bytes, Data};
use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use tempfile::TempDir;
use tend::app::enroll::{Course, Enrolled, FOLLOW_UP, Newcomer};
use tend::app::relay::Writing;
use tend::app::{Actor, App};
use tend::ports::{Clock, Handover, Outgoing, Pending, ProviderRef};
use tend::store::{Consent, ContactPoint, Demographics, Open, Owner, Store, Vault};
use tend::web::{Probe, Settings, Web, server};
use tend_engine::{Name, SiteId, Value, fact::Entry, model::Channel, site::SiteSettings};

use super::time::{CountingIds, ManualClock};
use super::workflows;

type Answering = Pin<Box<dyn Future<Output = Answer>>>;
type Handler = dyn Fn(TestRequest) -> Answering;

/// The site of all tests.
pub const SITE: SiteId = SiteId(1);

/// The product on a database of its own, on clocks that stand still until they are moved.
pub struct TestApp {
    /// What is behind the pages.
    pub app: Arc<App>,
    /// The clock of the clinical world.
    pub clock: Arc<ManualClock>,
    /// The clock of the machine: sessions and limits.
    pub wall: Arc<ManualClock>,
    /// What was handed over, oldest first.
    pub sent: Rc<RefCell<Vec<Outgoing>>>,
    web: Data<Web>,
    handler: Rc<Handler>,
    cookies: RefCell<BTreeMap<String, String>>,
    _folder: Rc<TempDir>,
}

/// The same pages on a port, for a browser.
pub struct Served {
    /// Where.
    pub base: String,
    handle: actix_web::dev::ServerHandle,
}

impl Served {
    /// Ends it.
    pub async fn stop(&self) {
        self.handle.stop(false).await;
    }
}

/// Somebody to enrol. The defaults: English, London, a mobile phone and a mailbox, daily consent, discharged today.
#[derive(Debug, Clone)]
pub struct Somebody {
    /// Workflow.
    pub workflow: &'static str,
    /// Language.
    pub language: &'static str,
    /// Date of birth.
    pub birth_date: Date,
    /// Facts.
    pub facts: Vec<(&'static str, Value)>,
    /// Anchors.
    pub anchors: Vec<(&'static str, Date)>,
}

impl Somebody {
    /// After a stay for heart failure, discharged on `day`.
    pub fn with_heart_failure(day: Date) -> Somebody {
        let dry_weight = Value::Number(tend_engine::Decimal::whole(78));
        Somebody {
            workflow: "hf-discharge-90d",
            language: "en",
            birth_date: jiff::civil::date(1958, 3, 27),
            facts: vec![("dry_weight", dry_weight)],
            anchors: vec![("discharge", day)],
        }
    }

    /// The same in Chinese.
    pub fn in_chinese(mut self) -> Somebody {
        self.language = "zh";
        self
    }
}

/// What came back.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Status.
    pub status: StatusCode,
    /// Headers.
    pub headers: HeaderMap,
    /// Body.
    pub body: Bytes,
    /// Cookies that were set.
    pub cookies: Vec<(String, String)>,
}

impl Answer {
    /// The body as text.
    pub fn text(&self) -> &str {
        str::from_utf8(&self.body).expect("UTF-8")
    }

    /// A header, empty when it is absent.
    pub fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().expect("ASCII"))
    }

    /// The value of a hidden field of the page.
    pub fn hidden(&self, name: &str) -> String {
        let start = format!("type=\"hidden\" name=\"{name}\" value=\"");
        let (_, rest) =
            self.text().split_once(&start).unwrap_or_else(|| panic!("no {name} in {}", self.text()));
        rest.split_once('"').map(|(value, _)| value.to_owned()).expect("a closed attribute")
    }

    /// Where it leads.
    pub fn location(&self) -> &str {
        self.header("location")
    }
}

struct Works;

impl Probe for Works {
    fn ready(&self) -> Pending<'_, Result<(), String>> {
        Box::pin(async { Ok(()) })
    }
}

thread_local! {
    /// A test has a thread of its own, and so has everything that it starts here.
    static ON_POSTGRES: Cell<bool> = const { Cell::new(false) };
}

/// Which database [`TestApp::start`] makes on this thread from here on.
pub fn tell_on_postgres(postgres: bool) {
    ON_POSTGRES.set(postgres);
}

/// Makes one test per database of a story.
macro_rules! on_both_databases {
    ($($story:ident),+ $(,)?) => {
        mod on_sqlite {
            $(#[actix_web::test]
            async fn $story() {
                crate::support::app::tell_on_postgres(false);
                super::$story().await;
            })+
        }
        mod on_postgres {
            $(#[actix_web::test]
            async fn $story() {
                crate::support::app::tell_on_postgres(true);
                super::$story().await;
                crate::support::app::tell_on_postgres(false);
            })+
        }
    };
}
pub(crate) use on_both_databases;

impl TestApp {
    /// Starts on a fresh database with a site and the shipped workflows: a SQLite file, unless this story is told on
    /// PostgreSQL.
    pub async fn start() -> TestApp {
        Self::start_with_drafts(None).await
    }

    /// The same with a folder of workflow files of its own.
    pub async fn start_with_drafts(drafts: Option<PathBuf>) -> TestApp {
        let folder = Rc::new(tempfile::tempdir().expect("a temporary folder"));
        if ON_POSTGRES.get() {
            return Self::on(&super::postgres::fresh_database(), folder, drafts).await;
        }
        let url = format!("sqlite://{}/tend.db", folder.path().display());
        Self::on(&url, folder, drafts).await
    }

    /// The same on PostgreSQL.
    pub async fn start_on_postgres() -> TestApp {
        let folder = Rc::new(tempfile::tempdir().expect("a temporary folder"));
        Self::on(&super::postgres::fresh_database(), folder, None).await
    }

    async fn on(url: &str, folder: Rc<TempDir>, drafts: Option<PathBuf>) -> TestApp {
        Store::migrate(url).await.expect("a fresh database can be migrated");
        let store =
            Store::open(url, Vault::new(&[7; 32]), Open::Serve).await.expect("a migrated database opens");
        let (clock, wall) = (Arc::new(ManualClock::default()), Arc::new(ManualClock::default()));
        let app =
            App::new(store, clock.clone(), wall.clone(), Arc::new(CountingIds::default())).written_in(drafts);
        let mut tx = app.store.begin();
        let site = SiteSettings { zone: "Europe/London".into(), ..SiteSettings::default() };
        tx.add_site(SITE, &site, clock.now()).await.expect("a site");
        for workflow in workflows::shipped() {
            tx.publish(SITE, &workflow, None, clock.now()).await.expect("a published workflow");
        }
        tx.commit().await.expect("a commit");
        app.refresh().await.expect("versions and sites can be read");
        let app = Arc::new(app);
        let web = Data::new(Web::new(Settings::default(), app.clone(), Arc::new(Works)));
        let service = Rc::new(init_service(server::application(web.clone())).await);
        let handler = move |request: TestRequest| {
            let service = service.clone();
            let answer = async move {
                let response = service.call(request.to_request()).await.expect("the application answers");
                let cookies = response.response().cookies();
                let cookies = cookies.map(|c| (c.name().to_owned(), c.value().to_owned())).collect();
                let (status, headers) = (response.status(), response.headers().clone());
                let body = actix_web::body::to_bytes(response.into_body().boxed()).await;
                Answer { status, headers, body: body.expect("a whole body"), cookies }
            };
            Box::pin(answer) as Answering
        };
        let sent = Rc::default();
        TestApp {
            app,
            clock,
            wall,
            sent,
            web,
            handler: Rc::new(handler),
            cookies: RefCell::default(),
            _folder: folder,
        }
    }

    /// A request that is still being put together.
    pub fn request(&self, method: Method, path: &str) -> Request<'_> {
        Request { app: self, request: TestRequest::default().method(method).uri(path) }
    }

    /// `GET path` with the cookies so far.
    pub async fn get(&self, path: &str) -> Answer {
        self.request(Method::GET, path).send().await
    }

    /// `POST path` with a form and the cookies so far.
    pub async fn post(&self, path: &str, form: &[(&str, &str)]) -> Answer {
        self.request(Method::POST, path).form(form).send().await
    }

    /// Enrols somebody with consent to text messages and mail.
    pub async fn enrol(&self, who: &Somebody) -> Enrolled {
        let now = self.clock.now();
        let consent = |channel| Consent {
            purpose: FOLLOW_UP.into(),
            channel,
            wording: "1".into(),
            how: "paper".into(),
            given_by: "system".into(),
            given_at: now,
        };
        let point =
            |channel, address: &str| ContactPoint { channel, address: address.into(), owner: Owner::Own };
        let name = |text: &str| Name::parse(text).expect("a name");
        let newcomer = Newcomer {
            site: SITE,
            team: None,
            demographics: Demographics { name: "Anna Probe".into(), birth_date: who.birth_date, sex: None },
            identifiers: Vec::new(),
            contact_points: vec![
                point(Channel::Sms, "+447700900123"),
                point(Channel::Email, "anna@example.org"),
            ],
            consents: vec![consent(Channel::Sms), consent(Channel::Email)],
            language: who.language.into(),
            zone: "Europe/London".into(),
            preferred: Some(Channel::Sms),
            daily_consent: true,
            course: Course {
                workflow: name(who.workflow),
                facts: who.facts.iter().map(|(fact, value)| (name(fact), value.clone())).collect(),
                anchors: who.anchors.iter().map(|(anchor, date)| (name(anchor), *date)).collect(),
            },
        };
        let enrolled = self.app.enroll(Actor::System, &[newcomer]).await.expect("somebody can be enrolled");
        enrolled[0]
    }

    /// Lets the time pass up to that instant: everything that comes due is decided and handed over on the way.
    pub async fn tick_to(&self, until: Timestamp) {
        loop {
            self.deliver().await;
            let (_, next) = self.app.tick().await.expect("a tick");
            self.deliver().await;
            match next.filter(|next| *next <= until) {
                Some(next) => self.clock.set(next.max(self.clock.now())),
                None => break,
            }
        }
        self.clock.set(until.max(self.clock.now()));
        self.app.tick().await.expect("a tick");
        self.deliver().await;
        // Clinical time passes without the half second after which a page is read again.
        self.app.forget_pages();
    }

    /// The same for so many hours.
    pub async fn pass_hours(&self, hours: i64) {
        self.tick_to(self.clock.now() + SignedDuration::from_hours(hours)).await;
    }

    /// Hands over what waits; every carrier takes everything.
    pub async fn deliver(&self) {
        for channel in [Channel::Sms, Channel::Email] {
            loop {
                let deadline = std::time::Instant::now() + std::time::Duration::from_secs(5);
                let claims = self.app.claim(channel, 50, deadline).await.expect("claims");
                if claims.is_empty() {
                    break;
                }
                let tickets: Vec<_> = claims.iter().map(|claim| claim.ticket).collect();
                let begin = Writing { begin: tickets.clone(), ..Writing::default() };
                assert_eq!(self.app.write(&begin).await.expect("marked as begun").len(), tickets.len());
                let taken = |n| Handover::Accepted(ProviderRef(format!("ref-{n}")));
                let from = self.sent.borrow().len();
                let finish =
                    tickets.iter().enumerate().map(|(n, ticket)| (*ticket, taken(from + n))).collect();
                self.sent.borrow_mut().extend(claims.into_iter().map(|claim| claim.outgoing));
                self.app.write(&Writing { finish, ..Writing::default() }).await.expect("handed over");
            }
        }
    }

    /// The path of the link in the newest message that has one.
    pub fn newest_link(&self) -> String {
        let sent = self.sent.borrow();
        let link = sent.iter().rev().find_map(|message| link_in(&message.text));
        link.unwrap_or_else(|| panic!("no message has a link: {sent:?}"))
    }

    /// The history of a patient.
    pub async fn history(&self, of: Enrolled) -> Vec<Entry> {
        let lines = self.app.store.history(of.patient, 0, 10_000).await.expect("a history");
        lines.into_iter().map(|line| line.entry).collect()
    }

    /// Gives the date of birth behind a link and returns where it leads.
    pub async fn give_birth_date(&self, link: &str, date: Date) -> String {
        let (day, month, year) = (date.day().to_string(), date.month().to_string(), date.year().to_string());
        let answer = self.post(link, &[("day", &day), ("month", &month), ("year", &year)]).await;
        assert_eq!(answer.status, StatusCode::SEE_OTHER, "{}", answer.text());
        answer.location().to_owned()
    }

    /// Answers the question at `path` as its form does, and returns what comes back.
    pub async fn answer(&self, path: &str, fields: &[(&str, &str)]) -> Answer {
        let page = self.get(path).await;
        assert_eq!(page.status, StatusCode::OK, "{path}: {}", page.text());
        let mut form = vec![("csrf", page.hidden("csrf"))];
        form.extend(fields.iter().map(|(name, value)| (*name, (*value).to_owned())));
        let form: Vec<(&str, &str)> = form.iter().map(|(name, value)| (*name, value.as_str())).collect();
        self.post(path, &form).await
    }

    /// Everything that is on the disk: for "changed nothing" and "is sealed".
    pub fn on_disk(&self) -> Vec<u8> {
        let file = self.app.store.file().expect("a SQLite file").to_owned();
        let log = file.with_extension("db-wal");
        let mut bytes = std::fs::read(&file).expect("the file can be read");
        bytes.extend(std::fs::read(&log).unwrap_or_default());
        bytes
    }

    /// Serves the same pages on a port of this machine.
    pub async fn serve(&self) -> Served {
        let listener = server::listen("127.0.0.1:0", false).expect("a free port");
        let base = format!("http://{}", listener.local_addr().expect("an address"));
        let server = server::serve(listener, self.web.clone(), 1).expect("a server");
        let handle = server.handle();
        tokio::spawn(server);
        Served { base, handle }
    }

    /// Another person's browser: the same pages, no cookies.
    pub fn stranger(&self) -> TestApp {
        TestApp {
            app: self.app.clone(),
            clock: self.clock.clone(),
            wall: self.wall.clone(),
            sent: self.sent.clone(),
            web: self.web.clone(),
            handler: self.handler.clone(),
            cookies: RefCell::default(),
            _folder: self._folder.clone(),
        }
    }
}

/// A request that is still being put together.
pub struct Request<'a> {
    app: &'a TestApp,
    request: TestRequest,
}

impl Request<'_> {
    /// Adds a header.
    pub fn header(mut self, name: &'static str, value: &str) -> Self {
        self.request = self.request.insert_header((name, value));
        self
    }

    /// The body: a form.
    pub fn form(mut self, fields: &[(&str, &str)]) -> Self {
        self.request = self.request.set_form(fields);
        self
    }

    /// The body: a form with files, parts between lines of `--part`.
    pub fn upload(mut self, body: String) -> Self {
        let kind = ("Content-Type", "multipart/form-data; boundary=part");
        self.request = self.request.insert_header(kind).set_payload(body);
        self
    }

    /// Sends it and keeps the cookies that come back.
    pub async fn send(self) -> Answer {
        let mut request = self.request;
        for (name, value) in self.app.cookies.borrow().iter() {
            request = request.cookie(Cookie::new(name.clone(), value.clone()));
        }
        let answer = (self.app.handler)(request).await;
        self.app.cookies.borrow_mut().extend(answer.cookies.iter().cloned());
        answer
    }
}

/// The path of the link in a text.
pub fn link_in(text: &str) -> Option<String> {
    let (_, rest) = text.split_once("/c/")?;
    let token: String =
        rest.chars().take_while(|c| c.is_ascii_alphanumeric() || *c == '-' || *c == '_').collect();
    Some(format!("/c/{token}"))
}
