//! LACE: 30-day death or unplanned readmission (van Walraven 2010).

use super::{Tally, item, plausible, yes};

/// What comorbidity means inside LACE; its weights are not those of Charlson.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LaceCondition {
    /// Previous myocardial infarction: 1.
    MyocardialInfarction,
    /// Cerebrovascular disease: 1.
    Cerebrovascular,
    /// Peripheral vascular disease: 1.
    PeripheralVascular,
    /// Diabetes without complications: 1.
    Diabetes,
    /// Heart failure: 2.
    HeartFailure,
    /// Diabetes with end-organ damage: 2.
    DiabetesWithDamage,
    /// Chronic pulmonary disease: 2.
    ChronicPulmonary,
    /// Mild liver or renal disease: 2.
    MildLiverOrRenal,
    /// Any tumour, lymphoma and leukaemia included: 2.
    Tumour,
    /// Dementia: 3.
    Dementia,
    /// Connective tissue disease: 3.
    ConnectiveTissue,
    /// Moderate or severe liver or renal disease: 4.
    SevereLiverOrRenal,
    /// AIDS: 4.
    Aids,
    /// Metastatic solid tumour: 6.
    Metastatic,
}

impl LaceCondition {
    fn weight(self) -> u32 {
        match self {
            Self::MyocardialInfarction
            | Self::Cerebrovascular
            | Self::PeripheralVascular
            | Self::Diabetes => 1,
            Self::HeartFailure
            | Self::DiabetesWithDamage
            | Self::ChronicPulmonary
            | Self::MildLiverOrRenal
            | Self::Tumour => 2,
            Self::Dementia | Self::ConnectiveTissue => 3,
            Self::SevereLiverOrRenal | Self::Aids => 4,
            Self::Metastatic => 6,
        }
    }
}

/// Inputs of LACE; what is not known is none.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Lace {
    /// Length of stay in whole or broken days.
    pub stay_days: Option<f64>,
    /// Unplanned or emergency admission.
    pub acute: Option<bool>,
    /// Sum of the comorbidity weights.
    pub comorbidity: Option<u32>,
    /// Emergency visits in the 6 months before, without the one that led here.
    pub emergency_visits_6m: Option<u32>,
}

/// Sum of the weights; a condition counts once.
pub fn lace_comorbidity(conditions: &[LaceCondition]) -> u32 {
    let mut once = conditions.to_vec();
    once.sort_unstable();
    once.dedup();
    once.into_iter().map(LaceCondition::weight).sum()
}

/// 0 to 19.
pub fn lace(inputs: &Lace) -> Tally {
    let stay = plausible(inputs.stay_days, 0.0, 3_650.0).map(|days| match days {
        days if days < 1.0 => 0,
        days if days < 4.0 => days as u32,
        days if days < 7.0 => 4,
        days if days < 14.0 => 5,
        _ => 7,
    });
    // A sum of 4 or more is 5 points, never 4.
    let comorbidity = inputs.comorbidity.map(|sum| if sum >= 4 { 5 } else { sum });
    let visits = inputs.emergency_visits_6m.map(|visits| visits.min(4));
    let items = vec![
        item("stay_days", stay, 7),
        yes("acute", inputs.acute, 3),
        item("comorbidity", comorbidity, 5),
        item("emergency_visits_6m", visits, 4),
    ];
    Tally::new("LACE 2010", items, &[(0, "low", "低"), (5, "moderate", "中"), (10, "high", "高")])
}
