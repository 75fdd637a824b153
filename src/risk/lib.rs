//! Pure risk model.
