//! The preview of a new version, in text and as JSON: everybody, a page at a time, each page printed before the next is read.

use std::{
    io::{IsTerminal, Write, stderr, stdout},
    process::ExitCode,
};

use serde_json::{Value, json};
use tend_engine::{
    SiteId,
    compare::{Difference, Line, Sent},
    model::Workflow,
};

use super::PublishFailure;
use crate::app::{
    App,
    population::{Chosen, Followup, Population, Tally},
};

/// Lines of a patient that are printed.
const LINES_MAX: usize = 6;
/// Follow-ups that are looked at before they are printed.
const PAGE: usize = 200;

pub(super) async fn print(
    app: &App,
    site: SiteId,
    workflow: &Workflow,
    as_json: bool,
) -> Result<ExitCode, PublishFailure> {
    let population = app.population(site, workflow).await?;
    let mut out = stdout().lock();
    let begin = if as_json { opened(workflow, &population) } else { counted(workflow, &population) };
    out.write_all(begin.as_bytes()).map_err(PublishFailure::Print)?;
    let (mut tally, mut place) = (Tally::default(), None);
    loop {
        let ahead = app.look_ahead(site, workflow, &population, place.as_ref(), PAGE).await?;
        for one in &ahead.followups {
            let comma = if tally.looked > 0 { "," } else { "" };
            tally.add(one);
            let text = if as_json { format!("{comma}{}", followup_json(one)) } else { followup(one) };
            out.write_all(text.as_bytes()).map_err(PublishFailure::Print)?;
        }
        if stderr().is_terminal() && ahead.next.is_some() {
            eprint!("\r{} of {} looked at", tally.looked, population.elsewhere());
        }
        place = ahead.next;
        if place.is_none() {
            break;
        }
    }
    let end = if as_json { closed(&tally) } else { summary(&tally) };
    out.write_all(end.as_bytes()).and_then(|()| out.flush()).map_err(PublishFailure::Print)?;
    Ok(if population.is_ambiguous() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn counted(workflow: &Workflow, population: &Population) -> String {
    let mut text = format!("{} version {}\n", workflow.id, workflow.version().short());
    for on in &population.versions {
        text += &format!("{} running follow-ups are on version {}\n", on.count, on.version.short());
        for open in &on.open {
            text += &format!("  {open}\n");
        }
    }
    if population.there > 0 {
        text += &format!(
            "{} are on this version already, {} of them moved there\n",
            population.there, population.moved
        );
    }
    if population.stay + population.wait > 0 {
        text += &format!(
            "chosen for this version: {} stay, {} move when no window is open\n",
            population.stay, population.wait
        );
    }
    text
}

fn summary(tally: &Tally) -> String {
    format!(
        "moving changes something for {} of {}; messages today: {}, and {} if all were moved now\n\
         nothing was written and nothing was sent\n",
        tally.changing, tally.looked, tally.today.0, tally.today.1
    )
}

fn followup(one: &Followup) -> String {
    let mut text = format!("patient {} enrollment {}", one.patient, one.enrollment);
    text += match one.chosen {
        Some(Chosen::Stays) => " (stays)",
        Some(Chosen::Waits) => " (moves when no window is open)",
        None => "",
    };
    let found = match &one.difference {
        Err(why) => return text + &format!(": cannot be moved: {why}\n"),
        Ok(found) if found.is_empty() => return text + ": nothing changes\n",
        Ok(found) => found,
    };
    text += if found.waits { ": a window is open now\n" } else { ":\n" };
    text += &lines("gets", &found.gets);
    text += &lines("no longer gets", &found.loses);
    if found.ends.0 != found.ends.1 {
        let day = |day: Option<jiff::civil::Date>| day.map_or("never".to_owned(), |day| day.to_string());
        text += &format!("  ends {} instead of {}\n", day(found.ends.1), day(found.ends.0));
    }
    let (now, then) = (found.today.0.len(), found.today.1.len());
    if now != then {
        text += &format!("  messages today: {then} instead of {now}\n");
    }
    text
}

fn lines(heading: &str, lines: &[Line]) -> String {
    if lines.is_empty() {
        return String::new();
    }
    let said: Vec<String> =
        lines.iter().take(LINES_MAX).map(|line| format!("{} {}", line.step, line.day)).collect();
    let more = lines.len().saturating_sub(LINES_MAX);
    let more = if more > 0 { format!(" and {more} more") } else { String::new() };
    format!("  {heading} {}: {}{more}\n", lines.len(), said.join(", "))
}

/// The document up to its list of follow-ups.
fn opened(workflow: &Workflow, population: &Population) -> String {
    let versions: Vec<Value> = population
        .versions
        .iter()
        .map(|on| {
            let open: Vec<String> = on.open.iter().map(ToString::to_string).collect();
            json!({"version": on.version.0, "followups": on.count, "ambiguous": open})
        })
        .collect();
    let known = json!({
        "workflow": workflow.id.as_str(),
        "version": workflow.version().0,
        "versions": versions,
        "there": population.there,
        "moved": population.moved,
        "chosen": {"stay": population.stay, "quiet": population.wait},
    });
    let known = known.to_string();
    format!("{},\"followups\":[", known.strip_suffix('}').unwrap_or(&known))
}

/// The rest of it.
fn closed(tally: &Tally) -> String {
    let rest = json!({
        "looked_at": tally.looked,
        "changing": tally.changing,
        "messages_today": {"now": tally.today.0, "moved": tally.today.1},
    })
    .to_string();
    format!("],{}\n", rest.strip_prefix('{').unwrap_or(&rest))
}

fn followup_json(one: &Followup) -> Value {
    let chosen = one.chosen.map(|chosen| match chosen {
        Chosen::Stays => "stay",
        Chosen::Waits => "quiet",
    });
    let mut value = json!({
        "patient": one.patient.to_string(), "enrollment": one.enrollment.to_string(), "from": one.from.0,
        "chosen": chosen,
    });
    let more = match &one.difference {
        Err(why) => json!({"problem": why}),
        Ok(found) => difference_json(found),
    };
    if let (Some(value), Value::Object(more)) = (value.as_object_mut(), more) {
        value.extend(more);
    }
    value
}

fn difference_json(found: &Difference) -> Value {
    let lines = |lines: &[Line]| -> Vec<Value> {
        lines.iter().map(|line| json!({"step": line.step.as_str(), "due": line.due.to_string()})).collect()
    };
    let sent = |sent: &[Sent]| -> Vec<Value> {
        let steps = |sent: &Sent| sent.steps.iter().map(ToString::to_string).collect::<Vec<_>>();
        sent.iter().map(|sent| json!({"at": sent.at.to_string(), "steps": steps(sent)})).collect()
    };
    json!({
        "gets": lines(&found.gets), "loses": lines(&found.loses), "waits": found.waits,
        "ends": {"now": found.ends.0.map(|day| day.to_string()), "moved": found.ends.1.map(|day| day.to_string())},
        "messages_today": {"now": sent(&found.today.0), "moved": sent(&found.today.1)},
    })
}
