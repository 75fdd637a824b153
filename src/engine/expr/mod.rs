//! The condition language: its text, its types, its meaning.
//!
//! [`ast`] reads text, [`types`] gives it types and turns it into [`crate::model::Expr`], [`eval`](mod@eval) says
//! what it is worth.

pub mod ast;
pub mod eval;
mod functions;
mod lex;
pub mod types;

#[cfg(test)]
mod tests;

pub use ast::Ast;
pub use eval::{AnswerAtHand, Env, eval, holds};
pub use types::{Scope, StepSort, Type, compile};

/// What is wrong with a condition, and where in its text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExprError {
    /// Characters from the beginning of the text.
    pub at: usize,
    /// Stable.
    pub code: &'static str,
    /// One sentence.
    pub message: String,
    /// What to write instead.
    pub help: String,
}

impl ExprError {
    fn new(at: usize, code: &'static str, message: impl Into<String>, help: impl Into<String>) -> Self {
        Self { at, code, message: message.into(), help: help.into() }
    }
}
