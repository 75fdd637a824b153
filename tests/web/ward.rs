//! A ward with staff, the shipped workflows and patients, all made through the use cases.

use std::collections::BTreeMap;
use std::path::PathBuf;

use jiff::SignedDuration;
use tend::app::Actor;
use tend::app::enroll::{Course, Enrolled, FOLLOW_UP, Newcomer};
use tend::app::sign_in::hash_password;
use tend::store::{Consent, ContactPoint, Demographics, Identifier, NewStaff, Owner};
use tend_engine::{
    Decimal, Name, StaffId, Value,
    model::{Channel, Role},
};

use crate::support::app::{Answer, SITE, TestApp};

/// The password of every account here.
pub const PASSWORD: &str = "a long pass phrase";

/// A ward.
pub struct Ward {
    /// Pages in the browser of whoever signed in last.
    pub pages: TestApp,
    hash: String,
}

impl Ward {
    /// A site with its workflows published, and nobody there.
    pub async fn open() -> Ward {
        Ward::open_with_drafts(None).await
    }

    /// The same with a folder of workflow files of its own.
    pub async fn open_with_drafts(drafts: Option<PathBuf>) -> Ward {
        let pages = TestApp::start_with_drafts(drafts).await;
        let app = &pages.app;
        let now = app.clock.now();
        let mut tx = app.store.begin();
        let library = tend::library::built_in();
        for (_, workflow) in &library.compiled.workflows {
            tx.publish(SITE, workflow, None, now).await.expect("published");
        }
        tx.commit().await.expect("committed");
        app.refresh().await.expect("read again");
        Ward { pages, hash: hash_password(PASSWORD).expect("a hash") }
    }

    /// The same, and a nurse has signed in.
    pub async fn with_nurse() -> Ward {
        let ward = Ward::open().await;
        ward.hire("nurse", &["nurse"], &[Role::Nurse]).await;
        ward.sign_in("nurse").await;
        ward
    }

    /// Adds an account.
    pub async fn hire(&self, login: &str, account: &[&'static str], duty: &[Role]) -> StaffId {
        let app = &self.pages.app;
        let id = StaffId(app.ids.fresh());
        let new = NewStaff {
            id,
            login: login.to_owned(),
            name: format!("{login} <b>"),
            password_hash: self.hash.clone(),
            account_roles: account.to_vec(),
            duty_roles: duty.to_vec(),
            site: SITE,
        };
        let mut tx = app.store.begin();
        tx.add_staff(&new, app.clock.now()).await.expect("an account");
        tx.commit().await.expect("committed");
        id
    }

    /// Signs in.
    pub async fn sign_in(&self, login: &str) -> Answer {
        sign_in(&self.pages, login, PASSWORD).await
    }

    /// Puts a patient on the heart failure follow-up who was discharged today.
    pub async fn enrol(&self, name: &str, number: u32) -> Enrolled {
        let course = Course {
            workflow: named("hf-discharge-90d"),
            facts: BTreeMap::from([(named("dry_weight"), Value::Number(Decimal::whole(78)))]),
            anchors: BTreeMap::from([(named("discharge"), self.today())]),
        };
        self.enrol_on(course, name, number).await
    }

    /// The day of the ward's clock.
    pub fn today(&self) -> jiff::civil::Date {
        self.pages.app.clock.now().to_zoned_datetime(jiff::tz::TimeZone::UTC).date()
    }

    /// The same on any course.
    pub async fn enrol_on(&self, course: Course, name: &str, number: u32) -> Enrolled {
        let app = &self.pages.app;
        let newcomer = Newcomer {
            site: SITE,
            team: None,
            demographics: Demographics {
                name: name.to_owned(),
                birth_date: "1948-05-17".parse().expect("a date"),
                sex: Some("F".to_owned()),
            },
            identifiers: vec![Identifier { system: "hospital".to_owned(), value: format!("H{number}") }],
            contact_points: vec![ContactPoint {
                channel: Channel::Sms,
                address: format!("+4477009{number:05}"),
                owner: Owner::Own,
            }],
            consents: vec![Consent {
                purpose: FOLLOW_UP.to_owned(),
                channel: Channel::Sms,
                wording: "test".to_owned(),
                how: "in person".to_owned(),
                given_by: "test".to_owned(),
                given_at: app.clock.now(),
            }],
            language: "en".to_owned(),
            zone: "UTC".to_owned(),
            preferred: None,
            daily_consent: true,
            course,
        };
        app.enroll(Actor::System, &[newcomer]).await.expect("enrolled").pop().expect("one")
    }

    /// Lets days pass, looking every six hours at what has come due; nothing is sent and nobody answers.
    pub async fn days_pass(&self, days: i64) {
        for _ in 0..days * 4 {
            self.pages.clock.forward(SignedDuration::from_hours(6));
            loop {
                let (ticked, _) = self.pages.app.tick().await.expect("a tick");
                assert_eq!(ticked.quarantined, 0, "nobody is set aside");
                if ticked.advanced == 0 {
                    break;
                }
            }
        }
    }

    /// The hidden field of the page's forms.
    pub async fn csrf(&self, path: &str) -> String {
        csrf_of(self.pages.get(path).await.text())
    }

    /// Posts a form of the page at `path` to `action`.
    pub async fn submit(&self, path: &str, action: &str, fields: &[(&str, &str)]) -> Answer {
        let csrf = self.csrf(path).await;
        let mut all = vec![("csrf", csrf.as_str())];
        all.extend_from_slice(fields);
        self.pages.post(action, &all).await
    }
}

/// Signs in on those pages.
pub async fn sign_in(pages: &TestApp, login: &str, password: &str) -> Answer {
    pages.post("/sign-in", &[("login", login), ("password", password)]).await
}

/// The hidden field of a page.
pub fn csrf_of(html: &str) -> String {
    between(html, "name=\"csrf\" value=\"", "\"").unwrap_or_default()
}

/// What stands between two texts.
pub fn between(text: &str, before: &str, after: &str) -> Option<String> {
    let rest = &text[text.find(before)? + before.len()..];
    Some(rest[..rest.find(after)?].to_owned())
}

/// A name that is known to be good.
pub fn named(text: &str) -> Name {
    Name::parse(text).expect("a name")
}
