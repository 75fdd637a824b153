//! The preview of a new version, in text and as JSON.

use std::process::ExitCode;

use serde_json::{Value, json};
use tend_engine::{
    SiteId,
    compare::{Difference, Line, Sent},
    model::Workflow,
};

use super::PublishFailure;
use crate::app::{
    App,
    population::{Chosen, Followup, Population},
};

/// Lines of a patient that are printed.
const LINES_MAX: usize = 6;

pub(super) async fn print(
    app: &App,
    site: SiteId,
    workflow: &Workflow,
    as_json: bool,
) -> Result<ExitCode, PublishFailure> {
    let population = app.population(site, workflow).await?;
    if as_json {
        println!("{}", document(workflow, &population));
    } else {
        print!("{}", in_lines(workflow, &population));
    }
    Ok(if population.is_ambiguous() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}

fn in_lines(workflow: &Workflow, population: &Population) -> String {
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
            population.there,
            population.moved.len()
        );
    }
    let (today, then) = population.messages_today();
    text += &format!(
        "moving changes something for {} of {}; messages today: {today}, and {then} if all were moved now\n",
        population.changing().count(),
        population.followups.len()
    );
    for one in &population.followups {
        text += &followup(one);
    }
    text += "nothing was written and nothing was sent\n";
    text
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

fn document(workflow: &Workflow, population: &Population) -> Value {
    let versions: Vec<Value> = population
        .versions
        .iter()
        .map(|on| {
            let open: Vec<String> = on.open.iter().map(ToString::to_string).collect();
            json!({"version": on.version.0, "followups": on.count, "ambiguous": open})
        })
        .collect();
    let (today, then) = population.messages_today();
    json!({
        "workflow": workflow.id.as_str(),
        "version": workflow.version().0,
        "versions": versions,
        "there": population.there,
        "moved": population.moved.len(),
        "changing": population.changing().count(),
        "messages_today": {"now": today, "moved": then},
        "followups": population.followups.iter().map(followup_json).collect::<Vec<_>>(),
    })
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
