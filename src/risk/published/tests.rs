//! The published test vectors, the ends of bands, and what a missing input does.

use super::*;

fn stay(days: f64) -> Lace {
    Lace { stay_days: Some(days), acute: Some(false), comorbidity: Some(0), emergency_visits_6m: Some(0) }
}

#[test]
fn lace_vectors() {
    use LaceCondition as L;
    let sum = lace_comorbidity(&[L::HeartFailure, L::ChronicPulmonary, L::HeartFailure]);
    let one = Lace {
        stay_days: Some(5.0),
        acute: Some(true),
        comorbidity: Some(sum),
        emergency_visits_6m: Some(1),
    };
    assert_eq!(lace(&one).value, Some(13));
    assert_eq!(lace(&one).band.map(|b| b.en).as_deref(), Some("high"));
    assert_eq!(lace(&stay(0.0)).value, Some(0));
    let worst = Lace {
        stay_days: Some(20.0),
        acute: Some(true),
        comorbidity: Some(lace_comorbidity(&[L::Metastatic])),
        emergency_visits_6m: Some(6),
    };
    assert_eq!(lace(&worst).value, Some(19));
    let points = [0.5, 1.0, 2.0, 3.0, 4.0, 6.9, 7.0, 13.0, 14.0].map(|days| lace(&stay(days)).value);
    assert_eq!(points, [0, 1, 2, 3, 4, 4, 5, 5, 7].map(Some));
    let sums = [3, 4, 5].map(|sum| lace(&Lace { comorbidity: Some(sum), ..stay(0.0) }).value);
    assert_eq!(sums, [3, 5, 5].map(Some));
}

#[test]
fn a_missing_input_is_not_no_points() {
    let tally = lace(&Lace { comorbidity: None, ..stay(2.0) });
    assert_eq!((tally.value, tally.least, tally.most, tally.band.clone()), (None, 2, 7, None));
    assert_eq!(tally.missing(), ["comorbidity"]);
    let tally = lace(&Lace { stay_days: Some(f64::NAN), ..stay(0.0) });
    assert_eq!((tally.value, tally.missing()), (None, vec!["stay_days"]));
    let nothing = hospital(&Hospital::default());
    assert_eq!((nothing.value, nothing.least, nothing.most, nothing.items.len()), (None, 0, 13, 7));
    assert_eq!(hospital_simplified(&Hospital::default()).most, 12);
    let no_oxygen = News2 { spo2: Some(94.0), scale: SpO2Scale::Two, ..patient() };
    assert_eq!(news2(&News2 { oxygen: None, ..no_oxygen }).missing(), ["spo2", "oxygen"]);
}

#[test]
fn hospital_vectors() {
    let one = Hospital {
        haemoglobin_g_dl: Some(11.0),
        oncology_service: Some(true),
        active_cancer: Some(true),
        sodium_mmol_l: Some(140.0),
        procedure: Some(false),
        urgent: Some(true),
        admissions_12m: Some(2),
        stay_days: Some(6.0),
        bands: AdmissionBands::default(),
    };
    assert_eq!(hospital(&one).value, Some(8));
    assert_eq!(hospital(&one).band.map(|b| b.en).as_deref(), Some("high"));
    assert_eq!(hospital_simplified(&one).value, Some(8));
    assert_eq!(hospital_simplified(&one).band.map(|b| b.en).as_deref(), Some("likely"));
    let well = Hospital {
        haemoglobin_g_dl: Some(13.0),
        oncology_service: Some(false),
        active_cancer: Some(false),
        urgent: Some(false),
        admissions_12m: Some(0),
        stay_days: Some(2.0),
        ..one
    };
    assert_eq!((hospital(&well).value, hospital_simplified(&well).value), (Some(0), Some(0)));
    let admissions = |n, bands| hospital(&Hospital { admissions_12m: Some(n), bands, ..well.clone() }).value;
    let default = [0, 1, 2, 5, 6].map(|n| admissions(n, AdmissionBands::Validation2016));
    assert_eq!(default, [0, 0, 2, 2, 5].map(Some));
    let other = [0, 1, 2, 5, 6].map(|n| admissions(n, AdmissionBands::Derivation2013));
    assert_eq!(other, [0, 2, 2, 2, 5].map(Some));
}

#[test]
fn charlson_vectors() {
    let both = |codes: &[&str]| {
        let index = charlson(codes);
        (index.weights_1987, index.weights_2011)
    };
    assert_eq!(both(&["I50.9", "J44.1"]), (2, 3));
    assert_eq!(both(&["E11.9", "E11.2"]), (2, 1));
    assert_eq!(both(&["C50.9", "C78.0"]), (6, 6));
    assert_eq!(both(&["K74.6", "K76.6"]), (3, 4));
    assert_eq!(both(&[]), (0, 0));
    assert_eq!(both(&["i50", "I501", "I50.9"]), (1, 2));
    assert_eq!(both(&["I42.4", "C44.1", "B23", "Z95.7", "E15", "Ä9"]), (0, 0));
    assert_eq!(both(&["I42.6", "C97", "B24", "E10.7"]), (1 + 2 + 6 + 2, 2 + 2 + 4 + 1));
    let coarse = charlson(&["E11", "K70"]);
    assert_eq!((coarse.conditions, coarse.coarse_code), (vec![Condition::Diabetes], true));
    assert!(!charlson(&["I50", "E11.9"]).coarse_code);
}

fn patient() -> News2 {
    News2 {
        respirations: Some(22.0),
        spo2: Some(93.0),
        scale: SpO2Scale::One,
        oxygen: Some(false),
        systolic: Some(105.0),
        pulse: Some(115.0),
        consciousness: Some(Consciousness::Alert),
        temperature: Some(38.5),
    }
}

#[test]
fn news2_vectors() {
    assert_eq!(news2(&patient()).value, Some(8));
    let two = news2(&News2 { scale: SpO2Scale::Two, ..patient() });
    assert_eq!((two.value, two.band.map(|b| b.en).as_deref()), (Some(6), Some("urgent review")));
    let well = News2 {
        respirations: Some(16.0),
        spo2: Some(97.0),
        systolic: Some(120.0),
        pulse: Some(70.0),
        temperature: Some(37.0),
        ..patient()
    };
    assert_eq!(news2(&well).value, Some(0));
    let slow = news2(&News2 { pulse: Some(40.0), ..well });
    assert_eq!((slow.value, slow.band.map(|b| b.en).as_deref()), (Some(3), Some("urgent review")));
    let at = |change: &dyn Fn(&mut News2)| {
        let mut inputs = well.clone();
        change(&mut inputs);
        news2(&inputs).value
    };
    let respirations = [8.0, 9.0, 11.0, 12.0, 20.0, 21.0, 24.0, 25.0];
    assert_eq!(respirations.map(|v| at(&|n| n.respirations = Some(v))), [3, 1, 1, 0, 0, 2, 2, 3].map(Some));
    let systolic = [90.0, 91.0, 100.0, 101.0, 110.0, 111.0, 219.0, 220.0];
    assert_eq!(systolic.map(|v| at(&|n| n.systolic = Some(v))), [3, 2, 2, 1, 1, 0, 0, 3].map(Some));
    let pulse = [40.0, 41.0, 50.0, 51.0, 90.0, 91.0, 110.0, 111.0, 130.0, 131.0];
    assert_eq!(pulse.map(|v| at(&|n| n.pulse = Some(v))), [3, 1, 1, 0, 0, 1, 1, 2, 2, 3].map(Some));
    let warm = [35.0, 35.1, 36.0, 36.1, 38.0, 38.1, 39.0, 39.1];
    assert_eq!(warm.map(|v| at(&|n| n.temperature = Some(v))), [3, 1, 1, 0, 0, 1, 1, 2].map(Some));
    let breath = [91.0, 92.0, 93.0, 94.0, 95.0, 96.0].map(|v| at(&|n| n.spo2 = Some(v)));
    assert_eq!(breath, [3, 2, 2, 1, 1, 0].map(Some));
    let given = [83.0, 84.0, 86.0, 88.0, 92.0, 93.0, 95.0, 97.0].map(|v| {
        at(&|n| {
            (n.spo2, n.scale, n.oxygen) = (Some(v), SpO2Scale::Two, Some(true));
        })
    });
    // Two points of each are the oxygen itself.
    assert_eq!(given, [5, 4, 3, 2, 2, 3, 4, 5].map(Some));
    assert_eq!(at(&|n| n.consciousness = Some(Consciousness::Impaired)), Some(3));
    assert_eq!(news2(&News2 { consciousness: None, ..well.clone() }).value, None);
}

#[test]
fn filtration_vectors() {
    let rows = [
        (0.9, 55.0, true, 75.5),
        (0.9, 55.0, false, 100.9),
        (0.6, 30.0, true, 123.8),
        (1.2, 70.0, false, 65.1),
        (2.0, 65.0, true, 27.2),
        (4.5, 80.0, false, 12.5),
    ];
    for (mg_dl, age, female, expected) in rows {
        let found = ckd_epi_2021(mg_dl * 88.4, age, female).expect("an adult");
        assert!((found.value - expected).abs() < 0.1, "{found:?} is not {expected}");
    }
    assert_eq!(ckd_epi_2021(2.0 * 88.4, 65.0, true).map(|e| e.category), Some(GCategory::G4));
    assert_eq!(ckd_epi_2021(80.0, 17.0, true), None);
    assert_eq!(ckd_epi_2021(f64::NAN, 50.0, true), None);
}
