//! Words of the demo's own pages.

crate::words! {
    /// Words of the demo's own pages.
    Demo {
        title: "Demo mailbox", "演示信箱";
        intro: "Everything that this demo sends ends here: nothing leaves this machine. All people are invented.",
            "演示系统发送的所有信息都在这里，不会离开本机。所有人物均为虚构。";
        now: "Clinical time", "系统时间";
        move_heading: "Move the clock", "调整时钟";
        move_hint: "Messages go, invented patients answer, alerts rise, as if the time had passed.",
            "信息会发送，虚构患者会作答，警报会产生，如同时间真的过去。";
        hour: "One hour", "一小时";
        day: "One day", "一天";
        week: "One week", "一周";
        moved(messages, answers, tasks): "{messages} messages handed over, {answers} answers, {tasks} new alerts and tasks.",
            "发送信息 {messages} 条，收到回答 {answers} 份，新增警报和任务 {tasks} 项。";
        staff: "Staff sign-in", "员工登录";
        sms: "SMS", "短信";
        email: "E-mail", "电子邮件";
        to(name): "to {name}", "发给 {name}";
        open_link: "Open the link as the patient", "以患者身份打开链接";
        reply_label: "Write back by SMS", "回复短信";
        reply_send: "Send", "发送";
        empty: "No message yet. Move the clock.", "暂无信息。请调整时钟。";
        filter: "Name or number", "姓名或号码";
        filter_go: "Show", "显示";
        failed: "That did not work", "操作未成功";
    }
}
