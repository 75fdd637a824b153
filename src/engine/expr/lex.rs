//! Words of a condition.

use jiff::civil::Date;

use super::ExprError;
use crate::Decimal;

/// A word and where it stands, in characters.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Token {
    pub at: usize,
    pub word: Word,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Word {
    Number(Decimal),
    Date(Date),
    /// A name, keyword or unit.
    Name(String),
    /// An operator or bracket.
    Sign(&'static str),
    End,
}

impl Word {
    /// For messages.
    pub fn describe(&self) -> String {
        match self {
            Self::Number(number) => format!("the number {number}"),
            Self::Date(date) => format!("the date {date}"),
            Self::Name(name) => format!("\"{name}\""),
            Self::Sign(sign) => format!("\"{sign}\""),
            Self::End => "the end".to_owned(),
        }
    }
}

/// Longest first.
const SIGNS: [&str; 14] = ["!=", "<=", ">=", "=", "<", ">", "+", "-", "(", ")", "[", "]", ",", "%"];

pub(super) fn words(source: &str) -> Result<Vec<Token>, ExprError> {
    let chars: Vec<char> = source.chars().collect();
    let mut tokens = Vec::new();
    let mut at = 0;
    while at < chars.len() {
        let c = chars[at];
        if c.is_whitespace() {
            at += 1;
        } else if c.is_ascii_digit() {
            let (word, next) = number(&chars, at)?;
            tokens.push(Token { at, word });
            at = next;
        } else if begins_name(c) {
            let next = end_of_name(&chars, at);
            tokens.push(Token { at, word: Word::Name(chars[at..next].iter().collect()) });
            at = next;
        } else {
            let sign = sign(&chars, at)?;
            tokens.push(Token { at, word: Word::Sign(sign) });
            at += sign.len();
        }
    }
    tokens.push(Token { at: chars.len(), word: Word::End });
    Ok(tokens)
}

fn begins_name(c: char) -> bool {
    c.is_ascii_alphabetic() || c == '_' || c == '°' || c == 'µ'
}

/// A hyphen belongs to a name when a letter or digit follows it at once.
fn end_of_name(chars: &[char], start: usize) -> usize {
    let mut at = start + 1;
    while let Some(c) = chars.get(at) {
        let hyphen = *c == '-' && chars.get(at + 1).is_some_and(char::is_ascii_alphanumeric);
        let slash = *c == '/' && chars.get(at + 1).is_some_and(char::is_ascii_alphabetic);
        if !(c.is_ascii_alphanumeric() || *c == '_' || hyphen || slash) {
            break;
        }
        at += 1;
    }
    at
}

fn number(chars: &[char], start: usize) -> Result<(Word, usize), ExprError> {
    let digits = |from: usize| chars[from..].iter().take_while(|c| c.is_ascii_digit()).count();
    let mut end = start + digits(start);
    let dashed =
        |at: usize| chars.get(at) == Some(&'-') && chars.get(at + 1).is_some_and(char::is_ascii_digit);
    if end - start == 4 && dashed(end) {
        let stop = (end..chars.len()).find(|at| !(chars[*at].is_ascii_digit() || chars[*at] == '-'));
        let text: String = chars[start..stop.unwrap_or(chars.len())].iter().collect();
        let date = text.parse::<Date>().map_err(|_| {
            ExprError::new(start, "E120", format!("\"{text}\" is not a date"), "write a date as 2026-03-31")
        })?;
        return Ok((Word::Date(date), start + text.chars().count()));
    }
    if chars.get(end) == Some(&'.') {
        end += 1 + digits(end + 1);
    }
    let text: String = chars[start..end].iter().collect();
    let number = Decimal::parse(&text).map_err(|_| {
        let help = "write digits with at most four places, for example 78.4";
        ExprError::new(start, "E120", format!("\"{text}\" is not a number"), help)
    })?;
    Ok((Word::Number(number), end))
}

fn sign(chars: &[char], at: usize) -> Result<&'static str, ExprError> {
    let ahead: String = chars[at..].iter().take(2).collect();
    let mend = match ahead.as_str() {
        "==" => Some(("==", "write a single =")),
        "&&" => Some(("&&", "write and")),
        "||" => Some(("||", "write or")),
        "<>" => Some(("<>", "write !=")),
        _ if ahead.starts_with('≥') => Some(("≥", "write >=")),
        _ if ahead.starts_with('≤') => Some(("≤", "write <=")),
        _ if ahead.starts_with('!') && ahead != "!=" => Some(("!", "write not")),
        _ if ahead.starts_with(['"', '\'']) => Some(("quotes", "write options and names without quotes")),
        _ => None,
    };
    if let Some((what, help)) = mend {
        return Err(ExprError::new(at, "E120", format!("{what} is not used in conditions"), help));
    }
    SIGNS.iter().find(|sign| ahead.starts_with(**sign)).copied().ok_or_else(|| {
        let message = format!("\"{}\" has no meaning in a condition", chars[at]);
        ExprError::new(
            at,
            "E120",
            message,
            "conditions hold names, numbers with units, and, or, not, in, = != < <= > >= + - and brackets",
        )
    })
}
