//! Words of the watch over a model, and of what became of patients.

crate::words! {
    /// The watch over a model.
    Monitor {
        title: "How the model does", "模型运行监测";
        intro: "Only patients whose outcome was entered or imported count. People decide what follows.",
            "仅统计已录入或导入结局的患者。后续措施由人决定。";
        in_use(model, version): "In use: {model}, version {version}", "使用中：{model}，版本 {version}";
        challenger_is(version): "Challenger: version {version}, computed beside it and shown to nobody",
            "对照模型：版本 {version}，并行计算，不向任何人显示";
        alarm_look: "The last month that counts is beyond the limit: look at it, and recalibrate if it is true.",
            "最近一个计入的月份超出控制限：请核查，属实则重新校准。";
        alarm_back: "Two months in a row are beyond the limit in the same direction: the model steps back, and the published score stands in its place until a clinician decides.",
            "连续两个月同向超限：模型已退出显示，由公开评分代替，直至医生作出决定。";
        quiet_now: "The last month that counts is within the limits.", "最近一个计入的月份在控制限内。";
        looked_at(time): "As looked at on {time}. It is looked at again every night, and when a list of outcomes was read.",
            "统计截至 {time}。每晚及导入结局后重新统计。";
        nothing_yet: "No month counts yet.", "尚无可计入的月份。";
        months: "Seen against expected, by month", "每月实际与预期";
        months_help: "A month counts 30 days after its end, once the outcome of four in five of its patients is known. Of months in which nothing is wrong, 27 in 10,000 lie beyond 3 standard errors.",
            "月份结束满30天且五分之四患者结局已知后计入。若无异常，每10000个月约有27个超出3个标准误。";
        chart: "Standard errors between seen and expected, by month; the limits are 3 and -3",
            "每月实际与预期之差（标准误），控制限为3和-3";
        table_behind: "The same as a table", "以表格显示";
        month: "Month", "月份";
        scored: "Scored", "已评分";
        known: "Outcome known", "结局已知";
        seen: "Readmitted", "再入院";
        expected: "Expected", "预期";
        errors: "Standard errors", "标准误";
        verdict: "Verdict", "结论";
        quiet: "within the limits", "在控制限内";
        look: "beyond the limit", "超出控制限";
        step_back: "beyond the limit again", "再次超出控制限";
        waits: "does not count yet", "尚未计入";
        drift: "Do patients still look as in training?", "患者特征与训练时是否一致？";
        drift_help: "Population stability index of the last three months: from 0.1 on look, from 0.25 on the input has drifted.",
            "最近三个月的群体稳定性指数：0.1起需关注，0.25起为已漂移。";
        few: "Fewer than 100 patients: too few to say.", "不足100名患者，无法判断。";
        input: "Input", "输入项";
        index: "Index", "指数";
        missing: "Missing now", "目前缺失";
        missing_then: "Missing in training", "训练时缺失";
        parts: "Parts of the patients", "患者分组";
        part: "Part", "分组";
        ratio: "Seen / expected (95 % interval)", "实际/预期（95%区间）";
        sides: "Champion and challenger on the same patients", "现用模型与对照模型（同一批患者）";
        compared(n): "{n} patients that both scored and whose outcome is known.", "{n} 名患者由两者评分且结局已知。";
        version: "Version", "版本";
        auroc: "AUROC", "AUROC（区分度）";
        brier: "Brier score", "Brier评分";
        mend: "Recalibrate on this site's outcomes", "按本院结局重新校准";
        mend_help: "The level, and with enough outcomes the spread, is fitted to everybody first scored since that day. The ranking stays. The result is a challenger; it takes over when a clinician says so.",
            "用该日以来首次评分的患者拟合水平，结局足够时同时拟合离散度。排序不变。结果作为对照模型，由医生决定是否接替。";
        since: "First scored since", "首次评分起始日";
        recalibrate: "Recalibrate", "重新校准";
        history: "Try the model that looks back over earlier stays", "试用含既往住院信息的模型";
        adopt: "Let the challenger take over", "由对照模型接替";
        discard: "Give the challenger up", "放弃对照模型";
        shipped: "Back to the model as shipped", "恢复为原始模型";
        moved_by(name, time): "by {name}, {time}", "由 {name} 于 {time} 设置";
        not_moved: "Nothing was changed: the outcomes are too few. At least 20 of the rarer kind are needed.",
            "未作更改：结局数量不足，较少的一类至少需要20例。";
        no_challenger: "Nothing was changed: there is no challenger.", "未作更改：没有对照模型。";
        to_monitor: "How the model does", "模型运行监测";
    }
}

crate::words! {
    /// What became of a patient.
    Became {
        title: "Readmitted within 30 days?", "30天内是否再入院？";
        help: "What became of patients is what the model is watched by and learns from. It changes nothing in the follow-up.",
            "结局用于监测和改进模型，不影响随访流程。";
        happened: "Admitted to any hospital within 30 days of the discharge", "出院后30天内再次入住任何医院";
        day: "Day of the admission", "入院日期";
        act: "Record readmission", "记录再入院";
        was(day): "Readmitted on {day}", "已于 {day} 再入院";
        was_not: "Not readmitted within 30 days", "30天内未再入院";
        not_yet(day): "The 30 days are not over; that nothing happened is known from {day} on.", "30天尚未结束，{day} 起方可确认未再入院。";
        not_within: "Not within 30 days after the discharge, or in the future.", "不在出院后30天内，或为将来日期。";
    }
}
