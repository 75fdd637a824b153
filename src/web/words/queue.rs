//! Words of the risk queue, the message log, the workflows and the health page.

crate::words! {
    /// Risk queue.
    Risk {
        title: "Risk queue", "风险队列";
        notice(scope): "The score was made from {scope}. It orders this list and decides nothing; people decide.",
            "评分依据：{scope}。仅用于排序，不作任何决定，由人决定。";
        state_on: "on", "启用";
        state_shadow: "shadow: computed and logged, not shown", "影子模式：计算并记录，但不显示";
        state_off: "off: not computed", "停用：不计算";
        state_back: "stepped back: beyond the limit, not shown until a clinician decides", "已退出：超出控制限，医生决定前不显示";
        watch_look: "The figures of the model are beyond the limit: look at how it does.", "模型指标超出控制限，请查看运行监测。";
        watch_back: "The figures of the model are beyond the limit again. Where it was on it has stepped back: the published score stands in its place.",
            "模型指标再次超限，已启用处已退出，由公开评分代替。";
        not_shown: "the model has stepped back", "模型已退出";
        model_is(model, version, state): "Model {model}, version {version}: {state}", "模型 {model}，版本 {version}：{state}";
        model_none: "No model is wired to a workflow of this site.", "本院流程未配置模型。";
        card: "Model card", "模型卡";
        switched(model, version, on, all): "Model {model}, version {version}, is on in {on} of {all} follow-ups.",
            "模型 {model}，版本 {version}：已在 {all} 个流程中的 {on} 个启用。";
        switches: "Turn on or off", "启用或停用";
        turn_on: "Turn on", "启用";
        turn_shadow: "To shadow", "转影子模式";
        turn_off: "Turn off", "停用";
        switched_by(name, time): "by {name}, {time}", "由 {name} 于 {time} 设置";
        red_first: "Red by rule: always first", "规则判定为红色：始终置顶";
        ranked: "By calibrated risk", "按校准风险排序";
        not_scored: "Not scored", "未评分";
        not_scored_because(why): "not scored because {why}", "未评分，原因：{why}";
        audit_share: "Low risk, drawn at random for review", "低风险随机抽查";
        audit_help: "So that somebody looks at patients whom the model puts last.", "以便有人查看被模型排在末尾的患者。";
        probability(percent, days): "{percent} within {days} days", "{days} 天内 {percent}";
        interval(low, high): "{low} to {high}", "{low} 至 {high}";
        missing(what): "Not known: {what}", "未知：{what}";
        raises(what): "raises: {what}", "升高：{what}";
        lowers(what): "lowers: {what}", "降低：{what}";
        scored_at(time): "scored {time}", "评分时间 {time}";
        empty: "Nobody is in this list.", "暂无患者。";
        decide: "Move", "调整";
        moved_up: "moved up by a clinician", "医生已上移";
        moved_down: "moved down by a clinician", "医生已下移";
        moved_off: "taken off by a clinician", "医生已移出";
        dismissed: "Taken off the queue", "已移出队列";
    }
}

crate::words! {
    /// Message log.
    MessageLog {
        title: "Messages", "消息记录";
        state: "State", "状态";
        uncertain_first: "In doubt", "结果不明";
        uncertain_help: "The carrier's answer was lost: the message may or may not have arrived. It is never sent again by itself.",
            "未收到运营商答复：消息可能已送达，也可能没有。系统不会自动重发。";
        uncertain_none: "No message is in doubt.", "没有结果不明的消息。";
        latest: "Latest", "最近";
        decide: "Decide", "处理";
        decide_help: "Ask the patient by phone whether it arrived.", "请致电患者确认是否收到。";
        arrived: "It arrived", "已收到";
        not_arrived: "It did not arrive", "未收到";
        send_again: "Send once more", "再发送一次";
        attempt(n): "attempt {n}", "第 {n} 次";
        for_patient: "Patient", "患者";
    }
}

crate::words! {
    /// Workflows.
    Workflows {
        title: "Workflows", "随访流程";
        none: "No workflow is here.", "暂无流程。";
        status: "Status", "状态";
        version: "Version", "版本";
        published(time): "published {time}", "发布于 {time}";
        active: "active", "使用中";
        older: "older", "旧版本";
        versions_link: "What a new version changes, and who is moved to it", "新版本的影响与患者转换";
        enrolled(n): "{n} enrolled", "{n} 人登记";
        draft: "Draft in the folder", "文件夹中的草稿";
        draft_same: "The folder has the same as the active version.", "文件夹内容与当前版本相同。";
        draft_new: "The folder has something new: it takes effect once it is published.", "文件夹有新内容，发布后生效。";
        draft_problems(n): "The workflow files have {n} problem(s), so nothing of the folder can be published. `tend check` lists them.",
            "流程文件有 {n} 个问题，文件夹内容无法发布。请运行 tend check 查看。";
        done: "Published: new enrollments take it from now on.", "已发布：新登记者自此使用该版本。";
        publish: "Publish", "发布";
        publish_help: "New enrollments take this version. Running ones stay on theirs.", "新登记者使用该版本，进行中的保持原版本。";
        refused_roles(roles): "Not published: these roles own something in it and have no active account at this site: {roles}.",
            "未发布：以下角色在流程中负责事项，但本院没有启用的账户：{roles}。";
        check_title: "Check of the workflow files", "流程文件检查";
        check_fine(workflows, cases): "{workflows} workflows and {cases} stories checked, nothing found.", "已检查 {workflows} 个流程和 {cases} 个案例，未发现问题。";
        check_found(n): "Problems found: {n}", "发现问题：{n}";
        steps: "Steps", "步骤";
        rules: "Rules", "规则";
        levels: "Levels", "级别";
        sources: "Sources", "来源";
        facts: "Facts", "信息";
        strength_read: "read in the source", "已核对原文";
        strength_knowledge: "from the guideline by knowledge: check before use", "凭指南知识：使用前请核对";
        strength_local: "local choice", "本地设定";
        asks(what): "asks: {what}", "询问：{what}";
        tells: "tells", "告知";
        task(kind, role, minutes): "task: {kind}, {role}, {minutes} min", "任务：{kind}，{role}，{minutes} 分钟";
        scores(model): "scores with {model}", "用 {model} 评分";
        at(offsets, anchor): "{offsets} after {anchor}", "{anchor}后 {offsets}";
        every(every, from, to): "every {every} from {from} to {to}", "自 {from} 至 {to}，每 {every}";
        every_open(every, from): "every {every} from {from}, without end", "自 {from} 起每 {every}，无期限";
        weekdays(days, from, to): "{days} from {from} to {to}", "自 {from} 至 {to}：{days}";
        for_fact(options): "for {options}", "适用于 {options}";
        around(offset, step): "{offset} from {step}", "距{step} {offset}";
        after_outcome(offset, step): "{offset} after the outcome of {step}", "{step} 有结果后 {offset}";
        started: "when a rule starts it", "由规则启动";
        started_after(offset): "{offset} after a rule starts it", "由规则启动后 {offset}";
        chain_first(first, anchor): "first {first} after {anchor}", "首次：{anchor}后 {first}";
        chain_next(after): "then each {after} after the one before", "之后每次间隔 {after}";
        chain_if(after): "then {after} after the one before, when its condition holds", "满足条件时，下一次间隔 {after}";
        until: "ends when its condition holds", "满足条件时结束";
        only_if: "only when its condition holds", "仅在满足条件时";
        instruments: "Questionnaires", "问卷";
        licence(terms): "licence: {terms}", "许可：{terms}";
        words_in(language, trust): "words in {language}: {trust}", "{language} 文本：{trust}";
        original: "original", "原文";
        official: "official translation", "官方译文";
        reviewed: "translation, reviewed", "译文，已审核";
        confirm_at_site: "translation in wide use: compare with the official form before use", "通行译文：使用前请与官方版本核对";
        needs_review: "machine-made translation, NOT REVIEWED: do not use before a clinician has read it", "机器译文，未经审核：使用前须由临床人员审阅";
        window(before, after): "window -{before}/+{after} days", "窗口 -{before}/+{after} 天";
        alert(level): "alert: {level}", "警示：{level}";
        opens_task(title): "task: {title}", "任务：{title}";
        starts(step): "starts {step}", "启动 {step}";
        sets(name): "sets {name}", "设置 {name}";
        pauses: "pauses", "暂停";
        stops: "stops", "终止";
        at_once: "at once, before submission", "立即（提交前）";
        alert_within(level, respond): "alert: {level}, {respond}", "警示：{level}，{respond}";
        respond_minutes(n): "within {n} minutes", "{n} 分钟内";
        respond_covered(n): "within {n} minutes of cover", "值班 {n} 分钟内";
        respond_same_day: "the same day", "当日";
        respond_working(n): "within {n} working days", "{n} 个工作日内";
        respond_never: "no response needed", "无需响应";
        then_role(role, minutes): "then {role} after {minutes} minutes", "{minutes} 分钟后转 {role}";
        days(n): "{n} d", "{n} 天";
        weeks(n): "{n} wk", "{n} 周";
        months(n): "{n} mo", "{n} 月";
        years(n): "{n} y", "{n} 年";
        hours(n): "{n} h", "{n} 小时";
        mins(n): "{n} min", "{n} 分钟";
    }
}

crate::words! {
    /// System health.
    Health {
        title: "System health", "系统状态";
        fine: "Everything works.", "一切正常。";
        lost_none: "Every active patient has a next step or an open task.", "每位在随访患者都有下一步安排或待办任务。";
        lost(n): "{n} active patients have neither a next step nor an open task. Tell the administrator now.",
            "有 {n} 位在随访患者既无下一步安排也无待办任务，请立即通知管理员。";
        due_now: "Patients due now", "当前到期患者";
        oldest_due: "Oldest due since", "最早到期时间";
        quarantined: "Patients set aside until a person looks", "等待人工检查的患者";
        lane(channel): "Lane {channel}", "通道：{channel}";
        lane_state(ready, flight, doubt): "{ready} ready, {flight} in flight, {doubt} in doubt",
            "待发 {ready}，发送中 {flight}，不明 {doubt}";
        last_sweep: "Last sweep of the lanes", "最近一次通道清理";
        no_sweep: "The background work does not run: nothing is sent and nothing comes due. Start `tend serve` with the roles worker and ticker.",
            "后台工作未运行：不会发送消息，也不会到期处理。请以 worker 和 ticker 角色启动 tend serve。";
        last_scoring: "Last scoring of everybody", "最近一次全员评分";
        given_up: "Imports and scorings given up", "已中止的导入与评分";
        counts: "Open tasks", "待办任务";
        counts_same: "The kept counts equal a recount.", "保存的计数与重新统计一致。";
        counts_differ: "The kept counts differ from a recount: run `tend doctor`.", "保存的计数与重新统计不一致：请运行 tend doctor。";
        database: "Database", "数据库";
        clock: "Clinical clock", "临床时钟";
    }
}
