//! Staking against a naive second implementation, over random operations; and single facts.

mod facts;
mod model;
mod operations;
mod properties;
mod sortition;
mod sortition_statistics;
mod sortition_withholding;
mod world;
