//! What every template is given.

use super::{Contact, Lang, assets, words};

/// The frame of a page.
#[derive(Debug, Clone)]
pub struct Page {
    /// Its language.
    pub lang: Lang,
    /// Where the language switch leads; a page without an address of its own has none.
    pub switch: Option<String>,
}

impl Page {
    /// A page at `path`, which the language switch shows again in the other language.
    #[must_use]
    pub fn at(lang: Lang, path: &str) -> Self {
        Self { lang, switch: Some(format!("{path}?lang={}", lang.other().code())) }
    }

    /// A page that cannot be shown again by its address.
    #[must_use]
    pub fn unswitched(lang: Lang) -> Self {
        Self { lang, switch: None }
    }

    /// Words of the frame.
    #[must_use]
    pub fn words(&self) -> words::Common {
        words::Common(self.lang)
    }

    /// Words of the patients' pages, whose frame error pages share.
    #[must_use]
    pub fn patient_words(&self) -> words::Patient {
        words::Patient(self.lang)
    }

    /// When somebody is there.
    #[must_use]
    pub fn hours(&self, contact: &Contact) -> String {
        contact.hours(self.lang)
    }

    /// The address of a static file, with the hash of its content.
    #[must_use]
    pub fn asset(&self, name: &str) -> &'static str {
        assets::href(name)
    }
}
