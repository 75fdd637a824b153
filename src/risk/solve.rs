//! Small symmetric systems, by Cholesky's method.

/// Solves a symmetric positive system.
pub fn solve(matrix: &[f64], right: &[f64]) -> Option<Vec<f64>> {
    cholesky(matrix, right.len()).map(|factor| substitute(&factor, right))
}

/// The lower factor, or none when the matrix is not positive.
pub fn cholesky(matrix: &[f64], n: usize) -> Option<Vec<f64>> {
    let mut l = vec![0.0; n * n];
    for i in 0..n {
        for j in 0..=i {
            let sum = matrix[i * n + j] - dot(&l[i * n..i * n + j], &l[j * n..j * n + j]);
            if i == j {
                if sum.is_nan() || sum <= 0.0 {
                    return None;
                }
                l[i * n + i] = sum.sqrt();
            } else {
                l[i * n + j] = sum / l[j * n + j];
            }
        }
    }
    Some(l)
}

/// Solves with the lower factor.
pub fn substitute(l: &[f64], right: &[f64]) -> Vec<f64> {
    let n = right.len();
    let mut y = vec![0.0; n];
    for i in 0..n {
        y[i] = (right[i] - dot(&l[i * n..i * n + i], &y[..i])) / l[i * n + i];
    }
    for i in (0..n).rev() {
        let below: f64 = (i + 1..n).map(|k| l[k * n + i] * y[k]).sum();
        y[i] = (y[i] - below) / l[i * n + i];
    }
    y
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_positive_system_is_solved_and_another_refused() {
        let x = solve(&[4.0, 2.0, 2.0, 3.0], &[8.0, 7.0]).expect("is positive");
        assert!((x[0] - 1.25).abs() < 1e-12 && (x[1] - 1.5).abs() < 1e-12, "{x:?}");
        assert_eq!(solve(&[1.0, 2.0, 2.0, 1.0], &[1.0, 1.0]), None);
    }
}
