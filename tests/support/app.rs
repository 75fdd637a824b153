//! The product's pages in this process: requests with a cookie jar, answers as people see them.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::rc::Rc;
use std::sync::Arc;

use actix_web::body::MessageBody;
use actix_web::cookie::Cookie;
use actix_web::dev::Service;
use actix_web::http::{Method, StatusCode, header::HeaderMap};
use actix_web::test::{TestRequest, init_service};
use actix_web::web::{Bytes, Data};
use tempfile::TempDir;
use tend::app::{App, Live};
use tend::ports::Pending;
use tend::store::{Open, Store, Vault};
use tend::web::{Probe, Settings, Web, server};
use tend_engine::{SiteId, site::SiteSettings};

use super::time::{CountingIds, ManualClock};

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
    handler: Rc<Handler>,
    cookies: RefCell<BTreeMap<String, String>>,
    _folder: Rc<TempDir>,
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

impl TestApp {
    /// Starts on a fresh SQLite file with nothing but a site.
    pub async fn start() -> TestApp {
        let folder = Rc::new(tempfile::tempdir().expect("a temporary folder"));
        let url = format!("sqlite://{}/tend.db", folder.path().display());
        Store::migrate(&url).await.expect("a fresh file can be migrated");
        let store =
            Store::open(&url, Vault::new(&[7; 32]), Open::Serve).await.expect("a migrated file opens");
        let (clock, wall) = (Arc::new(ManualClock::default()), Arc::new(ManualClock::default()));
        let app = App::new(store, clock.clone(), wall.clone(), Arc::new(CountingIds::default()));
        let sites = BTreeMap::from([(SITE, SiteSettings::default())]);
        app.set_live(Live { sites, ..Live::default() });
        let app = Arc::new(app);
        let web = Web::new(Settings::default(), app.clone(), Arc::new(Works));
        let service = Rc::new(init_service(server::application(Data::new(web))).await);
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
        TestApp { app, clock, wall, handler: Rc::new(handler), cookies: RefCell::default(), _folder: folder }
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

    /// Another person's browser: the same pages, no cookies.
    pub fn stranger(&self) -> TestApp {
        TestApp {
            app: self.app.clone(),
            clock: self.clock.clone(),
            wall: self.wall.clone(),
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
