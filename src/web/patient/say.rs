//! How values and texts of questionnaires are said.

use std::borrow::Cow;

use jiff::{Timestamp, civil::Date};
use tend_engine::{
    Decimal, Value,
    fact::Answer,
    model::{Item, ItemKind, Text},
    text,
};

use crate::{
    app::{
        form::{self, Draft, Typed},
        zone_named,
    },
    web::{Contact, Lang, contact::day_name, words},
};

/// Words with the language that they are in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Said {
    /// Words.
    pub words: String,
    /// As HTML names it.
    pub tag: String,
}

/// A text in the first of the languages that it has, with the site's numbers filled in.
#[must_use]
pub fn say(text: &Text, languages: &[&str], contact: &Contact) -> Said {
    let (words, lang) = form::say(text, languages);
    // A telephone number stays on one line.
    let number = |number: &str| Some(Cow::Owned(number.replace(' ', "\u{a0}")));
    let fill = |name: &str| match name {
        "hospital" => Some(Cow::Borrowed(contact.hospital.as_str())),
        "ward_phone" => number(&contact.ward_phone),
        "emergency_number" => number(&contact.emergency_number),
        "crisis_line" => number(&contact.crisis_line),
        _ => None,
    };
    // Unknown placeholders are found before a version is published; should one be there, the words stay as written.
    let words = text::render(words, fill).unwrap_or_else(|_| words.to_owned());
    let tag = Lang::parse(&lang).map_or(lang, |lang| lang.tag().to_owned());
    Said { words, tag }
}

/// A unit as people write it.
#[must_use]
pub fn unit_name(unit: &str, lang: Lang) -> String {
    match (unit, lang) {
        ("bpm", Lang::En) => "beats a minute".to_owned(),
        ("bpm", Lang::Zh) => "次/分".to_owned(),
        ("kg", Lang::Zh) => "千克".to_owned(),
        ("lb", Lang::Zh) => "磅".to_owned(),
        _ => unit.to_owned(),
    }
}

/// A number with its unit, and as it was typed where that was another unit.
#[must_use]
pub fn quantity(value: Decimal, unit: &str, typed: Option<&Typed>, lang: Lang) -> String {
    let own = |value: &str| format!("{value} {}", unit_name(unit, lang)).trim_end().to_owned();
    match typed {
        Some(typed) if !typed.unit.is_empty() && typed.unit != unit => {
            let rounded = format!("{:.1}", value.to_f64());
            format!("{} {} ({})", typed.number, unit_name(&typed.unit, lang), own(&rounded))
        }
        _ => own(&value.to_string()),
    }
}

/// A kept answer in words; none where there is no answer.
#[must_use]
pub fn answer(
    draft: &Draft,
    item: &Item,
    languages: &[&str],
    contact: &Contact,
    lang: Lang,
) -> Option<String> {
    let w = words::Patient(lang);
    match draft.answers.get(&item.id)? {
        Answer::Declined => Some(w.declined().to_owned()),
        Answer::Text => draft.text.get(item.id.as_str()).cloned(),
        Answer::Given { value, doubtful } => {
            let said = match (value, &item.kind) {
                (Value::Bool(true), _) => w.yes().to_owned(),
                (Value::Bool(false), _) => w.no().to_owned(),
                (Value::Choice(chosen), ItemKind::Choice(options)) => {
                    let option = options.iter().find(|option| option.id == *chosen)?;
                    say(&option.label, languages, contact).words
                }
                (Value::Choice(chosen), _) => chosen.to_string(),
                (Value::Number(number), ItemKind::Quantity { unit, .. }) => {
                    quantity(*number, unit, draft.typed.get(&item.id), lang)
                }
                (Value::Number(number), _) => number.to_string(),
                (Value::Date(date), _) => day(*date, lang),
            };
            Some(if *doubtful { w.confirmed_value(said) } else { said })
        }
    }
}

/// A date as people say it.
#[must_use]
pub fn day(date: Date, lang: Lang) -> String {
    let weekday = day_name(date.weekday(), lang);
    match lang {
        Lang::En => format!("{weekday} {}", date.strftime("%-d %B %Y")),
        Lang::Zh => format!("{}年{}月{}日（{weekday}）", date.year(), date.month(), date.day()),
    }
}

/// An instant as people say it, in a zone.
#[must_use]
pub fn moment(at: Timestamp, zone: &str, lang: Lang) -> String {
    let local = zone_named(zone).to_datetime(at);
    format!("{} {}", day(local.date(), lang), local.strftime("%H:%M"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_said_in_both_languages() {
        let date = jiff::civil::date(2026, 3, 2);
        assert_eq!(day(date, Lang::En), "Monday 2 March 2026");
        assert_eq!(day(date, Lang::Zh), "2026年3月2日（周一）");
        let at: Timestamp = "2026-03-02T10:05:00Z".parse().expect("an instant");
        assert_eq!(moment(at, "Asia/Shanghai", Lang::En), "Monday 2 March 2026 18:05");
    }

    #[test]
    fn a_number_is_shown_as_it_was_typed_too() {
        let value = Decimal::parse("79.8336").expect("a number");
        let typed = Typed { number: "176".into(), unit: "lb".into() };
        assert_eq!(quantity(value, "kg", Some(&typed), Lang::En), "176 lb (79.8 kg)");
        let typed = Typed { number: "79.8".into(), unit: "kg".into() };
        assert_eq!(
            quantity(Decimal::parse("79.8").expect("a number"), "kg", Some(&typed), Lang::En),
            "79.8 kg"
        );
    }
}
