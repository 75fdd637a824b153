//! The session behind a patient's link: short, sealed, good for one link. Nothing of it is stored.

use jiff::SignedDuration;
use subtle::ConstantTimeEq;

use super::App;
use crate::store::read::LinkRow;

/// A session ends after this long without a page.
pub const SESSION_MINUTES: i64 = 60;

/// A visitor who gave the date of birth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Visitor {
    /// Answers for the patient.
    pub proxy: bool,
}

impl App {
    /// A cookie for who gave the right date of birth: it opens this link only, for [`SESSION_MINUTES`].
    #[must_use]
    pub fn admit(&self, link: &LinkRow, visitor: Visitor) -> String {
        let until = self.wall.now().saturating_add(SignedDuration::from_mins(SESSION_MINUTES));
        let until = until.map_or(0, |until| until.as_second());
        let open = format!("{until}.{}", u8::from(visitor.proxy));
        let seal = self.seal(link, &open);
        format!("{open}.{seal}")
    }

    /// Who shows that cookie at this link, if anybody.
    #[must_use]
    pub fn recognise(&self, link: &LinkRow, cookie: &str) -> Option<Visitor> {
        let (open, seal) = cookie.rsplit_once('.')?;
        let expected = self.seal(link, open);
        if !bool::from(expected.as_bytes().ct_eq(seal.as_bytes())) {
            return None;
        }
        let (until, proxy) = open.split_once('.')?;
        let until: i64 = until.parse().ok()?;
        (self.wall.now().as_second() < until).then_some(Visitor { proxy: proxy == "1" })
    }

    /// The token of the forms behind a link.
    #[must_use]
    pub fn form_token(&self, link: &LinkRow) -> String {
        self.seal(link, "form")
    }

    /// Whether a form came from a page behind the link.
    #[must_use]
    pub fn is_form_token(&self, link: &LinkRow, given: &str) -> bool {
        self.form_token(link).as_bytes().ct_eq(given.as_bytes()).into()
    }

    fn seal(&self, link: &LinkRow, open: &str) -> String {
        let about = format!("{}/{}/{open}", link.message, link.patient);
        hex(&self.store.vault().lookup_hash("patient session", &about))
    }
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
