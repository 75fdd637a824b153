//! eGFR by CKD-EPI 2021, creatinine, without race (Inker 2021).

/// Creatinine in µmol/L of one mg/dL.
const MICROMOL: f64 = 88.4;

/// KDIGO category of a filtration rate; chronic disease needs three months of evidence, not one value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GCategory {
    /// 90 and more.
    G1,
    /// 60 to 89.
    G2,
    /// 45 to 59.
    G3a,
    /// 30 to 44.
    G3b,
    /// 15 to 29.
    G4,
    /// Below 15.
    G5,
}

/// A filtration rate.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Egfr {
    /// mL/min/1.73 m².
    pub value: f64,
    /// Its category.
    pub category: GCategory,
}

/// From creatinine in µmol/L, age in years and sex; none for children and for values that nobody has.
pub fn ckd_epi_2021(creatinine_umol_l: f64, age: f64, female: bool) -> Option<Egfr> {
    if !(5.0..=3_000.0).contains(&creatinine_umol_l) || !(18.0..=120.0).contains(&age) {
        return None;
    }
    let (kappa, alpha, factor) = if female { (0.7, -0.241, 1.012) } else { (0.9, -0.302, 1.0) };
    let ratio = creatinine_umol_l / MICROMOL / kappa;
    let value = 142.0 * ratio.min(1.0).powf(alpha) * ratio.max(1.0).powf(-1.2) * 0.9938f64.powf(age) * factor;
    let category = match value.round() {
        v if v >= 90.0 => GCategory::G1,
        v if v >= 60.0 => GCategory::G2,
        v if v >= 45.0 => GCategory::G3a,
        v if v >= 30.0 => GCategory::G3b,
        v if v >= 15.0 => GCategory::G4,
        _ => GCategory::G5,
    };
    Some(Egfr { value, category })
}
