//! The columns that the writer fills, table by table.

use super::sql::{Columns, Kind::*, Update};

pub const EVENT: Columns = Columns {
    table: "event",
    columns: &[
        ("patient", Id),
        ("seq", Big),
        ("enrollment", IdOpt),
        ("kind", Text),
        ("schema", Int),
        ("occurred_at", Big),
        ("recorded_at", Big),
        ("author", Text),
        ("body", Text),
        ("secret", BytesOpt),
        ("decided_under", BigOpt),
    ],
};

pub const AUDIT: Columns = Columns {
    table: "audit",
    columns: &[
        ("id", Id),
        ("at", Big),
        ("actor", Text),
        ("action", Text),
        ("patient", IdOpt),
        ("subject", Text),
        ("detail", Text),
    ],
};

/// Found only while nobody has written the patient since it was read.
pub const PATIENT_MOVED: Update = Update {
    rows: Columns {
        table: "patient",
        columns: &[
            ("id", Id),
            ("seq", Big),
            ("next_seq", Big),
            ("wake_at", BigOpt),
            ("state", Bytes),
            ("state_version", Int),
        ],
    },
    keys: 2,
    set: "seq = {next_seq}, wake_at = {wake_at}, state = {state}, state_version = {state_version}",
};

pub const PATIENT: Columns = Columns {
    table: "patient",
    columns: &[
        ("id", Id),
        ("site", Id),
        ("team", IdOpt),
        ("seq", Big),
        ("wake_at", BigOpt),
        ("state", Bytes),
        ("state_version", Int),
        ("created_at", Big),
    ],
};

pub const PATIENT_KEY: Columns =
    Columns { table: "patient_key", columns: &[("patient", Id), ("wrapped", Bytes), ("created_at", Big)] };

pub const DEMOGRAPHICS: Columns =
    Columns { table: "demographics", columns: &[("patient", Id), ("sealed", Bytes), ("updated_at", Big)] };

pub const NAME_WORD: Columns =
    Columns { table: "name_word", columns: &[("word_hash", Bytes), ("patient", Id)] };

pub const IDENTIFIER: Columns = Columns {
    table: "identifier",
    columns: &[
        ("id", Id),
        ("patient", Id),
        ("system", Text),
        ("value_hash", Bytes),
        ("sealed", Bytes),
        ("created_at", Big),
    ],
};

pub const CONTACT_POINT: Columns = Columns {
    table: "contact_point",
    columns: &[
        ("id", Id),
        ("patient", Id),
        ("channel", Text),
        ("address_hash", Bytes),
        ("sealed", Bytes),
        ("owner", Text),
        ("usable", Bool),
        ("verified", Bool),
        ("created_at", Big),
    ],
};

pub const CONSENT: Columns = Columns {
    table: "consent",
    columns: &[
        ("id", Id),
        ("patient", Id),
        ("purpose", Text),
        ("channel", Text),
        ("wording", Text),
        ("how", Text),
        ("given_by", Text),
        ("given_at", Big),
    ],
};

pub const ENROLLMENT: Columns = Columns {
    table: "enrollment",
    columns: &[
        ("id", Id),
        ("patient", Id),
        ("site", Id),
        ("team", IdOpt),
        ("workflow", Text),
        ("version", Text),
        ("standing", Text),
        ("anchor", DateOpt),
        ("enrolled_at", Big),
        ("ended_at", BigOpt),
        ("last_answer_at", BigOpt),
        ("risk_ppm", IntOpt),
        ("score_wanted_at", BigOpt),
        ("risk_moved", TextOpt),
        ("risk_rank", IntOpt),
        ("moved_from", TextOpt),
        ("chosen", TextOpt),
    ],
};

pub const ENROLLMENT_CHANGED: Update = Update {
    rows: Columns {
        table: "enrollment",
        columns: &[
            ("id", Id),
            ("standing", Text),
            ("anchor", DateOpt),
            ("ended_at", BigOpt),
            ("last_answer_at", BigOpt),
            ("scored", Int),
            ("risk_ppm", IntOpt),
            ("wanted", Int),
            ("score_wanted_at", BigOpt),
            ("risk_moved", TextOpt),
            ("risk_rank", IntOpt),
            ("version", Text),
            ("moved_from", TextOpt),
            ("chosen", TextOpt),
        ],
    },
    keys: 1,
    set: "standing = {standing}, anchor = coalesce({anchor}, t.anchor), \
          ended_at = coalesce(t.ended_at, {ended_at}), \
          last_answer_at = coalesce({last_answer_at}, t.last_answer_at), \
          risk_ppm = case when {scored} = 1 then {risk_ppm} else t.risk_ppm end, \
          score_wanted_at = case when {wanted} = 1 then {score_wanted_at} else t.score_wanted_at end, \
          risk_moved = {risk_moved}, risk_rank = {risk_rank}, \
          version = {version}, moved_from = {moved_from}, chosen = {chosen}",
};

pub const SCORE: Columns = Columns {
    table: "score",
    columns: &[
        ("id", Id),
        ("patient", Id),
        ("enrollment", Id),
        ("model", Text),
        ("model_version", Text),
        ("inputs_hash", Bytes),
        ("ppm", IntOpt),
        ("low_ppm", IntOpt),
        ("high_ppm", IntOpt),
        ("reasons", Text),
        ("abstain", TextOpt),
        ("at", Big),
        ("inputs", TextOpt),
        ("site", IdOpt),
    ],
};

pub const OUTCOME: Columns = Columns {
    table: "outcome",
    columns: &[
        ("id", Id),
        ("site", Id),
        ("patient", Id),
        ("enrollment", Id),
        ("happened", Bool),
        ("day", TextOpt),
        ("source", Text),
        ("set_by", IdOpt),
        ("set_at", Big),
    ],
};

/// A wish for a score that was looked at; a newer wish stays.
pub const SCORE_LOOKED_AT: Update = Update {
    rows: Columns { table: "enrollment", columns: &[("id", Id), ("seen", Big)] },
    keys: 1,
    set: "score_wanted_at = case when t.score_wanted_at > {seen} then t.score_wanted_at end",
};

pub const IMPORT_LINE: Columns = Columns {
    table: "import_line",
    columns: &[("job", Id), ("line", Int), ("state", Text), ("report", Text), ("sealed", BytesOpt)],
};

pub const MESSAGE: Columns = Columns {
    table: "message",
    columns: &[
        ("id", Id),
        ("patient", Id),
        ("key", Text),
        ("enrollment", IdOpt),
        ("site", Id),
        ("purpose", Text),
        ("channel", Text),
        ("rung", Int),
        ("state", Text),
        ("plan", Text),
        ("send_after", Big),
        ("not_after", Big),
        ("link_expires", BigOpt),
        ("attempt", Int),
        ("next_attempt_at", Big),
        ("fence", Big),
        ("created_at", Big),
        ("updated_at", Big),
    ],
};

/// The lease ends with the state `claimed`; the fence never goes back. A receipt that came first knows better than the
/// carrier's own answer.
pub const MESSAGE_CHANGED: Update = Update {
    rows: Columns {
        table: "message",
        columns: &[
            ("patient", Id),
            ("key", Text),
            ("state", TextOpt),
            ("send_after", BigOpt),
            ("attempt", IntOpt),
            ("plan", TextOpt),
            ("updated_at", Big),
        ],
    },
    keys: 2,
    set: "state = case when t.state in ('delivered', 'refused') and {state} in ('handed_over', 'uncertain') \
          then t.state else coalesce({state}, t.state) end, \
          send_after = coalesce({send_after}, t.send_after), \
          next_attempt_at = coalesce({send_after}, t.next_attempt_at), \
          attempt = coalesce({attempt}, t.attempt), \
          plan = coalesce({plan}, t.plan), \
          lease_owner = case when coalesce({state}, t.state) = 'claimed' then t.lease_owner end, \
          lease_until = case when coalesce({state}, t.state) = 'claimed' then t.lease_until end, \
          updated_at = {updated_at}",
};

pub const TASK: Columns = Columns {
    table: "task",
    columns: &[
        ("id", Id),
        ("patient", Id),
        ("key", Text),
        ("enrollment", IdOpt),
        ("workflow", TextOpt),
        ("site", Id),
        ("team", IdOpt),
        ("kind", Text),
        ("level", Text),
        ("level_rank", Int),
        ("role", Text),
        ("title", Text),
        ("because", Text),
        ("plan", Text),
        ("opened_at", Big),
        ("respond_by", BigOpt),
        ("respond_sort", Big),
        ("risk_sort", Int),
        ("minutes", Int),
        ("window_closes", BigOpt),
        ("rung", Int),
        ("state", Text),
        ("open", Bool),
        ("taken_by", IdOpt),
        ("outcome", TextOpt),
        ("closed_at", BigOpt),
        ("closed_by", IdOpt),
    ],
};

pub const TASK_CHANGED: Update = Update {
    rows: Columns {
        table: "task",
        columns: &[
            ("patient", Id),
            ("key", Text),
            ("level", Text),
            ("level_rank", Int),
            ("role", Text),
            ("because", Text),
            ("respond_by", BigOpt),
            ("respond_sort", Big),
            ("risk_sort", Int),
            ("rung", Int),
            ("state", Text),
            ("open", Bool),
            ("taken_by", IdOpt),
            ("outcome", TextOpt),
            ("closed_at", BigOpt),
            ("closed_by", IdOpt),
        ],
    },
    keys: 2,
    set: "level = {level}, level_rank = {level_rank}, role = {role}, because = {because}, \
          respond_by = {respond_by}, respond_sort = {respond_sort}, risk_sort = {risk_sort}, rung = {rung}, \
          state = {state}, open = {open}, taken_by = {taken_by}, outcome = {outcome}, closed_at = {closed_at}, closed_by = {closed_by}",
};

/// Open tasks by queue; each node adds to rows of its own.
pub const QUEUE_COUNT: Columns = Columns {
    table: "queue_count",
    columns: &[("site", Id), ("role", Text), ("level", Text), ("shard", Int), ("n", Big)],
};
/// The key of [`QUEUE_COUNT`], and how a number is added.
pub const COUNTED: (&str, &str) = ("site, role, level, shard", "n = queue_count.n + excluded.n");
