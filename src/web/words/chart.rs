//! Words of the patient page and its actions.

crate::words! {
    /// Patient page.
    Chart {
        born(date): "born {date}", "生于 {date}";
        elsewhere(site, zone, time): "Times on this page are the hospital's ({site}). The patient lives in {zone}, where it is now {time}.",
            "本页时间均为医院时间（{site}）。患者所在时区为 {zone}，当地现在是 {time}。";
        closed_tasks(n): "{n} closed", "{n} 项已关闭";
        one_value(day, value): "{value} ({day})", "{day}为 {value}";
        why_led: "What led to it, and what followed", "起因与后续";
        from_version(title, version): "{title}, version {version}", "{title}，版本 {version}";
        now_doing: "Where it stands", "当前状态";
        since_anchor(anchor, date): "{anchor}: {date}", "{anchor}日期：{date}";
        coming: "What comes next", "接下来";
        coming_none: "Nothing is planned.", "暂无安排。";
        wakes(time): "Looked at again: {time}", "下次检视：{time}";
        quarantined(why): "Nothing is decided for this patient until somebody has looked: {why}",
            "在人工检查之前，系统不会对该患者作出任何决定：{why}";
        take_back: "The record was looked at: go on", "已检查该记录，继续随访";
        answers: "Answers", "答复";
        answers_none: "No answers yet.", "暂无答复。";
        answers_hidden: "Answers are shown to nurses and clinicians only.", "答复仅对护士和医生显示。";
        chart_of(what, n): "{what}: {n} values over time, the table below has the same", "{what}：{n} 个随时间变化的数值，下表内容相同";
        table_of(what): "{what} as a table", "{what} 表格";
        value: "Value", "数值";
        doubtful: "confirmed although unusual", "异常但已确认";
        timeline: "Timeline", "时间线";
        older: "Older entries", "更早记录";
        messages: "Messages", "消息";
        tasks: "Tasks", "任务";
        contact: "Contact and consent", "联系方式与同意";
        identifiers: "Numbers", "编号";
        language: "Language", "语言";
        zone: "Time zone", "时区";
        preferred: "Preferred channel", "首选渠道";
        carer: "carer", "照护者";
        own: "own", "本人";
        not_usable: "does not work", "不可用";
        stopped: "stopped by the patient", "患者已退订";
        consented: "consent recorded", "已记录同意";
        no_consent: "no consent", "无同意记录";
        withdrawn_at(time): "withdrawn {time}", "{time} 撤回";
        daily: "Up to three messages a day", "每日最多三条消息";
        died_on(date): "Died on {date}. Nothing more is sent.", "于 {date} 去世，不再发送任何消息。";
        in_flight(n): "{n} message(s) are in flight: they had left before this was recorded and may still arrive.",
            "有 {n} 条消息已在发送途中：在此记录之前已交出，仍可能送达。";
        saved: "Recorded.", "已记录。";

        act: "Record", "操作";
        act_pause: "Pause messages", "暂停消息";
        act_resume: "Go on after a pause", "恢复随访";
        act_stop: "Stop this follow-up", "终止随访";
        act_died: "Record death", "登记死亡";
        act_correct_anchor: "Correct a mistyped date", "更正录入错误的日期";
        act_new_anchor: "New event", "新事件";
        act_void: "This entry is wrong", "此记录有误";
        act_contact: "Change contact", "更改联系方式";
        act_preference: "Change language or channel", "更改语言或渠道";
        act_consent: "Consent or STOP by phone", "电话同意或退订";
        act_risk: "Move on the risk queue", "调整风险队列位置";
        risk_help: "The score stays as it is and is shown beside your decision. Alerts by rules keep their place above. It can be taken back here.",
            "评分保持不变，并与您的决定一同显示；规则警示仍排在前面。可在此撤回。";
        risk_up: "See earlier: before every score", "提前处理：排在所有评分之前";
        risk_down: "See later: behind every score", "延后处理：排在所有评分之后";
        risk_dismiss: "Not now: off the queue", "暂不处理：移出队列";
        risk_back: "Take it back: the score decides again", "撤回：恢复按评分排序";
        act_set_fact: "Change a fact", "更改信息";

        pause_help: "Nothing is sent while it pauses. Without an end date a review task is opened.",
            "暂停期间不发送消息；不填结束日期则生成复核任务。";
        pause_until: "Until (empty: until a review)", "截止日期（留空则待复核）";
        resume_help: "What is due from now on is sent again. What was missed stays missed.", "此后到期的内容将恢复发送，错过的不再补发。";
        stop_help: "Nothing more is sent in this follow-up. Open tasks of it are withdrawn. It cannot be undone; enrol again if it was a mistake.",
            "该随访将不再发送任何消息，相关待办将撤回，且不可恢复；如有误请重新登记。";
        died_help: "Everything ends at once: no message to any number, all open tasks withdrawn. If it was a mistake, mark the entry as wrong.",
            "一切立即终止：不再向任何号码发送消息，所有待办撤回。如有误，请将该记录标为有误。";
        died_date: "Date of death", "死亡日期";
        correct_help: "The date was mistyped. What is not sent yet moves; what was done stays done and nothing goes out twice.",
            "日期录入有误：未发送的将重新安排，已完成的保持不变，不会重复发送。";
        new_anchor_help: "Something happened again, for example a recurrence. What is planned is withdrawn and planned afresh from the new date.",
            "再次发生的事件，例如复发：原计划撤回，并自新日期起重新安排。";
        anchor: "Which date", "日期类型";
        void_help: "The entry stays visible, struck through, with your reason; what follows from it is taken back where it still can be.",
            "该记录将保留并划线显示，附上您的原因；由其产生的后果将尽可能撤回。";
        void_entry: "Entry", "记录";
        correct_value: "What it should have been (leave empty to void it)", "正确的内容（留空则作废）";
        contact_help: "Applies to everything that has not left yet.", "适用于所有尚未发出的消息。";
        new_address: "New number or e-mail address", "新的电话号码或邮箱";
        err_phone: "Write the number with country code, for example +44 7700 900123.", "请输入带国家代码的号码，例如 +86 138 0000 0000。";
        err_email: "Write an e-mail address, for example name@example.org.", "请输入邮箱地址，例如 name@example.org。";
        consent_help: "Read the wording out, then record what the patient said.", "请宣读同意内容，再记录患者的答复。";
        consent_give: "Consents", "同意";
        consent_withdraw: "STOP: no more on this channel", "退订：不再使用该渠道";
        consent_daily_give: "Consents to up to three messages a day", "同意每日最多三条消息";
        consent_daily_withdraw: "Withdraws the daily consent", "撤回每日消息同意";
        what: "What", "内容";
        channel: "Channel", "渠道";
        fact: "Fact", "信息";
    }
}
