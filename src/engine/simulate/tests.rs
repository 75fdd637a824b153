//! The same seed gives the same run, and its numbers are plausible.

use super::{Behaviour, Plan, Totals, simulate, walk_the_dates};
use crate::{case::tests::shipped, site::SiteSettings};

fn run(workflow: &str, patients: u32, days: u32, seed: u64) -> Totals {
    let compiled = shipped();
    let workflow = compiled.workflow(workflow).expect("shipped");
    let site = SiteSettings { zone: "Europe/London".into(), ..SiteSettings::default() };
    let behaviour = Behaviour::default();
    let plan = Plan { workflow, site: &site, behaviour, patients, days, seed };
    assert!(walk_the_dates(&plan).expect("walked") > 0);
    simulate(&plan).expect("simulated")
}

#[test]
fn a_seed_gives_one_run() {
    let first = run("hf-discharge-90d", 12, 30, 7);
    assert_eq!(first, run("hf-discharge-90d", 12, 30, 7));
    assert_ne!(first, run("hf-discharge-90d", 12, 30, 8));
}

#[test]
fn the_numbers_are_plausible() {
    let totals = run("hf-discharge-90d", 60, 90, 1);
    // 82.8 % of first messages are answered in the source of the protocol.
    let share = totals.first_answer_share();
    assert!((0.74..0.90).contains(&share), "{share}");
    // Three text messages and three e-mails.
    assert!(totals.most_contacts_a_day <= 6, "{}", totals.most_contacts_a_day);
    assert!(totals.answered > totals.silences && totals.silences > 0, "{totals:?}");
    assert!(totals.alerts.values().sum::<u64>() > 0 && totals.nurse_minutes > 0);
    assert_eq!(totals.contacts, totals.days.iter().map(|day| day.contacts).sum::<u64>());
}

/// 34 % of weekly surveys alert in the source of the oncology protocol.
#[test]
fn weekly_surveys_alert_about_as_often_as_in_their_source() {
    let totals = run("sact-weekly-pro", 100, 90, 1);
    let share = totals.alert_share();
    assert!((0.27..0.41).contains(&share), "{share}");
}
