//! The text of a condition as a tree with positions, before anybody asked what its names mean.
//!
//! `or` binds least, then `and`, `not`, one comparison or `in`, then `+` and `-`.

use std::fmt;

use jiff::civil::Date;

use super::{
    ExprError,
    lex::{Token, Word, words},
};
use crate::{
    Decimal,
    model::{
        Compare,
        condition::{EXPR_BYTES_MAX, EXPR_DEPTH_MAX},
    },
};

/// A node and where it begins, in characters.
#[derive(Debug, Clone)]
pub struct Ast {
    /// Characters from the beginning of the text.
    pub at: usize,
    /// What it is.
    pub kind: Kind,
}

/// Two trees are the same when they say the same, wherever they stand.
impl PartialEq for Ast {
    fn eq(&self, other: &Self) -> bool {
        self.kind == other.kind
    }
}

/// What a node is.
#[derive(Debug, Clone, PartialEq)]
pub enum Kind {
    /// A number, with its unit if one was written.
    Number(Decimal, Option<String>),
    /// A civil date.
    Date(Date),
    /// `true` or `false`.
    Bool(bool),
    /// A fact, item, total, definition or option.
    Name(String),
    /// A function.
    Call(String, Vec<Ast>),
    /// `not`
    Not(Box<Ast>),
    /// `and`
    And(Vec<Ast>),
    /// `or`
    Or(Vec<Ast>),
    /// A comparison.
    Compare(Compare, Box<Ast>, Box<Ast>),
    /// `in [a, b]`
    In(Box<Ast>, Vec<Ast>),
    /// `+`
    Add(Box<Ast>, Box<Ast>),
    /// `-`
    Subtract(Box<Ast>, Box<Ast>),
    /// `50 % of`
    Share(Decimal, Box<Ast>),
}

const COMPARISONS: [(&str, Compare); 6] = [
    ("=", Compare::Equal),
    ("!=", Compare::NotEqual),
    ("<", Compare::Less),
    ("<=", Compare::AtMost),
    (">", Compare::More),
    (">=", Compare::AtLeast),
];
const KEYWORDS: [&str; 4] = ["and", "or", "not", "in"];

/// Reads a condition.
///
/// # Errors
/// The first thing that is wrong, with its place.
pub fn parse(source: &str) -> Result<Ast, ExprError> {
    if source.len() > EXPR_BYTES_MAX {
        let message = format!("this condition has {} bytes; at most {EXPR_BYTES_MAX} are read", source.len());
        return Err(ExprError::new(
            0,
            "E125",
            message,
            "name parts of it under \"define\" and use the names",
        ));
    }
    let mut parser = Parser { tokens: words(source)?, next: 0, depth: 0 };
    let ast = parser.or()?;
    match parser.peek().word {
        Word::End => Ok(ast),
        _ => Err(parser.unexpected("the condition ends before this, or \"and\" or \"or\" is missing")),
    }
}

struct Parser {
    tokens: Vec<Token>,
    next: usize,
    depth: usize,
}

impl Parser {
    /// The last token is always [`Word::End`], and it is never stepped over.
    fn peek(&self) -> &Token {
        &self.tokens[self.next.min(self.tokens.len() - 1)]
    }

    fn step(&mut self) -> Token {
        let token = self.peek().clone();
        self.next += 1;
        token
    }

    fn takes(&mut self, sign: &str) -> bool {
        let found = matches!(&self.peek().word, Word::Sign(found) if *found == sign);
        self.next += usize::from(found);
        found
    }

    fn takes_keyword(&mut self, keyword: &str) -> bool {
        let found = matches!(&self.peek().word, Word::Name(found) if found == keyword);
        self.next += usize::from(found);
        found
    }

    fn unexpected(&self, help: &str) -> ExprError {
        let message = match &self.peek().word {
            Word::End => "the condition ends too early".to_owned(),
            word => format!("{} is not expected here", word.describe()),
        };
        ExprError::new(self.peek().at, "E120", message, help)
    }

    fn need(&mut self, sign: &'static str) -> Result<(), ExprError> {
        if self.takes(sign) { Ok(()) } else { Err(self.unexpected(&format!("write \"{sign}\" here"))) }
    }

    fn or(&mut self) -> Result<Ast, ExprError> {
        self.depth += 1;
        if self.depth > EXPR_DEPTH_MAX {
            let message = format!("this condition is nested more than {EXPR_DEPTH_MAX} deep");
            let help = "name parts of it under \"define\" and use the names";
            return Err(ExprError::new(self.peek().at, "E125", message, help));
        }
        let at = self.peek().at;
        let mut parts = vec![self.and()?];
        while self.takes_keyword("or") {
            parts.push(self.and()?);
        }
        self.depth -= 1;
        Ok(joined(at, parts, Kind::Or))
    }

    fn and(&mut self) -> Result<Ast, ExprError> {
        let at = self.peek().at;
        let mut parts = vec![self.not()?];
        while self.takes_keyword("and") {
            parts.push(self.not()?);
        }
        Ok(joined(at, parts, Kind::And))
    }

    fn not(&mut self) -> Result<Ast, ExprError> {
        let at = self.peek().at;
        if !self.takes_keyword("not") {
            return self.comparison();
        }
        self.depth += 1;
        if self.depth > EXPR_DEPTH_MAX {
            return Err(ExprError::new(at, "E125", "too many \"not\" in a row", "leave out two at a time"));
        }
        let inner = self.not()?;
        self.depth -= 1;
        Ok(Ast { at, kind: Kind::Not(Box::new(inner)) })
    }

    fn comparison(&mut self) -> Result<Ast, ExprError> {
        let left = self.sum()?;
        let at = left.at;
        if self.takes_keyword("in") {
            self.need("[")?;
            let mut list = vec![self.sum()?];
            while self.takes(",") {
                list.push(self.sum()?);
            }
            self.need("]")?;
            return Ok(Ast { at, kind: Kind::In(Box::new(left), list) });
        }
        let Word::Sign(sign) = self.peek().word else { return Ok(left) };
        let Some((_, how)) = COMPARISONS.iter().find(|(known, _)| *known == sign) else { return Ok(left) };
        self.next += 1;
        let right = self.sum()?;
        if matches!(&self.peek().word, Word::Sign(next) if COMPARISONS.iter().any(|(known, _)| known == next))
        {
            return Err(self.unexpected("compare two things at a time and join them with \"and\""));
        }
        Ok(Ast { at, kind: Kind::Compare(*how, Box::new(left), Box::new(right)) })
    }

    fn sum(&mut self) -> Result<Ast, ExprError> {
        let mut left = self.term()?;
        loop {
            let at = left.at;
            if self.takes("+") {
                left = Ast { at, kind: Kind::Add(Box::new(left), Box::new(self.term()?)) };
            } else if self.takes("-") {
                left = Ast { at, kind: Kind::Subtract(Box::new(left), Box::new(self.term()?)) };
            } else {
                return Ok(left);
            }
        }
    }

    fn term(&mut self) -> Result<Ast, ExprError> {
        let token = self.step();
        let at = token.at;
        let kind = match token.word {
            Word::Number(number) => match self.unit() {
                Some(unit) if unit == "%" && self.takes_keyword("of") => {
                    Kind::Share(number, Box::new(self.deeper()?))
                }
                unit => Kind::Number(number, unit),
            },
            Word::Sign("-") => match self.step().word {
                Word::Number(number) => Kind::Number(Decimal::ZERO - number, self.unit()),
                _ => {
                    return Err(ExprError::new(
                        at,
                        "E120",
                        "a minus stands before a number or between two values",
                        "write a number after it",
                    ));
                }
            },
            Word::Date(date) => Kind::Date(date),
            Word::Sign("(") => {
                let inner = self.or()?;
                self.need(")")?;
                return Ok(inner);
            }
            Word::Name(name) if KEYWORDS.contains(&name.as_str()) => {
                self.next -= 1;
                return Err(self.unexpected("a name or number is missing before it"));
            }
            Word::Name(name) if name == "true" || name == "false" => Kind::Bool(name == "true"),
            Word::Name(name) if self.takes("(") => Kind::Call(name, self.arguments()?),
            Word::Name(name) => Kind::Name(name),
            Word::Sign(_) | Word::End => {
                self.next -= 1;
                return Err(self.unexpected("a name, a number or a bracket is missing here"));
            }
        };
        Ok(Ast { at, kind })
    }

    /// The value that a share is taken of: shares of shares nest like brackets.
    fn deeper(&mut self) -> Result<Ast, ExprError> {
        self.depth += 1;
        if self.depth > EXPR_DEPTH_MAX {
            let at = self.peek().at;
            return Err(ExprError::new(at, "E125", "too many shares of shares", "write one percentage"));
        }
        let inner = self.term()?;
        self.depth -= 1;
        Ok(inner)
    }

    /// A word right after a number that is no keyword is its unit.
    fn unit(&mut self) -> Option<String> {
        let unit = match &self.peek().word {
            Word::Name(name) if !KEYWORDS.contains(&name.as_str()) => name.clone(),
            Word::Sign("%") => "%".to_owned(),
            Word::Name(_) | Word::Sign(_) | Word::Number(_) | Word::Date(_) | Word::End => return None,
        };
        self.next += 1;
        Some(unit)
    }

    fn arguments(&mut self) -> Result<Vec<Ast>, ExprError> {
        let mut list = Vec::new();
        if self.takes(")") {
            return Ok(list);
        }
        loop {
            list.push(self.or()?);
            if !self.takes(",") {
                break;
            }
        }
        self.need(")")?;
        Ok(list)
    }
}

fn joined(at: usize, mut parts: Vec<Ast>, kind: fn(Vec<Ast>) -> Kind) -> Ast {
    match (parts.len(), parts.pop()) {
        (1, Some(only)) => only,
        (_, last) => {
            parts.extend(last);
            Ast { at, kind: kind(parts) }
        }
    }
}

/// The sign of a comparison.
#[must_use]
pub fn sign_of(how: Compare) -> &'static str {
    COMPARISONS.iter().find(|(_, known)| *known == how).map_or("=", |(sign, _)| sign)
}

impl Ast {
    fn strength(&self) -> u8 {
        match &self.kind {
            Kind::Or(_) => 0,
            Kind::And(_) => 1,
            Kind::Not(_) => 2,
            Kind::Compare(..) | Kind::In(..) => 3,
            Kind::Add(..) | Kind::Subtract(..) => 4,
            Kind::Share(..)
            | Kind::Number(..)
            | Kind::Date(_)
            | Kind::Bool(_)
            | Kind::Name(_)
            | Kind::Call(..) => 5,
        }
    }

    fn write(&self, f: &mut fmt::Formatter<'_>, at_least: u8) -> fmt::Result {
        if self.strength() < at_least { write!(f, "({self})") } else { write!(f, "{self}") }
    }
}

fn list(f: &mut fmt::Formatter<'_>, parts: &[Ast], between: &str, at_least: u8) -> fmt::Result {
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            f.write_str(between)?;
        }
        part.write(f, at_least)?;
    }
    Ok(())
}

impl fmt::Display for Ast {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.kind {
            Kind::Number(number, None) => write!(f, "{number}"),
            Kind::Number(number, Some(unit)) => write!(f, "{number} {unit}"),
            Kind::Date(date) => write!(f, "{date}"),
            Kind::Bool(value) => write!(f, "{value}"),
            Kind::Name(name) => f.write_str(name),
            Kind::Call(name, arguments) => {
                write!(f, "{name}(")?;
                list(f, arguments, ", ", 0)?;
                f.write_str(")")
            }
            Kind::Share(percent, inner) => {
                write!(f, "{percent} % of ")?;
                inner.write(f, 5)
            }
            Kind::Not(inner) => {
                f.write_str("not ")?;
                inner.write(f, 2)
            }
            Kind::And(parts) => list(f, parts, " and ", 2),
            Kind::Or(parts) => list(f, parts, " or ", 1),
            Kind::Compare(how, left, right) => {
                left.write(f, 4)?;
                write!(f, " {} ", sign_of(*how))?;
                right.write(f, 4)
            }
            Kind::In(inner, options) => {
                inner.write(f, 4)?;
                f.write_str(" in [")?;
                list(f, options, ", ", 4)?;
                f.write_str("]")
            }
            Kind::Add(left, right) => {
                left.write(f, 4)?;
                f.write_str(" + ")?;
                right.write(f, 5)
            }
            Kind::Subtract(left, right) => {
                left.write(f, 4)?;
                f.write_str(" - ")?;
                right.write(f, 5)
            }
        }
    }
}
