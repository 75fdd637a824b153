//! Stories that once broke a law.

use super::{Event, Story, hold, workflows};

/// A story of somebody who is enrolled at the beginning of a workflow in London.
fn of(workflow: &str, start_day: i64, events: Vec<Event>) -> Story {
    let index = workflows().iter().position(|known| known.id == *workflow).expect("among them");
    Story { workflow: index, zone: 0, start_day, daily_consent: false, events }
}

#[test]
fn laws_hold_for_stories_that_broke_them() {
    let answered = Event::Answer { pick: 0, seed: 1_298_102_116_357_657_381 };
    for story in [
        of("daily", 332, vec![Event::Minutes(8580), answered]),
        // What came back as the quiet hours begin is not looked at again in half an hour: it goes in the morning.
        of(
            "copd-discharge-90d",
            87,
            vec![
                Event::Minutes(37_206),
                Event::Minutes(2_729),
                Event::Minutes(54_295),
                Event::Resume,
                Event::Bounce(8_290_989_807_615_475_342),
                Event::Minutes(30),
            ],
        ),
        // At night, one question that goes at any hour and one that waits for cover: one message, not two.
        of("depression-mbc-12m", 129, vec![Event::Asleep(40_980)]),
    ] {
        hold(&story).unwrap_or_else(|error| panic!("{error}: {story:?}"));
    }
}
