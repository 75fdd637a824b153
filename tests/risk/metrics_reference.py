"""Independent figures for tests/risk: needs scikit-learn and scikit-survival from PyPI.

Prints the Rust constants of src/risk/metrics/tests.rs. The rows come from a small integer generator, so that
both sides can make them without a file.
"""
import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, roc_auc_score
from sksurv.metrics import (brier_score, concordance_index_censored, concordance_index_ipcw,
                            cumulative_dynamic_auc, integrated_brier_score)
from sksurv.util import Surv


def numbers(n):
    state = 12345
    out = []
    for _ in range(n):
        state = (state * 1103515245 + 12345) % 2147483648
        out.append((state >> 8) % 10007 / 10007)
    return np.array(out)


N = 240
u = numbers(4 * N).reshape(N, 4)
p = np.round(0.02 + 0.9 * u[:, 0], 2)
y = (u[:, 1] < p * 0.8).astype(int)
print("AUROC", repr(roc_auc_score(y, p)))
print("AUPRC", repr(average_precision_score(y, p)))
print("BRIER", repr(brier_score_loss(y, p)))
print("LOG_LOSS", repr(log_loss(y, p)))
x = np.log(p / (1 - p)).reshape(-1, 1)
print("SLOPE", repr(LogisticRegression(C=1e12, tol=1e-12, max_iter=10000).fit(x, y).coef_[0, 0]))

time = 1 + np.floor(60 * u[:, 2] * (1.4 - p))
event = u[:, 3] < 0.6
s = Surv.from_arrays(event, time)
grid = np.array([5.0, 10.0, 20.0, 30.0])
risk = 1 - (1 - 0.9 * p[:, None]) ** (grid[None, :] / 30)
mean = risk.mean(axis=1)
print("HARRELL", repr(concordance_index_censored(event, time, mean)[0]))
print("UNO", repr(concordance_index_ipcw(s, s, mean, tau=30.0)[0]))
print("BRIER_T", repr(list(brier_score(s, s, 1 - risk, grid)[1])))
print("IBS", repr(integrated_brier_score(s, s, 1 - risk, grid)))
print("AUC_T", repr([cumulative_dynamic_auc(s, s, risk[:, i], [t])[0][0] for i, t in enumerate(grid)]))
