//! All rows that Tend writes about a message, from the step to the receipt, as lists: for a pipeline that writes the same.

use std::collections::BTreeMap;

use tend_engine::{
    MessageId, PatientId,
    fact::{Author, Fact, HandoverResult, MessagePlan, NewFact},
};

use super::{BenchError, bare::Group};
use crate::{
    app::{App, record::decide},
    cli::clock::FreshIds,
    store::{
        Batch, Busy, Cell, Ended, Lease, Locked, PlainRows, Sent, Waiting, plain_claims, plain_endings,
        vault::PatientKey,
    },
};

/// What is written about a group of messages: three commits.
pub struct Written {
    /// The step that plans them.
    pub step: Group,
    /// Claims, with what will be sent, and the marks that they are begun.
    pub claim: Group,
    /// What the carrier answered.
    pub receipt: Group,
}

impl Written {
    /// Decides about patients who are due and takes everything back.
    ///
    /// # Errors
    /// [`BenchError`].
    pub async fn of(app: &App, ids: &[PatientId]) -> Result<Self, BenchError> {
        let mut tx = app.store.begin();
        let keys = tx.keys(ids).await.map_err(BenchError::of)?;
        let mut batches = [Batch::default(), Batch::default(), Batch::default()];
        let mut plans = Vec::new();
        for mut patient in tx.lock(ids, Busy::Skip).await.map_err(BenchError::of)? {
            plans.extend(course(app, &mut patient, &mut batches)?.map(|plan| (patient.id, plan)));
        }
        tx.rollback().await.map_err(BenchError::of)?;
        let [step, claim, receipt] = batches.map(Batch::into_plain);
        let messages = messages(&step);
        let waiting: Vec<Waiting> = plans
            .into_iter()
            .filter_map(|(patient, plan)| Some(waiting(*messages.get(&patient)?, patient, plan)))
            .collect();
        let (claims, endings) = (claims(app, &waiting, &keys), endings(app, &waiting));
        Ok(Self {
            step: Group { rows: step },
            claim: Group { rows: [claims, claim].concat() },
            receipt: Group { rows: [endings, receipt].concat() },
        })
    }
}

/// A patient's step, the claim of its message and the carrier's yes, each into a batch of its own.
fn course(
    app: &App,
    patient: &mut Locked,
    batches: &mut [Batch; 3],
) -> Result<Option<MessagePlan>, BenchError> {
    let (live, now) = (app.live(), app.clock.now());
    let mut facts = Vec::new();
    let mut planned = None;
    for (at, batch) in batches.iter_mut().enumerate() {
        let advanced = decide(&live, patient, std::mem::take(&mut facts), now).map_err(BenchError::of)?;
        batch.advance(&live.library, &FreshIds, patient, &advanced);
        patient.seq = patient.state.seq;
        if at == 0 {
            planned = advanced.entries.into_iter().find_map(|entry| match entry.fact {
                Fact::Planned(plan) => Some((plan, entry.enrollment)),
                _other => None,
            });
        }
        let Some((plan, enrollment)) = &planned else { return Ok(None) };
        let message = plan.key.clone();
        let (author, fact) = match at {
            0 => (Author::Engine, Fact::Claimed { message, attempt: 1 }),
            _ => {
                (Author::Carrier, Fact::HandedOver { message, attempt: 1, result: HandoverResult::Accepted })
            }
        };
        facts.push(NewFact { enrollment: *enrollment, occurred_at: now, author, fact });
    }
    Ok(planned.map(|(plan, _)| plan))
}

/// The message of each patient, out of the step's rows.
fn messages(step: &[PlainRows]) -> BTreeMap<PatientId, MessageId> {
    let id = |cell: &Cell| match cell {
        Cell::Bytes(bytes) => Some(u128::from_be_bytes(bytes.as_slice().try_into().ok()?)),
        Cell::Null | Cell::Whole(_) | Cell::Text(_) => None,
    };
    let rows = step.iter().filter(|table| table.table == "message" && table.update.is_none());
    let ids = |row: &Vec<Cell>| Some((PatientId(id(row.get(1)?)?), MessageId(id(row.first()?)?)));
    rows.flat_map(|table| &table.rows).filter_map(ids).collect()
}

fn waiting(id: MessageId, patient: PatientId, plan: MessagePlan) -> Waiting {
    let enrollment = plan.members.first().map(|member| member.enrollment);
    Waiting {
        id,
        patient,
        key: plan.key.clone(),
        enrollment,
        site: super::ground::SITE,
        plan,
        attempt: 0,
        fence: 0,
    }
}

fn claims(app: &App, waiting: &[Waiting], keys: &BTreeMap<PatientId, PatientKey>) -> Vec<PlainRows> {
    let sent = Sent {
        to: "p00000@patients.example".into(),
        subject: "Follow-up".into(),
        text: "How are you today? ".repeat(7),
        language: "en".into(),
    };
    let tokens: Vec<String> =
        waiting.iter().map(|waiting| app.store.vault().link_token(waiting.id.0)).collect();
    let leases: Vec<Lease<'_>> = waiting
        .iter()
        .zip(&tokens)
        .filter_map(|(waiting, token)| {
            let key = keys.get(&waiting.patient)?;
            Some(Lease { waiting, attempt: 1, sent: &sent, version: None, token: Some(token), key })
        })
        .collect();
    plain_claims(&leases, app.clock.now())
}

fn endings(app: &App, waiting: &[Waiting]) -> Vec<PlainRows> {
    let ended = |waiting: &Waiting| Ended {
        id: waiting.id,
        attempt: 1,
        result: "accepted",
        provider_ref: Some(waiting.id.to_string()),
    };
    let ended: Vec<Ended> = waiting.iter().map(ended).collect();
    plain_endings(&ended, app.clock.now())
}
