//! Words of the patients' pages. Short sentences, plain words; nothing names a disease or an instrument.

crate::words! {
    /// Words of the patients' pages.
    Patient {
        title: "Your follow-up", "您的随访";
        help_heading: "Need help?", "需要帮助？";
        help_call: "Call the ward:", "请致电病区：";
        help_hours(hours): "Hours: {hours}", "接听时间：{hours}";
        not_watched: "Nobody watches these pages all the time. If you feel you are in danger, call:",
            "这些页面并非全天有人查看。如感到有危险，请拨打";
        error_prefix: "Error:", "错误：";
        error_summary: "Please check this", "请检查以下内容";

        guard_heading: "Is this for you?", "这是发给您的吗？";
        guard_why: "We ask for a date of birth so that nobody else sees this page.",
            "为避免他人看到此页面，请输入出生日期。";
        guard_legend: "Date of birth of the patient", "患者的出生日期";
        guard_hint: "For example, 27 3 1958", "例如：1958 年 3 月 27 日";
        day: "Day", "日";
        month: "Month", "月";
        year: "Year", "年";
        proxy: "I am answering for the patient", "我代患者回答";
        proxy_hint: "For example as a relative or carer.", "例如您是家属或照护者。";
        guard_continue: "Continue", "继续";
        guard_missing: "Enter the day, month and year as numbers", "请用数字填写年、月、日";
        guard_unreal: "This date does not exist. Check the day and the month", "该日期不存在，请检查月和日";
        guard_unborn: "This date lies in the future. Check the year", "该日期在未来，请检查年份";
        guard_wrong(left): "This date does not match. Tries left: {left}", "日期不符。还可尝试 {left} 次";
        guard_wrong_person: "If this message was not meant for you, please close this page.",
            "如果此信息不是发给您的，请关闭此页面。";

        question_of(n, total): "Question {n} of {total}", "第 {n} 题，共 {total} 题";
        optional: "You may leave this empty.", "可以不填。";
        yes: "Yes", "是";
        no: "No", "否";
        declined: "Prefer not to say", "不愿回答";
        unit: "Unit", "单位";
        your_answer: "Your answer", "您的回答";
        characters_at_most(n): "At most {n} characters.", "最多 {n} 个字符。";
        text_not_urgent: "Do not write anything urgent here. Call instead.", "紧急情况请勿写在这里，请直接致电。";
        continue_button: "Continue", "继续";
        save_and_leave: "Your answers so far are kept. You can close this page and open the link again later.",
            "已填写的回答会保留。您可以关闭此页面，稍后再打开链接。";
        choose_one: "Choose an answer", "请选择一个答案";
        enter_number: "Enter a number, for example 72.5", "请输入数字，例如 72.5";
        enter_whole: "Enter a whole number, for example 4", "请输入整数，例如 4";
        enter_text: "Write an answer", "请填写回答";
        out_of_range(min, max, unit): "The number must be from {min} to {max} {unit}", "数字须在 {min} 至 {max} {unit} 之间";
        out_of_count(min, max): "The number must be from {min} to {max}", "数字须在 {min} 至 {max} 之间";
        too_long(n): "Write at most {n} characters", "最多填写 {n} 个字符";
        unit_unknown: "Choose a unit", "请选择单位";

        doubt_heading: "Please check this number", "请核对这个数字";
        doubt_typed(value): "You wrote {value}.", "您填写的是 {value}。";
        doubt_last(value): "Last time it was {value}.", "上次是 {value}。";
        doubt_ask: "Is it right?", "是否正确？";
        doubt_yes(value): "Yes, it is {value}", "是，就是 {value}";
        doubt_which(one, other): "Is it {one} or {other}?", "是 {one} 还是 {other}？";
        doubt_unit(value): "It is {value}", "是 {value}";
        doubt_no: "No, I want to change it", "不是，我要修改";

        advice_heading: "Please read this now", "请立即阅读";
        advice_saved: "We have kept your answer and your care team will see it.", "我们已保存您的回答，医护团队会看到。";
        advice_emergency: "Emergency", "急救电话";
        advice_ward: "Ward", "病区电话";
        advice_crisis: "Crisis line, day and night", "心理援助热线（昼夜）";
        advice_uncovered: "Right now nobody on the ward is watching these answers. Do not wait for a call from us.",
            "目前病区没有人查看这些回答。请不要等我们来电。";
        advice_covered: "Somebody will look at your answer during these hours. Do not wait if you feel worse.",
            "会有人在工作时间内查看您的回答。如感觉变差，请不要等待。";
        advice_general: "If you feel very unwell or in danger, call the emergency number now. Otherwise call the ward.",
            "如感觉非常不适或有危险，请立即拨打急救电话。否则请致电病区。";
        advice_continue: "I have read this. Go on with the questions", "我已阅读，继续回答问题";

        check_heading: "Check your answers", "检查您的回答";
        check_intro: "Nothing is final until you send it.", "发送之前都可以修改。";
        change: "Change", "修改";
        change_what(what): "Change: {what}", "修改：{what}";
        not_answered: "Not answered", "未回答";
        confirmed_value(value): "{value} (confirmed by you)", "{value}（您已确认）";
        for_patient: "You are answering for the patient.", "您正代患者回答。";
        send: "Send my answers", "发送回答";
        late_note: "The day for these questions has passed. You can still answer; your answers will be marked as late.",
            "这些问题的回答日期已过。您仍可回答，但会标记为迟交。";

        done_heading: "Thank you. Your answers have arrived.", "谢谢，您的回答已收到。";
        done_at(time): "Received: {time}", "收到时间：{time}";
        done_next: "What happens next", "接下来";
        done_next_ask(date): "We will write to you again on {date}.", "我们将在 {date} 再次联系您。";
        done_next_visit(date): "Your next appointment here is planned for about {date}.", "您的下次预约大约在 {date}。";
        done_next_none: "Nothing else is planned for now. You can call us at any time during the hours below.",
            "目前没有其他安排。您可以在以下时间致电我们。";
        done_close: "You can close this page.", "您可以关闭此页面。";

        used_heading: "Your answers have already arrived", "您的回答已经收到";
        used_body: "You do not need to do anything. To add or change something, please call.",
            "您无需再做任何事。如需补充或修改，请致电。";
        expired_heading: "This link is too old", "此链接已过期";
        expired_body: "The time for this form is over. If you have something to tell us, please call.",
            "此表单的填写时间已过。如有情况要告诉我们，请致电。";
        withdrawn_heading: "This form is no longer needed", "此表单已不再需要";
        withdrawn_body: "You do not need to do anything. If you have a question, please call.",
            "您无需做任何事。如有疑问，请致电。";
        locked_heading: "This link is locked", "此链接已锁定";
        locked_body: "There were too many wrong dates. We have told the ward, and somebody will be in touch. You can also call.",
            "日期输入错误次数过多。我们已通知病区，会有人与您联系。您也可以致电。";
        unknown_heading: "This link does not work", "此链接无效";
        unknown_body: "It may have been cut off. Please open it again from the message, or call.",
            "链接可能不完整。请从短信或邮件中重新打开，或致电。";
    }
}
