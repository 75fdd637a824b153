//! What trees must do whatever the data: find a step and a crossing, keep within sound files, repeat.

use super::*;
use crate::columns::Frame;
use crate::hazard::{Intervals, Observed, Target};
use crate::inner::{self, Absence};
use crate::rng::Rng;
use crate::schema::{Feature, Kind, Level, Source, Words};

const ROWS: usize = 2_000;

fn feature(name: &str, kind: Kind) -> Feature {
    Feature {
        name: name.to_owned(),
        label: Words::same(name),
        unit: None,
        required: false,
        source: Source::Column,
        kind,
    }
}

fn features() -> Vec<Feature> {
    let levels = ["a", "b", "c"].map(|name| Level { name: name.to_owned(), label: Words::same(name) });
    vec![
        feature("x", Kind::Number { min: 0.0, max: 1.0, whole: false }),
        feature("kind", Kind::Category { levels: levels.to_vec() }),
    ]
}

/// The event is likely where x is above a half, but for kind b where it is below; x is missing in a tenth.
fn rows(seed: u64) -> (Frame, Vec<Observed>) {
    let mut rng = Rng::new(seed, "tree tests");
    let mut frame = Frame { width: 2, ..Frame::default() };
    let mut observed = Vec::new();
    for _ in 0..ROWS {
        let (x, kind) = (rng.uniform(), rng.below(3));
        let high = (x > 0.5) != (kind == 1);
        let event = rng.uniform() < if high { 0.6 } else { 0.1 };
        frame.values.extend([if rng.uniform() < 0.1 { f64::NAN } else { x }, kind as f64]);
        frame.abstain.push(None);
        observed.push(Observed { time: 0.0, event });
    }
    (frame, observed)
}

fn grown(seed: u64) -> (Bins, Grove, Vec<f64>) {
    let (frame, observed) = rows(1);
    let intervals = Intervals::label();
    let targets: Vec<Target> = observed.iter().map(|row| intervals.target(*row)).collect();
    let ids: Vec<usize> = (0..ROWS).collect();
    let splits = inner::splits(&inner::assign(&ids, &observed, 1));
    let bins = Bins::fit(&frame, &features());
    let ground = Ground {
        frame: &frame,
        bins: &bins,
        targets: &targets,
        ids: &ids,
        intervals: &intervals,
        splits: &splits,
        absence: &Absence { optional: Vec::new(), share: 0.0 },
        seed,
    };
    let grove = grow(&ground, &Growth::for_events(800), &mut |_| true);
    let at = |x: f64, kind: f64| {
        let mut row = Vec::new();
        bins.row(&[x, kind], &mut row);
        grove.forests.iter().map(|forest| forest.value(&row, 1)).sum::<f64>() / grove.forests.len() as f64
    };
    let corners = vec![at(0.25, 0.0), at(0.75, 0.0), at(0.25, 1.0), at(0.75, 1.0), at(f64::NAN, 0.0)];
    (bins, grove, corners)
}

#[test]
fn a_crossing_is_found_and_missing_lies_between() {
    let (_, grove, corners) = grown(1);
    assert!(grove.trees > 10, "{}", grove.trees);
    let [low, high, turned_high, turned_low, missing] = corners[..] else { panic!("five corners") };
    assert!(high - low > 1.5 && turned_high - turned_low > 1.5, "{corners:?}");
    assert!(low < missing && missing < high, "{corners:?}");
}

#[test]
fn the_same_seed_grows_the_same_trees() {
    assert_eq!(grown(1).1.forests, grown(1).1.forests);
    assert_ne!(grown(1).1.forests, grown(2).1.forests);
}

#[test]
fn the_quick_trees_end_at_the_leaves_of_the_walk() {
    let (bins, grove, _) = grown(1);
    let mut rows = Vec::new();
    for (x, kind) in [(0.1, 0.0), (0.9, 2.0), (f64::NAN, 1.0), (0.5, f64::NAN), (1e9, 2.0)] {
        bins.row(&[x, kind], &mut rows);
    }
    // Of a label, and of a time to an event in three stretches.
    for stretches in [1, 3] {
        let quick = QuickTrees::of(&grove.forests, &bins, stretches).expect("has no more leaves than fit");
        let mut walked = Vec::new();
        for row in rows.chunks_exact(bins.width()) {
            for forest in &grove.forests {
                walked.extend((1..=stretches).map(|stretch| forest.value(row, stretch as u8)));
            }
        }
        let close = quick.of_rows(&rows).iter().zip(&walked).all(|(a, b)| (a - b).abs() < 1e-12);
        assert!(close, "{:?} {walked:?}", quick.of_rows(&rows));
    }
}

#[test]
fn a_tree_with_more_leaves_than_fit_is_refused() {
    let bins = Bins { cuts: vec![vec![0.5]], category: vec![false] };
    for leaves in [LEAVES, LEAVES + 1] {
        let mut forest = Forest::default();
        let mut nodes = Vec::new();
        for at in 0..leaves as u16 - 1 {
            let node = Node { left: 2 * at + 1, right: 2 * at + 2, set: 2, ..Node::default() };
            nodes.extend([node, Node { value: f32::from(at), ..Node::default() }]);
        }
        // Each inner node's left child is a leaf, its right one the next inner node.
        nodes.push(Node::default());
        forest.push(&nodes);
        assert_eq!(QuickTrees::of(&[forest], &bins, 1).is_some(), leaves == LEAVES);
    }
}

#[test]
fn a_forest_survives_its_file_and_a_broken_one_is_refused() {
    let (bins, grove, _) = grown(1);
    let forest = &grove.forests[0];
    let (whole, leaves) = forest.numbers();
    let read = |whole: &[u32]| Forest::from_numbers(whole, &leaves, &forest.roots, bins.width());
    assert_eq!(read(&whole).as_ref(), Some(forest));
    assert_eq!(read(&whole[1..]), None);
    // A child that points back would walk for ever; one beyond the end would read what is not there.
    for child in [0, 60_000] {
        let mut broken = whole.clone();
        broken[2] = child;
        assert_eq!(read(&broken), None);
    }
    let mut broken = whole;
    broken[0] = 7;
    assert_eq!(read(&broken), None);
}

#[test]
fn many_levels_share_the_last_bin_and_bins_fit_a_set() {
    let levels: Vec<Level> =
        (0..300).map(|i| Level { name: i.to_string(), label: Words::same("") }).collect();
    let mut frame = Frame { width: 2, ..Frame::default() };
    for row in 0..3_000 {
        frame.values.extend([f64::from(row % 300), f64::from(row)]);
        frame.abstain.push(None);
    }
    let number = Kind::Number { min: 0.0, max: 3_000.0, whole: true };
    let features = [feature("many", Kind::Category { levels }), feature("n", number)];
    let bins = Bins::fit(&frame, &features);
    assert!(bins.is_sound());
    assert!(bins.count(0) == 128 && bins.count(1) > 100, "{} {}", bins.count(0), bins.count(1));
    let mut row = Vec::new();
    bins.row(&[f64::NAN, -5.0], &mut row);
    bins.row(&[299.0, 1e9], &mut row);
    assert_eq!((row[0], row[1], row[2]), (0, 1, 127));
    assert_eq!(usize::from(row[3]), bins.count(1) - 1);
}
