//! What a site decides and can change at any time: hours, caps, numbers, calendar. Live, not part of a version.

use std::collections::BTreeSet;

use jiff::{
    civil::{Date, Time, Weekday},
    tz::TimeZone,
};
use serde::{Deserialize, Serialize};

/// A site's settings.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SiteSettings {
    /// Counts changes; recorded with decisions.
    pub version: u64,
    /// Full name, for pages.
    pub name: String,
    /// Short name, for SMS. Holds no specialty.
    pub short_name: String,
    /// IANA zone of the site; cover is counted in it.
    pub zone: String,
    /// For example 112, 120, 999, 911.
    pub emergency_number: String,
    /// Crisis line shown with suicidal thoughts.
    pub crisis_line: String,
    /// The ward's phone, on every page and message.
    pub ward_phone: String,
    /// When nurses are on duty.
    pub cover: Cover,
    /// Messages go only between these local times of the patient.
    pub quiet: QuietHours,
    /// Caps on messages per patient across workflows.
    pub caps: Caps,
    /// Smallest gap between two messages to one patient, in minutes, but for answers to the patient's own.
    pub gap_minutes: u32,
    /// Holidays and working weekends.
    pub calendar: Calendar,
    /// Words in an inbound text that raise an alert, lower case.
    pub danger_words: Vec<String>,
}

/// Weekly cover.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cover {
    /// Days with cover.
    #[serde(with = "crate::weekday")]
    pub days: Vec<Weekday>,
    /// Start.
    pub from: Time,
    /// End, exclusive.
    pub to: Time,
    /// Whether holidays have cover.
    pub on_holidays: bool,
}

/// When messages may go, in the patient's zone.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct QuietHours {
    /// Not before; 08:00 by default.
    pub open: Time,
    /// Not at or after; 21:00 by default.
    pub close: Time,
}

/// Caps across all of a patient's workflows; answers to the patient's own message do not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Caps {
    /// SMS per civil day.
    pub sms_per_day: u32,
    /// SMS per seven civil days.
    pub sms_per_week: u32,
    /// SMS per civil day with recorded daily consent; no weekly cap then.
    pub sms_per_day_with_consent: u32,
    /// E-mails per civil day.
    pub email_per_day: u32,
}

/// A calendar of holidays.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct Calendar {
    /// Off although a weekday.
    pub holidays: BTreeSet<Date>,
    /// On although a weekend.
    pub working: BTreeSet<Date>,
}

impl Calendar {
    /// Whether people work on that day.
    #[must_use]
    pub fn is_working_day(&self, day: Date) -> bool {
        let weekend = matches!(day.weekday(), Weekday::Saturday | Weekday::Sunday);
        self.working.contains(&day) || (!weekend && !self.holidays.contains(&day))
    }
}

/// What a decision may look at beside the history.
#[derive(Debug, Clone)]
pub struct Context<'a> {
    /// The patient's zone.
    pub zone: &'a TimeZone,
    /// The site's zone.
    pub site_zone: &'a TimeZone,
    /// The site's settings.
    pub site: &'a SiteSettings,
}

impl Default for SiteSettings {
    fn default() -> Self {
        let workdays =
            vec![Weekday::Monday, Weekday::Tuesday, Weekday::Wednesday, Weekday::Thursday, Weekday::Friday];
        Self {
            version: 1,
            name: "Example Hospital".into(),
            short_name: "Example Hosp".into(),
            zone: "UTC".into(),
            emergency_number: "112".into(),
            crisis_line: "116 123".into(),
            ward_phone: "+44 20 7946 0000".into(),
            cover: Cover {
                days: workdays,
                from: Time::constant(8, 0, 0, 0),
                to: Time::constant(18, 0, 0, 0),
                on_holidays: false,
            },
            quiet: QuietHours { open: Time::constant(8, 0, 0, 0), close: Time::constant(21, 0, 0, 0) },
            caps: Caps { sms_per_day: 1, sms_per_week: 3, sms_per_day_with_consent: 3, email_per_day: 3 },
            gap_minutes: 60,
            calendar: Calendar::default(),
            danger_words: ["chest pain", "suicide", "bleeding", "胸痛", "自杀", "大出血"]
                .map(str::to_owned)
                .to_vec(),
        }
    }
}
