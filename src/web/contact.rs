//! Whom a person can call: the same lines, in the same place, on every page that a patient may see.

use jiff::civil::Weekday;
use tend_engine::site::SiteSettings;

use super::Lang;

/// Telephone numbers and hours of a site, as pages show them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Contact {
    /// The hospital.
    pub hospital: String,
    /// The ward's number.
    pub ward_phone: String,
    /// The emergency number.
    pub emergency_number: String,
    /// The crisis line.
    pub crisis_line: String,
    days: Vec<Weekday>,
    from: String,
    to: String,
}

impl Contact {
    /// From the site's settings.
    #[must_use]
    pub fn of(site: &SiteSettings) -> Self {
        let mut days = site.cover.days.clone();
        days.sort_by_key(|day| day.to_monday_zero_offset());
        Self {
            hospital: site.name.clone(),
            ward_phone: site.ward_phone.clone(),
            emergency_number: site.emergency_number.clone(),
            crisis_line: site.crisis_line.clone(),
            days,
            from: site.cover.from.strftime("%H:%M").to_string(),
            to: site.cover.to.strftime("%H:%M").to_string(),
        }
    }

    /// When somebody is there, for example "Monday to Friday, 08:00 to 18:00".
    #[must_use]
    pub fn hours(&self, lang: Lang) -> String {
        let days = days_in_words(&self.days, lang);
        match lang {
            Lang::En => format!("{days}, {} to {}", self.from, self.to),
            // Word joiners: a line does not end inside the hours.
            Lang::Zh => format!("{days} {}\u{2060}–\u{2060}{}", self.from, self.to),
        }
    }
}

/// What a `tel:` link dials: digits and a leading plus.
#[must_use]
pub fn dial(number: &str) -> String {
    let digits = |(at, c): &(usize, char)| c.is_ascii_digit() || (*at == 0 && *c == '+');
    number.trim().char_indices().filter(digits).map(|(_, c)| c).collect()
}

fn days_in_words(days: &[Weekday], lang: Lang) -> String {
    let (to, and) = match lang {
        Lang::En => (" to ", ", "),
        Lang::Zh => ("至", "、"),
    };
    let follows = |a: Weekday, b: Weekday| b.to_monday_zero_offset() == a.to_monday_zero_offset() + 1;
    let mut runs: Vec<(Weekday, Weekday)> = Vec::new();
    for day in days {
        match runs.last_mut() {
            Some(run) if follows(run.1, *day) => run.1 = *day,
            _ => runs.push((*day, *day)),
        }
    }
    let run = |(first, last): &(Weekday, Weekday)| {
        if first == last {
            day_name(*first, lang).to_owned()
        } else {
            format!("{}{to}{}", day_name(*first, lang), day_name(*last, lang))
        }
    };
    runs.iter().map(run).collect::<Vec<_>>().join(and)
}

/// The name of a weekday.
#[must_use]
pub fn day_name(day: Weekday, lang: Lang) -> &'static str {
    let (en, zh) = match day {
        Weekday::Monday => ("Monday", "周一"),
        Weekday::Tuesday => ("Tuesday", "周二"),
        Weekday::Wednesday => ("Wednesday", "周三"),
        Weekday::Thursday => ("Thursday", "周四"),
        Weekday::Friday => ("Friday", "周五"),
        Weekday::Saturday => ("Saturday", "周六"),
        Weekday::Sunday => ("Sunday", "周日"),
    };
    match lang {
        Lang::En => en,
        Lang::Zh => zh,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn hours_are_read_as_people_say_them() {
        let contact = Contact::of(&SiteSettings::default());
        assert_eq!(contact.hours(Lang::En), "Monday to Friday, 08:00 to 18:00");
        assert_eq!(contact.hours(Lang::Zh), "周一至周五 08:00\u{2060}–\u{2060}18:00");
        let days = [Weekday::Monday, Weekday::Wednesday, Weekday::Thursday, Weekday::Sunday];
        assert_eq!(days_in_words(&days, Lang::En), "Monday, Wednesday to Thursday, Sunday");
    }

    #[test]
    fn only_what_can_be_dialled_is_dialled() {
        assert_eq!(dial(" +44 20 7946-0000 (ward)"), "+442079460000");
        assert_eq!(dial("116 123"), "116123");
    }
}
