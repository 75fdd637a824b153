//! Pages: what patients and staff see. Handlers extract, parse, make one call into `app` and answer.
//!
//! Knows nothing of SQL, of carriers or of background work. Everything works without JavaScript.

pub mod assets;
pub mod contact;
pub mod csrf;
pub mod error;
pub mod headers;
pub mod lang;
pub mod page;
pub mod respond;
pub mod routes;
pub mod server;
pub mod words;

use std::sync::{Arc, RwLock};

use crate::ports::{Clock, Ids, Pending};
pub use contact::Contact;
pub use error::WebError;
pub use lang::Lang;
pub use page::Page;

/// What the pages are served with; one for the whole process.
pub struct Web {
    /// How they are served.
    pub settings: Settings,
    /// The clock of the clinical world.
    pub clock: Arc<dyn Clock>,
    /// Makes ids and reference numbers.
    pub ids: Arc<dyn Ids>,
    /// Says whether the parts behind the pages work.
    pub probe: Arc<dyn Probe>,
    /// Whom a page names where it is not known whose page it is.
    contact: RwLock<Contact>,
}

/// How the pages are served.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// A proxy in front terminates TLS: cookies are `Secure`, HSTS is sent, forwarded addresses are believed.
    pub behind_tls_proxy: bool,
}

/// Says whether the parts behind the pages work.
pub trait Probe: Send + Sync {
    /// An error names what does not work, without names or numbers of patients.
    fn ready(&self) -> Pending<'_, Result<(), String>>;
}

impl Web {
    /// Brings the parts together. `contact` is the site that pages name where no other is known.
    #[must_use]
    pub fn new(
        settings: Settings,
        clock: Arc<dyn Clock>,
        ids: Arc<dyn Ids>,
        probe: Arc<dyn Probe>,
        contact: Contact,
    ) -> Self {
        Self { settings, clock, ids, probe, contact: RwLock::new(contact) }
    }

    /// Whom a page names where it is not known whose page it is.
    #[must_use]
    pub fn contact(&self) -> Contact {
        self.contact.read().unwrap_or_else(std::sync::PoisonError::into_inner).clone()
    }

    /// The site's settings were changed.
    pub fn set_contact(&self, contact: Contact) {
        *self.contact.write().unwrap_or_else(std::sync::PoisonError::into_inner) = contact;
    }

    /// Short, unguessable, for a person to read out on the phone.
    #[must_use]
    pub fn reference(&self) -> String {
        error::reference_of(self.ids.fresh())
    }
}
