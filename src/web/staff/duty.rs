//! Who is on duty, and how many minutes of nurses are left today.

use jiff::{Timestamp, civil::Time, tz::TimeZone};
use tend_engine::{cover, site::SiteSettings};

use super::vocabulary as v;
use crate::{app::zone_named, web::words::Worklist};

/// What the worklist says about it.
#[must_use]
pub fn sentence(
    t: Worklist,
    site: &SiteSettings,
    zone: &TimeZone,
    now: Timestamp,
    minutes: Option<(u32, u64)>,
) -> String {
    match minutes {
        Some((minutes, nurses)) => t.minutes_left(minutes, nurses),
        None => t.no_cover(v::short_instant(t.0, zone, cover::next_covered(site, zone, now), now)),
    }
}

/// Nurse minutes that are left today with so many nurses at the pages, and how many count; `None` outside cover.
#[must_use]
pub fn nurse_minutes(site: &SiteSettings, nurses: u64, now: Timestamp) -> Option<(u32, u64)> {
    let left = cover_minutes_left(site, now);
    if left == 0 || !cover::is_covered(site, &zone_named(&site.zone), now) {
        return None;
    }
    let at_work = nurses.max(1);
    Some((left.saturating_mul(u32::try_from(at_work).unwrap_or(u32::MAX)), at_work))
}

/// Minutes of cover that are left today, in the site's zone; 0 when there is none any more.
#[must_use]
pub fn cover_minutes_left(site: &SiteSettings, now: Timestamp) -> u32 {
    let local = now.to_zoned_datetime(zone_named(&site.zone));
    let (day, time) = (local.date(), local.time());
    let working = site.calendar.working.contains(&day);
    let holiday = site.calendar.holidays.contains(&day) && !site.cover.on_holidays;
    let covered = working || (site.cover.days.contains(&day.weekday()) && !holiday);
    if !covered || time >= site.cover.to {
        return 0;
    }
    let from: Time = time.max(site.cover.from);
    u32::try_from(from.duration_until(site.cover.to).as_mins()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::cover_minutes_left;
    use tend_engine::site::SiteSettings;

    #[test]
    fn minutes_end_with_cover() {
        let site = SiteSettings::default(); // Monday to Friday, 08:00 to 18:00, UTC
        let at = |text: &str| cover_minutes_left(&site, text.parse().unwrap());
        assert_eq!(at("2026-03-02T17:59:00Z"), 1);
        assert_eq!(at("2026-03-02T18:00:00Z"), 0);
        assert_eq!(at("2026-03-02T06:00:00Z"), 600);
        assert_eq!(at("2026-03-01T12:00:00Z"), 0, "a Sunday");
    }
}
