//! Words of the page on which a workflow's new version is looked at before anybody is moved.

crate::words! {
    /// Another version of a workflow.
    Versions {
        title(workflow): "{workflow}: another version", "{workflow}：另一版本";
        nothing_sent: "This page only looks ahead: nothing is sent and nothing is changed by opening it.", "本页仅作预览：打开本页不会发送消息，也不会更改任何内容。";
        draft: "in the folder, not published yet", "在文件夹中，尚未发布";
        in_use: "published, in use for new patients", "已发布，用于新患者";
        version: "New version", "新版本";
        ambiguous: "Nobody can be moved before the file says what is meant:", "文件须先写明含义，否则无法转换患者：";
        from_version(version, n): "From version {version} ({n} follow-ups)", "由版本 {version}（{n} 个随访）";
        from_version_short(version): "On version {version}.", "当前版本 {version}。";
        summary: "In short", "概要";
        elsewhere: "Running follow-ups on another version", "在其他版本上进行中的随访";
        there: "On the new version already", "已在新版本上";
        moved: "of them moved there", "其中由转换而来";
        chosen_stay: "of them chosen to stay", "其中选择保持原版本";
        chosen_wait: "of them to move when no window is open", "其中选择无待办时转换";
        looked(n, all): "What a move changes was worked out for {n} of {all} follow-ups, in the order of the list below. The command line works it out for all: tend publish --preview.",
            "已按下列顺序推演 {all} 个随访中的 {n} 个转换后的变化。命令 tend publish --preview 可推演全部。";
        changing: "For whom moving changes something", "转换后有变化的随访";
        waiting: "Wait for an answer or a task right now", "当前有待答复或待办事项";
        today: "Messages today, as things stand", "今日消息（维持现状）";
        today_moved: "Messages today, if these were moved now", "今日消息（若立即转换）";
        broken: "Cannot be moved", "无法转换";
        everybody: "For everybody", "全体";
        stay: "Everybody stays on their version", "全部保持原版本";
        stay_help: "Only new patients get the new version.", "仅新患者使用新版本。";
        now: "Move everybody now", "全部立即转换";
        now_help: "What waits of a removed or re-timed step is withdrawn; what is due from now on is planned afresh, and work whose window is open stays. What is done stays done.",
            "已删除或改期步骤中待处理的内容将撤回，今后到期的内容重新安排，仍在期限内的工作保留，已完成的保持不变。";
        quiet: "Move each when no window is open", "各自在无待办时转换";
        quiet_help: "Nothing is withdrawn: a follow-up moves once nothing of it waits for an answer or a task.", "不撤回任何内容：待答复和任务均结束后再转换。";
        back: "Move everybody back who was moved, and nobody who waits", "已转换者全部退回，等待转换者不再转换";
        back_help: "Back to the version before; what may still be done is planned again.", "退回之前的版本，仍可完成的内容重新安排。";
        per_hour: "At most so many patients an hour (empty: as fast as it goes)", "每小时最多转换人数（留空则不限）";
        publish_go: "Publish and do this", "发布并执行";
        go: "Do this", "执行";
        done: "Done. Follow-ups that are moved together are moved in the background.", "已执行。批量转换在后台进行。";
        jobs: "Moves", "转换记录";
        job(when, what, n): "{when}: {what}, {n} done", "{when}：{what}，已完成 {n} 个";
        job_waiting: "going on", "进行中";
        job_done: "finished", "已结束";
        job_given_up: "given up", "已放弃";
        patients: "Patient by patient", "逐个患者";
        patient: "Patient", "患者";
        gets(n): "Gets ({n})", "新增（{n}）";
        loses(n): "No longer gets ({n})", "不再有（{n}）";
        more(n): "and {n} more", "另有 {n} 项";
        same: "Nothing changes for this patient.", "该患者无变化。";
        ends(now, then): "Ends {then} instead of {now}", "结束日期由 {now} 改为 {then}";
        for_life: "never", "无期限";
        messages(now, then): "Messages today: {then} instead of {now}", "今日消息：由 {now} 条改为 {then} 条";
        waits: "Something waits for an answer or a task.", "有待答复或待办事项。";
        chosen_stays: "Chosen: stays on its version.", "已选择：保持原版本。";
        chosen_waits: "Chosen: moves when no window is open.", "已选择：无待办时转换。";
        one_stay: "Stay", "保持";
        one_now: "Move now", "立即转换";
        one_quiet: "When no window is open", "无待办时";
        one_cancel: "Do not wait any more", "取消等待";
        one_back: "Move back", "退回";
        moved_followups: "Moved follow-ups", "已转换的随访";
        bad_pace: "Write how many patients an hour, from 1 to 100000, or leave it empty.", "请填写每小时人数（1 到 100000），或留空。";
        nothing_done: "Nothing was changed: the follow-up is over, is on that version already, or was not moved.", "未作更改：随访已结束、已在该版本上或未曾转换。";
        next: "More patients", "更多患者";
    }
}
