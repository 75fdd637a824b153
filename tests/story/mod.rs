//! The main job, end to end, on the program as it is shipped.

mod browser;
mod carriers;
