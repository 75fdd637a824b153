//! From what a person typed or chose to an answer, or to the mistake to tell of. Pure; the one door for answers.

use tend_engine::{
    Decimal, Name, Value,
    fact::Answer,
    model::{Doubt, Item, ItemKind},
};

use super::form::Typed;

/// The value of a choice that stands for "prefer not to say"; no option can be called so.
pub const DECLINED: &str = "-";

/// What came with a form.
#[derive(Debug, Clone, Default)]
pub struct Input {
    /// An option, a number, words.
    pub answer: String,
    /// The unit of a number.
    pub unit: String,
    /// "Prefer not to say".
    pub declined: bool,
    /// An implausible number was looked at again and confirmed.
    pub sure: bool,
}

/// What it means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Reading {
    /// An answer, with its words if it is free text and as typed if it is a number.
    Given {
        /// The answer.
        answer: Answer,
        /// Free text.
        text: Option<String>,
        /// A number as it was typed.
        typed: Option<Typed>,
    },
    /// Nothing, where nothing is allowed.
    Empty,
    /// A number that must be asked again before it counts.
    Doubt {
        /// In the item's own unit.
        value: Decimal,
        /// The one before, in the item's own unit.
        last: Decimal,
        /// As it was typed.
        typed: Typed,
        /// The same digits in another unit, where they would be near the one before.
        other: Option<Typed>,
    },
}

/// Why it is no answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Mistake {
    /// None of the options.
    ChooseOne,
    /// Not a number.
    EnterNumber,
    /// Not a whole number.
    EnterWhole,
    /// Outside the range of the item, in its own unit.
    OutOfRange {
        /// Lowest.
        min: Decimal,
        /// Highest.
        max: Decimal,
        /// Unit; empty for a count.
        unit: String,
    },
    /// No words.
    EnterText,
    /// Too many characters.
    TooLong(u32),
    /// None of the units.
    UnknownUnit,
}

/// Reads an input for an item; `last` is the latest number before this form.
///
/// # Errors
/// [`Mistake`].
pub fn read(item: &Item, input: &Input, last: Option<Decimal>) -> Result<Reading, Mistake> {
    let answer = input.answer.trim();
    if item.declinable && (input.declined || answer == DECLINED) {
        return Ok(given(Answer::Declined));
    }
    if answer.is_empty() && item.optional {
        return Ok(Reading::Empty);
    }
    match &item.kind {
        ItemKind::Choice(options) => {
            let chosen = options.iter().find(|option| option.id == *answer).ok_or(Mistake::ChooseOne)?;
            Ok(value(Value::Choice(chosen.id.clone())))
        }
        ItemKind::YesNo => match answer {
            "yes" => Ok(value(Value::Bool(true))),
            "no" => Ok(value(Value::Bool(false))),
            _ => Err(Mistake::ChooseOne),
        },
        ItemKind::Whole { min, max } => whole(answer, *min, *max),
        ItemKind::Quantity { unit, other_units, min, max, doubt } => {
            let typed = Typed { number: plain_digits(answer), unit: input.unit.clone() };
            let number = Decimal::parse(&typed.number).map_err(|_| Mistake::EnterNumber)?;
            let factor = factor(unit, other_units, &input.unit).ok_or(Mistake::UnknownUnit)?;
            let number = number.times(factor);
            if number < *min || *max < number {
                return Err(Mistake::OutOfRange { min: *min, max: *max, unit: unit.clone() });
            }
            let other = last.zip(*doubt).and_then(|(last, doubt)| {
                let units = std::iter::once((unit, Decimal::whole(1)))
                    .chain(other_units.iter().map(|(name, factor)| (name, *factor)));
                let digits = Decimal::parse(&typed.number).ok()?;
                let near = |factor: &Decimal| apart(digits.times(*factor), last) <= doubt.differs_by;
                let fits = units.filter(|(name, factor)| **name != typed.unit && near(factor));
                fits.map(|(name, _)| Typed { number: typed.number.clone(), unit: name.clone() }).next()
            });
            Ok(doubted(number, *doubt, last, input.sure, (typed, other)))
        }
        ItemKind::Text { max_chars } => words(answer, *max_chars),
    }
}

fn given(answer: Answer) -> Reading {
    Reading::Given { answer, text: None, typed: None }
}

fn value(value: Value) -> Reading {
    given(Answer::Given { value, doubtful: false })
}

fn whole(answer: &str, min: i64, max: i64) -> Result<Reading, Mistake> {
    let typed = plain_digits(answer);
    let number: i64 = typed.parse().map_err(|_| Mistake::EnterWhole)?;
    if number < min || max < number {
        let (min, max) = (Decimal::whole(min), Decimal::whole(max));
        return Err(Mistake::OutOfRange { min, max, unit: String::new() });
    }
    Ok(Reading::Given {
        answer: Answer::Given { value: Value::Number(Decimal::whole(number)), doubtful: false },
        text: None,
        typed: Some(Typed { number: typed, unit: String::new() }),
    })
}

fn words(answer: &str, max_chars: u32) -> Result<Reading, Mistake> {
    if answer.is_empty() {
        return Err(Mistake::EnterText);
    }
    // Browsers send a line break as two characters and count it as one.
    let words = answer.replace("\r\n", "\n");
    if words.chars().count() > max_chars as usize {
        return Err(Mistake::TooLong(max_chars));
    }
    Ok(Reading::Given { answer: Answer::Text, text: Some(words), typed: None })
}

fn doubted(
    number: Decimal,
    doubt: Option<Doubt>,
    last: Option<Decimal>,
    sure: bool,
    (typed, other): (Typed, Option<Typed>),
) -> Reading {
    let far = |last: &Decimal| doubt.is_some_and(|doubt| apart(number, *last) > doubt.differs_by);
    match last.filter(far) {
        Some(last) if !sure => Reading::Doubt { value: number, last, typed, other },
        far => Reading::Given {
            answer: Answer::Given { value: Value::Number(number), doubtful: far.is_some() },
            text: None,
            typed: Some(typed),
        },
    }
}

fn apart(one: Decimal, other: Decimal) -> Decimal {
    if one > other { one - other } else { other - one }
}

fn factor(unit: &str, other_units: &[(String, Decimal)], chosen: &str) -> Option<Decimal> {
    if chosen == unit || (chosen.is_empty() && other_units.is_empty()) {
        return Some(Decimal::whole(1));
    }
    other_units.iter().find(|(other, _)| other == chosen).map(|(_, factor)| *factor)
}

/// Digits as a Chinese keyboard may type them, without spaces between them.
fn plain_digits(text: &str) -> String {
    text.chars()
        .filter(|c| !c.is_whitespace())
        .map(|c| match c {
            '０'..='９' => char::from(b'0' + (c as u32 - '０' as u32) as u8),
            '．' | '。' => '.',
            '，' => ',',
            '－' => '-',
            other => other,
        })
        .collect()
}

/// The name of an item as part of an address.
#[must_use]
pub fn item_name(text: &str) -> Option<Name> {
    Name::parse(text).ok()
}

#[cfg(test)]
mod tests {
    use tend_engine::model::Text;

    use super::*;

    fn item(kind: ItemKind) -> Item {
        Item {
            id: Name::parse("weight").expect("a name"),
            ask: Text::default(),
            hint: None,
            loinc: None,
            kind,
            optional: false,
            declinable: false,
            only_if: None,
        }
    }

    fn number(text: &str) -> Decimal {
        Decimal::parse(text).expect("a number")
    }

    fn weight() -> Item {
        item(ItemKind::Quantity {
            unit: "kg".into(),
            other_units: vec![("lb".into(), number("0.4536"))],
            min: number("25"),
            max: number("350"),
            doubt: Some(Doubt { differs_by: number("5") }),
        })
    }

    fn typed(answer: &str, unit: &str) -> Input {
        Input { answer: answer.into(), unit: unit.into(), ..Input::default() }
    }

    /// The value and whether it is doubtful.
    fn value_of(reading: Result<Reading, Mistake>) -> Option<(String, bool)> {
        match reading {
            Ok(Reading::Given { answer: Answer::Given { value: Value::Number(n), doubtful }, .. }) => {
                Some((n.to_string(), doubtful))
            }
            _other => None,
        }
    }

    #[test]
    fn numbers_are_read_as_people_type_them() {
        let read = |text: &str, unit: &str| value_of(read(&weight(), &typed(text, unit), None));
        for text in ["78.4", "78,4", " 78.4 ", "７８．４"] {
            assert_eq!(read(text, "kg"), Some(("78.4".into(), false)), "{text}");
        }
        assert_eq!(read("172.8", "lb"), Some(("78.382".into(), false)));
        for text in ["", "heavy", "78.4.1", "7 8 x", "1e2", "--5"] {
            assert_eq!(read(text, "kg"), None, "{text}");
        }
        assert_eq!(super::read(&weight(), &typed("78", "stone"), None), Err(Mistake::UnknownUnit));
    }

    #[test]
    fn the_range_is_closed() {
        let read = |text: &str| value_of(read(&weight(), &typed(text, "kg"), None)).is_some();
        assert!(read("25") && read("350") && !read("24.9999") && !read("350.0001"));
    }

    #[test]
    fn a_number_is_doubted_only_beyond_the_limit() {
        let last = Some(number("78"));
        let read = |text: &str, sure| super::read(&weight(), &Input { sure, ..typed(text, "kg") }, last);
        assert_eq!(value_of(read("83", false)), Some(("83".into(), false)));
        assert!(matches!(read("83.1", false), Ok(Reading::Doubt { .. })));
        assert!(matches!(read("72.9", false), Ok(Reading::Doubt { .. })));
        assert_eq!(value_of(read("83.1", true)), Some(("83.1".into(), true)));
    }

    #[test]
    fn a_number_that_fits_in_the_other_unit_is_asked_about_as_that() {
        let other = |text: &str, unit: &str, last: &str| match super::read(
            &weight(),
            &typed(text, unit),
            Some(number(last)),
        ) {
            Ok(Reading::Doubt { other, .. }) => other.map(|typed| (typed.number, typed.unit)),
            _other => None,
        };
        assert_eq!(other("178", "kg", "80"), Some(("178".into(), "lb".into())));
        assert_eq!(other("80", "lb", "80"), Some(("80".into(), "kg".into())));
        assert_eq!(other("95", "kg", "80"), None, "neither");
        assert_eq!(other("81", "kg", "80"), None, "no doubt");
    }

    #[test]
    fn declined_is_taken_only_where_it_is_offered() {
        let yes_no = item(ItemKind::YesNo);
        assert_eq!(read(&yes_no, &typed(DECLINED, ""), None), Err(Mistake::ChooseOne));
        let offered = Item { declinable: true, ..yes_no };
        let declined = Reading::Given { answer: Answer::Declined, text: None, typed: None };
        assert_eq!(read(&offered, &typed(DECLINED, ""), None), Ok(declined));
    }

    #[test]
    fn text_is_counted_in_characters() {
        let text = item(ItemKind::Text { max_chars: 3 });
        assert!(read(&text, &typed("体重高", ""), None).is_ok());
        assert!(read(&text, &typed("a\r\nb", ""), None).is_ok(), "a line break is one");
        assert_eq!(read(&text, &typed("abcd", ""), None), Err(Mistake::TooLong(3)));
    }
}
