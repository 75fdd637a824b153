//! What is known while a workflow or questionnaire is read.

use std::collections::BTreeMap;

use super::{fields::scalar, tree::Node};
use crate::{
    Name,
    diagnostic::Log,
    expr::{self, Ast, ExprError, Scope, StepSort, types::Definition},
    model::{Expr, FactDef, LevelId, Questionnaire, Source, Text},
    text::{Piece, pieces},
};

/// Names and texts that later parts of the file refer to.
pub struct Context<'a> {
    /// The file's text, for places within conditions.
    pub source: &'a str,
    /// Every text has exactly these.
    pub languages: &'a [String],
    /// Facts.
    pub facts: Vec<FactDef>,
    /// Anchors.
    pub anchors: Vec<Name>,
    /// Steps and what they are.
    pub steps: BTreeMap<Name, StepSort>,
    /// Steps that rules start.
    pub started: Vec<Name>,
    /// Named conditions so far.
    pub define: Vec<Definition>,
    /// Instruments.
    pub questionnaires: &'a BTreeMap<Name, Questionnaire>,
    /// The questionnaire that the file itself is, if it is one.
    pub own: Option<&'a Questionnaire>,
    /// Sources.
    pub sources: Vec<Source>,
    /// Levels that somebody owns.
    pub owned: &'a [LevelId],
    /// What was found.
    pub log: &'a mut Log,
}

impl Context<'_> {
    fn with_scope<T>(&self, answer: Option<&Name>, look: impl FnOnce(&Scope<'_>) -> T) -> T {
        let at_hand = answer.and_then(|id| match self.own {
            Some(own) if own.id == *id => Some(own),
            Some(_) | None => self.questionnaires.get(id),
        });
        look(&Scope {
            facts: &self.facts,
            anchors: &self.anchors,
            steps: &self.steps,
            define: &self.define,
            questionnaires: self.questionnaires,
            answer: at_hand,
        })
    }

    /// A condition; `answer` is the questionnaire whose answer is at hand.
    pub fn condition(&mut self, node: &Node, answer: Option<&Name>) -> Option<Expr> {
        let source = scalar(node, "a condition", self.log)?.to_owned();
        let read = self.with_scope(answer, |scope| expr::types::condition(&source, scope));
        read.map_err(|errors| self.report(node, errors)).ok()
    }

    /// An expression of any type, with its type and size.
    pub fn expression(&mut self, node: &Node) -> Option<(Expr, expr::Type, usize)> {
        let source = scalar(node, "a condition", self.log)?.to_owned();
        let read = self.with_scope(None, |scope| expr::compile(&source, scope));
        read.map_err(|errors| self.report(node, errors)).ok()
    }

    fn report(&mut self, node: &Node, errors: Vec<ExprError>) {
        for error in errors {
            let at = node.place_of(error.at, self.source);
            self.log.error(error.code, at, error.message, error.help);
        }
    }

    /// Words for staff, in every language; what stands in braces must be a value that is at hand.
    pub fn reason(&mut self, node: &Node, answer: Option<&Name>) -> Option<Text> {
        let text = super::fields::text(node, self.languages, None, self.log)?;
        for words in text.0.values() {
            for piece in pieces(words) {
                let Piece::Placeholder(name) = piece else { continue };
                let known = expr::ast::parse(name)
                    .map_err(|error| vec![error])
                    .and_then(|_: Ast| self.with_scope(answer, |scope| expr::compile(name, scope)));
                if let Err(errors) = known {
                    let help = errors.into_iter().next().map_or_else(String::new, |error| error.help);
                    let message = format!("\"{{{name}}}\" is not a value that is at hand here");
                    self.log.error("E304", node.at, message, help);
                }
            }
        }
        Some(text)
    }
}
