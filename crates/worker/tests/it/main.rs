//! A worker's shift against a small chain, over random runs of events; and single facts.

mod facts;
mod random;
mod world;
