//! Training, from a table of texts to a model.

mod choose;

use std::collections::BTreeSet;

use crate::columns::{Frame, recognise};
use crate::deep::{self, Deep, Lesson, Plan};
use crate::encode::Encoder;
use crate::error::{DataError, FitError};
use crate::figures::Figures;
use crate::hazard::{Intervals, Observed, Target};
use crate::history;
use crate::inner::{self, Absence, Split};
use crate::leak::{Leak, derived_leaks, leaks};
use crate::linear::{Linear, Problem, Rows};
use crate::model::{Columns, FORMAT, Input, Model, ModelBytes, ModelFile, Parts, Training};
use crate::outcome::{OutcomeColumns, Roles, observed};
use crate::rng::Rng;
use crate::schema::{Feature, SchemaFile};
use crate::settle::{enough, horizons, lookback, reference};
use crate::stack::{Centred, Stack};
use crate::table::RawTable;
use crate::trees::{self, Bins, Ground, Grove, Growth};
use crate::watch::Spread;
use choose::{Earlier, Line};

/// Share of rows that lose optional inputs while learning, when the schema says which are required.
const ABSENCE_SHARE: f64 = 0.25;

/// What to train on and how.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Roles of columns.
    pub roles: Roles,
    /// Words, ranges and which inputs are required.
    pub schema: SchemaFile,
    /// Inner fold of each row; by default dealt out by id.
    pub folds: Option<Vec<usize>>,
    /// Horizons that the model reports by default; chosen from the event times when empty.
    pub horizons: Vec<f64>,
    /// Columns that are used although they look as if they knew the outcome.
    pub allow_leak: Vec<String>,
    /// SHA-256 of the data file, for the record.
    pub data_sha256: String,
    /// Seed.
    pub seed: u64,
}

/// A trained model with its held-out predictions.
#[derive(Debug, Clone)]
pub struct Fitted {
    /// The files.
    pub bytes: ModelBytes,
    /// The same, ready to score.
    pub model: Model,
    /// For each row the log-hazards predicted by the inner fold that held it out.
    pub held_out: Vec<Vec<f64>>,
    /// Outcomes of the rows.
    pub observed: Vec<Observed>,
    /// Group (patient) of each row.
    pub ids: Vec<usize>,
    /// Inner folds.
    pub splits: Vec<Split>,
    /// Values of the rows.
    pub frame: Frame,
}

/// How far a training run is; the answer says whether to go on.
pub type Tell<'a> = &'a mut dyn FnMut(&str, f64) -> bool;

struct Material {
    features: Vec<Feature>,
    left_out: Vec<String>,
    warnings: Vec<String>,
    frame: Frame,
    observed: Vec<Observed>,
    ids: Vec<usize>,
    splits: Vec<Split>,
    absence: Absence,
    encoder: Encoder,
    bins: Bins,
    x: Vec<f32>,
    intervals: Intervals,
    targets: Vec<Target>,
}

/// Trains on all rows of `table`; when `tell` says to stop, on as much as was learned by then.
pub fn fit(table: &RawTable, options: &Options, tell: Tell) -> Result<Fitted, FitError> {
    let mut stopped = false;
    // Once told to stop, every stage that is left ends after its first step: what there is becomes a whole model.
    let tell = &mut |stage: &str, share: f64| {
        stopped |= !tell(stage, share);
        !stopped
    };
    let (material, line) = Material::chosen(table, options, tell)?;
    let Line { ridge, linears, .. } = line;
    let grove = material.grove(options.seed, &mut |share| tell("trees", share));
    let lesson = material.lesson(&linears, options.seed);
    let plan = Plan::for_rows(material.targets.len());
    let deep = deep::train(&lesson, &plan, &mut |share| tell("members", share))?;
    let centred = material.centre(&linears, &deep, &grove);
    let stack = centred.stack(&material.targets);
    if ![stack.intercept, stack.linear, stack.members, stack.trees].iter().all(|s| s.is_finite()) {
        return Err(FitError::Diverged("calibration"));
    }
    let paths = Paths { linears: &linears, deep: &deep, grove: &grove };
    let parts = material.parts(&paths, &centred, &stack, ridge)?;
    let held_out = centred.held_out(&stack);
    let mut file = material.file(options, &plan, &paths, stack, ridge);
    file.training.stopped_early = stopped;
    let bytes = ModelBytes::write(file, &parts)?;
    let model = Model::from_bytes(&bytes.toml, &bytes.safetensors)?;
    Ok(Fitted {
        bytes,
        model,
        held_out,
        observed: material.observed,
        ids: material.ids,
        splits: material.splits,
        frame: material.frame,
    })
}

impl Fitted {
    /// Puts figures into `model.toml`.
    pub fn with_figures(mut self, figures: Figures) -> Result<Self, FitError> {
        let mut file = self.model.file().clone();
        file.metric = figures.overall;
        file.fold_metric = figures.by_fold;
        file.subgroup = figures.subgroups;
        file.tenth = figures.tenths;
        file.decision_curve = figures.decision_curve;
        self.bytes = self.bytes.with_file(&file)?;
        self.model = Model::from_bytes(&self.bytes.toml, &self.bytes.safetensors)?;
        Ok(self)
    }
}

impl Material {
    fn prepare(table: &RawTable, options: &Options, with: Earlier) -> Result<Self, FitError> {
        let roles = &options.roles;
        let observed = observed(table, &roles.outcome)?;
        let id = table.column(&roles.id)?;
        if let Some(row) = (0..table.rows()).find(|row| table.cell(*row, id).is_empty()) {
            let mend = "give every row its patient, so that all rows of one stay together";
            return Err(DataError::Empty { row, column: roles.id.clone(), mend }.into());
        }
        let ids = inner::group((0..table.rows()).map(|row| table.cell(row, id)));
        enough(&observed, &ids, &roles.outcome)?;
        let inputs = roles.inputs(table)?;
        let categorical: BTreeSet<String> = roles.categorical.iter().cloned().collect();
        let recognised = recognise(table, &inputs, &categorical, &options.schema)?;
        let mut features = recognised.features;
        let used: Vec<usize> = features.iter().filter_map(|f| table.find(&f.name)).collect();
        for name in options.allow_leak.iter().filter(|name| !name.contains('@')) {
            table.column(name)?;
        }
        let mut found = leaks(table, &used, &observed, &ids, &roles.outcome);
        let (back, not_known) = lookback(table, roles)?;
        let mut left_out = recognised.left_out;
        left_out.extend(not_known);
        if let Some(back) = &back {
            let derived = history::derive(table, &features, back)?;
            let meant = |feature: &Feature| with.holds(feature, back) && !roles.drop.contains(&feature.name);
            features.extend(derived.into_iter().filter(meant));
        }
        let frame = history::read(table, &features, back.as_ref())?;
        found.extend(derived_leaks(&features, &frame, &observed, &ids, &roles.outcome)?);
        let mut warnings = guard(found, &options.allow_leak)?;
        warnings.extend(recognised.warnings);
        let random_absence = options.schema.feature.iter().any(|words| words.required);
        let optional: Vec<usize> = (0..features.len()).filter(|i| !features[*i].required).collect();
        let may_be_missing: Vec<bool> = features.iter().map(|f| random_absence && !f.required).collect();
        let encoder = Encoder::fit(&frame, &features, &may_be_missing);
        let width = encoder.width();
        let mut x = vec![0f32; frame.rows() * width];
        for (row, x) in x.chunks_exact_mut(width).enumerate() {
            encoder.row(frame.row(row), x);
        }
        let bins = Bins::fit(&frame, &features);
        let intervals = match roles.outcome {
            OutcomeColumns::Label(_) => Intervals::label(),
            OutcomeColumns::Survival { .. } => Intervals::from_events(&observed),
        };
        let folds = options.folds.clone();
        let folds = folds.unwrap_or_else(|| inner::assign(&ids, &observed, options.seed));
        Ok(Self {
            targets: observed.iter().map(|row| intervals.target(*row)).collect(),
            splits: inner::splits(&folds),
            absence: Absence {
                optional: if random_absence { optional } else { Vec::new() },
                share: ABSENCE_SHARE,
            },
            left_out,
            warnings,
            features,
            frame,
            observed,
            ids,
            encoder,
            bins,
            x,
            intervals,
        })
    }

    fn grove(&self, seed: u64, tell: &mut dyn FnMut(f64) -> bool) -> Grove {
        let ground = Ground {
            frame: &self.frame,
            bins: &self.bins,
            targets: &self.targets,
            ids: &self.ids,
            intervals: &self.intervals,
            splits: &self.splits,
            absence: &self.absence,
            seed,
        };
        let events = self.observed.iter().filter(|row| row.event).count();
        trees::grow(&ground, &Growth::for_events(events), tell)
    }

    fn encoded(&self, row: usize) -> &[f32] {
        let width = self.encoder.width();
        &self.x[row * width..(row + 1) * width]
    }

    /// The linear columns of some rows, with shortened copies of a part of them.
    fn side(&self, rows: &[usize], stream: usize) -> Side {
        let columns = self.encoder.linear();
        let mut side = Side { x: Rows::default(), targets: Vec::new() };
        let mut rng = Rng::new(stream as u64, "shortened rows");
        let mut encoded = vec![0f32; self.encoder.width()];
        for &row in rows {
            side.push(&self.encoded(row)[..columns], &self.targets[row]);
            let mut values = self.frame.row(row).to_vec();
            if self.absence.shorten(&mut values, &mut rng) {
                encoded.fill(0.0);
                self.encoder.row(&values, &mut encoded);
                side.push(&encoded[..columns], &self.targets[row]);
            }
        }
        side
    }

    fn lesson<'a>(&'a self, linears: &'a [Linear], seed: u64) -> Lesson<'a> {
        Lesson {
            frame: &self.frame,
            encoder: &self.encoder,
            x: &self.x,
            targets: &self.targets,
            ids: &self.ids,
            intervals: &self.intervals,
            splits: &self.splits,
            linears,
            absence: &self.absence,
            seed,
        }
    }

    /// Splits held-out predictions into base, linear part, members' part and trees' part.
    fn centre(&self, linears: &[Linear], deep: &Deep, grove: &Grove) -> Centred {
        let (columns, outputs, rows) = (self.encoder.linear(), self.intervals.count(), self.targets.len());
        let mut mean = vec![0.0; columns];
        for row in 0..rows {
            let x = self.encoded(row);
            mean.iter_mut().zip(x).for_each(|(m, x)| *m += f64::from(*x) / rows as f64);
        }
        let mean_by_interval = |all: &[f64]| {
            let mut shift = vec![0.0; outputs];
            for row in all.chunks_exact(outputs) {
                shift.iter_mut().zip(row).for_each(|(s, z)| *s += z / rows as f64);
            }
            shift
        };
        let mut centred = Centred {
            label: self.intervals.is_label(),
            outputs,
            base: vec![0.0; rows * outputs],
            linear: vec![0.0; rows],
            members: deep.held_out.clone(),
            trees: grove.held_out.clone(),
            mean,
            shift: mean_by_interval(&deep.held_out),
            trees_shift: mean_by_interval(&grove.held_out),
        };
        for (split, fit) in self.splits.iter().zip(linears) {
            let middle: f64 = fit.beta.iter().zip(&centred.mean).map(|(b, m)| b * m).sum();
            for &row in &split.valid {
                centred.linear[row] = fit.part(self.encoded(row)) - middle;
                for j in 0..outputs {
                    centred.base[row * outputs + j] = fit.intercepts[j] + middle + centred.shift[j];
                    centred.members[row * outputs + j] -= centred.shift[j];
                    centred.trees[row * outputs + j] -= centred.trees_shift[j];
                }
            }
        }
        centred
    }

    /// Mean of the folds' linear paths and all their networks and trees, with the calibration worked in.
    fn parts(&self, paths: &Paths, centred: &Centred, stack: &Stack, ridge: f64) -> Result<Parts, FitError> {
        let linears = paths.linears;
        let n = linears.len() as f64;
        let mean_of = |pick: fn(&Linear) -> &[f64]| -> Vec<f64> {
            let len = pick(&linears[0]).len();
            (0..len).map(|i| linears.iter().map(|l| pick(l)[i]).sum::<f64>() / n).collect()
        };
        let mean = Linear {
            intercepts: mean_of(|l| &l.intercepts),
            beta: mean_of(|l| &l.beta),
            covariance: Vec::new(),
        };
        let all: Vec<usize> = (0..self.targets.len()).collect();
        let side = self.side(&all, linears.len());
        let covariance = side.problem(self).covariance(&mean, ridge);
        let middle: f64 = mean.beta.iter().zip(&centred.mean).map(|(b, m)| b * m).sum();
        let shifted = mean.intercepts.iter().enumerate().map(|(j, a)| {
            let own = stack.by_interval.get(j).copied().unwrap_or(0.0);
            a + middle * (1.0 - stack.linear)
                + stack.intercept
                + own
                + centred.shift[j] * (1.0 - stack.members)
                - centred.trees_shift[j] * stack.trees
        });
        let scale = stack.linear * stack.linear;
        let linear = Linear {
            intercepts: shifted.collect(),
            beta: mean.beta.iter().map(|b| b * stack.linear).collect(),
            covariance: covariance.iter().map(|c| c * scale).collect(),
        };
        let nets =
            paths.deep.weights.iter().map(|net| net.scaled(stack.members)).collect::<Result<_, _>>()?;
        let forests = paths.grove.forests.iter().map(|forest| forest.scaled(stack.trees)).collect();
        Ok(Parts { linear, centre: centred.mean.clone(), nets, bins: self.bins.clone(), forests })
    }

    fn file(&self, options: &Options, plan: &Plan, paths: &Paths, stack: Stack, ridge: f64) -> ModelFile {
        let roles = &options.roles;
        let columns = match &roles.outcome {
            OutcomeColumns::Label(label) => (Some(label.clone()), None, None),
            OutcomeColumns::Survival { time, event } => (None, Some(time.clone()), Some(event.clone())),
        };
        let input =
            self.features.iter().zip(&self.encoder.blocks).enumerate().map(|(i, (feature, block))| Input {
                feature: feature.clone(),
                reference: reference(&self.frame, i, &feature.kind),
                block: block.clone(),
                spread: Spread::of(&self.frame, i, &feature.kind),
            });
        ModelFile {
            format: FORMAT,
            version: String::new(),
            weights_sha256: String::new(),
            horizons: horizons(&options.horizons, &self.intervals),
            about: options.schema.about.clone(),
            columns: Columns {
                id: roles.id.clone(),
                label: columns.0,
                time: columns.1,
                event: columns.2,
                order: roles.order.clone(),
            },
            intervals: self.intervals.clone(),
            calibration: stack,
            local: None,
            training: Training {
                rows: self.targets.len(),
                ids: self.ids.iter().max().map_or(0, |m| m + 1),
                events: self.observed.iter().filter(|row| row.event).count(),
                data_sha256: options.data_sha256.clone(),
                seed: options.seed,
                inner_folds: self.splits.len(),
                ridge,
                epochs: paths.deep.epochs,
                hidden: plan.hidden,
                members: plan.members * self.splits.len(),
                trees: paths.grove.trees * self.splits.len(),
                stopped_early: false,
                random_absence: !self.absence.optional.is_empty(),
                left_out: self.left_out.clone(),
                warnings: self.warnings.clone(),
            },
            metric: Vec::new(),
            fold_metric: Vec::new(),
            subgroup: Vec::new(),
            tenth: Vec::new(),
            decision_curve: Vec::new(),
            input: input.collect(),
        }
    }
}

/// Refuses leaks that nobody allowed; the rest become warnings.
fn guard(found: Vec<Leak>, allowed: &[String]) -> Result<Vec<String>, FitError> {
    let (refused, warned): (Vec<Leak>, Vec<Leak>) =
        found.into_iter().partition(|leak| leak.refused && !allowed.contains(&leak.column));
    if !refused.is_empty() {
        return Err(FitError::Leaks(refused));
    }
    Ok(warned.into_iter().map(|leak| format!("{}: {}", leak.column, leak.why)).collect())
}

/// What the inner folds learned.
struct Paths<'a> {
    linears: &'a [Linear],
    deep: &'a Deep,
    grove: &'a Grove,
}

struct Side {
    x: Rows,
    targets: Vec<Target>,
}

impl Side {
    fn push(&mut self, x: &[f32], target: &Target) {
        self.x.push(x);
        self.targets.push(target.clone());
    }

    fn problem<'a>(&'a self, material: &Material) -> Problem<'a> {
        Problem {
            label: material.intervals.is_label(),
            intervals: material.intervals.count(),
            x: &self.x,
            width: material.encoder.linear(),
            targets: &self.targets,
        }
    }
}
