//! Pages of staff: one file per page. Every page asks for [`Signed`], and every form is a [`StaffForm`], so that nobody
//! who is not signed in sees anything and no form of another site is taken.

pub mod act;
pub mod answer;
pub mod answers;
pub mod became;
pub mod chart;
pub mod coming;
mod control;
pub mod csv;
mod duty;
pub mod enrol;
mod errors;
mod evidence;
pub mod form;
pub mod health;
pub mod import;
pub mod messages;
pub mod monitor;
pub mod patient;
pub mod published;
pub mod risk;
pub mod routes;
pub mod session;
pub mod sign_in;
pub mod story;
mod switches;
pub mod task;
pub mod versions;
pub mod vocabulary;
pub mod why;
pub mod workflows;
pub mod worklist;

pub use form::{StaffForm, Typed};
pub use session::Signed;

use crate::{
    store::read::staff::AccountRole,
    web::{Lang, Page, csrf, words::Staff},
};

/// What the frame of a staff page shows.
#[derive(Debug, Clone)]
pub struct Frame {
    /// Words that all pages share.
    pub w: Staff,
    /// The hidden field of every form.
    pub csrf: String,
    /// Who is signed in.
    pub name: String,
    /// The pages that this person may open.
    pub menu: Vec<MenuItem>,
}

/// A link of the menu.
#[derive(Debug, Clone)]
pub struct MenuItem {
    /// Where to.
    pub href: &'static str,
    /// Its words.
    pub label: &'static str,
    /// Its access key.
    pub key: char,
    /// Whether it is the page at hand.
    pub current: bool,
}

/// Who may see what is clinical: answers, reasons, scores.
pub const CLINICAL: &[AccountRole] = &[AccountRole::Nurse, AccountRole::Clinician];
/// Who works on tasks and patients.
pub const WARD: &[AccountRole] = &[AccountRole::Clerk, AccountRole::Nurse, AccountRole::Clinician];

impl Frame {
    /// The frame of the page at `path`.
    #[must_use]
    pub fn of(signed: &Signed, path: &str) -> Self {
        let w = Staff(signed.lang);
        let entries: [(&'static str, &'static str, char, &[AccountRole]); 7] = [
            ("/worklist", w.worklist(), 'w', WARD),
            ("/enrol", w.enrol(), 'e', WARD),
            ("/import", w.import(), 'i', WARD),
            ("/risk", w.risk_queue(), 'r', CLINICAL),
            ("/messages", w.messages(), 'm', WARD),
            ("/workflows", w.workflows(), 'f', &AccountRole::ALL),
            ("/health", w.health(), 'h', &[AccountRole::Admin, AccountRole::Clinician, AccountRole::Nurse]),
        ];
        let menu = entries
            .into_iter()
            .filter(|(_, _, _, roles)| signed.has_any(roles))
            .map(|(href, label, key, _)| MenuItem { href, label, key, current: href == path })
            .collect();
        Self { w, csrf: csrf::token(&signed.secret), name: signed.staff.name.clone(), menu }
    }
}

impl Signed {
    /// The page and frame of an address; `query` is kept by the language switch.
    #[must_use]
    pub fn page(&self, path: &str, menu: &str) -> (Page, Frame) {
        (Page::at(self.lang, path), Frame::of(self, menu))
    }

    /// The language of this person's pages.
    #[must_use]
    pub fn lang(&self) -> Lang {
        self.lang
    }
}
