//! Figures on predictions: discrimination, calibration, accuracy, net benefit.
//!
//! Pure functions of predictions and outcomes; who resamples (`bootstrap`) calls them again on other rows.

pub mod binary;
pub mod bootstrap;
pub mod survival;

#[cfg(test)]
mod tests;
