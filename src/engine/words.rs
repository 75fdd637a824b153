//! The engine's own words for staff, where no author wrote any.

use std::collections::BTreeMap;

use crate::model::Text;

fn words(en: &str, zh: &str) -> Text {
    Text(BTreeMap::from([("en".to_owned(), en.to_owned()), ("zh".to_owned(), zh.to_owned())]))
}

pub(crate) fn stopped() -> Text {
    words("Offer follow-up by phone: the patient stopped messages", "患者已停止接收消息，请提供电话随访")
}

pub(crate) fn undeliverable() -> Text {
    words("Check the address: a message could not be delivered", "请核对联系方式：消息无法送达")
}

pub(crate) fn no_channel() -> Text {
    words("No way to send messages: follow up by phone", "没有可用的消息渠道，请电话随访")
}

pub(crate) fn wrote() -> Text {
    words("The patient sent a text message: read it", "患者发来短信，请查看")
}

pub(crate) fn wrote_danger() -> Text {
    words("The patient's text message may describe an emergency", "患者短信可能提示紧急情况")
}

pub(crate) fn late_answer() -> Text {
    words("Late answer: read it, rules did not run", "迟到的回答：请查看，规则未运行")
}

pub(crate) fn withdrawn_answer() -> Text {
    words(
        "An answer to a question that the new version does not ask any more: read it",
        "收到新版本已不再询问的问题的回答：请查看",
    )
}

pub(crate) fn nothing_planned() -> Text {
    words(
        "Nothing more is planned: end the follow-up or decide what comes next",
        "没有后续安排，请结束随访或决定下一步",
    )
}

pub(crate) fn pause_review() -> Text {
    words(
        "Sending is paused without an end: decide when it goes on",
        "消息已暂停且无结束日期，请决定何时恢复",
    )
}

pub(crate) fn nobody_responded() -> Text {
    words("Nobody responded in time", "未在规定时间内响应")
}
