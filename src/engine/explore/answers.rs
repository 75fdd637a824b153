//! Answers by the regions that rules can tell apart.

mod values;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use jiff::civil::Date;

use crate::{
    Decimal, Name, Value,
    decide::flags,
    expr::{AnswerAtHand, Env, holds},
    fact::Answer,
    instrument::visible_items,
    model::{Expr, Item, Questionnaire, Trigger},
    state::{EnrollmentState, PatientState},
    turn::env,
};

use super::{
    look::{Seen, every_part},
    world::{ENROLLMENT, Ground},
};

pub(super) type Answers = Arc<BTreeMap<Name, Answer>>;

/// Combinations tried to make an alternative true.
const TRIES_MAX: usize = 2_000;
/// Pairs of answers that each make a rule true.
const PAIRS_MAX: usize = 16;

/// A form in the patient's hand.
pub(super) struct AtHand<'a, 'g> {
    pub ground: &'g Ground<'a>,
    /// Items that some condition looks at.
    pub looked_at: &'g BTreeSet<Name>,
    pub state: &'g PatientState,
    pub questionnaire: &'g Questionnaire,
    pub today: Date,
}

/// The alternatives that a form makes true, by rule and place.
pub(super) type Fired = Vec<(usize, usize)>;

impl AtHand<'_, '_> {
    fn enrollment(&self) -> Option<&EnrollmentState> {
        self.state.enrollments.get(&ENROLLMENT)
    }

    fn rules(&self) -> impl Iterator<Item = (usize, &crate::model::Rule)> {
        let of_this = |rule: &crate::model::Rule| match &rule.on {
            Trigger::Answer(name) => *name == self.questionnaire.id,
            _ => false,
        };
        self.ground.workflow.rules.iter().enumerate().filter(move |(_, rule)| of_this(rule))
    }

    fn env<'e>(&'e self, enrollment: &'e EnrollmentState, answers: &'e BTreeMap<Name, Answer>) -> Env<'e> {
        let answer = Some(AnswerAtHand { questionnaire: self.questionnaire, answers });
        Env { answer, ..env(&self.ground.zone, enrollment, self.ground.workflow, self.today) }
    }

    pub fn fired(&self, answers: &BTreeMap<Name, Answer>) -> Fired {
        let Some(enrollment) = self.enrollment() else { return Fired::new() };
        let env = self.env(enrollment, answers);
        let mut fired = Fired::new();
        for (index, rule) in self.rules() {
            for (which, alternative) in rule.alternatives.iter().enumerate() {
                if holds(&alternative.when, &env) {
                    fired.push((index, which));
                }
            }
        }
        fired
    }

    /// The form of somebody who is well: the last one again, if no rule would fire for it.
    pub fn calm(&self, last: Option<&Answers>) -> Answers {
        if let Some(last) = last.filter(|last| self.fired(last).is_empty()) {
            return Arc::clone(last);
        }
        let mut answers = self.filled(&BTreeMap::new(), |_| true);
        for _ in 0..2 {
            let mut fewest = self.fired(&answers).len();
            if fewest == 0 {
                break;
            }
            for item in &self.questionnaire.items {
                for value in self.values(item, &answers) {
                    let tried = self.with(&answers, item, value);
                    let fired = self.fired(&tried).len();
                    if fired < fewest {
                        (answers, fewest) = (tried, fired);
                    }
                }
            }
        }
        Arc::new(answers)
    }

    /// The same form again; what was far from the number before is not far from itself.
    pub fn again(&self, form: &Answers) -> Answers {
        let mut form = (**form).clone();
        for item in &self.questionnaire.items {
            if let Some(Answer::Given { value: Value::Number(number), doubtful }) = form.get_mut(&item.id) {
                *doubtful = self.is_doubtful(item, *number);
            }
        }
        Arc::new(form)
    }

    /// Whether a rule is true for a form.
    pub fn fires(&self, form: &Answers) -> bool {
        !self.fired(form).is_empty()
    }

    /// One form for each region that rules can tell from the calm one, and how many deviations it counts for.
    pub fn regions(&self, calm: &Answers, seen: &Seen, coarse: bool, left: u8) -> Vec<(Answers, u8)> {
        let mut found = Found { keys: BTreeSet::new(), forms: Vec::new(), seen, coarse };
        found.keys.insert(found.key(self.fired(calm), calm));
        let mut firing: Vec<(Name, Option<Answer>)> = Vec::new();
        for item in &self.questionnaire.items {
            let base = self.made_visible(calm, item);
            for value in self.values(item, &base) {
                let form = self.with(&base, item, value.clone());
                let fired = self.fired(&form);
                let fires = !fired.is_empty();
                if found.offer(fired, form, 1) && fires {
                    firing.push((item.id.clone(), value));
                }
            }
        }
        for score in &self.questionnaire.scores {
            let mut form = (**calm).clone();
            for item in self.questionnaire.items.iter().filter(|item| score.items.contains(&item.id)) {
                for value in self.values(item, calm) {
                    let tried = self.with(&form, item, value);
                    found.offer(self.fired(&tried), tried, 1);
                }
                // Up the whole scale, one item after the other.
                form = self.with(&form, item, self.worst(item));
            }
        }
        self.aimed_at(calm, &mut found);
        if left >= 2 {
            self.pairs(calm, &firing, &mut found);
        }
        found.forms.into_iter().map(|(form, cost)| (Arc::new(form), cost)).collect()
    }

    /// Every form that can be filled in with the values that are tried.
    pub fn every_form(&self) -> Vec<Answers> {
        let mut forms = vec![BTreeMap::new()];
        for item in &self.questionnaire.items {
            let more = |form: BTreeMap<Name, Answer>| {
                let env = Env::of_answers(self.questionnaire, &form);
                if item.only_if.as_ref().is_some_and(|when| !holds(when, &env)) {
                    return vec![form];
                }
                let with = |value: Option<Answer>| {
                    let mut form = form.clone();
                    form.extend(value.map(|value| (item.id.clone(), value)));
                    form
                };
                self.values(item, &form).into_iter().map(with).collect()
            };
            forms = forms.into_iter().flat_map(more).collect();
        }
        forms.into_iter().map(Arc::new).collect()
    }

    /// The red flags that a draft of a form with one bad answer raises.
    pub fn flags(&self, calm: &Answers) -> Vec<(Name, Answers)> {
        let Some(enrollment) = self.enrollment() else { return Vec::new() };
        let mut found: Vec<(Name, Answers)> = Vec::new();
        if !self.rules().any(|(_, rule)| rule.at_once) {
            return found;
        }
        for item in &self.questionnaire.items {
            for value in self.values(item, calm) {
                let form = self.with(calm, item, value);
                let workflow = self.ground.workflow;
                for rule in flags(workflow, enrollment, &self.questionnaire.id, &form, self.today) {
                    if !found.iter().any(|(known, _)| *known == rule) {
                        found.push((rule, Arc::new(form.clone())));
                    }
                }
            }
        }
        found
    }

    /// Forms that make an alternative true which nothing simpler did.
    fn aimed_at(&self, calm: &Answers, found: &mut Found<'_>) {
        for (index, rule) in self.rules() {
            for (which, alternative) in rule.alternatives.iter().enumerate() {
                if found.keys.iter().any(|(fired, _)| fired.contains(&(index, which))) {
                    continue;
                }
                let mentioned = self.mentioned(&alternative.when);
                let items: Vec<&Item> =
                    self.questionnaire.items.iter().filter(|item| mentioned.contains(&item.id)).collect();
                let mut tries = 0;
                if let Some(form) = self.search((**calm).clone(), &items, &alternative.when, &mut tries) {
                    found.offer(self.fired(&form), form, 1);
                }
            }
        }
    }

    fn search(
        &self,
        form: BTreeMap<Name, Answer>,
        items: &[&Item],
        when: &Expr,
        tries: &mut usize,
    ) -> Option<BTreeMap<Name, Answer>> {
        let Some((item, rest)) = items.split_first() else {
            *tries += 1;
            let enrollment = self.enrollment()?;
            return holds(when, &self.env(enrollment, &form)).then_some(form);
        };
        let base = self.made_visible(&form, item);
        for value in self.values(item, &base) {
            if *tries > TRIES_MAX {
                return None;
            }
            let tried = self.with(&base, item, value);
            if let Some(found) = self.search(tried, rest, when, tries) {
                return Some(found);
            }
        }
        None
    }

    /// Two bad answers at once, and all of them.
    fn pairs(&self, calm: &Answers, firing: &[(Name, Option<Answer>)], found: &mut Found<'_>) {
        let item = |name: &Name| self.questionnaire.items.iter().find(|item| item.id == *name);
        let mut tried = 0;
        let mut worst = (**calm).clone();
        for (index, (first, one)) in firing.iter().enumerate() {
            let Some(first_item) = item(first) else { continue };
            worst = self.with(&self.made_visible(&worst, first_item), first_item, one.clone());
            let base = self.with(&self.made_visible(calm, first_item), first_item, one.clone());
            for (second, other) in firing.iter().skip(index + 1).filter(|(second, _)| second != first) {
                let Some(second_item) = item(second).filter(|_| tried < PAIRS_MAX) else { continue };
                tried += 1;
                let both = self.with(&self.made_visible(&base, second_item), second_item, other.clone());
                found.offer(self.fired(&both), both, 2);
            }
        }
        found.offer(self.fired(&worst), worst, 2);
    }

    fn mentioned(&self, when: &Expr) -> BTreeSet<Name> {
        let mut names = BTreeSet::new();
        let mut defined = Vec::new();
        every_part(when, &mut |expr| match expr {
            Expr::Item(name) | Expr::Points(name) | Expr::Doubtful(name) | Expr::Declined(name) => {
                names.insert(name.clone());
            }
            Expr::Score(name) | Expr::Band(name) => {
                let scores = self.questionnaire.scores.iter().filter(|score| score.id == *name);
                names.extend(scores.flat_map(|score| score.items.iter().cloned()));
            }
            Expr::Defined(name) => defined.push(name),
            _ => {}
        });
        for name in defined {
            let definition = self.ground.workflow.define.iter().find(|(id, _)| id == name);
            names.extend(definition.into_iter().flat_map(|(_, expr)| self.mentioned(expr)));
        }
        names
    }

    /// With one answer changed, and what that shows filled in.
    fn with(
        &self,
        form: &BTreeMap<Name, Answer>,
        item: &Item,
        value: Option<Answer>,
    ) -> BTreeMap<Name, Answer> {
        let mut changed = form.clone();
        match value {
            Some(value) => changed.insert(item.id.clone(), value),
            None => changed.remove(&item.id),
        };
        if self.questionnaire.items.iter().all(|item| item.only_if.is_none()) {
            return changed;
        }
        let before = visible_items(self.questionnaire, form);
        self.filled(&changed, |item| !before.iter().any(|shown| shown.id == item.id))
    }

    /// With an earlier answer changed so that the item is shown, if one can.
    fn made_visible(&self, form: &BTreeMap<Name, Answer>, wanted: &Item) -> BTreeMap<Name, Answer> {
        let shows = |form: &BTreeMap<Name, Answer>| {
            visible_items(self.questionnaire, form).iter().any(|item| item.id == wanted.id)
        };
        if wanted.only_if.is_none() || shows(form) {
            return form.clone();
        }
        let before = self.questionnaire.items.iter().take_while(|item| item.id != wanted.id);
        for item in before {
            for value in self.values(item, form) {
                let tried = self.with(form, item, value);
                if shows(&tried) {
                    return tried;
                }
            }
        }
        form.clone()
    }

    /// What is shown of a form; an item without an answer has its calmest one where that is asked for.
    fn filled(&self, form: &BTreeMap<Name, Answer>, fill: impl Fn(&Item) -> bool) -> BTreeMap<Name, Answer> {
        let mut shown = BTreeMap::new();
        for item in &self.questionnaire.items {
            let env = || Env::of_answers(self.questionnaire, &shown);
            if item.only_if.as_ref().is_some_and(|when| !holds(when, &env())) {
                continue;
            }
            let given = form.get(&item.id).cloned();
            let answer = if fill(item) { given.or_else(|| self.calmest(item, form)) } else { given };
            if let Some(answer) = answer {
                shown.insert(item.id.clone(), answer);
            }
        }
        shown
    }
}

/// Forms found so far, one for each region.
struct Found<'s> {
    keys: BTreeSet<(Fired, Vec<(Name, Decimal)>)>,
    forms: Vec<(BTreeMap<Name, Answer>, u8)>,
    seen: &'s Seen,
    /// Only what fires now counts, not what later rules look back on.
    coarse: bool,
}

impl Found<'_> {
    fn key(&self, fired: Fired, form: &BTreeMap<Name, Answer>) -> (Fired, Vec<(Name, Decimal)>) {
        let mut numbers = Vec::new();
        if !self.coarse {
            for name in self.seen.horizon.series.keys() {
                if let Some(Answer::Given { value: Value::Number(number), doubtful: false }) = form.get(name)
                {
                    numbers.push((name.clone(), *number));
                }
            }
        }
        (fired, numbers)
    }

    fn offer(&mut self, fired: Fired, form: BTreeMap<Name, Answer>, cost: u8) -> bool {
        let key = self.key(fired, &form);
        let new = self.keys.insert(key);
        if new {
            self.forms.push((form, cost));
        }
        new
    }
}
