//! What the names of a condition mean, and whether the types fit.

use std::{collections::BTreeMap, fmt};

use super::{
    ExprError,
    ast::{self, Ast, Kind},
};
use crate::{
    Decimal, Name, Value,
    diagnostic::suggest,
    model::{Compare, Expr, FactDef, FactKind, ItemKind, Questionnaire},
};

/// Most nodes of a condition once its definitions are written out.
pub const EXPANDED_NODES_MAX: usize = 10_000;

/// The type of an expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Type {
    /// Yes or no.
    Bool,
    /// A number, in a unit if it has one.
    Number(Option<String>),
    /// One of these options.
    Choice(Vec<Name>),
    /// A civil date.
    Date,
}

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Bool => f.write_str("yes or no"),
            Self::Number(None) => f.write_str("a plain number"),
            Self::Number(Some(unit)) => write!(f, "a number in {unit}"),
            Self::Choice(_) => f.write_str("a choice"),
            Self::Date => f.write_str("a date"),
        }
    }
}

/// What a step is, as far as conditions care.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StepSort {
    /// It asks a questionnaire.
    Ask,
    /// It tells words.
    Tell,
    /// It is a task of staff.
    Task,
    /// It scores risk.
    Score,
}

/// A named condition that was read before.
#[derive(Debug, Clone)]
pub struct Definition {
    /// Its name.
    pub name: Name,
    /// Its type.
    pub ty: Type,
    /// Nodes when everything is written out.
    pub nodes: usize,
    /// Whether it looks at the answer at hand, and of which questionnaire.
    pub answer: Option<Name>,
}

/// All that a condition may name.
#[derive(Debug, Clone, Copy)]
pub struct Scope<'a> {
    /// Facts.
    pub facts: &'a [FactDef],
    /// Anchors.
    pub anchors: &'a [Name],
    /// Steps.
    pub steps: &'a BTreeMap<Name, StepSort>,
    /// Named conditions so far.
    pub define: &'a [Definition],
    /// Every questionnaire of the workflow, for look-backs.
    pub questionnaires: &'a BTreeMap<Name, Questionnaire>,
    /// The one whose answer is at hand.
    pub answer: Option<&'a Questionnaire>,
}

/// Reads a condition and gives it its meaning. All type errors of it at once.
///
/// # Errors
/// Everything that is wrong with it.
pub fn compile(source: &str, scope: &Scope<'_>) -> Result<(Expr, Type, usize), Vec<ExprError>> {
    let ast = ast::parse(source).map_err(|error| vec![error])?;
    let mut typer = Typer { scope, errors: Vec::new(), nodes: 0 };
    let typed = typer.expr(&ast);
    if typer.nodes > EXPANDED_NODES_MAX {
        let message =
            format!("with its definitions written out, this has more than {EXPANDED_NODES_MAX} parts");
        typer.error(0, "E125", message, "use fewer definitions within definitions");
    }
    match typed {
        Some((expr, ty)) if typer.errors.is_empty() => Ok((expr, ty, typer.nodes)),
        Some(_) | None => Err(typer.errors),
    }
}

/// Reads an expression that must be yes or no.
///
/// # Errors
/// Everything that is wrong with it.
pub fn condition(source: &str, scope: &Scope<'_>) -> Result<Expr, Vec<ExprError>> {
    match compile(source, scope)? {
        (expr, Type::Bool, _) => Ok(expr),
        (_, ty, _) => {
            let message = format!("a condition is yes or no, but this is {ty}");
            Err(vec![ExprError::new(0, "E122", message, "compare it with something, for example \"> 2\"")])
        }
    }
}

pub(super) struct Typer<'a> {
    pub(super) scope: &'a Scope<'a>,
    errors: Vec<ExprError>,
    nodes: usize,
}

pub(super) type Typed = Option<(Expr, Type)>;

impl Typer<'_> {
    pub(super) fn error(
        &mut self,
        at: usize,
        code: &'static str,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.errors.push(ExprError::new(at, code, message, help));
    }

    pub(super) fn expr(&mut self, ast: &Ast) -> Typed {
        self.nodes = self.nodes.saturating_add(1);
        match &ast.kind {
            Kind::Number(number, unit) => {
                Some((Expr::Literal(Value::Number(*number)), Type::Number(unit.clone())))
            }
            Kind::Date(date) => Some((Expr::Literal(Value::Date(*date)), Type::Date)),
            Kind::Bool(value) => Some((Expr::Literal(Value::Bool(*value)), Type::Bool)),
            Kind::Name(name) => self.name(name, ast.at),
            Kind::Call(function, arguments) => self.call(function, arguments, ast.at),
            Kind::Not(inner) => {
                let inner = self.bool(inner, "not")?;
                Some((Expr::Not(Box::new(inner)), Type::Bool))
            }
            Kind::And(parts) => self.bools(parts, "and").map(|parts| (Expr::And(parts), Type::Bool)),
            Kind::Or(parts) => self.bools(parts, "or").map(|parts| (Expr::Or(parts), Type::Bool)),
            Kind::Compare(how, left, right) => self.compare(*how, left, right),
            Kind::In(inner, options) => self.membership(inner, options),
            Kind::Add(left, right) => self.arithmetic(left, right, Expr::Add),
            Kind::Subtract(left, right) => self.arithmetic(left, right, Expr::Subtract),
            Kind::Share(percent, inner) => self.share(*percent, inner),
        }
    }

    fn bool(&mut self, ast: &Ast, operator: &str) -> Option<Expr> {
        let (expr, ty) = self.expr(ast)?;
        if ty == Type::Bool {
            return Some(expr);
        }
        let message = format!("\"{operator}\" joins conditions that are yes or no, but \"{ast}\" is {ty}");
        self.error(ast.at, "E122", message, format!("compare it with something, for example \"{ast} = …\""));
        None
    }

    fn bools(&mut self, parts: &[Ast], operator: &str) -> Option<Vec<Expr>> {
        let typed: Vec<Option<Expr>> = parts.iter().map(|part| self.bool(part, operator)).collect();
        typed.into_iter().collect()
    }

    fn name(&mut self, name: &str, at: usize) -> Typed {
        if let Some(found) = self.lookup(name) {
            return Some(found);
        }
        let (message, help) = self.unknown(name);
        self.error(at, "E121", message, help);
        None
    }

    fn lookup(&mut self, name: &str) -> Typed {
        let scope = self.scope;
        if let Some(fact) = scope.facts.iter().find(|fact| fact.id == *name) {
            return Some((Expr::Fact(fact.id.clone()), fact_type(&fact.kind)));
        }
        if let Some(definition) = scope.define.iter().find(|definition| definition.name == *name) {
            let at_hand = scope.answer.map(|questionnaire| &questionnaire.id);
            if definition.answer.is_none() || definition.answer.as_ref() == at_hand {
                self.nodes = self.nodes.saturating_add(definition.nodes);
                return Some((Expr::Defined(definition.name.clone()), definition.ty.clone()));
            }
        }
        let questionnaire = scope.answer?;
        if let Some(item) = questionnaire.items.iter().find(|item| item.id == *name) {
            return item_type(&item.kind).map(|ty| (Expr::Item(item.id.clone()), ty));
        }
        let score = questionnaire.scores.iter().find(|score| score.id == *name)?;
        Some((Expr::Score(score.id.clone()), Type::Number(None)))
    }

    fn unknown(&self, name: &str) -> (String, String) {
        let scope = self.scope;
        let elsewhere = scope.questionnaires.values().find(|q| {
            q.items.iter().any(|item| item.id == *name) || q.scores.iter().any(|score| score.id == *name)
        });
        if let Some(item) = scope.answer.and_then(|q| q.items.iter().find(|item| item.id == *name)) {
            let message = format!("\"{}\" is free text, and rules do not read free text", item.id);
            return (message, "ask a choice beside it and look at that".to_owned());
        }
        if let Some(questionnaire) = elsewhere {
            let message =
                format!("\"{name}\" is an item of {}, whose answer is not at hand here", questionnaire.id);
            let help = format!(
                "write \"on: answer to {}\" or look back with previous({name}, 7 days)",
                questionnaire.id
            );
            return (message, help);
        }
        if scope.steps.contains_key(name) {
            let message = format!("\"{name}\" is a step, not a value");
            return (message, format!("write outcome({name}), answers({name}) or missed_in_a_row({name})"));
        }
        if scope.anchors.iter().any(|anchor| *anchor == *name) {
            return (format!("\"{name}\" is a date to count from"), format!("write days_since({name})"));
        }
        let mut known: Vec<&str> = scope.facts.iter().map(|fact| fact.id.as_str()).collect();
        known.extend(scope.define.iter().map(|definition| definition.name.as_str()));
        if let Some(questionnaire) = scope.answer {
            known.extend(questionnaire.items.iter().map(|item| item.id.as_str()));
            known.extend(questionnaire.scores.iter().map(|score| score.id.as_str()));
        }
        (format!("nothing is called \"{name}\" here"), suggest(name, known.iter().copied()))
    }

    /// A side of a comparison: a bare name is an option when the other side is a choice that has it.
    fn side(&mut self, ast: &Ast, other: &Ast) -> Typed {
        let Kind::Name(name) = &ast.kind else { return self.expr(ast) };
        let known = self.errors.len();
        let nodes = self.nodes;
        let other = self.expr_quietly(other, known);
        self.nodes = nodes;
        match other {
            Some((_, Type::Choice(options))) => {
                if self.lookup(name).is_some() && !options.iter().any(|option| *option == *name.as_str()) {
                    return self.name(name, ast.at);
                }
                self.option(name, ast.at, &options)
            }
            Some((_, Type::Bool | Type::Number(_) | Type::Date)) | None => self.expr(ast),
        }
    }

    fn is_option_of(&mut self, option: &Ast, choice: &Ast) -> bool {
        let (Kind::Name(option), Kind::Name(choice)) = (&option.kind, &choice.kind) else { return false };
        match self.lookup(choice) {
            Some((_, Type::Choice(options))) => options.iter().any(|known| *known == *option.as_str()),
            Some((_, Type::Bool | Type::Number(_) | Type::Date)) | None => false,
        }
    }

    fn expr_quietly(&mut self, ast: &Ast, known_errors: usize) -> Typed {
        let typed = match &ast.kind {
            Kind::Name(name) => self.lookup(name),
            Kind::Call(..) => self.expr(ast),
            Kind::Number(..)
            | Kind::Date(_)
            | Kind::Bool(_)
            | Kind::Not(_)
            | Kind::And(_)
            | Kind::Or(_)
            | Kind::Compare(..)
            | Kind::In(..)
            | Kind::Add(..)
            | Kind::Subtract(..)
            | Kind::Share(..) => None,
        };
        self.errors.truncate(known_errors);
        typed
    }

    fn option(&mut self, name: &str, at: usize, options: &[Name]) -> Typed {
        if let Some(option) = options.iter().find(|option| **option == *name) {
            return Some((Expr::Literal(Value::Choice(option.clone())), Type::Choice(options.to_vec())));
        }
        let message = format!("\"{name}\" is not one of the options");
        self.error(at, "E124", message, suggest(name, options.iter().map(Name::as_str)));
        None
    }

    fn compare(&mut self, how: Compare, left: &Ast, right: &Ast) -> Typed {
        // In `dizzy = dizzy` the item stands on the left and its option on the right.
        let typed_left =
            if self.is_option_of(right, left) { self.expr(left) } else { self.side(left, right) };
        let typed_right = self.side(right, left);
        let ((a, a_type), (b, b_type)) = (typed_left?, typed_right?);
        let ordered = !matches!(how, Compare::Equal | Compare::NotEqual);
        if !self.fit(left, &a_type, right, &b_type) {
            return None;
        }
        if ordered && matches!(a_type, Type::Bool | Type::Choice(_)) {
            let message = format!("{a_type} has no order, so \"{}\" says nothing", ast::sign_of(how));
            let help = "write = or !=, in [a, b], or compare points(…)";
            self.error(left.at, "E122", message, help);
            return None;
        }
        if self.is_constant(how, (left, &a), (right, &b)) {
            return None;
        }
        Some((Expr::Compare(how, Box::new(a), Box::new(b)), Type::Bool))
    }

    /// A comparison with a number that lies outside all that the other side can be.
    fn is_constant(&mut self, how: Compare, left: (&Ast, &Expr), right: (&Ast, &Expr)) -> bool {
        let number = |expr: &Expr| match expr {
            Expr::Literal(Value::Number(number)) => Some(*number),
            _ => None,
        };
        let (value, how, with, at) = match (number(left.1), number(right.1)) {
            (None, Some(with)) => (left, how, with, right.0.at),
            (Some(with), None) => (right, how.turned(), with, left.0.at),
            _ => return false,
        };
        let Some((min, max)) = self.range(value.1) else { return false };
        let always = match how {
            Compare::Equal if with < min || with > max => Some(false),
            Compare::NotEqual if with < min || with > max => Some(true),
            Compare::Less => constant(max < with, min >= with),
            Compare::AtMost => constant(max <= with, min > with),
            Compare::More => constant(min > with, max <= with),
            Compare::AtLeast => constant(min >= with, max < with),
            Compare::Equal | Compare::NotEqual => None,
        };
        let Some(always) = always else { return false };
        let said = if always { "always" } else { "never" };
        let message = format!("this is {said} true: \"{}\" lies between {min} and {max}", value.0);
        self.error(at, "E128", message, format!("compare it with a number from {min} to {max}"));
        true
    }

    /// The least and the greatest that a value can be, where the file says so.
    fn range(&self, expr: &Expr) -> Option<(Decimal, Decimal)> {
        let item = |name: &Name| {
            let item = self.scope.answer?.items.iter().find(|item| item.id == *name)?;
            Some(crate::instrument::item_range(item))
        };
        match expr {
            Expr::Item(name) | Expr::Points(name) => item(name),
            Expr::Score(name) => {
                let questionnaire = self.scope.answer?;
                let score = questionnaire.scores.iter().find(|score| score.id == *name)?;
                Some(crate::instrument::possible(score, questionnaire))
            }
            Expr::Fact(name) => match &self.scope.facts.iter().find(|fact| fact.id == *name)?.kind {
                FactKind::Whole { min, max } => Some((Decimal::whole(*min), Decimal::whole(*max))),
                FactKind::Quantity { min, max, .. } => Some((*min, *max)),
                FactKind::Boolean | FactKind::Choice(_) | FactKind::Date => None,
            },
            Expr::SilentInARow(_) => {
                Some((Decimal::ZERO, Decimal::whole(i64::from(crate::state::SILENT_MAX))))
            }
            Expr::AnswerCount(_) => {
                Some((Decimal::ZERO, Decimal::whole(i64::from(crate::state::ANSWERS_MAX))))
            }
            _ => None,
        }
    }

    /// Whether two sides can be compared or added.
    pub(super) fn fit(&mut self, left: &Ast, a: &Type, right: &Ast, b: &Type) -> bool {
        match (a, b) {
            (Type::Number(x), Type::Number(y)) if x == y => true,
            (Type::Number(x), Type::Number(y)) => {
                let (wrong, unit, found) = match (&left.kind, x, y) {
                    (Kind::Number(..), found, Some(unit)) => (left, Some(unit), found),
                    (_, unit, found) => (right, unit.as_ref(), found),
                };
                let found = found.as_deref().map_or("no unit".to_owned(), |unit| format!("\"{unit}\""));
                let (message, help) = match (unit, &wrong.kind) {
                    (Some(unit), Kind::Number(number, None)) => (
                        format!("this side is measured in {unit}, and the number has {found}"),
                        format!("write {number} {unit}"),
                    ),
                    (Some(unit), Kind::Number(_, Some(_))) => (
                        format!("this side is measured in {unit}, and the number has {found}"),
                        format!("write the number in {unit}"),
                    ),
                    (Some(unit), _) => (
                        format!("one side is measured in {unit}, the other has {found}"),
                        "compare like with like".to_owned(),
                    ),
                    (None, _) => (
                        format!("this side is a plain number, the other has {found}"),
                        "write the number without a unit".to_owned(),
                    ),
                };
                self.error(wrong.at, "E123", message, help);
                false
            }
            (Type::Choice(x), Type::Choice(y)) if x == y => true,
            (Type::Bool, Type::Bool) | (Type::Date, Type::Date) => true,
            _ => {
                let message = format!("\"{left}\" is {a}, but \"{right}\" is {b}");
                self.error(right.at, "E122", message, format!("compare \"{left}\" with {a}"));
                false
            }
        }
    }

    fn membership(&mut self, inner: &Ast, options: &[Ast]) -> Typed {
        let (expr, ty) = self.expr(inner)?;
        let mut values = Vec::new();
        for option in options {
            let typed = match (&option.kind, &ty) {
                (Kind::Name(name), Type::Choice(known)) => self.option(name, option.at, known),
                _ => self.expr(option),
            };
            let Some((Expr::Literal(value), found)) = typed else {
                if typed.is_some() {
                    self.error(
                        option.at,
                        "E122",
                        "only options and numbers can stand in the list",
                        "use \"or\" instead",
                    );
                }
                continue;
            };
            if self.fit(inner, &ty, option, &found) {
                values.push(value);
            }
        }
        (values.len() == options.len()).then(|| (Expr::In(Box::new(expr), values), Type::Bool))
    }

    fn share(&mut self, percent: Decimal, of: &Ast) -> Typed {
        let (inner, ty) = self.expr(of)?;
        if !matches!(ty, Type::Number(_)) {
            let message = format!("a percentage is of a number, but \"{of}\" is {ty}");
            self.error(of.at, "E122", message, "use points(…) for choices, days_since(…) for dates");
            return None;
        }
        Some((Expr::Share(percent, Box::new(inner)), ty))
    }

    fn arithmetic(&mut self, left: &Ast, right: &Ast, make: fn(Box<Expr>, Box<Expr>) -> Expr) -> Typed {
        let typed_left = self.expr(left);
        let typed_right = self.expr(right);
        let ((a, a_type), (b, b_type)) = (typed_left?, typed_right?);
        if !self.fit(left, &a_type, right, &b_type) {
            return None;
        }
        if !matches!(a_type, Type::Number(_)) {
            let message = format!("only numbers can be added or subtracted, but \"{left}\" is {a_type}");
            self.error(left.at, "E122", message, "use days_since(…) for dates, points(…) for choices");
            return None;
        }
        Some((make(Box::new(a), Box::new(b)), a_type))
    }
}

fn constant(always: bool, never: bool) -> Option<bool> {
    match (always, never) {
        (true, _) => Some(true),
        (false, true) => Some(false),
        (false, false) => None,
    }
}

fn fact_type(kind: &FactKind) -> Type {
    match kind {
        FactKind::Boolean => Type::Bool,
        FactKind::Choice(options) => Type::Choice(options.iter().map(|(id, _)| id.clone()).collect()),
        FactKind::Whole { .. } => Type::Number(None),
        FactKind::Quantity { unit, .. } => Type::Number(Some(unit.clone())),
        FactKind::Date => Type::Date,
    }
}

/// `None` for free text, which conditions cannot see.
fn item_type(kind: &ItemKind) -> Option<Type> {
    match kind {
        ItemKind::Choice(options) => {
            Some(Type::Choice(options.iter().map(|option| option.id.clone()).collect()))
        }
        ItemKind::YesNo => Some(Type::Bool),
        ItemKind::Whole { .. } => Some(Type::Number(None)),
        ItemKind::Quantity { unit, .. } => Some(Type::Number(Some(unit.clone()))),
        ItemKind::Text { .. } => None,
    }
}
