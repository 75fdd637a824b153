//! Words of the enrol form and the import of patients.

crate::words! {
    /// Enrol form and import.
    Enrol {
        title: "Enrol a patient", "登记患者";
        choose: "Which follow-up", "选择随访流程";
        choose_none: "No workflow is published at this site. An author publishes one on the workflows page.",
            "本院尚未发布任何流程，请由编写者在流程页面发布。";
        go_on: "Go on", "继续";
        who: "Who it is", "患者身份";
        name: "Full name", "姓名";
        birth_date: "Date of birth", "出生日期";
        sex: "Sex as recorded", "登记性别";
        sex_female: "female", "女";
        sex_male: "male", "男";
        number: "Hospital number", "住院号";
        system: "Numbering system", "编号系统";
        language: "Language of messages", "消息语言";
        zone: "Time zone", "时区";
        reach: "How to reach the patient", "联系方式";
        phone: "Mobile number", "手机号码";
        email: "E-mail address", "电子邮箱";
        carer_phone: "A carer's mobile number", "照护者手机号码";
        preferred: "Preferred channel", "首选渠道";
        consent: "Consent", "同意";
        consent_read: "Read out: \"We send you a link to short questions by SMS or e-mail. Messages are not encrypted; others who use your phone may read them. Nobody watches the answers at night. You can stop at any time by answering STOP or by calling us.\"",
            "请宣读：“我们会通过短信或邮件发送简短问卷的链接。消息未加密，使用您手机的其他人可能看到。夜间无人查看答复。您可随时回复 TD 或致电我们停止。”";
        consent_sms: "Consents to SMS", "同意接收短信";
        consent_email: "Consents to e-mail", "同意接收电子邮件";
        consent_daily: "Consents to up to three messages a day", "同意每日最多三条消息";
        consent_needed: "Tick the consent to at least one channel that has an address, or leave both addresses empty: then all contact is by phone.",
            "请至少勾选一个有地址的渠道，或将两个地址留空（此时仅电话联系）。";
        anchors: "Dates", "日期";
        facts: "What is known", "已知信息";
        required: "needed", "必填";
        risk_facts: "For the risk score and the published scores (optional)", "用于风险评分及公开评分（可选）";
        risk_facts_help: "Without the needed ones the patient is \"not scored\", never \"low risk\".",
            "缺少必需项时显示“未评分”，而不会显示为“低风险”。";
        submit: "Enrol", "登记";
        duplicate: "A patient with this name and date of birth, or this number, is here already. Open the record, or tick the box if it is another person.",
            "已有同名同出生日期或同编号的患者。请打开该记录；若为不同的人，请勾选确认。";
        another_person: "It is another person", "确为不同患者";
        same_number: "This number belongs to somebody else here. Check it.", "该编号已属于其他患者，请核对。";
        already_on: "This patient is on this follow-up already.", "该患者已在此随访流程中。";
        err_future: "This date lies in the future.", "该日期在将来。";
        err_old: "This date is too long ago.", "该日期过早。";

        import_title: "Import patients", "批量导入患者";
        import_help: "A CSV file in UTF-8, one patient a line, the first line names the columns. Nothing is sent for lines that are refused.",
            "UTF-8 编码的 CSV 文件，每行一名患者，首行为列名。被拒绝的行不会产生任何消息。";
        import_columns: "Columns", "列";
        import_columns_help: "name, birth_date, then any of these; dates as year-month-day; yes or no for consent:",
            "name、birth_date，以及以下任意列；日期为 年-月-日；同意填 yes 或 no：";
        import_file: "File", "文件";
        import_start: "Import", "导入";
        import_working(done, total): "Working: {done} of {total} lines. This page asks again by itself.", "处理中：{done} / {total} 行。本页会自动刷新。";
        import_gave_up: "The import was given up: it failed several times at the same line. The lines that were not tried are listed. Upload them again.",
            "导入已中止：同一行多次失败。未处理的行见下表，请重新上传。";
        import_earlier: "Earlier imports", "历次导入";
        import_another: "Import another file", "导入另一个文件";
        import_not_published: "This follow-up is not published here any more.", "该随访流程已不再发布。";
        import_engine: "This patient could not be planned for. Enrol by hand, and tell whoever runs Tend.", "无法为该患者制定计划，请手工登记并告知管理员。";
        import_not_tried: "Not tried: the import was given up before.", "未处理：导入此前已中止。";
        import_done(taken, refused): "{taken} enrolled, {refused} refused.", "已登记 {taken} 行，拒绝 {refused} 行。";
        import_refused: "Refused lines", "被拒绝的行";
        import_line: "Line", "行";
        import_column: "Column", "列";
        import_why: "What is wrong", "问题";
        import_report: "Download the report (CSV)", "下载报告（CSV）";
        import_empty: "Choose a file.", "请选择文件。";
        import_too_large(max): "The file is larger than {max} kB. Split it.", "文件超过 {max} kB，请拆分。";
        import_too_many(max): "More than {max} lines. Split the file.", "超过 {max} 行，请拆分文件。";
        import_not_utf8: "This line is not UTF-8. Save the file as CSV UTF-8.", "该行不是 UTF-8 编码，请另存为 CSV UTF-8。";
        import_no_column(name): "The column {name} is missing.", "缺少列 {name}。";
        import_unknown_column(name): "The column {name} is not known.", "未知的列 {name}。";
        import_duplicate: "This patient is here already.", "该患者已存在。";
        import_not_csv: "This line cannot be read as CSV: check quotes and the number of columns.",
            "该行无法按 CSV 读取：请检查引号和列数。";
    }
}
