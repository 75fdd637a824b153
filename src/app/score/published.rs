//! The published scores beside the model, from what is known of a follow-up. What is not known is never no points: it is
//! named, and where the source allows a part of a score the least and the most that it can be are said.

use tend_engine::{Decimal, Name, Value, model::FactKind, state::EnrollmentState};
use tend_risk::published::{
    Consciousness, Hospital, Lace, News2, SpO2Scale, Tally, charlson, ckd_epi_2021, hospital,
    hospital_simplified, lace, news2,
};

/// A published score.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Score {
    /// 30-day death or unplanned readmission.
    Lace,
    /// 30-day potentially avoidable readmission.
    Hospital,
    /// The same with fewer inputs.
    HospitalSimplified,
    /// Comorbidity.
    Charlson,
    /// Acute deterioration.
    News2,
    /// Filtration by creatinine.
    CkdEpi,
}

/// What came of a score.
#[derive(Debug, Clone, PartialEq)]
pub enum Made {
    /// All of it is known.
    Points {
        /// The total.
        total: u32,
        /// The most that anybody can have.
        of: u32,
        /// What the source calls such a total, in English and Chinese.
        band: Option<(String, String)>,
    },
    /// The weights of 1987 and of 2011.
    Comorbidity {
        /// Charlson's weights.
        weights_1987: u32,
        /// Quan's weights.
        weights_2011: u32,
        /// A code of three characters could not be told apart: the index may be too small.
        coarse: bool,
    },
    /// mL/min/1.73 m², and the category by KDIGO.
    Filtration(f64, String),
    /// These facts are not recorded, or are nothing that can be.
    Lacking {
        /// By name, in the order of the score.
        facts: Vec<&'static str>,
        /// The least and the most that the total can be, where some of it is known and a part may be shown.
        between: Option<(u32, u32)>,
    },
    /// Not made for people below this age.
    Under(u32),
}

/// A score and the facts that it needs, in the order of its items.
struct Reads {
    score: Score,
    needs: &'static [&'static str],
    work: fn(&Known, &Reads) -> Made,
}

/// All published scores.
const ALL: [Reads; 6] = [
    Reads {
        score: Score::Lace,
        needs: &["los_days", "adm_type", "lace_comorbidity", "n_emergency_6m"],
        work: |known, reads| of_points(&lace(&known.lace()), reads, true),
    },
    Reads {
        score: Score::Hospital,
        needs: &[
            "haemoglobin_g_dl",
            "oncology_service",
            "sodium_mmol_l",
            "n_procs",
            "adm_type",
            "n_inpatient_12m",
            "los_days",
        ],
        work: |known, reads| of_points(&hospital(&known.hospital()), reads, true),
    },
    Reads {
        score: Score::HospitalSimplified,
        needs: &[
            "haemoglobin_g_dl",
            "active_cancer",
            "sodium_mmol_l",
            "adm_type",
            "n_inpatient_12m",
            "los_days",
        ],
        work: |known, reads| of_points(&hospital_simplified(&known.hospital()), reads, true),
    },
    Reads { score: Score::Charlson, needs: &[ICD10], work: comorbidity },
    Reads {
        score: Score::News2,
        needs: &["respirations", "spo2", "oxygen", "systolic", "pulse", "consciousness", "temperature"],
        work: deterioration,
    },
    Reads { score: Score::CkdEpi, needs: &["creatinine_umol_l", "age", "sex"], work: filtration },
];

/// Coded diagnoses: the facts `icd10_1`, `icd10_2` and so on, each a code whose dot is left out or a `_`.
const ICD10: &str = "icd10_1";
/// What those facts begin with.
const ICD10_FACTS: &str = "icd10_";
/// Words of an unplanned admission.
const ACUTE: [&str; 2] = ["emergency", "urgent"];
/// The oxygen target of who has confirmed hypercapnic failure.
const LOW_TARGET: &str = "low_88_92";
/// NEWS2 is for nobody younger.
const NEWS2_FROM: u32 = 16;
/// CKD-EPI 2021 is for nobody younger.
const CKD_EPI_FROM: u32 = 18;

/// What a ward knows of these scores when somebody leaves it, each with what it can be. Vital signs come with answers, and
/// coded diagnoses with the record.
#[must_use]
pub fn asked() -> Vec<(&'static str, FactKind)> {
    let quantity = |unit: &str, min, max| FactKind::Quantity {
        unit: unit.to_owned(),
        min: Decimal::whole(min),
        max: Decimal::whole(max),
    };
    vec![
        ("n_emergency_6m", FactKind::Whole { min: 0, max: 100 }),
        ("lace_comorbidity", FactKind::Whole { min: 0, max: 30 }),
        ("haemoglobin_g_dl", quantity("g/dL", 1, 30)),
        ("sodium_mmol_l", quantity("mmol/L", 80, 220)),
        ("creatinine_umol_l", quantity("µmol/L", 10, 3_000)),
        ("oncology_service", FactKind::Boolean),
        ("active_cancer", FactKind::Boolean),
    ]
}

/// Every published score of a follow-up, in the order in which they are shown.
#[must_use]
pub fn of(state: &EnrollmentState) -> Vec<(Score, Made)> {
    let known = Known(state);
    ALL.iter().map(|reads| (reads.score, (reads.work)(&known, reads))).collect()
}

/// The facts of a follow-up by the names that the scores have for them.
struct Known<'a>(&'a EnrollmentState);

impl Known<'_> {
    fn fact(&self, name: &str) -> Option<&Value> {
        Name::parse(name).ok().and_then(|name| self.0.facts.get(&name))
    }

    fn number(&self, name: &str) -> Option<f64> {
        match self.fact(name) {
            Some(Value::Number(number)) => Some(number.to_f64()),
            _ => None,
        }
    }

    fn count(&self, name: &str) -> Option<u32> {
        self.number(name).filter(|n| (0.0..1_000.0).contains(n)).map(|n| n.round() as u32)
    }

    fn choice(&self, name: &str) -> Option<&str> {
        match self.fact(name) {
            Some(Value::Choice(level)) => Some(level.as_str()),
            _ => None,
        }
    }

    /// A yes or no, or a choice of which some mean yes.
    fn yes(&self, name: &str, levels: &[&str]) -> Option<bool> {
        match self.fact(name) {
            Some(Value::Bool(yes)) => Some(*yes),
            Some(Value::Choice(level)) => Some(levels.contains(&level.as_str())),
            _ => None,
        }
    }

    fn below(&self, age: u32) -> bool {
        self.number("age").is_some_and(|years| years < f64::from(age))
    }

    fn lace(&self) -> Lace {
        Lace {
            stay_days: self.number("los_days"),
            acute: self.yes("adm_type", &ACUTE),
            comorbidity: self.count("lace_comorbidity"),
            emergency_visits_6m: self.count("n_emergency_6m"),
        }
    }

    fn hospital(&self) -> Hospital {
        Hospital {
            haemoglobin_g_dl: self.number("haemoglobin_g_dl"),
            oncology_service: self.yes("oncology_service", &[]),
            active_cancer: self.yes("active_cancer", &[]),
            sodium_mmol_l: self.number("sodium_mmol_l"),
            procedure: self.count("n_procs").map(|procedures| procedures > 0),
            urgent: self.yes("adm_type", &ACUTE),
            admissions_12m: self.count("n_inpatient_12m"),
            stay_days: self.number("los_days"),
            ..Hospital::default()
        }
    }

    fn news2(&self) -> News2 {
        let scale =
            if self.choice("spo2_target") == Some(LOW_TARGET) { SpO2Scale::Two } else { SpO2Scale::One };
        let consciousness = self.choice("consciousness").map(|level| match level {
            "alert" => Consciousness::Alert,
            _ => Consciousness::Impaired,
        });
        News2 {
            respirations: self.number("respirations"),
            spo2: self.number("spo2"),
            scale,
            oxygen: self.yes("oxygen", &[]),
            systolic: self.number("systolic"),
            pulse: self.number("pulse"),
            consciousness,
            temperature: self.number("temperature"),
        }
    }
}

/// A tally whose items stand in the order of the facts; `part` says whether a part of it may be shown.
fn of_points(tally: &Tally, reads: &Reads, part: bool) -> Made {
    let of = tally.items.iter().map(|item| item.most).sum();
    if let Some(total) = tally.value {
        let band = tally.band.clone().map(|words| (words.en, words.zh));
        return Made::Points { total, of, band };
    }
    let lacking = tally.items.iter().zip(reads.needs).filter(|(item, _)| item.points.is_none());
    let facts: Vec<&str> = lacking.map(|(_, fact)| *fact).collect();
    let some = part && facts.len() < tally.items.len();
    Made::Lacking { facts, between: some.then_some((tally.least, tally.most)) }
}

fn comorbidity(known: &Known, reads: &Reads) -> Made {
    let coded = known.0.facts.iter().filter(|(name, _)| name.as_str().starts_with(ICD10_FACTS));
    let codes: Vec<&str> = coded
        .filter_map(|(_, value)| match value {
            Value::Choice(code) => Some(code.as_str()),
            _ => None,
        })
        .collect();
    if codes.is_empty() {
        return Made::Lacking { facts: reads.needs.to_vec(), between: None };
    }
    let index = charlson(&codes);
    Made::Comorbidity {
        weights_1987: index.weights_1987,
        weights_2011: index.weights_2011,
        coarse: index.coarse_code,
    }
}

/// What was measured at home is a part of it, and a part must not be shown as NEWS2.
fn deterioration(known: &Known, reads: &Reads) -> Made {
    if known.below(NEWS2_FROM) {
        return Made::Under(NEWS2_FROM);
    }
    of_points(&news2(&known.news2()), reads, false)
}

fn filtration(known: &Known, reads: &Reads) -> Made {
    if known.below(CKD_EPI_FROM) {
        return Made::Under(CKD_EPI_FROM);
    }
    let female = known.choice("sex").and_then(|sex| match sex {
        "F" | "f" | "female" => Some(true),
        "M" | "m" | "male" => Some(false),
        _ => None,
    });
    let (creatinine, age) = (known.number("creatinine_umol_l"), known.number("age"));
    let asked = creatinine.zip(age).zip(female);
    match asked.and_then(|((creatinine, age), female)| ckd_epi_2021(creatinine, age, female)) {
        Some(found) => Made::Filtration(found.value, format!("{:?}", found.category)),
        None => {
            let there = [creatinine.is_some() && asked.is_none(), age.is_some(), female.is_some()];
            let lacking = reads.needs.iter().zip(there).filter(|(_, there)| !there);
            Made::Lacking { facts: lacking.map(|(fact, _)| *fact).collect(), between: None }
        }
    }
}
