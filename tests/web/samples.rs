//! Every template of patients' pages, rendered in every language: complete, small, without scripts and foreign parts.

use tend::web::error::ErrorPage;
use tend::web::patient::say::Said;
use tend::web::patient::{
    AdvicePage, Alarm, BirthForm, CheckPage, CheckRow, Control, DonePage, DoubtPage, GonePage, GuardPage,
    OptionRow, QuestionPage,
};
use tend::web::words::Common;
use tend::web::{Contact, Lang, Page, assets};
use tend_engine::site::SiteSettings;

/// Page with all its parts, uncompressed.
const PAGE_BYTES_MAX: usize = 30_000;

fn said(lang: Lang) -> Said {
    let words = match lang {
        Lang::En => "How is your breathing compared with yesterday? <b>&amp;",
        Lang::Zh => "与昨天相比，您的呼吸怎么样？<b>&amp;",
    };
    Said { words: words.into(), tag: lang.tag().into() }
}

fn options(lang: Lang) -> Vec<OptionRow> {
    let row = |value: &str, checked| OptionRow { value: value.into(), label: said(lang), checked };
    vec![row("better", false), row("worse", true), row("-", false)]
}

fn question(lang: Lang, control: Control, wrong: bool) -> QuestionPage {
    QuestionPage {
        page: Page::at(lang, "/c/token/q/0/item"),
        contact: contact(),
        action: "/c/token/q/0/item".into(),
        csrf: "0123".into(),
        back: wrong.then(|| "/c/token/q/0/before".into()),
        progress: tend::web::words::Patient(lang).question_of(2, 9),
        heading: said(lang),
        stem: Some(said(lang)),
        ask: said(lang),
        hint: Some(said(lang)),
        error: wrong.then(|| "?".into()),
        control,
        optional: true,
        declined: Some(false),
        late: true,
        credit: Some("Credit".into()),
    }
}

fn contact() -> Contact {
    Contact::of(&SiteSettings::default())
}

fn alarm(lang: Lang) -> Alarm {
    Alarm { advice: vec![said(lang), said(lang)], crisis: true, covered: false }
}

fn samples(lang: Lang) -> Vec<(&'static str, String)> {
    let page = || Page::at(lang, "/c/token");
    let render = |template: &dyn askama::DynTemplate| template.dyn_render().expect("a template renders");
    let unit = |value: &str, checked| OptionRow { value: value.into(), label: said(lang), checked };
    let number = |units| Control::Number { value: "78".into(), units, whole: false };
    let w = Common(lang);
    let row = |answer| CheckRow { ask: said(lang), answer, change: "/c/token/q/0/item?from=check".into() };
    vec![
        (
            "error",
            render(&ErrorPage {
                page: Page::unswitched(lang),
                title: w.error_title_internal(),
                advice: w.error_internal(),
                reference: Some("ABCD-EFGH".into()),
                contact: contact(),
            }),
        ),
        ("gone", render(&GonePage { page: page(), contact: contact(), heading: "?", body: "?" })),
        (
            "guard",
            render(&GuardPage {
                page: page(),
                contact: contact(),
                action: "/c/token".into(),
                error: None,
                typed: BirthForm::default(),
                year_first: true,
            }),
        ),
        (
            "guard, wrong",
            render(&GuardPage {
                page: page(),
                contact: contact(),
                action: "/c/token".into(),
                error: Some("?".into()),
                typed: BirthForm { day: "\"><script>".into(), ..BirthForm::default() },
                year_first: false,
            }),
        ),
        ("options", render(&question(lang, Control::Options(options(lang)), false))),
        ("options, wrong", render(&question(lang, Control::Options(options(lang)), true))),
        ("number", render(&question(lang, number(vec![unit("kg", true), unit("lb", false)]), true))),
        ("one unit", render(&question(lang, number(vec![unit("mmHg", true)]), false))),
        ("count", render(&question(lang, number(Vec::new()), false))),
        ("text", render(&question(lang, Control::Text { value: "</textarea>".into(), max: 300 }, true))),
        (
            "doubt",
            render(&DoubtPage {
                page: page(),
                contact: contact(),
                action: "/c/token/q/0/item".into(),
                csrf: "0123".into(),
                ask: said(lang),
                value: "87.2".into(),
                last: "78.2".into(),
                number: "87.2".into(),
                unit: "kg".into(),
                other: Some(("lb".into(), "87.2 lb".into())),
            }),
        ),
        (
            "advice",
            render(&AdvicePage {
                page: page(),
                contact: contact(),
                alarm: alarm(lang),
                next: "/c/token/check".into(),
            }),
        ),
        (
            "check",
            render(&CheckPage {
                page: page(),
                contact: contact(),
                alarm: Some(alarm(lang)),
                action: "/c/token/check".into(),
                csrf: "0123".into(),
                proxy: true,
                late: true,
                rows: vec![row(Some("<i>".into())), row(None)],
            }),
        ),
        (
            "done",
            render(&DonePage {
                page: page(),
                contact: contact(),
                alarm: None,
                at: Some("10:00".into()),
                closing: vec![said(lang)],
                ask: Some("3".into()),
                visit: Some("9".into()),
            }),
        ),
        (
            "done, nothing next",
            render(&DonePage {
                page: page(),
                contact: contact(),
                alarm: None,
                at: None,
                closing: Vec::new(),
                ask: None,
                visit: None,
            }),
        ),
        (
            "done, a red flag",
            render(&DonePage {
                page: page(),
                contact: contact(),
                alarm: Some(alarm(lang)),
                at: Some("10:00".into()),
                closing: vec![said(lang)],
                ask: Some("3".into()),
                visit: Some("9".into()),
            }),
        ),
    ]
}

#[test]
fn every_page_is_whole_small_and_our_own() {
    let parts = assets::size("base.css") + assets::size("patient.css") + assets::size("icon.svg");
    for lang in Lang::ALL {
        for (name, html) in samples(lang) {
            let what = format!("{name} in {}", lang.code());
            assert!(html.len() + parts < PAGE_BYTES_MAX, "{what}: {} bytes", html.len() + parts);
            assert!(html.contains(&format!("<html lang=\"{}\">", lang.tag())), "{what}");
            assert!(html.contains("tel:+442079460000") && html.contains("tel:112"), "{what}: whom to call");
            assert_eq!(html.matches("<h1").count(), 1, "{what}: one heading");
            for foreign in ["<script", "<style", " style=", "http://", "https://", "onclick", "@import"] {
                assert!(!html.contains(foreign), "{what} has {foreign}");
            }
            assert!(!html.contains("/static/missing"), "{what}: a file that is not there");
        }
    }
}

#[test]
fn styles_bring_nothing_from_elsewhere() {
    for file in ["base.css", "patient.css"] {
        let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("static").join(file);
        let css = std::fs::read_to_string(path).expect("a style sheet");
        assert!(!css.contains("url(") && !css.contains("@import"), "{file}");
    }
}

#[test]
fn no_template_of_patients_knows_of_models() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("templates/patient");
    for entry in std::fs::read_dir(folder).expect("templates") {
        let path = entry.expect("an entry").path();
        let text = std::fs::read_to_string(&path).expect("a template").to_lowercase();
        for word in ["model", "risk", "score", "probability", "points"] {
            assert!(!text.contains(word), "{}: {word}", path.display());
        }
    }
}
