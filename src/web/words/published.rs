//! Words of the published scores and of what they read.

crate::words! {
    /// Published scores.
    Published {
        title: "Published scores", "公开评分";
        not_worked_out: "Not worked out", "未计算";
        lace: "LACE", "LACE 指数";
        hospital: "HOSPITAL", "HOSPITAL 评分";
        hospital_simplified: "HOSPITAL, simplified", "HOSPITAL 简化评分";
        charlson: "Charlson", "Charlson 合并症指数";
        news2: "NEWS2", "NEWS2 早期预警评分";
        ckd_epi: "eGFR (CKD-EPI 2021)", "eGFR（CKD-EPI 2021 公式）";
        points(total, of, band): "{total} of {of}: {band}", "{total} 分（满分 {of}）：{band}";
        part(least, most, why): "{least} to {most}; {why}", "{least} 至 {most} 分；{why}";
        not_known: "not known", "未知";
        between(least, most): "{least} to {most}: not all of it is known", "{least} 至 {most} 分：部分项目未知";
        bands: "Admissions count in bands of 0 to 1, 2 to 5, and more.", "住院次数按 0–1、2–5、5 以上分档。";
        weights(first, second): "{first} (weights of 1987), {second} (weights of 2011)", "{first}（1987 年权重），{second}（2011 年权重）";
        coarse: "A code of three characters says too little: it may be too low.", "三位编码无法细分，结果可能偏低。";
        filtration(rate, category): "{rate} mL/min/1.73 m², {category}", "{rate} mL/min/1.73 m²，{category} 期";
        one_value: "One value does not make a chronic disease.", "单次结果不能诊断慢性肾病。";
        because_one(what): "not worked out because {what} is not recorded (or out of range)", "未计算，因为未记录（或超出范围）：{what}";
        because_many(what): "not worked out because {what} are not recorded (or out of range)", "未计算，因为未记录（或超出范围）：{what}";
        under(age): "not made for anybody under {age}", "不适用于 {age} 岁以下";
        and(first, last): "{first} and {last}", "{first}和{last}";
        los_days: "the length of stay", "住院天数";
        adm_type: "the type of admission", "入院类型";
        lace_comorbidity: "the sum of comorbidities", "合并症权重之和";
        n_emergency_6m: "emergency visits in 6 months", "6个月内急诊次数";
        haemoglobin: "haemoglobin", "血红蛋白";
        oncology_service: "discharge by oncology", "是否由肿瘤科出院";
        active_cancer: "active cancer", "是否有活动性癌症";
        sodium: "sodium", "血钠";
        n_procs: "procedures", "操作次数";
        n_inpatient_12m: "admissions in 12 months", "12个月内住院次数";
        diagnoses: "a coded diagnosis", "诊断编码";
        respirations: "the respiratory rate", "呼吸频率";
        spo2: "oxygen saturation", "血氧饱和度";
        oxygen: "air or oxygen", "是否吸氧";
        systolic: "systolic pressure", "收缩压";
        pulse: "pulse", "脉搏";
        consciousness: "consciousness", "意识状态";
        temperature: "temperature", "体温";
        creatinine: "creatinine", "肌酐";
        age: "age", "年龄";
        sex: "sex", "性别";
    }
}
