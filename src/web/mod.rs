//! Pages: what patients and staff see. Handlers extract, parse, make one call into `app` and answer.
//!
//! Knows nothing of SQL, of carriers or of background work. Everything works without JavaScript.

pub mod assets;
pub mod contact;
pub mod csrf;
pub mod demo;
pub mod error;
pub mod fresh;
pub mod gateway;
pub mod headers;
pub mod lang;
pub mod limit;
pub mod page;
pub mod patient;
pub mod respond;
pub mod routes;
pub mod server;
pub mod staff;
pub mod words;

use std::sync::Arc;

use tend_engine::site::SiteSettings;

use crate::{
    app::App,
    ports::{Demo, Pending},
};
pub use contact::Contact;
pub use error::WebError;
pub use lang::Lang;
use limit::Limit;
pub use page::Page;

/// What the pages are served with; one for the whole process.
pub struct Web {
    /// How they are served.
    pub settings: Settings,
    /// What can be done, and read.
    pub app: Arc<App>,
    /// Says whether the parts behind the pages work.
    pub probe: Arc<dyn Probe>,
    /// Dates of birth by address.
    pub births: Limit,
    /// The demo's mailbox and clock; `None` in a running hospital.
    pub demo: Option<Arc<dyn Demo>>,
}

/// How the pages are served.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// A proxy in front terminates TLS: cookies are `Secure`, HSTS is sent, forwarded addresses are believed.
    pub behind_tls_proxy: bool,
    /// What the SMS gateway must know; without it nothing is taken from it.
    pub gateway_secret: Option<String>,
}

/// Says whether the parts behind the pages work.
pub trait Probe: Send + Sync {
    /// An error names what does not work, without names or numbers of patients.
    fn ready(&self) -> Pending<'_, Result<(), String>>;
}

impl Web {
    /// Brings the parts together.
    #[must_use]
    pub fn new(settings: Settings, app: Arc<App>, probe: Arc<dyn Probe>) -> Self {
        Self { settings, app, probe, births: Limit::default(), demo: None }
    }

    /// The same, with the demo's own pages.
    #[must_use]
    pub fn with_demo(mut self, demo: Arc<dyn Demo>) -> Self {
        self.demo = Some(demo);
        self
    }

    /// Whom a page names where it is not known whose page it is: the first site.
    #[must_use]
    pub fn contact(&self) -> Contact {
        match self.app.live().sites.values().next() {
            Some(site) => Contact::of(site),
            None => Contact::of(&SiteSettings::default()),
        }
    }

    /// Short, unguessable, for a person to read out on the phone.
    #[must_use]
    pub fn reference(&self) -> String {
        error::reference_of(self.app.ids.fresh())
    }
}
