//! Charlson's comorbidity index from ICD-10 codes (coding of Quan 2005; weights of 1987 and of Quan 2011).

/// A condition of the index.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[expect(missing_docs, reason = "the names say it; the codes stand in the table below")]
pub enum Condition {
    MyocardialInfarction,
    HeartFailure,
    PeripheralVascular,
    Cerebrovascular,
    Dementia,
    ChronicPulmonary,
    Rheumatic,
    PepticUlcer,
    MildLiver,
    Diabetes,
    DiabetesWithComplication,
    Hemiplegia,
    Renal,
    Malignancy,
    SevereLiver,
    Metastatic,
    Aids,
}

use Condition as C;

/// Condition, weight of 1987, weight of 2011, prefixes; `A-B` is a run of three-character blocks or of fourth
/// characters.
const TABLE: [(Condition, u32, u32, &str); 17] = [
    (C::MyocardialInfarction, 1, 0, "I21 I22 I252"),
    (C::HeartFailure, 1, 2, "I099 I110 I130 I132 I255 I420 I425-I429 I43 I50 P290"),
    (C::PeripheralVascular, 1, 0, "I70 I71 I731 I738 I739 I771 I790 I792 K551 K558 K559 Z958 Z959"),
    (C::Cerebrovascular, 1, 0, "G45 G46 H340 I60-I69"),
    (C::Dementia, 1, 2, "F00-F03 F051 G30 G311"),
    (C::ChronicPulmonary, 1, 1, "I278 I279 J40-J47 J60-J67 J684 J701 J703"),
    (C::Rheumatic, 1, 1, "M05 M06 M315 M32-M34 M351 M353 M360"),
    (C::PepticUlcer, 1, 0, "K25-K28"),
    (C::MildLiver, 1, 2, "B18 K700-K703 K709 K713-K715 K717 K73 K74 K760 K762-K764 K768 K769 Z944"),
    (
        C::Diabetes,
        1,
        0,
        "E100 E101 E106 E108 E109 E110 E111 E116 E118 E119 E120 E121 E126 E128 E129 E130 E131 E136 E138 E139 E140 E141 E146 E148 E149",
    ),
    (
        C::DiabetesWithComplication,
        2,
        1,
        "E102-E105 E107 E112-E115 E117 E122-E125 E127 E132-E135 E137 E142-E145 E147",
    ),
    (C::Hemiplegia, 2, 2, "G041 G114 G801 G802 G81 G82 G830-G834 G839"),
    (C::Renal, 2, 1, "I120 I131 N032-N037 N052-N057 N18 N19 N250 Z490-Z492 Z940 Z992"),
    (C::Malignancy, 2, 2, "C00-C26 C30-C34 C37-C41 C43 C45-C58 C60-C76 C81-C85 C88 C90-C97"),
    (C::SevereLiver, 3, 4, "I850 I859 I864 I982 K704 K711 K721 K729 K765-K767"),
    (C::Metastatic, 6, 6, "C77-C80"),
    (C::Aids, 6, 4, "B20-B22 B24"),
];

/// The index of a list of codes.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Charlson {
    /// Conditions found, the milder of a pair left out.
    pub conditions: Vec<Condition>,
    /// With the weights of 1987.
    pub weights_1987: u32,
    /// With the weights of 2011.
    pub weights_2011: u32,
    /// A code of three characters could not be told apart: the index may be too small.
    pub coarse_code: bool,
}

/// The index; dots and case do not matter.
pub fn charlson(codes: &[&str]) -> Charlson {
    let mut out = Charlson::default();
    let mut found: Vec<Condition> = Vec::new();
    for code in codes {
        let code: String =
            code.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_uppercase()).collect();
        let whole = TABLE.iter().any(|(.., prefixes)| matches(prefixes, &code));
        if code.len() == 3 && !whole && TABLE.iter().any(|(.., prefixes)| goes_deeper(prefixes, &code)) {
            out.coarse_code = true;
            if matches!(code.as_str(), "E10" | "E11" | "E12" | "E13" | "E14") {
                found.push(C::Diabetes);
            }
        }
        found.extend(TABLE.iter().filter(|(.., prefixes)| matches(prefixes, &code)).map(|row| row.0));
    }
    found.sort_unstable();
    found.dedup();
    for (milder, worse) in [
        (C::MildLiver, C::SevereLiver),
        (C::Diabetes, C::DiabetesWithComplication),
        (C::Malignancy, C::Metastatic),
    ] {
        if found.contains(&worse) {
            found.retain(|condition| *condition != milder);
        }
    }
    let rows = TABLE.iter().filter(|row| found.contains(&row.0));
    (out.weights_1987, out.weights_2011) = rows.fold((0, 0), |(a, b), row| (a + row.1, b + row.2));
    out.conditions = found;
    out
}

/// Whether the table tells sub-codes of a three-character code apart.
fn goes_deeper(prefixes: &str, code: &str) -> bool {
    prefixes.split([' ', '-']).any(|prefix| prefix.len() > code.len() && prefix.starts_with(code))
}

fn matches(prefixes: &str, code: &str) -> bool {
    prefixes.split(' ').any(|prefix| match prefix.split_once('-') {
        Some((from, to)) => code.get(..from.len()).is_some_and(|start| (from..=to).contains(&start)),
        None => code.starts_with(prefix),
    })
}
