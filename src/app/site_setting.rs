//! The settings of a site as words: each has a name and one way to be written, and whatever is wrong with a value is said in
//! one sentence.

use std::collections::BTreeSet;

use jiff::{
    civil::{Date, Time, Weekday},
    tz::TimeZone,
};
use tend_engine::{
    site::{Calendar, QuietHours, SiteSettings},
    text::PLACEHOLDERS,
    weekday,
};

/// Longest name of a site, in characters.
pub const NAME_CHARS_MAX: usize = 80;
/// Most words that raise an alert.
pub const DANGER_WORDS_MAX: usize = 100;
/// Most days of a calendar's list.
pub const DAYS_MAX: usize = 1_000;
/// Longest gap between two messages, in minutes.
pub const GAP_MINUTES_MAX: u32 = 24 * 60;
/// Highest cap on messages.
pub const CAP_MAX: u32 = 50;
/// What stands for an empty list.
const NONE: &str = "none";

/// Which setting.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SettingKey {
    /// Full name.
    Name,
    /// Name in text messages.
    ShortName,
    /// IANA zone.
    Zone,
    /// The number for an ambulance.
    EmergencyNumber,
    /// The line for people in a crisis.
    CrisisLine,
    /// The ward's number.
    WardPhone,
    /// Days on which nurses are there.
    CoverDays,
    /// From when to when.
    CoverHours,
    /// Also on holidays.
    CoverOnHolidays,
    /// When messages may go.
    MessageHours,
    /// Text messages a day.
    SmsPerDay,
    /// Text messages in seven days.
    SmsPerWeek,
    /// Text messages a day with consent to it.
    SmsPerDayWithConsent,
    /// E-mails a day.
    EmailPerDay,
    /// Minutes between two messages.
    GapMinutes,
    /// Days off.
    Holidays,
    /// Weekend days on which people work.
    WorkingDays,
    /// Words that raise an alert.
    DangerWords,
}

impl SettingKey {
    /// All of them, in the order in which they are shown.
    pub const ALL: [Self; 18] = [
        Self::Name,
        Self::ShortName,
        Self::Zone,
        Self::EmergencyNumber,
        Self::CrisisLine,
        Self::WardPhone,
        Self::CoverDays,
        Self::CoverHours,
        Self::CoverOnHolidays,
        Self::MessageHours,
        Self::SmsPerDay,
        Self::SmsPerWeek,
        Self::SmsPerDayWithConsent,
        Self::EmailPerDay,
        Self::GapMinutes,
        Self::Holidays,
        Self::WorkingDays,
        Self::DangerWords,
    ];

    /// Its name on the command line.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::ShortName => "short-name",
            Self::Zone => "zone",
            Self::EmergencyNumber => "emergency-number",
            Self::CrisisLine => "crisis-line",
            Self::WardPhone => "ward-phone",
            Self::CoverDays => "cover-days",
            Self::CoverHours => "cover-hours",
            Self::CoverOnHolidays => "cover-on-holidays",
            Self::MessageHours => "message-hours",
            Self::SmsPerDay => "sms-per-day",
            Self::SmsPerWeek => "sms-per-week",
            Self::SmsPerDayWithConsent => "sms-per-day-with-consent",
            Self::EmailPerDay => "email-per-day",
            Self::GapMinutes => "gap-minutes",
            Self::Holidays => "holidays",
            Self::WorkingDays => "working-days",
            Self::DangerWords => "danger-words",
        }
    }

    /// The setting of that name; underscores do as well.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        let word = word.trim().to_lowercase().replace('_', "-");
        Self::ALL.into_iter().find(|key| key.word() == word)
    }

    /// Its value as it is written.
    #[must_use]
    pub fn get(self, site: &SiteSettings) -> String {
        match self {
            Self::Name => site.name.clone(),
            Self::ShortName => site.short_name.clone(),
            Self::Zone => site.zone.clone(),
            Self::EmergencyNumber => site.emergency_number.clone(),
            Self::CrisisLine => site.crisis_line.clone(),
            Self::WardPhone => site.ward_phone.clone(),
            Self::CoverDays => listed(site.cover.days.iter().map(|day| weekday::name(*day))),
            Self::CoverHours => hours_in_words(site.cover.from, site.cover.to),
            Self::CoverOnHolidays => if site.cover.on_holidays { "yes" } else { "no" }.to_owned(),
            Self::MessageHours => hours_in_words(site.quiet.open, site.quiet.close),
            Self::SmsPerDay => site.caps.sms_per_day.to_string(),
            Self::SmsPerWeek => site.caps.sms_per_week.to_string(),
            Self::SmsPerDayWithConsent => site.caps.sms_per_day_with_consent.to_string(),
            Self::EmailPerDay => site.caps.email_per_day.to_string(),
            Self::GapMinutes => site.gap_minutes.to_string(),
            Self::Holidays => listed(site.calendar.holidays.iter().map(ToString::to_string)),
            Self::WorkingDays => listed(site.calendar.working.iter().map(ToString::to_string)),
            Self::DangerWords => listed(site.danger_words.iter().cloned()),
        }
    }

    /// Sets it.
    ///
    /// # Errors
    /// A sentence that says what is wrong and what to write; nothing is changed then.
    pub fn set(self, site: &mut SiteSettings, text: &str) -> Result<(), String> {
        let text = text.trim();
        self.put(site, text).map_err(|what| format!("{}: {what}", self.word()))
    }

    fn put(self, site: &mut SiteSettings, text: &str) -> Result<(), String> {
        match self {
            Self::Name => site.name = line(text, NAME_CHARS_MAX)?,
            Self::ShortName => site.short_name = line(text, longest("hospital"))?,
            Self::Zone => site.zone = zone(text)?,
            Self::EmergencyNumber => site.emergency_number = phone(text, longest("emergency_number"))?,
            Self::CrisisLine => site.crisis_line = phone(text, longest("crisis_line"))?,
            Self::WardPhone => site.ward_phone = phone(text, longest("ward_phone"))?,
            Self::CoverDays => site.cover.days = weekdays(text)?,
            Self::CoverHours => (site.cover.from, site.cover.to) = hours(text)?,
            Self::CoverOnHolidays => site.cover.on_holidays = yes_or_no(text)?,
            Self::MessageHours => {
                let (open, close) = hours(text)?;
                site.quiet = QuietHours { open, close };
            }
            Self::SmsPerDay => site.caps.sms_per_day = number(text, 1, CAP_MAX)?,
            Self::SmsPerWeek => site.caps.sms_per_week = number(text, 1, CAP_MAX)?,
            Self::SmsPerDayWithConsent => site.caps.sms_per_day_with_consent = number(text, 1, CAP_MAX)?,
            Self::EmailPerDay => site.caps.email_per_day = number(text, 1, CAP_MAX)?,
            Self::GapMinutes => site.gap_minutes = number(text, 0, GAP_MINUTES_MAX)?,
            Self::Holidays => site.calendar.holidays = dates(text)?,
            Self::WorkingDays => site.calendar.working = dates(text)?,
            Self::DangerWords => site.danger_words = danger_words(text)?,
        }
        Ok(())
    }
}

/// Takes a whole calendar.
pub fn set_calendar(site: &mut SiteSettings, calendar: &Calendar) {
    site.calendar.clone_from(calendar);
}

/// Text messages are counted with the longest value that a site may have.
fn longest(placeholder: &str) -> usize {
    PLACEHOLDERS.iter().find(|(name, _)| *name == placeholder).map_or(0, |(_, chars)| *chars)
}

fn listed(words: impl Iterator<Item = impl Into<String>>) -> String {
    let words: Vec<String> = words.map(Into::into).collect();
    if words.is_empty() { NONE.to_owned() } else { words.join(",") }
}

fn hours_in_words(from: Time, to: Time) -> String {
    format!("{}-{}", from.strftime("%H:%M"), to.strftime("%H:%M"))
}

fn line(text: &str, chars_max: usize) -> Result<String, String> {
    if text.is_empty() {
        return Err("is empty".to_owned());
    }
    if text.chars().any(char::is_control) {
        return Err("write it on one line".to_owned());
    }
    let chars = text.chars().count();
    if chars > chars_max {
        return Err(format!("\"{text}\" has {chars} characters: at most {chars_max} fit"));
    }
    Ok(text.to_owned())
}

fn zone(text: &str) -> Result<String, String> {
    match TimeZone::get(text) {
        Ok(zone) => Ok(zone.iana_name().unwrap_or(text).to_owned()),
        Err(_) => Err(format!("\"{text}\" is not a time zone: write it like Europe/London")),
    }
}

fn phone(text: &str, chars_max: usize) -> Result<String, String> {
    let wrong = |c: char| !(c.is_ascii_digit() || matches!(c, ' ' | '+' | '-' | '(' | ')'));
    let digits = text.chars().filter(char::is_ascii_digit).count();
    if digits < 2 || text.contains(wrong) || text.rfind('+').is_some_and(|at| at > 0) {
        return Err(format!("\"{text}\" is not a telephone number: write digits, like +44 20 7946 0000"));
    }
    line(text, chars_max)
}

fn weekdays(text: &str) -> Result<Vec<Weekday>, String> {
    let unreadable = || format!("\"{text}\" are not days of the week: write mon-fri, or mon,wed,sat");
    let day = |word: &str| weekday::parse(&word.trim().to_lowercase()).ok_or_else(unreadable);
    if text == NONE {
        return Ok(Vec::new());
    }
    let mut days = BTreeSet::new();
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (mut at, last) = (day(first)?, day(last)?);
        days.insert(at.to_monday_zero_offset());
        while at != last {
            at = at.next();
            days.insert(at.to_monday_zero_offset());
        }
    }
    days.into_iter()
        .map(|offset| Weekday::from_monday_zero_offset(offset).map_err(|_| unreadable()))
        .collect()
}

fn hours(text: &str) -> Result<(Time, Time), String> {
    let unreadable = || format!("\"{text}\" are not hours of a day: write 08:00-18:00");
    let time = |word: &str| Time::strptime("%H:%M", word.trim()).map_err(|_| unreadable());
    let (from, to) = text.split_once('-').ok_or_else(unreadable)?;
    let (from, to) = (time(from)?, time(to)?);
    if from >= to {
        return Err(format!(
            "\"{text}\" ends before it begins: write the earlier hour first, like 08:00-18:00"
        ));
    }
    Ok((from, to))
}

fn yes_or_no(text: &str) -> Result<bool, String> {
    match text.to_lowercase().as_str() {
        "yes" | "true" => Ok(true),
        "no" | "false" => Ok(false),
        _ => Err(format!("\"{text}\" is neither yes nor no")),
    }
}

fn number(text: &str, min: u32, max: u32) -> Result<u32, String> {
    let number = text.parse().ok().filter(|number| (min..=max).contains(number));
    number.ok_or_else(|| format!("\"{text}\" is not a whole number from {min} to {max}"))
}

fn dates(text: &str) -> Result<BTreeSet<Date>, String> {
    if text == NONE {
        return Ok(BTreeSet::new());
    }
    let date = |word: &str| {
        let word = word.trim();
        word.parse::<Date>().map_err(|_| format!("\"{word}\" is not a date: write 2026-12-25,2026-12-28"))
    };
    let dates: BTreeSet<Date> = text.split(',').map(date).collect::<Result<_, _>>()?;
    if dates.len() > DAYS_MAX {
        return Err(format!("more than {DAYS_MAX} days"));
    }
    Ok(dates)
}

fn danger_words(text: &str) -> Result<Vec<String>, String> {
    if text == NONE {
        return Ok(Vec::new());
    }
    let words: Vec<String> = text
        .split([',', '，'])
        .map(|word| line(&word.trim().to_lowercase(), NAME_CHARS_MAX))
        .collect::<Result<_, _>>()?;
    if words.len() > DANGER_WORDS_MAX {
        return Err(format!("more than {DANGER_WORDS_MAX} words"));
    }
    Ok(words)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(key: &str, text: &str) -> Result<SiteSettings, String> {
        let mut site = SiteSettings::default();
        SettingKey::named(key).expect("a setting").set(&mut site, text)?;
        Ok(site)
    }

    #[test]
    fn what_is_shown_can_be_written_back() {
        let mut site = SiteSettings::default();
        site.calendar.holidays.insert(jiff::civil::date(2026, 12, 25));
        for key in SettingKey::ALL {
            let mut again = site.clone();
            key.set(&mut again, &key.get(&site)).expect("its own value");
            assert_eq!(again, site, "{}", key.word());
            assert_eq!(SettingKey::named(&key.word().replace('-', "_")), Some(key));
        }
    }

    #[test]
    fn days_and_hours_are_read_as_people_write_them() {
        let days = |text: &str| set("cover-days", text).map(|site| SettingKey::CoverDays.get(&site));
        assert_eq!(days("mon-fri").as_deref(), Ok("mon,tue,wed,thu,fri"));
        assert_eq!(days("Sat-Mon, wed").as_deref(), Ok("mon,wed,sat,sun"));
        assert_eq!(days("none").as_deref(), Ok("none"));
        assert_eq!(set("message-hours", "07:30-20:00").map(|site| site.quiet.open.minute()), Ok(30));
    }

    #[test]
    fn what_is_wrong_is_said_with_what_to_write() {
        let cases = [
            ("zone", "London", "zone: \"London\" is not a time zone: write it like Europe/London"),
            (
                "cover-hours",
                "18:00-08:00",
                "cover-hours: \"18:00-08:00\" ends before it begins: write the earlier hour first, like 08:00-18:00",
            ),
            ("cover-hours", "8 to 6", "cover-hours: \"8 to 6\" are not hours of a day: write 08:00-18:00"),
            (
                "cover-days",
                "weekdays",
                "cover-days: \"weekdays\" are not days of the week: write mon-fri, or mon,wed,sat",
            ),
            (
                "ward-phone",
                "ask me",
                "ward-phone: \"ask me\" is not a telephone number: write digits, like +44 20 7946 0000",
            ),
            (
                "ward-phone",
                "+44 20 7946 0000 11",
                "ward-phone: \"+44 20 7946 0000 11\" has 19 characters: at most 18 fit",
            ),
            ("sms-per-day", "0", "sms-per-day: \"0\" is not a whole number from 1 to 50"),
            ("holidays", "christmas", "holidays: \"christmas\" is not a date: write 2026-12-25,2026-12-28"),
            ("cover-on-holidays", "maybe", "cover-on-holidays: \"maybe\" is neither yes nor no"),
            ("short-name", "", "short-name: is empty"),
            (
                "short-name",
                "A hospital with a long name",
                "short-name: \"A hospital with a long name\" has 27 characters: at most 20 fit",
            ),
        ];
        for (key, text, said) in cases {
            assert_eq!(set(key, text).map(|_| ()), Err(said.to_owned()));
        }
    }

    #[test]
    fn limits_have_an_edge() {
        assert!(set("gap-minutes", "1440").is_ok() && set("gap-minutes", "1441").is_err());
        assert!(set("sms-per-week", "50").is_ok() && set("sms-per-week", "51").is_err());
        let name = |chars| "n".repeat(chars);
        assert!(
            set("name", &name(NAME_CHARS_MAX)).is_ok() && set("name", &name(NAME_CHARS_MAX + 1)).is_err()
        );
    }
}
