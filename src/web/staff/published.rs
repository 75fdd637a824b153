//! The published scores in words: on the chart all of them with what they lack, on the risk queue what is known.

use tend_engine::state::EnrollmentState;

use crate::{
    app::{
        register::{AskedFeature, risk_features},
        score::published::{Made, Score, asked, of},
    },
    web::{Lang, words::Published},
};

/// What forms and lists ask for the sake of risk: first for the shipped model, then for the published scores.
#[must_use]
pub fn asked_for_risk(lang: Lang) -> Vec<AskedFeature> {
    let mut all = risk_features(lang.code());
    for (name, kind) in asked() {
        if all.iter().all(|feature| feature.name != name) {
            let label = capital(input(Published(lang), name));
            all.push(AskedFeature { name: name.to_owned(), label, kind, required: false });
        }
    }
    all
}

/// Words that stood in a sentence, as those of a field.
fn capital(words: &str) -> String {
    let words = words.strip_prefix("the ").unwrap_or(words);
    let mut rest = words.chars();
    rest.next().map_or_else(String::new, |first| first.to_uppercase().chain(rest).collect())
}

/// A follow-up's scores: by name, what each says.
#[derive(Debug, Default)]
pub struct Shown {
    /// Worked out, at least in part.
    pub known: Vec<(&'static str, String)>,
    /// Not, and why.
    pub unknown: Vec<(&'static str, String)>,
}

/// All scores of a follow-up.
#[must_use]
pub fn shown(lang: Lang, state: &EnrollmentState) -> Shown {
    let p = Published(lang);
    let mut shown = Shown::default();
    for (score, made) in of(state) {
        let known = !matches!(made, Made::Lacking { between: None, .. } | Made::Under(_));
        let list = if known { &mut shown.known } else { &mut shown.unknown };
        list.push((name(p, score), sentence(p, score, &made)));
    }
    shown
}

/// What stands on a row of the queue: LACE in any case, of the others those that are known altogether.
#[must_use]
pub fn in_a_line(lang: Lang, state: &EnrollmentState) -> Vec<String> {
    let p = Published(lang);
    let line = |(score, made): (Score, Made)| {
        let said = match &made {
            Made::Lacking { between: Some((least, most)), .. } if score == Score::Lace => {
                p.between(least, most)
            }
            Made::Lacking { .. } if score == Score::Lace => p.not_known().to_owned(),
            Made::Points { total, of, band } => points(p, *total, *of, band.as_ref()),
            Made::Comorbidity { weights_1987, weights_2011, .. } => p.weights(weights_1987, weights_2011),
            Made::Filtration(rate, category) => p.filtration(format!("{rate:.0}"), category),
            Made::Lacking { .. } | Made::Under(_) => return None,
        };
        Some(format!("{} {said}", name(p, score)))
    };
    of(state).into_iter().filter_map(line).collect()
}

fn name(p: Published, score: Score) -> &'static str {
    match score {
        Score::Lace => p.lace(),
        Score::Hospital => p.hospital(),
        Score::HospitalSimplified => p.hospital_simplified(),
        Score::Charlson => p.charlson(),
        Score::News2 => p.news2(),
        Score::CkdEpi => p.ckd_epi(),
    }
}

fn points(p: Published, total: u32, of: u32, band: Option<&(String, String)>) -> String {
    let band = band.map_or("", |(en, zh)| match p.0 {
        Lang::En => en,
        Lang::Zh => zh,
    });
    p.points(total, of, band)
}

fn sentence(p: Published, score: Score, made: &Made) -> String {
    let and_more = |said: String, more: &str| match p.0 {
        Lang::En => format!("{said}. {more}"),
        Lang::Zh => format!("{said}。{more}"),
    };
    match made {
        Made::Points { total, of, band } => {
            let said = points(p, *total, *of, band.as_ref());
            match score {
                Score::Hospital | Score::HospitalSimplified => and_more(said, p.bands()),
                Score::Lace | Score::Charlson | Score::News2 | Score::CkdEpi => said,
            }
        }
        Made::Comorbidity { weights_1987, weights_2011, coarse } => {
            let said = p.weights(weights_1987, weights_2011);
            if *coarse { and_more(said, p.coarse()) } else { said }
        }
        Made::Filtration(rate, category) => {
            and_more(p.filtration(format!("{rate:.1}"), category), p.one_value())
        }
        Made::Lacking { facts, between } => {
            let words: Vec<&str> = facts.iter().map(|fact| input(p, fact)).collect();
            let why = because(p, &words);
            between.map_or(why.clone(), |(least, most)| p.part(least, most, why))
        }
        Made::Under(age) => p.under(age),
    }
}

fn because(p: Published, words: &[&str]) -> String {
    let comma = match p.0 {
        Lang::En => ", ",
        Lang::Zh => "、",
    };
    match words {
        [one] => p.because_one(one),
        [first @ .., last] => p.because_many(p.and(first.join(comma), last)),
        [] => String::new(),
    }
}

/// A fact in words; one that has none is told by its name.
fn input(p: Published, fact: &'static str) -> &'static str {
    match fact {
        "los_days" => p.los_days(),
        "adm_type" => p.adm_type(),
        "lace_comorbidity" => p.lace_comorbidity(),
        "n_emergency_6m" => p.n_emergency_6m(),
        "haemoglobin_g_dl" => p.haemoglobin(),
        "oncology_service" => p.oncology_service(),
        "active_cancer" => p.active_cancer(),
        "sodium_mmol_l" => p.sodium(),
        "n_procs" => p.n_procs(),
        "n_inpatient_12m" => p.n_inpatient_12m(),
        "icd10_1" => p.diagnoses(),
        "respirations" => p.respirations(),
        "spo2" => p.spo2(),
        "oxygen" => p.oxygen(),
        "systolic" => p.systolic(),
        "pulse" => p.pulse(),
        "consciousness" => p.consciousness(),
        "temperature" => p.temperature(),
        "creatinine_umol_l" => p.creatinine(),
        "age" => p.age(),
        "sex" => p.sex(),
        _ => fact,
    }
}
