//! Pure follow-up rules.
