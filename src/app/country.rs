//! What a new site begins with by its country: the numbers that patients are told to call, the zone where there is only one,
//! the calendar where one is shipped. A beginning, not an authority: whoever adds a site is shown them and answers for them.

/// A country's numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Country {
    /// ISO 3166, lower case.
    pub code: &'static str,
    /// Its zone; none where it has several.
    pub zone: Option<&'static str>,
    /// The number for an ambulance.
    pub emergency_number: &'static str,
    /// A national line for people in a crisis.
    pub crisis_line: &'static str,
    /// A calendar among the workflow files.
    pub calendar: Option<&'static str>,
}

const fn country(
    code: &'static str,
    zone: Option<&'static str>,
    emergency_number: &'static str,
    crisis_line: &'static str,
) -> Country {
    Country { code, zone, emergency_number, crisis_line, calendar: None }
}

/// Those that are known here. Any other site gives its numbers and zone itself.
pub const COUNTRIES: [Country; 8] = [
    country("cn", Some("Asia/Shanghai"), "120", "12356"),
    country("de", Some("Europe/Berlin"), "112", "116 123"),
    country("es", None, "112", "024"),
    country("fr", Some("Europe/Paris"), "112", "3114"),
    Country { calendar: Some("england"), ..country("gb", Some("Europe/London"), "999", "116 123") },
    country("ie", Some("Europe/Dublin"), "112", "116 123"),
    country("nz", None, "111", "1737"),
    country("us", None, "911", "988"),
];

/// The country of that code.
#[must_use]
pub fn named(code: &str) -> Option<Country> {
    COUNTRIES.into_iter().find(|country| country.code.eq_ignore_ascii_case(code.trim()))
}

/// Their codes, for a sentence.
#[must_use]
pub fn codes() -> String {
    COUNTRIES.map(|country| country.code).join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::app::site_setting::SettingKey;
    use tend_engine::site::SiteSettings;

    #[test]
    fn what_a_country_gives_is_what_a_site_may_have() {
        for country in COUNTRIES {
            let mut site = SiteSettings::default();
            SettingKey::EmergencyNumber.set(&mut site, country.emergency_number).expect(country.code);
            SettingKey::CrisisLine.set(&mut site, country.crisis_line).expect(country.code);
            if let Some(zone) = country.zone {
                SettingKey::Zone.set(&mut site, zone).expect(country.code);
            }
        }
        assert_eq!(named("GB").map(|country| country.emergency_number), Some("999"));
        assert_eq!(named("atlantis"), None);
    }

    #[test]
    fn the_calendars_that_they_name_are_shipped() {
        let shipped = crate::library::built_in().compiled.calendars;
        for name in COUNTRIES.iter().filter_map(|country| country.calendar) {
            assert!(shipped.keys().any(|known| known.as_str() == name), "{name}");
        }
    }
}
