//! The condition language: its text, its types, its meaning.

pub mod eval;

pub use eval::{AnswerAtHand, Env, eval, holds};
