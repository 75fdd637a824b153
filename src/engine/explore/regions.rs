//! Answers taken by regions, against every answer tried: on small workflows with rules made by chance.

#![cfg(test)]

use std::collections::BTreeSet;

use super::{
    Bounds,
    answers::AtHand,
    explore,
    look::Seen,
    tests::{SMALL, found, site, week},
    walk::Root,
    world::{Ground, World},
};
use crate::{
    Decimal, Value,
    model::{
        Action, Alternative, Compare, Expr, Item, ItemKind, LevelId, Option_, Questionnaire, ScoreDef,
        Trigger, Workflow,
    },
    sample::{name, text},
};

struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

fn item(id: &str, kind: ItemKind, declinable: bool) -> Item {
    let (id, ask) = (name(id), text(id));
    Item { id, ask, hint: None, loinc: None, kind, optional: !declinable, declinable, only_if: None }
}

/// Four questions, the third of which is a branch, and a total.
fn questions(old: &Questionnaire) -> Questionnaire {
    let option =
        |id: &str, points| Option_ { id: name(id), label: text(id), points: Some(points), loinc: None };
    let mut limp = item("limp", ItemKind::YesNo, true);
    limp.only_if = Some(compare(Compare::More, Expr::Points(name("feel")), 0));
    let items = vec![
        item("feel", ItemKind::Choice(vec![option("good", 0), option("low", 1), option("bad", 2)]), false),
        item("pain", ItemKind::Whole { min: 0, max: 5 }, false),
        limp,
        item("swelling", ItemKind::Whole { min: 0, max: 2 }, true),
    ];
    let scores = vec![ScoreDef {
        id: name("total"),
        label: text("total"),
        loinc: None,
        items: vec![name("pain"), name("swelling")],
        impute_up_to: 0,
        never_impute: Vec::new(),
        bands: Vec::new(),
    }];
    Questionnaire { items, scores, ..old.clone() }
}

fn compare(how: Compare, left: Expr, number: u64) -> Expr {
    let number = Decimal::whole(i64::try_from(number).unwrap_or(0));
    Expr::Compare(how, Box::new(left), Box::new(Expr::Literal(Value::Number(number))))
}

fn condition(dice: &mut Dice, depth: u64) -> Expr {
    if depth > 0 && dice.roll(2) == 0 {
        let parts = (0..2).map(|_| condition(dice, depth - 1)).collect();
        return match dice.roll(3) {
            0 => Expr::Or(parts),
            1 => Expr::And(parts),
            _ => Expr::Not(Box::new(condition(dice, depth - 1))),
        };
    }
    let how = [Compare::AtLeast, Compare::Less, Compare::Equal, Compare::More][dice.roll(4) as usize];
    match dice.roll(6) {
        0 => compare(how, Expr::Points(name("feel")), dice.roll(3)),
        1 => compare(how, Expr::Item(name("pain")), dice.roll(7)),
        2 => compare(how, Expr::Score(name("total")), dice.roll(8)),
        3 => Expr::Item(name("limp")),
        4 => Expr::Declined(name("swelling")),
        _ => Expr::Known(Box::new(Expr::Item(name("pain")))),
    }
}

fn by_chance(dice: &mut Dice) -> Workflow {
    let mut workflow = week();
    let check = name("check");
    let asked = questions(&workflow.questionnaires[&check]);
    workflow.questionnaires.insert(check.clone(), asked);
    let model = workflow.rules.iter().find(|rule| rule.id == *"heavy").cloned().expect("a rule");
    workflow.rules.retain(|rule| !matches!(&rule.on, Trigger::Answer(of) if *of == check));
    for n in 0..4 {
        let mut rule = model.clone();
        rule.id = name(&format!("by-chance-{n}"));
        let alternative = |dice: &mut Dice| Alternative { when: condition(dice, 2), because: text("chance") };
        rule.alternatives = (0..=dice.roll(2)).map(|_| alternative(dice)).collect();
        rule.then = vec![if n == 0 { Action::Start(name("mood")) } else { Action::Alert(LevelId::Amber) }];
        workflow.rules.push(rule);
    }
    workflow
}

#[test]
fn what_some_form_makes_true_a_form_of_some_region_makes_true() {
    let mut dice = Dice(20_260_302);
    let site = site();
    for round in 0..40 {
        let workflow = by_chance(&mut dice);
        let ground = Ground::new(&workflow, &site).expect("a zone");
        let seen = Seen::new(&workflow, true);
        let root = Root { facts: Vec::new(), anchors: vec![name("start")] };
        let (world, _) = World::enrolled(&ground, World::enrolment(&ground, &root)).expect("enrolled");
        let at_hand = AtHand {
            ground: &ground,
            looked_at: &seen.horizon.items,
            state: &world.state,
            questionnaire: &workflow.questionnaires[&name("check")],
            today: world.today(&ground),
        };
        let calm = at_hand.calm(None);
        let regions = at_hand.regions(&calm, &seen, false, 1).into_iter().map(|(form, _)| form);
        let by_regions: BTreeSet<_> = regions.chain([calm]).flat_map(|form| at_hand.fired(&form)).collect();
        let forms = at_hand.every_form();
        assert!(forms.len() > 100, "{}", forms.len());
        let by_all: BTreeSet<_> = forms.iter().flat_map(|form| at_hand.fired(form)).collect();
        assert_eq!(by_regions, by_all, "round {round}: {:?}", workflow.rules);
    }
}

#[test]
fn a_walk_by_regions_finds_what_a_walk_with_every_form_finds() {
    let mut dice = Dice(4);
    for round in 0..3 {
        let workflow = by_chance(&mut dice);
        let bounds = Bounds { days_max: 4, states_max: usize::MAX, ..SMALL };
        let by_regions = explore(&workflow, &site(), bounds).expect("walked");
        let by_all = explore(&workflow, &site(), Bounds { regions: false, ..bounds }).expect("walked");
        assert!(by_all.advances > 2 * by_regions.advances, "{} of {}", by_regions.advances, by_all.advances);
        assert_eq!(found(&by_regions), found(&by_all), "round {round}");
        assert_eq!(by_regions.unseen, by_all.unseen, "round {round}");
    }
}
