//! HOSPITAL: 30-day potentially avoidable readmission of medical patients (Donzé 2013, 2016), and its simplified form
//! (Aubert 2017).

use super::{Item, Tally, item, plausible, yes};

/// How earlier admissions are counted; copies of the table disagree.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum AdmissionBands {
    /// 0 to 1: 0, 2 to 5: 2, more: 5 (validation of 2016).
    #[default]
    Validation2016,
    /// 0: 0, 1 to 5: 2, more: 5 (derivation of 2013).
    Derivation2013,
}

/// Inputs of both forms; what is not known is none.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Hospital {
    /// Haemoglobin at discharge, g/dL.
    pub haemoglobin_g_dl: Option<f64>,
    /// Discharged from an oncology service.
    pub oncology_service: Option<bool>,
    /// Active cancer diagnosis; for the simplified form.
    pub active_cancer: Option<bool>,
    /// Sodium at discharge, mmol/L.
    pub sodium_mmol_l: Option<f64>,
    /// Any coded procedure during the stay; not in the simplified form.
    pub procedure: Option<bool>,
    /// Urgent or emergency admission.
    pub urgent: Option<bool>,
    /// Admissions in the previous 12 months.
    pub admissions_12m: Option<u32>,
    /// Length of stay in days.
    pub stay_days: Option<f64>,
    /// Which copy of the table.
    pub bands: AdmissionBands,
}

impl Hospital {
    fn haemoglobin(&self) -> Item {
        yes("haemoglobin_g_dl", plausible(self.haemoglobin_g_dl, 1.0, 30.0).map(|hb| hb < 12.0), 1)
    }

    fn sodium(&self) -> Item {
        yes("sodium_mmol_l", plausible(self.sodium_mmol_l, 80.0, 220.0).map(|na| na < 135.0), 1)
    }

    fn admissions(&self) -> Item {
        let first = match self.bands {
            AdmissionBands::Validation2016 => 2,
            AdmissionBands::Derivation2013 => 1,
        };
        let points = self.admissions_12m.map(|admissions| match admissions {
            n if n > 5 => 5,
            n if n >= first => 2,
            _ => 0,
        });
        item("admissions_12m", points, 5)
    }

    fn stay(&self) -> Item {
        yes("stay_days", plausible(self.stay_days, 0.0, 3_650.0).map(|days| days >= 5.0), 2)
    }
}

/// 0 to 13.
pub fn hospital(inputs: &Hospital) -> Tally {
    let items = vec![
        inputs.haemoglobin(),
        yes("oncology_service", inputs.oncology_service, 2),
        inputs.sodium(),
        yes("procedure", inputs.procedure, 1),
        yes("urgent", inputs.urgent, 1),
        inputs.admissions(),
        inputs.stay(),
    ];
    let score = match inputs.bands {
        AdmissionBands::Validation2016 => "HOSPITAL, admissions 0-1, 2-5, >5",
        AdmissionBands::Derivation2013 => "HOSPITAL, admissions 0, 1-5, >5",
    };
    Tally::new(score, items, &[(0, "low", "低"), (5, "intermediate", "中"), (7, "high", "高")])
}

/// 0 to 12: cancer counts by diagnosis too, procedures do not count.
pub fn hospital_simplified(inputs: &Hospital) -> Tally {
    let cancer = match (inputs.oncology_service, inputs.active_cancer) {
        (Some(true), _) | (_, Some(true)) => Some(true),
        // Who left an oncology service has cancer, so a known "no" of the diagnosis is enough.
        (_, Some(false)) => Some(false),
        (Some(false) | None, None) => None,
    };
    let items = vec![
        inputs.haemoglobin(),
        yes("active_cancer", cancer, 2),
        inputs.sodium(),
        yes("urgent", inputs.urgent, 1),
        inputs.admissions(),
        inputs.stay(),
    ];
    let score = match inputs.bands {
        AdmissionBands::Validation2016 => "HOSPITAL simplified, admissions 0-1, 2-5, >5",
        AdmissionBands::Derivation2013 => "HOSPITAL simplified, admissions 0, 1-5, >5",
    };
    Tally::new(score, items, &[(0, "unlikely", "不太可能"), (5, "likely", "可能")])
}
