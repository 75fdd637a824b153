//! From what was typed to the change that it asks for.

use super::*;

/// The change that a form asks for; mistakes are noted in `typed`.
pub(super) async fn change(
    app: &App,
    signed: &Signed,
    subject: &Subject,
    typed: &mut Typed,
) -> Result<Option<Change>, WebError> {
    let w = Staff(signed.lang);
    let today = patient::today(&subject.row, app.clock.now());
    if let Kind::Void = subject.kind {
        return void(app, signed, subject, typed).await;
    }
    let enrollment = subject.enrollment.as_ref().map(|(id, _)| *id);
    Ok(match (subject.kind, enrollment) {
        (Kind::Pause, Some(enrollment)) => {
            let until = typed.optional_date(w, "until");
            if until.is_some_and(|until| until <= today) {
                typed.wrong("until", w.err_date());
            }
            Some(Change::Pause { enrollment, until, reason: typed.reason(w, "reason") })
        }
        (Kind::Resume, Some(enrollment)) => Some(Change::Resume { enrollment }),
        (Kind::Stop, Some(enrollment)) => {
            let why = STOPS.into_iter().find(|why| typed.is("why", stop_word(*why)));
            if why.is_none() {
                typed.wrong("why", w.err_choice());
            }
            let note = typed.text(w, "reason");
            why.map(|why| Change::Stop { enrollment, why, note })
        }
        (Kind::Died, _) => {
            let date = typed.date(w, "date");
            if date.is_some_and(|date| date > today) {
                typed.wrong("date", w.err_date());
            }
            date.map(|date| Change::Died { date })
        }
        (Kind::Correct | Kind::Event, Some(enrollment)) => {
            let (anchor, date) = (anchor(signed, subject, typed), typed.date(w, "date"));
            let reason =
                if subject.kind == Kind::Correct { typed.reason(w, "reason") } else { String::new() };
            anchor.zip(date).map(|(anchor, date)| match subject.kind {
                Kind::Correct => Change::CorrectAnchor { enrollment, anchor, date, reason },
                _ => Change::AnchorEvent { enrollment, anchor, date },
            })
        }
        (Kind::Fact, Some(enrollment)) => set_fact(w, subject, typed, enrollment),
        (Kind::Contact, _) => contact(w, Chart(signed.lang), typed),
        (Kind::Preference, _) => preference(w, typed),
        (Kind::Consent, _) => consent(w, typed),
        (Kind::Risk, Some(enrollment)) => {
            let to = MOVES.into_iter().find(|(_, word)| typed.is("to", word)).map(|(to, _)| to);
            if to.is_none() {
                typed.wrong("to", w.err_choice());
            }
            let reason = typed.reason(w, "reason");
            to.map(|to| Change::MoveRisk { enrollment, to, reason })
        }
        (
            Kind::Pause
            | Kind::Resume
            | Kind::Stop
            | Kind::Correct
            | Kind::Event
            | Kind::Fact
            | Kind::Risk
            | Kind::Void,
            _,
        ) => None,
    })
}

pub(super) fn anchor(signed: &Signed, subject: &Subject, typed: &mut Typed) -> Option<Name> {
    let chosen = Name::parse(typed.value("anchor")).ok();
    let known = anchors(signed, subject, subject.kind == Kind::Correct);
    let found = chosen.filter(|name| known.iter().any(|(id, _)| id == name.as_str()));
    if found.is_none() {
        typed.wrong("anchor", Staff(signed.lang).err_choice());
    }
    found
}

pub(super) fn set_fact(
    w: Staff,
    subject: &Subject,
    typed: &mut Typed,
    enrollment: EnrollmentId,
) -> Option<Change> {
    let workflow = subject.workflow.as_ref()?;
    let Some(def) = workflow.facts.iter().find(|fact| typed.is("fact", fact.id.as_str())) else {
        typed.wrong("fact", w.err_choice());
        return None;
    };
    if typed.value("value").trim().is_empty() {
        typed.wrong("value", w.err_missing());
    }
    let value: Option<Value> = typed.fact(w, "value", &def.kind);
    let reason = typed.reason(w, "reason");
    value.map(|value| Change::SetFact { enrollment, name: def.id.clone(), value, reason })
}

pub(super) fn contact(w: Staff, c: Chart, typed: &mut Typed) -> Option<Change> {
    let Some(channel) = v::channel_of(typed.value("channel")) else {
        typed.wrong("channel", w.err_choice());
        return None;
    };
    let owner = if typed.is("owner", "carer") { Owner::Carer } else { Owner::Own };
    let raw = typed.line(w, "address");
    let address = address(channel, &raw);
    if address.is_none() {
        typed.wrong("address", if channel == Channel::Sms { c.err_phone() } else { c.err_email() });
    }
    address.map(|address| Change::Contact { contact: ContactPoint { channel, address, owner } })
}

/// A telephone number in E.164 form, or an e-mail address that cannot smuggle a header.
#[must_use]
pub fn address(channel: Channel, raw: &str) -> Option<String> {
    match channel {
        Channel::Sms => {
            let number: String = raw.chars().filter(|c| !" -().\u{a0}".contains(*c)).collect();
            let digits = number.strip_prefix('+')?;
            let good = (8..=15).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
            good.then_some(number)
        }
        Channel::Email => {
            let raw = raw.trim();
            let (name, host) = raw.split_once('@')?;
            let plain = |part: &str| {
                !part.is_empty()
                    && part.chars().all(|c| c.is_ascii_graphic() && !"<>(),;:\\\"[]@".contains(c))
            };
            (plain(name) && plain(host) && host.contains('.') && raw.len() <= 254).then(|| raw.to_owned())
        }
    }
}

pub(super) fn preference(w: Staff, typed: &mut Typed) -> Option<Change> {
    let language = crate::web::Lang::parse(typed.value("language"));
    if language.is_none() {
        typed.wrong("language", w.err_choice());
    }
    let zone = typed.line(w, "zone");
    if jiff::tz::TimeZone::get(&zone).is_err() {
        typed.wrong("zone", w.err_choice());
    }
    let preferred = v::channel_of(typed.value("preferred"));
    language.map(|language| Change::Preference { language: language.code().to_owned(), zone, preferred })
}

pub(super) fn consent(w: Staff, typed: &mut Typed) -> Option<Change> {
    let channel = v::channel_of(typed.value("channel"));
    let wording = CONSENT_WORDING.to_owned();
    match (typed.value("what"), channel) {
        ("give", Some(channel)) => Some(Change::Consent { channel, wording }),
        ("withdraw", Some(channel)) => Some(Change::StopChannel { channel }),
        ("daily", _) => Some(Change::Daily { given: true, wording }),
        ("no_daily", _) => Some(Change::Daily { given: false, wording }),
        (_, None) => {
            typed.wrong("channel", w.err_choice());
            None
        }
        _ => {
            typed.wrong("what", w.err_choice());
            None
        }
    }
}

/// Voids an entry, or corrects its value where it has a single one.
pub(super) async fn void(
    app: &App,
    signed: &Signed,
    subject: &Subject,
    typed: &mut Typed,
) -> Result<Option<Change>, WebError> {
    let w = Staff(signed.lang);
    let seq = subject.seq.filter(|seq| *seq > 0).ok_or(WebError::NotFound)?;
    let line = app.store.history(subject.row.id, seq - 1, 1).await.map_err(WebError::internal)?.pop();
    let entry = line
        .filter(|line| line.entry.seq == seq && patient::voidable(&line.entry.fact))
        .ok_or(WebError::NotFound)?
        .entry;
    let reason = typed.reason(w, "reason");
    let raw = typed.optional_line(w, "instead");
    if raw.is_empty() {
        return Ok(Some(Change::Void { enrollment: entry.enrollment, seq, reason }));
    }
    let instead = corrected(app, w, subject, &entry, &raw);
    Ok(match instead {
        Ok(instead) => {
            Some(Change::Correct { enrollment: entry.enrollment, seq, reason, instead: Box::new(instead) })
        }
        Err(sentence) => {
            typed.wrong("instead", sentence);
            None
        }
    })
}

/// The entry with another value: of a fact, a date, or of an answer to a single number.
pub(super) fn corrected(
    app: &App,
    w: Staff,
    subject: &Subject,
    entry: &tend_engine::fact::Entry,
    raw: &str,
) -> Result<Fact, String> {
    let state = entry.enrollment.and_then(|id| subject.row.state.enrollments.get(&id));
    let workflow = state.and_then(|state| app.version(&state.version));
    let day = || form::date(raw).ok_or_else(|| w.err_date().to_owned());
    match &entry.fact {
        Fact::FactSet { name, .. } => {
            let def = workflow.as_ref().and_then(|w| w.facts.iter().find(|fact| fact.id == *name));
            let def = def.ok_or_else(|| w.err_choice().to_owned())?;
            Ok(Fact::FactSet { name: name.clone(), value: form::fact_value(w, raw, &def.kind)? })
        }
        Fact::AnchorEvent { anchor, .. } => Ok(Fact::AnchorEvent { anchor: anchor.clone(), date: day()? }),
        Fact::AnchorCorrected { anchor, reason, .. } => {
            Ok(Fact::AnchorCorrected { anchor: anchor.clone(), date: day()?, reason: reason.clone() })
        }
        Fact::Died { .. } => Ok(Fact::Died { date: day()? }),
        Fact::Answered { questionnaire, answers, .. } => {
            let asked = workflow.as_ref().and_then(|w| w.questionnaires.get(questionnaire));
            let (item, value) = raw.split_once('=').unwrap_or(("", raw));
            let item = match item.trim() {
                "" if answers.len() == 1 => answers.keys().next(),
                name => answers.keys().find(|id| id.as_str() == name),
            };
            let item = item.and_then(|id| asked?.items.iter().find(|item| item.id == *id));
            let item = item.ok_or_else(|| w.err_choice().to_owned())?;
            let answer: Answer = form::answer(w, value.trim(), &item.kind, false)?;
            let mut fact = entry.fact.clone();
            if let Fact::Answered { answers, .. } = &mut fact {
                answers.insert(item.id.clone(), answer);
            }
            Ok(fact)
        }
        _ => Err(w.err_choice().to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_have_one_form() {
        assert_eq!(address(Channel::Sms, "+44 (7700) 900-123").as_deref(), Some("+447700900123"));
        for bad in ["07700900123", "+44x", "+123", "+1234567890123456", ""] {
            assert_eq!(address(Channel::Sms, bad), None, "{bad}");
        }
        assert_eq!(address(Channel::Email, " a.b@example.org ").as_deref(), Some("a.b@example.org"));
        for bad in ["a@b", "a@b.c\r\nBcc: x@y.z", "a b@c.d", "@c.d", "a@@c.d"] {
            assert_eq!(address(Channel::Email, bad), None, "{bad}");
        }
    }
}
