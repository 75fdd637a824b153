//! Words that every page may need.

crate::words! {
    /// Words of the frame and of error pages.
    Common {
        product: "Tend", "Tend 随访";
        skip: "Skip to the content", "跳到正文";
        language: "Language", "语言";
        reference(reference): "Reference: {reference}", "参考编号：{reference}";
        back: "Back", "返回";
        error_title_not_found: "This page does not exist", "此页面不存在";
        error_not_found: "The address may have been shortened or mistyped. Please open it again from the message.",
            "网址可能不完整或有误。请从短信或邮件中重新打开。";
        error_title_forbidden: "You may not do this", "您无权执行此操作";
        error_forbidden: "Your account does not have the right for it.", "您的账户没有相应的权限。";
        error_title_stale: "This page was open too long", "页面打开时间过长";
        error_stale: "Nothing was changed. Please go back, load the page again and repeat the last step.",
            "未作任何更改。请返回并重新加载页面，然后重复上一步。";
        error_title_too_large: "That is too long", "内容过长";
        error_too_large: "Nothing was saved. Please go back and write less.", "未保存任何内容。请返回并缩短内容。";
        error_title_bad_form: "This form could not be read", "无法读取此表单";
        error_bad_form: "Nothing was changed. Please go back, load the page again and fill it in once more.",
            "未作任何更改。请返回并重新加载页面，然后再次填写。";
        error_title_conflict: "Somebody was faster", "已有他人先行操作";
        error_conflict: "It has changed in the meantime. Please look at it again.", "内容已发生变化，请重新查看。";
        error_title_too_many: "Too many tries", "尝试次数过多";
        error_too_many: "Please wait a few minutes and try again.", "请等待几分钟后再试。";
        error_title_method: "This page cannot be used so", "此页面不支持该操作";
        error_method: "Please go back and use the buttons of the page.", "请返回并使用页面上的按钮。";
        error_title_internal: "Something went wrong here", "系统出现问题";
        error_internal: "It is not your fault. What you had saved is safe. Please try again in a few minutes.",
            "这不是您的问题。已保存的内容不会丢失。请几分钟后再试。";
    }
}
