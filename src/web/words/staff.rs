//! Words that all pages of staff share: the frame, signing in, and the product's vocabulary.

crate::words! {
    /// Frame, sign-in, vocabulary.
    Staff {
        menu: "Pages", "页面";
        worklist: "Worklist", "工作列表";
        enrol: "Enrol", "登记患者";
        import: "Import", "批量导入";
        risk_queue: "Risk queue", "风险队列";
        messages: "Messages", "消息记录";
        workflows: "Workflows", "随访流程";
        health: "System health", "系统状态";
        signed_in_as(name): "Signed in as {name}", "当前用户：{name}";
        sign_out: "Sign out", "退出登录";
        sign_in: "Sign in", "登录";
        login: "Login name", "登录名";
        password: "Password", "密码";
        sign_in_wrong: "Login name or password is wrong. Check both and try again.", "登录名或密码错误，请核对后重试。";
        sign_in_limited(minutes): "Too many failed tries. Wait {minutes} minutes, then try again.",
            "失败次数过多，请等待 {minutes} 分钟后再试。";
        sign_in_idle: "You were signed out because nothing was done for 15 minutes. Sign in to go on.",
            "因 15 分钟无操作，您已被自动退出。请重新登录。";
        signed_out: "You are signed out.", "您已退出登录。";
        one_account: "Your account is yours alone: everything done with it is recorded under your name.",
            "账户仅限本人使用，所有操作均以您的姓名记录。";
        keys_help: "Keys: Alt+Shift and the underlined letter (Firefox), Alt and the letter (Chromium).",
            "快捷键：Firefox 按 Alt+Shift+字母，Chromium 按 Alt+字母。";

        level: "Level", "级别";
        level_red_now: "Emergency", "紧急";
        level_red: "Red", "红色";
        level_amber: "Amber", "橙色";
        level_grey: "Grey", "灰色";
        level_blue: "Blue", "蓝色";
        level_green: "Green", "绿色";
        level_red_now_means: "possible emergency: act now", "可能为急症：立即处理";
        level_red_means: "needs assessment today", "今日须评估";
        level_amber_means: "needs a call or a plan", "须电话联系或制定方案";
        level_grey_means: "silent, undeliverable or opted out", "无应答、无法送达或已退订";
        level_blue_means: "administrative request", "行政事务";
        level_green_means: "as expected", "符合预期";

        role: "Owner", "负责人";
        role_clerk: "Clerk", "文员";
        role_nurse: "Nurse", "护士";
        role_nurse_lead: "Nurse lead", "护士长";
        role_clinician: "Clinician", "医生";
        role_pharmacist: "Pharmacist", "药师";

        kind_alert: "Alert", "警示";
        kind_call: "Call", "电话";
        kind_visit: "Visit", "就诊";
        kind_examination: "Examination", "检查";
        kind_review: "Review", "病历审阅";
        kind_admin: "Admin", "行政";

        channel_sms: "SMS", "短信";
        channel_email: "E-mail", "电子邮件";

        outcome_done: "Done", "已完成";
        outcome_did_not_come: "Did not come", "未到诊";
        outcome_refused: "Refused", "拒绝";
        outcome_called_advice: "Called, advice given", "已电话指导";
        outcome_medicine_changed: "Medicine changed", "已调整用药";
        outcome_visit_booked: "Visit booked", "已预约就诊";
        outcome_sent_to_emergency: "Sent to emergency", "已送急诊";
        outcome_no_action: "No action needed", "无需处理";
        outcome_false_alarm: "False alarm", "误报";
        outcome_could_not_reach: "Could not reach", "未能联系上";

        standing_active: "Running", "进行中";
        standing_paused: "Paused", "已暂停";
        standing_paused_until(date): "Paused until {date}", "暂停至 {date}";
        standing_over: "Over", "已结束";

        stop_withdrawn: "Patient withdrew", "患者退出";
        stop_transferred: "Moved to another hospital", "已转院";
        stop_hospice: "Hospice care", "安宁疗护";
        stop_clinician: "Treating team's decision", "医疗团队决定";
        stop_rule: "Rule of the workflow", "流程规则";
        stop_died: "Died", "死亡";

        msg_scheduled: "Scheduled", "已安排";
        msg_claimed: "In flight", "发送中";
        msg_handed_over: "Handed over", "已交付";
        msg_delivered: "Delivered", "已送达";
        msg_refused: "Refused", "被拒";
        msg_uncertain: "Uncertain", "结果不明";
        msg_expired: "Expired", "已过期";
        msg_suppressed: "Suppressed", "已抑制";
        msg_withdrawn: "Withdrawn", "已撤回";

        purpose_ask: "Questionnaire", "问卷";
        purpose_remind: "Reminder", "提醒";
        purpose_tell: "Information", "通知";
        purpose_stop: "Confirmation of STOP", "退订确认";
        purpose_start: "Confirmation of START", "恢复确认";
        purpose_help: "Answer to HELP", "帮助回复";
        purpose_not_monitored: "\"Nobody watches this number\"", "“此号码无人值守”";

        yes: "Yes", "是";
        no: "No", "否";
        save: "Save", "保存";
        cancel: "Cancel", "取消";
        confirm: "Confirm", "确认";
        next_page: "Next page", "下一页";
        first_page: "First page", "第一页";
        filter: "Filter", "筛选";
        all: "All", "全部";
        search: "Name or number", "姓名或编号";
        find: "Find", "查找";
        none: "None", "无";
        reason: "Reason", "原因";
        reason_missing: "Write a reason.", "请填写原因。";
        date: "Date", "日期";
        time: "Time", "时间";
        patient: "Patient", "患者";
        erased: "(erased)", "（已删除）";
        unknown: "not known", "未知";
        mistakes: "Please correct this", "请更正以下内容";
        not_approved: "example, not approved", "示例，未经批准";
        risk: "Risk", "风险";
        why: "Why", "原因";
        language_en: "English", "英语";
        language_zh: "Chinese", "中文";
        sex(sex): "Sex: {sex}", "性别：{sex}";
        consent_follow_up: "follow-up messages", "随访消息";
        consent_daily_messages: "up to three messages a day", "每日最多三条消息";
        consent_in_person: "in person", "当面";
        consent_phone: "by phone", "电话";
        by(name): "by {name}", "由{name}";
        not_validated: "US diabetic inpatients 1999-2008, not validated here",
            "基于美国 1999-2008 年糖尿病住院患者数据，未在本院验证";

        err_missing: "This is needed.", "此项必填。";
        err_number: "Write a number, for example 78.4.", "请输入数字，例如 78.4。";
        err_range(low, high): "Write a number from {low} to {high}.", "请输入 {low} 到 {high} 之间的数字。";
        err_date: "Write a date as year-month-day, for example 2026-03-02.", "请按 年-月-日 输入日期，例如 2026-03-02。";
        err_choice: "Choose one of the options.", "请选择一个选项。";
        err_long(max): "Write at most {max} characters.", "最多输入 {max} 个字符。";
    }
}
