//! Forms of staff pages: the token is checked before anything of the form can be read.

use std::collections::BTreeMap;

use actix_web::{Error, FromRequest, HttpRequest, dev::Payload, web::Form};
use jiff::civil::{Date, DateTime, Time};
use tend_engine::{
    Decimal, Name, Value,
    fact::Answer,
    model::{FactKind, ItemKind},
};

use super::session::COOKIE;
use crate::web::{WebError, csrf, words::Staff};

/// Longest reason, note and other free text, in characters.
pub const TEXT_CHARS_MAX: usize = 2_000;
/// Longest single-line field, in characters.
pub const LINE_CHARS_MAX: usize = 200;

/// A form of a page of this session.
#[derive(Debug, Clone, Default)]
pub struct StaffForm {
    fields: Vec<(String, String)>,
}

impl FromRequest for StaffForm {
    type Error = Error;
    type Future = std::pin::Pin<Box<dyn Future<Output = Result<Self, Error>>>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        let secret = request.cookie(COOKIE).map(|cookie| cookie.value().to_owned());
        let form = Form::<Vec<(String, String)>>::from_request(request, payload);
        Box::pin(async move {
            let secret = secret.ok_or_else(|| WebError::SeeOther("/sign-in".to_owned()))?;
            let form = Self { fields: form.await?.into_inner() };
            csrf::check(&secret, form.get(csrf::FIELD))?;
            Ok(form)
        })
    }
}

impl StaffForm {
    /// A form by its fields, for forms that came by another way than the body.
    #[must_use]
    pub fn from_fields(fields: Vec<(String, String)>) -> Self {
        Self { fields }
    }

    /// A field without surrounding blanks; empty when it is not there.
    #[must_use]
    pub fn get(&self, name: &str) -> &str {
        self.fields.iter().find(|(key, _)| key == name).map_or("", |(_, value)| value.trim())
    }

    /// All values of a field.
    pub fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> + 'a {
        self.fields.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.trim())
    }

    /// Whether a box was ticked.
    #[must_use]
    pub fn ticked(&self, name: &str) -> bool {
        !self.get(name).is_empty()
    }

    /// Every field that was typed, to be shown again.
    #[must_use]
    pub fn typed(&self) -> Typed {
        Typed { values: self.fields.iter().cloned().collect(), errors: BTreeMap::new(), order: Vec::new() }
    }
}

/// What was typed, and what is wrong with it, field by field in the order of the form.
#[derive(Debug, Clone, Default)]
pub struct Typed {
    values: BTreeMap<String, String>,
    errors: BTreeMap<String, String>,
    order: Vec<String>,
}

impl Typed {
    /// The value of a field, to be shown again.
    #[must_use]
    pub fn value(&self, name: &str) -> &str {
        self.values.get(name).map_or("", String::as_str)
    }

    /// Sets what a field shows.
    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        self.values.insert(name.to_owned(), value.into());
    }

    /// Whether the field has that value.
    #[must_use]
    pub fn is(&self, name: &str, value: &str) -> bool {
        self.value(name) == value
    }

    /// Notes what is wrong with a field; the first mistake of a field stays.
    pub fn wrong(&mut self, name: &str, sentence: impl Into<String>) {
        if !self.errors.contains_key(name) {
            self.errors.insert(name.to_owned(), sentence.into());
            self.order.push(name.to_owned());
        }
    }

    /// What is wrong with a field.
    #[must_use]
    pub fn error(&self, name: &str) -> Option<&str> {
        self.errors.get(name).map(String::as_str)
    }

    /// All mistakes in the order in which they were found.
    #[must_use]
    pub fn errors(&self) -> Vec<(&str, &str)> {
        self.order.iter().filter_map(|name| Some((name.as_str(), self.errors.get(name)?.as_str()))).collect()
    }

    /// Whether nothing is wrong.
    #[must_use]
    pub fn good(&self) -> bool {
        self.errors.is_empty()
    }

    /// A line that must not be empty.
    pub fn line(&mut self, w: Staff, name: &str) -> String {
        let value = self.optional_line(w, name);
        if value.is_empty() {
            self.wrong(name, w.err_missing());
        }
        value
    }

    /// A line that may be empty.
    pub fn optional_line(&mut self, w: Staff, name: &str) -> String {
        self.limited(w, name, LINE_CHARS_MAX)
    }

    /// Longer text that may be empty.
    pub fn text(&mut self, w: Staff, name: &str) -> String {
        self.limited(w, name, TEXT_CHARS_MAX)
    }

    /// A reason: longer text that must not be empty.
    pub fn reason(&mut self, w: Staff, name: &str) -> String {
        let value = self.text(w, name);
        if value.is_empty() {
            self.wrong(name, w.reason_missing());
        }
        value
    }

    fn limited(&mut self, w: Staff, name: &str, max: usize) -> String {
        let value = self.value(name).trim().to_owned();
        if value.chars().count() > max {
            self.wrong(name, w.err_long(max));
        }
        value
    }

    /// A date that must be there.
    pub fn date(&mut self, w: Staff, name: &str) -> Option<Date> {
        if self.value(name).trim().is_empty() {
            self.wrong(name, w.err_missing());
            return None;
        }
        self.optional_date(w, name)
    }

    /// A date that may be left out.
    pub fn optional_date(&mut self, w: Staff, name: &str) -> Option<Date> {
        let value = self.value(name).trim().to_owned();
        if value.is_empty() {
            return None;
        }
        let parsed = date(&value);
        if parsed.is_none() {
            self.wrong(name, w.err_date());
        }
        parsed
    }

    /// A value of a fact; empty is none.
    pub fn fact(&mut self, w: Staff, name: &str, kind: &FactKind) -> Option<Value> {
        let raw = self.value(name).trim().to_owned();
        if raw.is_empty() {
            return None;
        }
        match fact_value(w, &raw, kind) {
            Ok(value) => Some(value),
            Err(sentence) => {
                self.wrong(name, sentence);
                None
            }
        }
    }
}

/// A date as people of the site's forms type it.
#[must_use]
pub fn date(text: &str) -> Option<Date> {
    text.parse::<Date>().ok().filter(|date| (1900..=2200).contains(&date.year()))
}

/// A local date and time as `datetime-local` gives it.
#[must_use]
pub fn date_time(text: &str) -> Option<DateTime> {
    let (day, time) = text.split_once(['T', ' '])?;
    Some(date(day)?.to_datetime(time.parse::<Time>().ok()?))
}

/// A typed value of a fact's kind.
///
/// # Errors
/// The sentence for the person who typed it.
pub fn fact_value(w: Staff, raw: &str, kind: &FactKind) -> Result<Value, String> {
    let number = |low: Decimal, high: Decimal| {
        let parsed = Decimal::parse(raw).map_err(|_| w.err_number().to_owned())?;
        if parsed < low || parsed > high { Err(w.err_range(low, high)) } else { Ok(parsed) }
    };
    match kind {
        FactKind::Boolean => match raw {
            "yes" | "true" | "1" => Ok(Value::Bool(true)),
            "no" | "false" | "0" => Ok(Value::Bool(false)),
            _ => Err(w.err_choice().to_owned()),
        },
        FactKind::Choice(options) => {
            let chosen = options.iter().find(|(id, _)| id.as_str() == raw);
            chosen.map(|(id, _)| Value::Choice(id.clone())).ok_or_else(|| w.err_choice().to_owned())
        }
        FactKind::Whole { min, max } => {
            let parsed = number(Decimal::whole(*min), Decimal::whole(*max))?;
            if Decimal::whole(parsed.rounded()) == parsed {
                Ok(Value::Number(parsed))
            } else {
                Err(w.err_range(min, max))
            }
        }
        FactKind::Quantity { min, max, .. } => number(*min, *max).map(Value::Number),
        FactKind::Date => date(raw).map(Value::Date).ok_or_else(|| w.err_date().to_owned()),
    }
}

/// A typed answer to an item. Text is only marked as given: its words are sealed beside the entry.
///
/// # Errors
/// The sentence for the person who typed it.
pub fn answer(w: Staff, raw: &str, kind: &ItemKind, confirmed: bool) -> Result<Answer, String> {
    let as_fact = match kind {
        ItemKind::Text { max_chars } => {
            let max = usize::try_from(*max_chars).unwrap_or(usize::MAX).min(TEXT_CHARS_MAX);
            return if raw.chars().count() > max { Err(w.err_long(max)) } else { Ok(Answer::Text) };
        }
        ItemKind::Choice(options) => {
            FactKind::Choice(options.iter().map(|option| (option.id.clone(), option.label.clone())).collect())
        }
        ItemKind::YesNo => FactKind::Boolean,
        ItemKind::Whole { min, max } => FactKind::Whole { min: *min, max: *max },
        ItemKind::Quantity { unit, min, max, .. } => {
            FactKind::Quantity { unit: unit.clone(), min: *min, max: *max }
        }
    };
    Ok(Answer::Given { value: fact_value(w, raw, &as_fact)?, doubtful: confirmed })
}

/// A value for people.
#[must_use]
pub fn shown(w: Staff, value: &Value) -> String {
    match value {
        Value::Bool(true) => w.yes().to_owned(),
        Value::Bool(false) => w.no().to_owned(),
        Value::Number(number) => number.to_string(),
        Value::Choice(name) => name.to_string(),
        Value::Date(date) => date.to_string(),
    }
}

/// A name out of an address or a form.
///
/// # Errors
/// [`WebError::NotFound`] when it is none.
pub fn name(text: &str) -> Result<Name, WebError> {
    Name::parse(text).map_err(|_| WebError::NotFound)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::web::Lang;

    const W: Staff = Staff(Lang::En);

    #[test]
    fn numbers_are_taken_up_to_their_limits() {
        let weight =
            FactKind::Quantity { unit: "kg".into(), min: Decimal::whole(30), max: Decimal::whole(250) };
        assert_eq!(fact_value(W, "250", &weight), Ok(Value::Number(Decimal::whole(250))));
        assert_eq!(fact_value(W, "250.1", &weight), Err("Write a number from 30 to 250.".to_owned()));
        assert_eq!(fact_value(W, "78,4", &weight), Ok(Value::Number(Decimal::parse("78.4").unwrap())));
        assert!(fact_value(W, "2.5", &FactKind::Whole { min: 0, max: 10 }).is_err());
        assert!(fact_value(W, "=cmd", &weight).is_err());
    }

    #[test]
    fn what_is_typed_is_kept_beside_its_mistake() {
        let form = StaffForm::from_fields(vec![("d".into(), "31 March".into()), ("n".into(), " ".into())]);
        let mut typed = form.typed();
        assert!(typed.date(W, "d").is_none() && typed.line(W, "n").is_empty());
        assert_eq!(typed.value("d"), "31 March");
        assert_eq!(typed.errors().iter().map(|(name, _)| *name).collect::<Vec<_>>(), ["d", "n"]);
    }

    #[test]
    fn text_is_limited_at_its_edge() {
        let of = |n: usize| StaffForm::from_fields(vec![("t".into(), "字".repeat(n))]).typed();
        let mut most = of(TEXT_CHARS_MAX);
        most.text(W, "t");
        let mut more = of(TEXT_CHARS_MAX + 1);
        more.text(W, "t");
        assert!(most.good() && !more.good());
    }
}
