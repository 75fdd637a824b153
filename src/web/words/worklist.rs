//! Words of the worklist and the call screen.

crate::words! {
    /// Worklist and call screen.
    Worklist {
        title: "Worklist", "工作列表";
        mine: "My duties", "我的职责";
        taken_by_me: "Taken by me", "我已领取";
        everybody: "All owners", "所有负责人";
        open_tasks(n): "{n} open", "{n} 项待办";
        due: "Respond by", "响应时限";
        now: "Now", "立即";
        now_overdue(time): "Now, overdue: {time}", "立即，已逾期：{time}";
        born_in(year): "born {year}", "{year} 年生";
        overdue(time): "Overdue: {time}", "已逾期：{time}";
        no_deadline: "no deadline", "无时限";
        minutes_left(minutes, nurses): "About {minutes} nurse minutes left today ({nurses} at work).",
            "今日剩余约 {minutes} 护士分钟（在岗 {nurses} 人）。";
        no_cover(time): "Nobody is on duty now. Cover begins {time}.", "当前无人值班，{time} 开始值班。";
        not_reached(minutes): "From here on not reached today: {minutes} minutes of work stand above.",
            "以下今日可能来不及处理：以上已有 {minutes} 分钟工作量。";
        take: "Take", "领取";
        give_back: "Give back", "退回";
        taken_by(name): "Taken by {name}", "{name} 已领取";
        escalated: "escalated", "已升级";
        more_reasons(n): "+{n} more", "另有 {n} 条";
        empty: "Nothing is open here.", "暂无待办。";
        empty_filter: "No open task matches this filter.", "没有符合筛选条件的待办。";
        minutes(n): "{n} min", "{n} 分钟";

        call: "Task", "任务";
        script: "What to do", "处理要点";
        script_alert: "Call the patient. Say your name, check name and birth date, then ask what is behind the reasons.",
            "致电患者：自报姓名，核对姓名和出生日期，再询问下列情况。";
        script_silent: "The patient has not answered. Call at another time of day than before; ask how things are and whether messages arrive.",
            "患者未应答。请换个时段致电，询问近况及是否收到消息。";
        script_visit: "Record whether it took place. If not, arrange the next step first.",
            "请记录是否完成；若未完成，请先安排下一步。";
        script_emergency(number): "In an emergency tell the patient to call {number} now.",
            "如有紧急情况，请患者立即拨打 {number}。";
        phone: "Phone", "电话";
        no_phone: "No telephone number is stored.", "未登记电话号码。";
        ask_now: "Type the patient's answers", "代录患者答复";
        ask_now_help: "As the patient says them on the phone. They count as an answer, entered by you.",
            "按患者电话中的回答录入，计为一次答复，并记录由您录入。";
        declined: "Prefers not to say", "不愿回答";
        leave_empty: "not asked", "未询问";
        submit_answers: "Save the answers", "保存答复";
        answers_saved: "The answers are saved. Now record what came of the task.", "答复已保存，请记录任务结果。";
        doubtful: "This differs a lot from the last value. Ask again; tick to confirm it.",
            "与上次数值相差较大，请再次核实，确认请勾选。";
        doubt_confirm: "Asked again, it is right", "已核实，数值正确";
        flagged: "Tell the patient now", "请立即告知患者";
        outcome: "What came of it", "处理结果";
        note: "Note", "备注";
        note_help: "Stored encrypted. Optional.", "加密保存，可不填。";
        notes: "Notes", "备注";
        closed(outcome): "Closed: {outcome}", "已关闭：{outcome}";
        withdrawn: "Closed: no longer needed", "已关闭：不再需要";
        next_task: "Next task", "下一任务";
        to_patient: "Patient page", "患者页面";
        opened: "Opened", "产生时间";
        source: "Where it comes from", "来源";
        rule(rule, version): "Rule {rule}, version {version}", "规则 {rule}，版本 {version}";
        step(step, version): "Step {step}, version {version}", "步骤 {step}，版本 {version}";
        take_first: "Take the task first, so that nobody else calls the patient too.", "请先领取任务，以免重复致电患者。";
        already_taken(name): "{name} has taken it already.", "{name} 已领取该任务。";
        already_closed: "It is closed already.", "该任务已关闭。";
        saved: "Saved.", "已保存。";
        saved_for(name, next): "Saved for {name}. Next: {next}", "{name}的结果已保存。下一位：{next}";
        saved_next_same(name): "Saved for {name}. Next: another task of the same patient", "{name}的结果已保存。下一项：同一患者的另一任务";
        answer_now(what, value, day): "{what} {value} ({day})", "{what}：{day}为 {value}";
        answer_before(value, day): "before: {value} ({day})", "上次：{value}（{day}）";
        answer_change(change, days, from, to): "{change} in {days} day(s) ({from} → {to})", "{days} 天内 {change}（{from} → {to}）";
        answer_than(what, value, change): "{what} {value} ({change})", "{what} {value}（相差 {change}）";
        answers_behind: "The answers behind it", "依据的答复";
    }
}
