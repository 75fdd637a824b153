//! Functions of the condition language.

use super::{
    ast::{Ast, Kind},
    eval::{OUTCOME_CODES, outcome_name},
    types::{StepSort, Type, Typed, Typer},
};
use crate::{
    Decimal, Name,
    diagnostic::suggest,
    model::{Expr, ItemKind, LookBack, condition::LOOK_BACK_DAYS_MAX},
};

const FUNCTIONS: [&str; 17] = [
    "days_since",
    "lowest",
    "highest",
    "previous",
    "times",
    "missed_in_a_row",
    "missed",
    "answers",
    "done",
    "done_within",
    "asked_within",
    "outcome",
    "known",
    "doubtful",
    "declined",
    "points",
    "band",
];

impl Typer<'_> {
    pub(super) fn call(&mut self, function: &str, arguments: &[Ast], at: usize) -> Typed {
        let plain = |expr: Expr| Some((expr, Type::Number(None)));
        match (function, arguments) {
            ("days_since", [anchor]) => plain(Expr::DaysSince(self.anchor(anchor)?)),
            ("lowest", [of, days]) => self.look_back(LookBack::Lowest, of, days),
            ("highest", [of, days]) => self.look_back(LookBack::Highest, of, days),
            ("previous", [of, days]) => self.look_back(LookBack::Previous, of, days),
            ("missed_in_a_row", [step]) => plain(Expr::SilentInARow(self.step(step, StepSort::Ask)?)),
            ("missed", [step, days]) => {
                let (step, days) = (self.step(step, StepSort::Ask), self.days(days));
                plain(Expr::SilentWithin { step: step?, days: days? })
            }
            ("answers", [step]) => plain(Expr::AnswerCount(self.step(step, StepSort::Ask)?)),
            ("done", [step]) => plain(Expr::AnswerCount(self.step(step, StepSort::Task)?)),
            ("done_within", [step, days]) => self.near(step, StepSort::Task, days),
            ("asked_within", [step, days]) => self.near(step, StepSort::Ask, days),
            ("times", [what, days]) => self.times(what, days),
            ("outcome", [step]) => {
                let codes = OUTCOME_CODES.map(outcome_name).to_vec();
                Some((Expr::Outcome(self.step(step, StepSort::Task)?), Type::Choice(codes)))
            }
            ("known", [inner]) => {
                let (inner, _) = self.expr(inner)?;
                Some((Expr::Known(Box::new(inner)), Type::Bool))
            }
            ("doubtful", [item]) => Some((Expr::Doubtful(self.item(item, "doubtful")?), Type::Bool)),
            ("declined", [item]) => Some((Expr::Declined(self.item(item, "declined")?), Type::Bool)),
            ("points", [item]) => plain(Expr::Points(self.item(item, "points")?)),
            ("band", [total]) => self.band(total),
            _ => {
                let known = FUNCTIONS.contains(&function);
                let message = if known {
                    format!("this is not how {function} is written")
                } else {
                    format!("there is no function \"{function}\"")
                };
                let help = if known {
                    usage(function).to_owned()
                } else {
                    suggest(function, FUNCTIONS.iter().copied())
                };
                self.error(at, "E127", message, help);
                None
            }
        }
    }

    fn word<'k>(&mut self, ast: &'k Ast, what: &str) -> Option<&'k str> {
        if let Kind::Name(name) = &ast.kind {
            return Some(name);
        }
        self.error(
            ast.at,
            "E127",
            format!("{what} is expected here, but this is \"{ast}\""),
            format!("write the name of {what}"),
        );
        None
    }

    fn anchor(&mut self, ast: &Ast) -> Option<Name> {
        let name = self.word(ast, "an anchor")?;
        let anchors = self.scope.anchors;
        let found = anchors.iter().find(|anchor| **anchor == *name).cloned();
        if found.is_none() {
            self.error(
                ast.at,
                "E121",
                format!("there is no anchor \"{name}\""),
                suggest(name, anchors.iter().map(Name::as_str)),
            );
        }
        found
    }

    fn step(&mut self, ast: &Ast, sort: StepSort) -> Option<Name> {
        let what = if sort == StepSort::Ask { "a step that asks" } else { "a step that is a task" };
        let name = self.word(ast, what)?;
        let steps = self.scope.steps;
        match steps.get_key_value(name) {
            Some((found, known)) if *known == sort => Some(found.clone()),
            found => {
                let fitting = steps.iter().filter(|(_, known)| **known == sort).map(|(id, _)| id.as_str());
                let message = match found {
                    Some(_) => format!("\"{name}\" is not {what}"),
                    None => format!("there is no step \"{name}\""),
                };
                self.error(ast.at, "E121", message, suggest(name, fitting));
                None
            }
        }
    }

    fn item(&mut self, ast: &Ast, function: &str) -> Option<Name> {
        let name = self.word(ast, "an item")?;
        let Some(questionnaire) = self.scope.answer else {
            let message = format!("{function}({name}) looks at an answer, and no answer is at hand here");
            self.error(ast.at, "E126", message, "use it in a rule with \"on: answer to …\"");
            return None;
        };
        let Some(item) = questionnaire.items.iter().find(|item| item.id == *name) else {
            let items = questionnaire.items.iter().map(|item| item.id.as_str());
            let help = suggest(name, items);
            self.error(ast.at, "E121", format!("{} has no item \"{name}\"", questionnaire.id), help);
            return None;
        };
        let pointless = match &item.kind {
            ItemKind::Choice(options) => options.iter().all(|option| option.points.is_none()),
            ItemKind::YesNo | ItemKind::Whole { .. } | ItemKind::Quantity { .. } => false,
            ItemKind::Text { .. } => true,
        };
        if function == "points" && pointless {
            self.error(
                ast.at,
                "E127",
                format!("the options of \"{name}\" have no points"),
                "give each option \"points: …\"",
            );
            return None;
        }
        Some(item.id.clone())
    }

    fn band(&mut self, ast: &Ast) -> Typed {
        let name = self.word(ast, "a total")?;
        let Some(questionnaire) = self.scope.answer else {
            let message = format!("band({name}) looks at an answer, and no answer is at hand here");
            self.error(ast.at, "E126", message, "use it in a rule with \"on: answer to …\"");
            return None;
        };
        match questionnaire.scores.iter().find(|score| score.id == *name) {
            Some(score) => {
                let bands = score.bands.iter().map(|band| band.id.clone()).collect();
                Some((Expr::Band(score.id.clone()), Type::Choice(bands)))
            }
            None => {
                let totals = questionnaire.scores.iter().map(|score| score.id.as_str());
                let help = suggest(name, totals);
                self.error(ast.at, "E121", format!("{} has no total \"{name}\"", questionnaire.id), help);
                None
            }
        }
    }

    fn near(&mut self, step: &Ast, sort: StepSort, days: &Ast) -> Typed {
        let (step, days) = (self.step(step, sort), self.days(days));
        Some((Expr::DoneWithin { step: step?, days: days? }, Type::Bool))
    }

    /// `times(ITEM > 3, 7 days)`
    fn times(&mut self, what: &Ast, days: &Ast) -> Typed {
        let days = self.days(days);
        let Kind::Compare(how, of, with) = &what.kind else {
            let message = format!("\"{what}\" does not compare an item with a number");
            self.error(what.at, "E127", message, usage("times"));
            return None;
        };
        let (name, unit) = self.series(of)?;
        let Kind::Number(number, _) = &with.kind else {
            let message = format!("\"{with}\" is not a number to count by");
            self.error(with.at, "E127", message, usage("times"));
            return None;
        };
        let (_, written) = self.expr(with)?;
        if !self.fit(of, &Type::Number(unit), with, &written) {
            return None;
        }
        let times = Expr::Times { of: name, how: *how, with: *number, days: days? };
        Some((times, Type::Number(None)))
    }

    fn look_back(&mut self, what: LookBack, of: &Ast, days: &Ast) -> Typed {
        let days = self.days(days);
        let (of, unit) = self.series(of)?;
        Some((Expr::Earlier { what, of, days: days? }, Type::Number(unit)))
    }

    /// An item or total whose earlier numbers are kept, and its unit.
    fn series(&mut self, of: &Ast) -> Option<(Name, Option<String>)> {
        let name = self.word(of, "an item or total")?;
        let questionnaires = self.scope.questionnaires;
        let ordered = self.scope.answer.into_iter().chain(questionnaires.values());
        let mut known = Vec::new();
        for questionnaire in ordered {
            for item in &questionnaire.items {
                known.push(item.id.as_str());
                if item.id == *name {
                    let unit = match &item.kind {
                        ItemKind::Quantity { unit, .. } => Some(unit.clone()),
                        ItemKind::Choice(_) | ItemKind::YesNo | ItemKind::Whole { .. } => None,
                        ItemKind::Text { .. } => continue,
                    };
                    return Some((item.id.clone(), unit));
                }
            }
            for score in &questionnaire.scores {
                known.push(score.id.as_str());
                if score.id == *name {
                    return Some((score.id.clone(), None));
                }
            }
        }
        let help = suggest(name, known.iter().copied());
        self.error(of.at, "E121", format!("there is no item or total \"{name}\" to look back at"), help);
        None
    }

    fn days(&mut self, ast: &Ast) -> Option<u32> {
        let help = "write it as 3 days";
        let Kind::Number(number, Some(unit)) = &ast.kind else {
            self.error(ast.at, "E127", "a number of days is expected here", help);
            return None;
        };
        let factor = match unit.as_str() {
            "day" | "days" => 1,
            "week" | "weeks" => 7,
            other => {
                self.error(
                    ast.at,
                    "E127",
                    format!("look-backs are counted in days or weeks, not \"{other}\""),
                    help,
                );
                return None;
            }
        };
        let days = number.rounded().saturating_mul(factor);
        let max = i64::from(LOOK_BACK_DAYS_MAX);
        if *number != Decimal::whole(number.rounded()) || !(1..=max).contains(&days) {
            let message = format!("a look-back is 1 to {LOOK_BACK_DAYS_MAX} whole days");
            self.error(ast.at, "E125", message, "write a shorter one");
            return None;
        }
        u32::try_from(days).ok()
    }
}

fn usage(function: &str) -> &'static str {
    match function {
        "days_since" => "write days_since(ANCHOR)",
        "lowest" => "write lowest(ITEM, 3 days)",
        "highest" => "write highest(ITEM, 3 days)",
        "previous" => "write previous(ITEM, 3 days)",
        "missed_in_a_row" => "write missed_in_a_row(STEP)",
        "missed" => "write missed(STEP, 7 days)",
        "answers" => "write answers(STEP)",
        "done" => "write done(STEP)",
        "done_within" => "write done_within(STEP, 14 days)",
        "asked_within" => "write asked_within(STEP, 14 days)",
        "times" => "write times(ITEM >= 3, 7 days)",
        "outcome" => "write outcome(STEP)",
        "known" => "write known(VALUE)",
        "band" => "write band(TOTAL)",
        _ => "write the name of one item in the brackets",
    }
}
