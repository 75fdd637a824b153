//! Words of the timeline: one sentence for each kind of entry.

crate::words! {
    /// Timeline sentences.
    Story {
        by_patient: "patient", "患者";
        by_carer: "carer", "照护者";
        by_engine: "by the workflow", "由流程决定";
        by_carrier: "carrier", "运营商";
        by_system: "system", "系统";
        preference(lang, zone): "Language {lang}, time zone {zone}", "语言 {lang}，时区 {zone}";
        reachable(channel): "{channel} can be used", "{channel} 可用";
        unreachable(channel): "{channel} does not work any more", "{channel} 已不可用";
        consent(channel, wording): "Consent to {channel} (wording {wording})", "同意使用{channel}（文本版本 {wording}）";
        consent_withdrawn(channel): "Consent to {channel} withdrawn", "撤回{channel}同意";
        daily_on: "Consent to up to three messages a day", "同意每日最多三条消息";
        daily_off: "Daily consent withdrawn", "撤回每日消息同意";
        channel_stopped(channel): "STOP on {channel}", "{channel} 退订";
        channel_restarted(channel): "START on {channel}", "{channel} 恢复";
        replied(channel): "Wrote by {channel}", "通过{channel}来信";
        died(date): "Died on {date}", "于 {date} 去世";
        enrolled(workflow, version): "Enrolled in {workflow}, version {version}", "登记加入 {workflow}，版本 {version}";
        fact_set(name, value): "{name} set to {value}", "{name} 设为 {value}";
        anchor_event(name, date): "New event: {name} on {date}", "新事件：{name}，{date}";
        anchor_corrected(name, date): "Date corrected: {name} is {date}", "日期更正：{name} 为 {date}";
        flagged(questionnaire): "Red-flag answer in {questionnaire}, before submission", "{questionnaire} 提交前出现危险信号";
        answered(questionnaire): "Answered {questionnaire}", "已答复 {questionnaire}";
        answered_by_nurse(questionnaire): "Answered {questionnaire} on the phone, typed by a nurse", "电话答复 {questionnaire}，由护士录入";
        answered_by_carer(questionnaire): "A carer answered {questionnaire}", "照护者答复 {questionnaire}";
        outcome(outcome): "Outcome: {outcome}", "处理结果：{outcome}";
        taken: "Task taken", "任务已领取";
        given_back: "Task given back", "任务已退回";
        paused_until(date): "Paused until {date}", "暂停至 {date}";
        paused: "Paused until a review", "暂停，待复核";
        resumed: "Goes on", "恢复";
        stopped(why): "Stopped: {why}", "终止：{why}";
        scored(model, percent): "Scored by {model}: {percent}", "{model} 评分：{percent}";
        not_scored(model): "Not scored by {model}", "{model} 未评分";
        risk_up: "Moved up on the risk queue", "在风险队列中上移";
        risk_down: "Moved down on the risk queue", "在风险队列中下移";
        risk_dismissed: "Taken off the risk queue", "从风险队列中移除";
        risk_back: "Back on the risk queue where the score puts the patient", "恢复到评分所定的风险队列位置";
        version_stays(version): "Stays on its version; version {version} is not taken", "保持原版本，不采用版本 {version}";
        version_waits(version): "Moves to version {version} as soon as nothing is open", "无待办事项时转至版本 {version}";
        version_moved(from, to): "Moved from version {from} to version {to}", "由版本 {from} 转至版本 {to}";
        version_moved_back(from, to): "Moved back from version {from} to version {to}", "由版本 {from} 退回版本 {to}";
        voided(seq): "Entry {seq} was wrong", "第 {seq} 条记录有误";
        corrected(seq): "Entry {seq} corrected", "第 {seq} 条记录已更正";
        claimed: "Message in flight", "消息发送中";
        released: "Message waits again: nothing had left", "消息重新等待：尚未发出";
        handed_over: "Message handed over", "消息已交付";
        refused: "Message refused for good", "消息被永久拒绝";
        refused_once: "Message refused for now, tried again", "消息暂时被拒，将重试";
        unknown: "Message uncertain: the carrier's answer was lost", "消息结果不明：未收到运营商答复";
        delivered: "Message delivered", "消息已送达";
        bounced: "Message bounced", "消息被退回";
        opened(step, closes): "{step} came due, open until {closes}", "{step} 到期，截止 {closes}";
        opened_late(step): "{step} came due (noticed late)", "{step} 到期（发现较晚）";
        closed(step, how): "{step}: {how}", "{step} 结果：{how}";
        skipped(step, first, last, how): "{step}, numbers {first} to {last}: {how}", "{step} 第 {first} 至 {last} 次：{how}";
        replanned(step): "{step} planned afresh", "{step} 重新安排";
        started(step): "{step} started", "{step} 启动";
        score_wanted(model): "Score wanted from {model}", "请求 {model} 评分";
        planned(purpose, channel, time): "{purpose} by {channel} planned for {time}", "计划于 {time} 通过{channel}发送{purpose}";
        joined(step): "{step} goes with the same message", "{step} 并入同一条消息";
        moved(time, why): "Message moved to {time}: {why}", "消息改至 {time}：{why}";
        dropped(why): "Message not sent: {why}", "消息未发送：{why}";
        task_opened(title): "Task opened: {title}", "产生任务：{title}";
        task_changed(role): "Task now with: {role}", "任务转至：{role}";
        task_withdrawn(why): "Task withdrawn: {why}", "任务撤回：{why}";
        judged(rules): "Rules fired: {rules}", "触发规则：{rules}";
        one_of(words): "one of: {words}", "下列之一：{words}";
        judged_for(seq): "for entry {seq}", "依据第 {seq} 条记录";
        judged_none: "Rules looked at, none fired", "已检查规则，未触发";
        ended: "The follow-up reached its end", "随访已按计划结束";

        because_step(step): "schedule of step {step}", "步骤 {step} 的安排";
        because_rule(rule, seq): "rule {rule}, for entry {seq}", "规则 {rule}，依据第 {seq} 条记录";
        because_reply: "answer to the patient's own message", "回复患者来信";
        because_fallback: "the channel before failed", "前一渠道失败";

        how_done: "done", "已完成";
        how_silent: "no answer", "无应答";
        how_undone: "not done in its window", "未在期限内完成";
        how_late: "missed, not asked: too late", "错过（未询问）：过晚";
        how_capped: "missed, not asked: message cap", "错过（未询问）：消息上限";
        how_suppressed: "missed, not asked: no channel, no consent, stopped or paused", "错过（未询问）：无渠道、无同意、已退订或暂停";
        how_undelivered: "missed, not asked: not delivered", "错过（未询问）：未送达";
        how_not_needed: "not needed", "不需要";
        how_satisfied: "done already before", "此前已完成";
        how_withdrawn: "withdrawn", "已撤回";

        move_quiet: "quiet hours", "静默时段";
        move_cap: "message cap", "消息上限";
        move_gap: "two messages too close together", "两条消息间隔过近";
        move_uncovered: "nobody on duty", "无人值班";
        move_retry: "the carrier refused for now", "运营商暂时拒绝";
        move_corrected: "a date was corrected", "日期已更正";

        drop_answered: "answered in the meantime", "已答复";
        drop_channel_stopped: "the channel was stopped", "渠道已退订";
        drop_no_consent: "no consent", "无同意";
        drop_no_address: "no usable address", "无可用地址";
        drop_over: "the follow-up is over", "随访已结束";
        drop_paused: "paused", "已暂停";
        drop_died: "died", "已去世";
        drop_cap: "no room under the cap", "超出消息上限";
        drop_expired: "its window closed", "时限已过";
        drop_replanned: "planned afresh", "已重新安排";
        drop_visited: "a visit took place", "已就诊";
        drop_voided: "the entry behind it was wrong", "所依据的记录有误";
        drop_empty: "nothing was left in it", "内容已全部失效";
        drop_undeliverable: "the last channel refused it", "最后渠道被拒";
    }
}
